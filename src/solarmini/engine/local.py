"""The transformers engine: any model folder, in this process."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Self

import torch

from solarmini.checkpoint.resolve import resolve
from solarmini.engine.interface import (
    ContextLengthError,
    FinishReason,
    GenerationSettings,
    Prompt,
)
from solarmini.engine.sampling import choose, sampler
from solarmini.engine.stream import TextStream
from solarmini.errors import CheckpointError
from solarmini.text.chat import ChatFormat
from solarmini.text.tokenizer import PieceTokenizer, load_tokenizer
from solarmini.train.precision import PrecisionName, choose_device, choose_precision

_GREEDY = GenerationSettings()


class TransformersEngine:
    """Loads a model once and answers with a key-value cache; the prompt goes through ChatFormat.

    Weights are bfloat16 where the device computes that fast and float32 elsewhere, by the rule
    that training uses. `template` is as in `ChatFormat.load`; a model without a chat template can
    still continue plain text.
    """

    def __init__(
        self,
        model: str | Path,
        template: str = "model",
        *,
        device: str = "auto",
        precision: PrecisionName = "auto",
    ) -> None:
        """Load; raises ResolveError or CheckpointError when there is nothing that can run."""
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        folder = resolve(model)
        self.name = Path(folder).name
        self._folder, self._template = folder, template
        self._device = choose_device(device)
        wide = choose_precision(precision, self._device) == "fp32"
        try:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32 if wide else torch.bfloat16, local_files_only=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"the model cannot be loaded: {error}", where=folder) from error
        self._model: Any = loaded.to(self._device).eval()
        config = loaded.config.get_text_config()
        self.context_length = int(getattr(config, "max_position_embeddings", None) or 2**31)
        self._tokenizer = load_tokenizer(folder)
        self._pieces = PieceTokenizer(self._tokenizer)
        self._chat: ChatFormat | None = None

    @property
    def chat(self) -> ChatFormat:
        """The chat format, made when first needed; TemplateError if the model has none."""
        if self._chat is None:
            self._chat = ChatFormat.load(self._folder, self._template)
        return self._chat

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of a plain text, without tokens that only a whole prompt has."""
        return self._pieces.whole(text)

    def generate(
        self, prompt: Prompt, settings: GenerationSettings = _GREEDY
    ) -> "TransformersGeneration":
        """Continue a text, or answer a conversation; the stream runs as it is read.

        Raises ContextLengthError when prompt and `max_tokens` do not fit into the context.
        """
        ids, stops = self._encode(prompt)
        wanted = settings.max_tokens or 1
        if not ids or len(ids) + wanted > self.context_length:
            raise ContextLengthError(len(ids), wanted, self.context_length)
        limit = settings.max_tokens or self.context_length - len(ids)
        return TransformersGeneration(
            self._model, self._tokenizer, ids, frozenset(stops), limit, settings
        )

    def score(self, prompt: Prompt, continuation: str) -> list[float]:
        """Return the log-probability of each token of `continuation` after `prompt`.

        The continuation is tokenised as it follows the prompt's ids. [len(tokens)] floats.
        """
        ids, _ = self._encode(prompt)
        following = self._pieces.next(continuation, ids)
        if len(ids) + len(following) > self.context_length:
            raise ContextLengthError(len(ids), len(following), self.context_length)
        if not ids or not following:
            raise CheckpointError("prompt and continuation must each have a token to be scored")
        inputs = torch.tensor([ids + following[:-1]], device=self._device)
        with torch.inference_mode():
            logits = self._model(inputs, use_cache=False, logits_to_keep=len(following)).logits
        logprobs = torch.log_softmax(logits[0].float(), dim=-1)
        chosen = torch.tensor(following, device=self._device)[:, None]
        return logprobs.gather(1, chosen)[:, 0].tolist()

    def close(self) -> None:
        """Free the model's memory."""
        self._model = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()

    def _encode(self, prompt: Prompt) -> tuple[list[int], list[int]]:
        """Return prompt ids and the ids that end the answer."""
        if isinstance(prompt, str):
            ids = self._pieces.leading + self._pieces.whole(prompt)
            return ids, _end_ids(self._model, self._tokenizer)
        messages: list[Any] = list(prompt)
        return self.chat.encode(messages, add_generation_prompt=True).ids, self.chat.stop_ids


class TransformersGeneration:
    """One running answer; see `interface.Generation`."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        ids: Sequence[int],
        stops: frozenset[int],
        limit: int,
        settings: GenerationSettings,
    ) -> None:
        self.prompt_tokens = len(ids)
        self.completion_tokens = 0
        self.seconds = 0.0
        self.finish_reason: FinishReason | None = None
        self.ids: list[int] = []
        self._cancelled = Event()
        self._pieces = self._run(model, tokenizer, list(ids), stops, limit, settings)

    def __iter__(self) -> Iterator[str]:
        """Return itself."""
        return self

    def __next__(self) -> str:
        """Return the next piece of text."""
        return next(self._pieces)

    def cancel(self) -> None:
        """End the answer before its next token."""
        self._cancelled.set()

    def _run(
        self,
        model: Any,
        tokenizer: Any,
        ids: list[int],
        stops: frozenset[int],
        limit: int,
        settings: GenerationSettings,
    ) -> Iterator[str]:
        started = time.perf_counter()
        stream = TextStream(tokenizer, ids, settings.stop)
        reason: FinishReason = "length"
        for token in self._tokens(model, ids, limit, settings):
            self.completion_tokens += 1
            self.seconds = time.perf_counter() - started
            if token in stops:
                reason = "stop"
                break
            self.ids.append(token)
            if piece := stream.push(token):
                yield piece
            if stream.stopped:
                reason = "stop"
                break
        if self._cancelled.is_set() and reason == "length":
            reason = "cancelled"
        if piece := stream.finish():
            yield piece
        self.finish_reason = "stop" if stream.stopped else reason

    def _tokens(
        self, model: Any, ids: list[int], limit: int, settings: GenerationSettings
    ) -> Iterator[int]:
        generator = sampler(settings, model.device)
        inputs = torch.tensor([ids], device=model.device)
        cache = None
        for _ in range(limit):
            if self._cancelled.is_set():
                return
            with torch.inference_mode():
                output = model(inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = output.past_key_values
            token = choose(output.logits[0, -1], settings, generator)
            inputs = torch.tensor([[token]], device=model.device)
            yield token


def _end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Return the ids at which a plain text ends: the generation config's, and the tokenizer's."""
    stated = model.generation_config.eos_token_id
    ids = [stated] if isinstance(stated, int) else list(stated or [])
    return [*ids, *([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])]
