"""The process that holds the model: `python -m solarmini.server.worker FD`.

A crash in native code ends this process and not the server, which starts another. It reads
requests from the socket that it was given, answers each in a thread of its own, and ends when the
server goes away.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solarmini.engine.interface import (
    Engine,
    Generation,
    GenerationSettings,
    Trace,
    UnsupportedError,
)
from solarmini.server import wire
from solarmini.server.settings import EngineSettings
from solarmini.text.show import token_bytes

if TYPE_CHECKING:
    from io import BufferedReader

_CLOSING_SECONDS = 5.0


class Worker:
    """Answers the server's requests with one engine."""

    def __init__(self, engine: Engine, connection: socket.socket) -> None:
        self._engine, self._connection = engine, connection
        self._sending = threading.Lock()
        self._running: dict[int, Generation] = {}
        self._cancelled: set[int] = set()
        self._lock = threading.Lock()

    def send(self, value: Any) -> None:
        """Send one line, unless the server is gone."""
        with contextlib.suppress(OSError), self._sending:
            self._connection.sendall(wire.line(value))

    def serve(self, requests: "BufferedReader") -> None:
        """Take requests until the server closes the connection."""
        for text in requests:
            request = json.loads(text)
            if request["op"] == "cancel":
                self._cancel(request["id"])
                continue
            thread = threading.Thread(target=self._answer, args=(request,), daemon=True)
            thread.start()
        with self._lock:
            running = list(self._running.values())
        for generation in running:
            generation.cancel()

    def _cancel(self, key: int) -> None:
        with self._lock:
            generation = self._running.get(key)
            if generation is None:
                self._cancelled.add(key)
        if generation is not None:
            generation.cancel()

    def _answer(self, request: Mapping[str, Any]) -> None:
        key = request["id"]
        try:
            if request["op"] == "generate":
                self._generate(key, request)
            else:
                self.send({"id": key, "result": self._call(request)})
        except BaseException as error:
            self.send({"id": key, "error": wire.pack_error(error)})
        finally:
            with self._lock:
                self._running.pop(key, None)
                self._cancelled.discard(key)

    def _generate(self, key: int, request: Mapping[str, Any]) -> None:
        settings = GenerationSettings.model_validate(request["settings"])
        self._check_ids(request["prompt"], settings)
        generation = self._engine.generate(request["prompt"], settings)
        with self._lock:
            self._running[key] = generation
            if key in self._cancelled:
                generation.cancel()
        self.send({"id": key, "started": generation.prompt_tokens})
        for event in generation.events():
            if event.tokens:
                self.send([key, event.text, wire.pack_tokens(event.tokens)])
            elif event.text:
                self.send([key, event.text])
        self.send({"id": key, "done": _facts(generation)})

    def _check_ids(self, prompt: Any, settings: GenerationSettings) -> None:
        """Raise PromptError for token ids that the vocabulary lacks, where it is known."""
        tokenizer = getattr(getattr(self._engine, "tokenizer", None), "backend_tokenizer", None)
        if tokenizer is None:
            return
        size = tokenizer.get_vocab_size(with_added_tokens=True)
        ids = prompt if isinstance(prompt, list) and prompt and isinstance(prompt[0], int) else []
        for index in [*ids, *(index for index, _ in settings.logit_bias)]:
            if not 0 <= index < size:
                what = f"the model's vocabulary of {size:,} tokens has no token {index}"
                raise wire.PromptError(what)

    def _call(self, request: Mapping[str, Any]) -> Any:
        engine = self._engine
        match request["op"]:
            case "embed":
                counts = [len(engine.encode(text)) for text in request["texts"]]
                return {"vectors": engine.embed(request["texts"]), "tokens": sum(counts)}
            case "count":
                return [len(engine.tokenize(text)) for text in request["texts"]]
            case "tokenize":
                return engine.tokenize(request["text"])
            case "read":
                return [self._read(prompt, request["scored"]) for prompt in request["prompts"]]
            case "encode":
                return engine.encode(request["prompt"])
            case "tokenizer":
                tokenizer: Any = getattr(engine, "tokenizer", None)
                backend = getattr(tokenizer, "backend_tokenizer", None)
                return None if backend is None else backend.to_str()
        raise ValueError(f"no such operation: {request['op']}")

    def _read(self, prompt: Any, scored: bool) -> list[Any]:
        """Return the tokens of a prompt as `wire.pack_tokens` does; the first has no score."""
        tokenizer: Any = getattr(self._engine, "tokenizer", None)
        if tokenizer is None:
            raise UnsupportedError("the model runs on another server: prompts cannot be repeated")
        self._check_ids(prompt, GenerationSettings())
        ids = self._engine.encode(prompt)
        seen = Trace(())
        if scored and len(ids) > 1:
            seen = self._engine.trace(ids[:1], ids[1:])
        found: list[Any] = [[token, token_bytes(tokenizer, token).hex(), None, []] for token in ids]
        given = zip(found[1:], seen.logprobs, seen.best, seen.best_logprobs, strict=False)
        for token, score, best, highest in given:
            token[2:] = [score, [[best, token_bytes(tokenizer, best).hex(), highest]]]
        return found


def _facts(generation: Generation) -> dict[str, Any]:
    return {
        "finish_reason": generation.finish_reason,
        "prompt_tokens": generation.prompt_tokens,
        "cached_tokens": generation.cached_tokens,
        "completion_tokens": generation.completion_tokens,
        "seconds": generation.seconds,
        "first_seconds": generation.first_seconds,
    }


def open_for(settings: EngineSettings) -> Engine:
    """Open the engine that the server was asked for."""
    from solarmini.engine.open import open_engine

    return open_engine(
        settings.model,
        settings.engine,
        template=settings.template,
        context=settings.context,
        parallel=settings.parallel,
        threads=settings.threads,
        device=settings.device,
        quant=settings.quant,
        attention=settings.attention,
        speculate=settings.speculate,
    )


def served_name(asked: str, opened: str) -> str:
    """Return what clients call the model: what was asked for, without where it lies.

    `opened` is the engine's own name: of a file in the cache, or of a model on another server.
    """
    if asked.startswith(("http://", "https://")):
        return opened
    path = Path(asked).expanduser()
    if path.is_file():
        return path.stem
    return path.resolve().name if path.is_dir() else asked


def main() -> None:
    """Load the model, say so, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    connection = socket.socket(fileno=int(sys.argv[1]))
    requests = connection.makefile("rb")
    settings = EngineSettings.model_validate_json(requests.readline())
    try:
        engine = open_for(settings)
    except BaseException as error:
        connection.sendall(wire.line({"id": 0, "error": wire.pack_error(error)}))
        raise SystemExit(1) from None
    name = served_name(settings.model, engine.name)
    facts = {"name": name, "context": engine.context_length, "parallel": engine.parallel}
    worker = Worker(engine, connection)
    worker.send({"id": 0, "result": facts})
    worker.serve(requests)
    threading.Timer(_CLOSING_SECONDS, os._exit, (0,)).start()  # should a thread hang
    engine.close()
    os._exit(0)


if __name__ == "__main__":
    main()
