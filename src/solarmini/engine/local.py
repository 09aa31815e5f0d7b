"""The transformers engine: any model folder, on any device, in this process."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import torch

from solarmini.checkpoint.resolve import resolve
from solarmini.engine.constrain import Constraint, Constraints
from solarmini.engine.interface import (
    ContextLengthError,
    Event,
    FinishReason,
    Generation,
    GenerationSettings,
    Prompt,
    Token,
    TokenScore,
    Trace,
    answer_limit,
)
from solarmini.engine.prompts import encode_prompt
from solarmini.engine.sampling import adjusted, choose, sampler
from solarmini.engine.step import step
from solarmini.engine.stream import TextStream
from solarmini.errors import CheckpointError
from solarmini.text.chat import ChatFormat
from solarmini.text.show import token_bytes
from solarmini.text.tokenizer import PieceTokenizer, load_tokenizer
from solarmini.train.precision import PrecisionName, choose_device, choose_precision

_GREEDY = GenerationSettings()


class TransformersEngine:
    """Loads a model once and answers with a key-value cache; the prompt goes through ChatFormat.

    Weights are bfloat16 where the device computes that fast and float32 elsewhere, by the rule
    that training uses. `template` is as in `ChatFormat.load`; a model without a chat template can
    still continue plain text. `context` narrows the model's own. Answers run beside each other,
    each with its own cache: `parallel` only says how many are meant to.
    """

    def __init__(
        self,
        model: str | Path,
        template: str = "model",
        *,
        device: str = "auto",
        precision: PrecisionName = "auto",
        context: int | None = None,
        parallel: int = 1,
    ) -> None:
        """Load; raises ResolveError or CheckpointError when there is nothing that can run."""
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        folder = resolve(model)
        self.name = Path(folder).name
        self.parallel = parallel
        self._folder, self._template = folder, template
        self._device = choose_device(device)
        self.precision = choose_precision(precision, self._device)
        dtype = torch.float32 if self.precision == "fp32" else torch.bfloat16
        try:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, local_files_only=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"the model cannot be loaded: {error}", where=folder) from error
        self._model: Any = loaded.to(self._device).eval()
        config = loaded.config.get_text_config()
        own = int(getattr(config, "max_position_embeddings", None) or 2**31)
        self.context_length = min(own, context or own)
        self.tokenizer = load_tokenizer(folder)
        self._pieces = PieceTokenizer(self.tokenizer)
        self._constraints = Constraints(self.tokenizer, int(config.vocab_size))
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

    def encode(self, prompt: Prompt) -> list[int]:
        """Return all ids of a prompt."""
        return encode_prompt(prompt, self._pieces, lambda: self.chat)[0]

    def generate(
        self, prompt: Prompt, settings: GenerationSettings = _GREEDY
    ) -> "TransformersGeneration":
        """Continue a text, or answer a conversation; the stream runs as it is read.

        Raises ContextLengthError when prompt and `max_tokens` do not fit into the context, and
        GrammarError for a schema or grammar that cannot be enforced.
        """
        ids, talk = encode_prompt(prompt, self._pieces, lambda: self.chat)
        stops = self.chat.stop_ids if talk else _end_ids(self._model, self.tokenizer)
        limit = answer_limit(len(ids), settings, self.context_length)
        bound = self._constraints.start(settings) if settings.constrained else None
        return TransformersGeneration(
            self._model, self.tokenizer, ids, frozenset(stops), limit, settings, bound
        )

    def score(self, prompt: Prompt, continuation: str) -> list[float]:
        """Return the log-probability of each token of `continuation` after `prompt`.

        The continuation is tokenised as it follows the prompt's ids. [len(tokens)] floats.
        """
        ids = self.encode(prompt)
        return list(self.trace(ids, self._pieces.next(continuation, ids)).logprobs)

    def trace(self, ids: Sequence[int], following: Sequence[int]) -> Trace:
        """Return how the model sees the ids `following` after `ids`, in one forward pass."""
        if len(ids) + len(following) > self.context_length:
            raise ContextLengthError(len(ids), len(following), self.context_length)
        if not ids or not following:
            raise CheckpointError("prompt and continuation must each have a token to be scored")
        inputs = torch.tensor([[*ids, *following[:-1]]], device=self._device)
        with torch.inference_mode():
            logits = self._model(inputs, use_cache=False, logits_to_keep=len(following)).logits
        logprobs = torch.log_softmax(logits[0].float(), dim=-1)
        chosen = torch.tensor(list(following), device=self._device)[:, None]
        highest, best = logprobs.max(-1)
        scores = tuple(logprobs.gather(1, chosen)[:, 0].tolist())
        return Trace(scores, tuple(best.tolist()), tuple(highest.tolist()))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the mean of the last layer's states of each text, of length 1."""
        vectors = []
        for text in texts:
            ids = self._pieces.leading + self._pieces.whole(text)
            if not ids or len(ids) > self.context_length:
                raise ContextLengthError(len(ids), 0, self.context_length)
            with torch.inference_mode():
                output = self._model.base_model(torch.tensor([ids], device=self._device))
            mean = output.last_hidden_state[0].float().mean(0)
            vectors.append(torch.nn.functional.normalize(mean, dim=0).tolist())
        return vectors

    @property
    def folder(self) -> Path:
        """The model's folder."""
        return Path(self._folder)

    @property
    def element_bytes(self) -> int:
        """Bytes of one weight in memory."""
        return next(self._model.parameters()).element_size()

    def decode_together(self, prompts: Sequence[Sequence[int]], count: int) -> Iterator[list[int]]:
        """Answer prompts of one length greedily in one batch; yields each step's tokens."""
        inputs = torch.tensor([list(ids) for ids in prompts], device=self._device)
        past = None
        for _ in range(count):
            logits, past = step(self._model, inputs, past)
            inputs = logits.argmax(-1, keepdim=True)
            yield inputs[:, 0].tolist()

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


class TransformersGeneration(Generation):
    """One running answer; `ids` are its tokens without the one that ended it."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        ids: Sequence[int],
        stops: frozenset[int],
        limit: int,
        settings: GenerationSettings,
        bound: Constraint | None = None,
    ) -> None:
        super().__init__(len(ids))
        self.ids: list[int] = []
        self._model, self._tokenizer, self._prompt = model, tokenizer, list(ids)
        self._stops, self._limit, self._settings, self._bound = stops, limit, settings, bound

    def _events(self) -> Iterator[Event]:
        started = time.perf_counter()
        settings = self._settings
        stream = TextStream(self._tokenizer, self._prompt, settings.stop)
        reason: FinishReason = "length"
        for token, logits in self._tokens():
            self.completion_tokens += 1
            self.seconds = time.perf_counter() - started
            self.first_seconds = self.first_seconds or self.seconds
            if token in self._stops and not settings.ignore_end:
                reason = "stop"
                break
            self.ids.append(token)
            piece = stream.push(token)
            scored = () if settings.logprobs is None else (self._scored(token, logits),)
            if piece or scored:
                yield Event(piece, scored)
            if stream.stopped or (self._bound is not None and self._bound.finished):
                reason = "stop"
                break
        if self.cancelled and reason == "length":
            reason = "cancelled"
        if piece := stream.finish():
            yield Event(piece)
        self.finish_reason = "stop" if stream.stopped else reason

    def _tokens(self) -> Iterator[tuple[int, torch.Tensor]]:
        """Yield each token with the model's own logits [V] at its place."""
        generator = sampler(self._settings, self._model.device)
        inputs = torch.tensor([self._prompt], device=self._model.device)
        past, made = None, []
        for _ in range(self._limit):
            if self.cancelled:
                return
            (logits,), past = step(self._model, inputs, past)
            with torch.inference_mode():
                open_to = adjusted(logits.float(), self._settings, made)
                if self._bound is not None:
                    open_to = self._bound.masked(open_to)
                token = choose(open_to, self._settings, generator)
            if self._bound is not None:
                self._bound.accept(token)
            made.append(token)
            inputs = torch.tensor([[token]], device=self._model.device)
            yield token, logits

    def _scored(self, token: int, logits: torch.Tensor) -> Token:
        logprobs = torch.log_softmax(logits.float(), dim=-1)
        values, places = torch.topk(logprobs, self._settings.logprobs or 0)
        top = zip(places.tolist(), values.tolist(), strict=True)
        return Token(
            self._score(token, float(logprobs[token])),
            tuple(self._score(index, value) for index, value in top),
        )

    def _score(self, token: int, logprob: float) -> TokenScore:
        return TokenScore(token, token_bytes(self._tokenizer, token), logprob)


def _end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Return the ids at which a plain text ends: the generation config's, and the tokenizer's."""
    stated = model.generation_config.eos_token_id
    ids = [stated] if isinstance(stated, int) else list(stated or [])
    return [*ids, *([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])]
