"""The llama.cpp engine: GGUF files, in this process, many answers at once.

`xllamacpp` (MIT) carries llama.cpp with its own scheduler: requests share each step's batch
(continuous batching) and keep their prompts' keys and values for the next request that begins
alike. We send it token ids, made by the one function that training uses, so the model is asked
exactly as it was taught; it sends text back as it comes.
"""

import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.checkpoint.scratch import ScratchFolder
from solarmini.engine.attention import choose_attention
from solarmini.engine.constrain import checked_grammar
from solarmini.engine.gguf_tokenizer import stop_ids_of, tokenizer_of
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
    UnsupportedError,
    answer_limit,
)
from solarmini.engine.llama_server import (
    Options,
    is_rearranged,
    native_tokens,
    start_server,
)
from solarmini.engine.llama_states import States
from solarmini.engine.open import Attention
from solarmini.engine.prompts import encode_prompt
from solarmini.engine.stream import TextStream
from solarmini.engine.threads import choose_threads
from solarmini.engine.tidy import release_memory, without_vocabulary
from solarmini.errors import ConfigError, EngineError
from solarmini.text.chat import ChatFormat
from solarmini.text.tokenizer import PieceTokenizer

DEFAULT_CONTEXT = 4096
_GREEDY = GenerationSettings()
_PART = 64  # tokens with log-probabilities that are made at once
_SPARE = 3  # tokens after which a character that was begun is whole,
_MOST_SPARE = 48  # unless it never will be
_SAMPLERS = ("temperature", "top_k", "top_p", "min_p")  # the order of sampling.choose
_PENALISED = 2**16  # tokens whose repetition costs; llama.cpp counts the prompt's as well


class LlamaEngine:
    """Loads a GGUF file once and answers up to `parallel` requests at a time; others wait.

    `context` is what one answer and its prompt may hold (default: the model's own, up to 4,096);
    memory grows with context times parallel. `threads` as `choose_threads` says. `speculate` lets
    the engine guess words that the context has already (prompt lookup), and `attention` is how the
    cache is read; see `choose_attention`.
    `cache_bytes` is how much memory may keep prompts that no slot holds any more. `lazy` loads
    nothing before the first answer: for who only wants scores or embeddings, which llama.cpp gives
    from a context of their own.
    """

    def __init__(
        self,
        model: str | Path,
        template: str = "model",
        *,
        context: int | None = None,
        parallel: int = 1,
        threads: int | None = None,
        attention: Attention = "auto",
        speculate: bool | None = None,
        cache_bytes: int = 0,
        warm_up: bool = True,
        lazy: bool = False,
    ) -> None:
        """Load; raises CheckpointError for a damaged file, EngineError when it cannot run."""
        path = Path(model).expanduser()
        file = GgufFile.open(path)
        own = int(file.need("context_length"))
        if context is not None and not 1 <= context <= own:
            raise ConfigError(
                f"a context of {context:,} tokens was asked for, the model has {own:,}",
                where="--context",
            )
        self.name, self.path, self.parallel = path.stem, path, parallel
        self.context_length = context or min(own, DEFAULT_CONTEXT)
        self.threads = choose_threads(threads)
        self.tokenizer: Any = tokenizer_of(file)
        self._template, self._stops = template, stop_ids_of(file)
        self._pieces = PieceTokenizer(self.tokenizer)
        self._chat: ChatFormat | None = None
        weights = sum(tensor.nbytes for tensor in file.tensors.values())
        flash, guess = choose_attention(weights, self.threads, attention, speculate)
        self._scratch = ScratchFolder("solar-llama-")
        self._options = Options(
            path=path,
            socket=self._scratch.path / "llama.sock",
            context=self.context_length,
            parallel=parallel,
            threads=self.threads,
            speculate=guess,
            flash=flash,
            cache_bytes=cache_bytes,
            warm_up=warm_up,
            copy=is_rearranged(file),
        )
        self._running: weakref.WeakSet[LlamaGeneration] = weakref.WeakSet()
        self._states = States(
            without_vocabulary(file), self._options, self._scratch.path / "states.sock"
        )
        del file
        release_memory()
        self._server: Any = None
        self._opening, self._closed = threading.Lock(), False
        if not lazy:
            try:
                self._open_server()
            except BaseException:
                self.close()
                raise

    @property
    def chat(self) -> ChatFormat:
        """The chat format, made when first needed; TemplateError if the file has none."""
        if self._chat is None:
            self._chat = ChatFormat(
                self.tokenizer, self._template, extra_stop_ids=self._stops, pieces=self._pieces
            )
        return self._chat

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of a plain text, without tokens that only a whole prompt has."""
        return self._pieces.whole(text)

    def native_tokens(self, text: str) -> list[int]:
        """Return the ids that llama.cpp itself makes of a text with the file's vocabulary."""
        return native_tokens(self._options if self._server else self._states.start(), text)

    def encode(self, prompt: Prompt) -> list[int]:
        """Return all ids of a prompt."""
        return encode_prompt(prompt, self._pieces, lambda: self.chat)[0]

    def generate(self, prompt: Prompt, settings: GenerationSettings = _GREEDY) -> "LlamaGeneration":
        """Continue a text, or answer a conversation.

        Raises ContextLengthError when prompt and `max_tokens` do not fit into the context, and
        GrammarError for a schema or grammar that cannot be enforced. Nothing is computed before
        the answer is read.
        """
        ids = self.encode(prompt)
        limit = answer_limit(len(ids), settings, self.context_length)
        body = {**_body(settings), "prompt": ids, "max_tokens": limit}
        server, asked = self._open_server(), settings.logprobs
        generation = (
            LlamaGeneration(server, body, ids)
            if asked is None
            else ScoredGeneration(server, body, ids, self.tokenizer, asked)
        )
        self._running.add(generation)
        return generation

    def score(self, prompt: Prompt, continuation: str) -> list[float]:
        """Return the log-probability of each token of `continuation` after `prompt`."""
        ids = self.encode(prompt)
        return list(self.trace(ids, self._pieces.next(continuation, ids)).logprobs)

    def trace(self, ids: Sequence[int], following: Sequence[int]) -> Trace:
        """Return how the model sees the ids `following` after `ids`, in one forward pass."""
        if not ids or not following:
            raise EngineError("prompt and continuation must each have a token to be scored")
        if len(ids) + len(following) > self._states.limit:
            raise ContextLengthError(len(ids), len(following), self._states.limit)
        return self._states.trace(ids, following)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the mean of the last layer's states of each text, of length 1."""
        return [
            self._states.embed(self._pieces.leading + self._pieces.whole(text)) for text in texts
        ]

    def _open_server(self) -> Any:
        with self._opening:
            if self._closed:
                raise EngineError("the engine is closed")
            if self._server is None:
                self._server = start_server(self._options)
            return self._server

    def close(self) -> None:
        """End all answers and free the model; safe to call twice."""
        for generation in list(self._running):
            generation.cancel()
            generation.join()
        with self._opening:
            self._server, self._closed = None, True
        self._states.close()
        self._scratch.remove()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()


class LlamaGeneration(Generation):
    """One running answer: a thread waits in llama.cpp, the reader takes what it brings."""

    def __init__(self, server: Any, body: dict[str, Any], ids: list[int]) -> None:
        super().__init__(len(ids))
        self._server: Any = server
        self._body = body
        self._arrived: queue.SimpleQueue[dict[str, Any] | BaseException | None] = (
            queue.SimpleQueue()
        )
        self._thread: threading.Thread | None = None

    def cancel(self) -> None:
        """End the answer; the reader is free at once, llama.cpp before its next batch."""
        super().cancel()
        self._arrived.put(None)

    def join(self) -> None:
        """Wait until llama.cpp has let go of the answer, and all that is told of it holds."""
        for thread in (self._thread, self._reader):
            if thread is not None and thread is not threading.current_thread():
                thread.join()

    def _work(self) -> None:
        def arrived(chunk: dict[str, Any]) -> bool:
            self._arrived.put(chunk)
            return self._stop.is_set()

        try:
            self._ask(arrived)
        except BaseException as error:
            self._arrived.put(error)
        else:
            self._arrived.put(None)
        finally:
            self._server = None

    def _ask(self, arrived: Callable[[dict[str, Any]], bool]) -> None:
        self._server.handle_completions(self._body, arrived)

    def _events(self) -> Iterator[Event]:
        if self.cancelled:
            self.finish_reason = "cancelled"
            return
        started = time.perf_counter()
        self._thread = threading.Thread(target=self._work, name="llama-answer", daemon=True)
        self._thread.start()
        try:
            while (chunk := self._arrived.get()) is not None:
                if isinstance(chunk, BaseException):
                    raise EngineError(f"llama.cpp failed: {chunk}") from chunk
                if "choices" not in chunk:
                    raise _failure(chunk)
                if "prompt_progress" in chunk:
                    continue
                self.seconds = time.perf_counter() - started
                yield from self._read(chunk)
        finally:
            self._stop.set()  # a reader that went away needs no more
            if self.finish_reason is None:
                self.finish_reason = "cancelled"

    def _read(self, chunk: dict[str, Any]) -> Iterator[Event]:
        choice = chunk["choices"][0]
        if usage := chunk.get("usage"):
            self.completion_tokens = int(usage["completion_tokens"])
            timings = chunk.get("timings", {})
            self.cached_tokens = int(timings.get("cache_n", 0))
            self.drafted = int(timings.get("draft_n", 0))
            self.accepted = int(timings.get("draft_n_accepted", 0))
        elif choice["finish_reason"] is None:
            self.completion_tokens += 1
            self.first_seconds = self.first_seconds or self.seconds
        if choice["finish_reason"] is not None:
            reason: FinishReason = "length" if choice["finish_reason"] == "length" else "stop"
            self.finish_reason = reason
        if choice["text"]:
            yield Event(choice["text"])


class ScoredGeneration(LlamaGeneration):
    """A running answer with log-probabilities.

    llama.cpp streams none for a token that ends inside a character, and a request that does not
    stream cannot be cancelled. So the answer is asked for in parts, each of which goes on after
    the last; what is known already is in the cache. Bound to a grammar, it comes as a whole.

    It gives none for a last token that ends inside a character either: then some more tokens are
    asked for, and left out.
    """

    def __init__(
        self, server: Any, body: dict[str, Any], ids: list[int], tokenizer: Any, asked: int
    ) -> None:
        super().__init__(server, body, ids)
        self._asked, self._stream = asked, TextStream(tokenizer, ids, body["stop"])

    def _ask(self, arrived: Callable[[dict[str, Any]], bool]) -> None:
        made: list[int] = []
        left, spare = int(self._body["max_tokens"]), 0
        whole, seed = "grammar" in self._body, self._body.get("seed")
        while True:
            part = {**self._body, "prompt": [*self._body["prompt"], *made]}
            wanted = left if whole else min(left, _PART)
            part["max_tokens"] = wanted + spare
            if seed is not None:
                part["seed"] = (seed + len(made)) % 2**32
            answer, entries, cut = self._part(part, wanted)
            if "choices" not in answer:  # a refusal
                arrived(answer)
                return
            inside = cut and len(entries) < wanted == left and spare < _MOST_SPARE
            spare = max(2 * spare, _SPARE) if inside else 0
            if inside and (whole or not entries) and not self._stop.is_set():
                continue
            left -= len(entries)
            made += [int(entry["id"]) for entry in entries]
            more = bool(entries) and left > 0 and cut
            answer["choices"][0]["finish_reason"] = None if more else "length" if cut else "stop"
            if arrived(answer) or not more:
                return

    def _part(
        self, part: dict[str, Any], wanted: int
    ) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
        """Return an answer, its tokens up to `wanted`, and whether more would have come."""
        answers: list[dict[str, Any]] = []
        self._server.handle_completions(part, answers.append)
        answer = answers[-1]
        entries = _entries(answer)
        cut = _reason(answer) == "length" or len(entries) > wanted
        if len(entries) > wanted:
            del entries[wanted:]
            answer["choices"][0]["logprobs"]["content"] = entries
        return answer, entries, cut

    def _read(self, chunk: dict[str, Any]) -> Iterator[Event]:
        timings = chunk.get("timings", {})
        if self.first_seconds is None:
            self.first_seconds = self.seconds
            self.cached_tokens = int(timings.get("cache_n", 0))
        entries, ended = _entries(chunk), _reason(chunk) == "stop"
        self.completion_tokens += (
            int(chunk["usage"]["completion_tokens"]) if ended else len(entries)
        )
        self.drafted += int(timings.get("draft_n", 0))
        self.accepted += int(timings.get("draft_n_accepted", 0))
        for entry in entries:
            text = self._stream.push(int(entry["id"]))
            yield Event(text, (_token(entry, self._asked),))
            if self._stream.stopped:
                self.finish_reason = "stop"
                self.cancel()
                return
        if (reason := _reason(chunk)) is not None:
            if text := self._stream.finish():
                yield Event(text)
            self.finish_reason = "length" if reason == "length" else "stop"


def _entries(chunk: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a chunk's tokens with their log-probabilities; none for a refusal."""
    choices = chunk.get("choices") or [{}]
    return list((choices[0].get("logprobs") or {}).get("content") or ())


def _reason(chunk: dict[str, Any]) -> str | None:
    return (chunk.get("choices") or [{}])[0].get("finish_reason")


def _token(entry: dict[str, Any], asked: int) -> Token:
    """Return a token with the likeliest `asked` at its place (llama.cpp gives at least one)."""
    tops = entry["top_logprobs"][:asked]
    return Token(_scored(entry), tuple(_scored(top) for top in tops))


def _scored(entry: dict[str, Any]) -> TokenScore:
    return TokenScore(int(entry["id"]), bytes(entry["bytes"] or []), float(entry["logprob"]))


def _body(settings: GenerationSettings) -> dict[str, Any]:
    """Return the request that says what `settings` say, in llama.cpp's words."""
    body: dict[str, Any] = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "cache_prompt": True,
        "stop": list(settings.stop),
        "ignore_eos": settings.ignore_end,
        "logit_bias": [list(pair) for pair in settings.logit_bias],
    }
    if settings.temperature == 0:
        body |= {"temperature": 0.0, "top_k": 1, "samplers": ["top_k"]}
    else:
        body |= {
            "temperature": settings.temperature,
            "top_k": settings.top_k,
            "top_p": settings.top_p,
            "min_p": settings.min_p,
            "samplers": list(_SAMPLERS),
        }
    if settings.presence_penalty or settings.frequency_penalty:
        body |= {
            "repeat_penalty": 1.0,
            "repeat_last_n": _PENALISED,
            "presence_penalty": settings.presence_penalty,
            "frequency_penalty": settings.frequency_penalty,
        }
        body["samplers"].insert(0, "penalties")
    if settings.seed is not None:
        body["seed"] = settings.seed % 2**32
    if settings.logprobs is not None:
        del body["stream_options"], body["return_progress"]
        body |= {"logprobs": max(1, settings.logprobs), "stream": False}
    if settings.constrained:
        body["grammar"] = "%llguidance {}\n" + checked_grammar(settings)
    return body


def _failure(answer: Any) -> EngineError:
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    said = str(error.get("message", error) if isinstance(error, dict) else error)
    if "llguidance is not enabled" in said:
        return UnsupportedError(
            "llama.cpp was compiled without llguidance: no answer can be bound to a form",
            mend="compile it where Rust is installed, or reinstall the wheel: "
            "pip install --force-reinstall --no-deps xllamacpp",
        )
    return EngineError(f"llama.cpp refused: {said}")
