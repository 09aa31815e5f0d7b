"""The remote engine: any server that speaks the OpenAI protocol (vLLM, llama-server, ours).

Only the standard library is needed. What the protocol does not have (token ids, scores) is asked
for in the ways that vLLM and llama-server have, and is an UnsupportedError where neither answers.
"""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

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
)
from solarmini.errors import EngineError

if TYPE_CHECKING:
    from solarmini.text.chat import ChatFormat

_GREEDY = GenerationSettings()
_UNKNOWN_CONTEXT = 2**31
_CONTEXT_KEYS = ("max_model_len", "n_ctx", "context_length")  # vLLM's, llama-server's, ours


class RemoteEngine:
    """A model behind a URL such as `http://host:8000/v1#model` (without a name: the first model).

    The server's own chat template is used. Prompts are tokenised there, so a generation's
    `prompt_tokens` is known only at its end.
    """

    def __init__(
        self,
        url: str,
        *,
        template: str = "model",
        api_key: str | None = None,
        parallel: int = 8,
        timeout: float = 600.0,
    ) -> None:
        """Ask the server for its models; EngineError when it does not answer."""
        if template != "model":
            raise UnsupportedError("a remote server uses its own chat template")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EngineError("not a URL of a server", where=url, mend="such as http://host/v1")
        self._tls, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path, self._timeout = parts.path.rstrip("/"), timeout
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self.parallel = parallel
        self.name, self.context_length = self._choose(parts.fragment)

    def _choose(self, wanted: str) -> tuple[str, int]:
        models = self._ask("GET", f"{self._path}/models").get("data") or []
        for model in models:
            if not wanted or model["id"] == wanted:
                facts = {**model, **(model.get("meta") or {})}
                limits = (facts.get(key) for key in _CONTEXT_KEYS)
                return str(model["id"]), int(next(filter(None, limits), _UNKNOWN_CONTEXT))
        known = ", ".join(str(model["id"]) for model in models)
        raise EngineError(f"the server has no model '{wanted}'", mend=f"it has: {known or 'none'}")

    @property
    def chat(self) -> "ChatFormat":
        """Not known here: always UnsupportedError."""
        raise UnsupportedError("the chat format is the server's own")

    def tokenize(self, text: str) -> list[int]:
        """Return the ids that the server makes of a text; UnsupportedError if it does not say."""
        return self._tokens({"prompt": text, "content": text, "add_special_tokens": False})

    def encode(self, prompt: Prompt) -> list[int]:
        """Return all ids of a prompt; UnsupportedError if the server does not say."""
        if isinstance(prompt, str):
            return self._tokens({"prompt": prompt, "content": prompt, "add_special": True})
        parts: list[Any] = list(prompt)
        if parts and isinstance(parts[0], Mapping):
            return self._tokens({"messages": parts, "add_generation_prompt": True})
        return parts

    def _tokens(self, body: dict[str, Any]) -> list[int]:
        root = self._path.removesuffix("/v1")
        try:
            answer = self._ask("POST", f"{root}/tokenize", {"model": self.name, **body})
            return [int(index) for index in answer["tokens"]]
        except (EngineError, KeyError, TypeError) as error:
            raise UnsupportedError("this server does not say what tokens a text has") from error

    def generate(
        self, prompt: Prompt, settings: GenerationSettings = _GREEDY
    ) -> "RemoteGeneration":
        """Continue a text, or answer a conversation; returns when the server begins its answer.

        Raises EngineError, or ContextLengthError, for what the server refuses.
        """
        parts: Any = prompt if isinstance(prompt, str) else list(prompt)
        talk = not isinstance(parts, str) and bool(parts) and isinstance(parts[0], Mapping)
        body = _body(settings, talk) | {"model": self.name}
        body |= {"messages": parts} if talk else {"prompt": parts}
        route = "chat/completions" if talk else "completions"
        return RemoteGeneration(self, f"{self._path}/{route}", body)

    def score(self, prompt: Prompt, continuation: str) -> list[float]:
        """Return the log-probability of each token of `continuation` after `prompt`."""
        ids = self.encode(prompt)
        return list(self.trace(ids, self.tokenize(continuation)).logprobs)

    def trace(self, ids: Sequence[int], following: Sequence[int]) -> Trace:
        """Return how the model sees `following`; needs a server that echoes prompts (vLLM).

        `best` stays empty: the likeliest tokens come as text, which does not name an id.
        """
        body = {"model": self.name, "prompt": [*ids, *following], "max_tokens": 1, "echo": True}
        answer = self._ask("POST", f"{self._path}/completions", body | {"logprobs": 0})
        logprobs = (answer["choices"][0].get("logprobs") or {}).get("token_logprobs") or []
        if len(logprobs) <= len(ids) + len(following) - 1:
            raise UnsupportedError("this server gives no log-probabilities of a given text")
        return Trace(tuple(logprobs[len(ids) : len(ids) + len(following)]))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the server's vectors, whatever model makes them there."""
        body = {"model": self.name, "input": list(texts), "encoding_format": "float"}
        rows = self._ask("POST", f"{self._path}/embeddings", body)["data"]
        return [row["embedding"] for row in sorted(rows, key=lambda row: row["index"])]

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = self.connect()
        try:
            return json.loads(self.send(connection, method, path, body).read())
        except ValueError as error:
            raise EngineError("the server's answer is not JSON", where=self._host) from error
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """Return a new connection to the server."""
        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=self._timeout)

    def send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: dict[str, Any] | None,
    ) -> http.client.HTTPResponse:
        """Send a request; EngineError, or ContextLengthError, for what the server refuses."""
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, self._headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(
                f"the server does not answer: {error}", where=f"{self._host}:{self._port}"
            ) from error
        if response.status >= 400:
            raise _refusal(response, self.context_length if body else _UNKNOWN_CONTEXT)
        return response


class RemoteGeneration(Generation):
    """One running answer, read from the server's event stream."""

    def __init__(self, engine: RemoteEngine, path: str, body: dict[str, Any]) -> None:
        super().__init__(0)
        self._began = time.perf_counter()
        self._connection = engine.connect()
        try:
            self._response = engine.send(self._connection, "POST", path, body)
        except BaseException:
            self._connection.close()
            raise

    def cancel(self) -> None:
        """End the answer at once: the server sees us go, and stops."""
        super().cancel()
        if self._connection.sock is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def _lines(self) -> Iterator[bytes]:
        """Yield the stream's lines; EngineError when it ends too early, unless we ended it."""
        try:
            yield from self._response
        except (OSError, ValueError, http.client.HTTPException) as error:
            if not self.cancelled:
                raise EngineError(f"the server broke off: {error}") from error

    def _events(self) -> Iterator[Event]:
        try:
            for chunk in _chunks(self._lines()):
                if self.cancelled:
                    break
                if usage := chunk.get("usage"):
                    self.prompt_tokens = int(usage["prompt_tokens"])
                    self.completion_tokens = int(usage["completion_tokens"])
                    details = usage.get("prompt_tokens_details") or {}
                    self.cached_tokens = int(details.get("cached_tokens") or 0)
                for choice in chunk.get("choices") or ():
                    event = self._read(choice)
                    if event.text or event.tokens:
                        self.seconds = time.perf_counter() - self._began
                        self.first_seconds = self.first_seconds or self.seconds
                        yield event
            if self.finish_reason is None and not self.cancelled:
                raise EngineError("the server broke off before the end of its answer")
        finally:
            self._response.close()
            self._connection.close()
            if self.finish_reason is None:
                self.finish_reason = "cancelled"

    def _read(self, choice: Mapping[str, Any]) -> Event:
        text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
        if choice.get("finish_reason"):
            reason: FinishReason = "length" if choice["finish_reason"] == "length" else "stop"
            self.finish_reason = reason
        scores = choice.get("logprobs") or {}
        content = scores.get("content") or _old_entries(scores)
        return Event(text, tuple(_token(entry) for entry in content))


def _chunks(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a stream of server-sent events."""
    for line in lines:
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        chunk = json.loads(data)
        if "error" in chunk:
            raise EngineError(f"the server broke off: {_message(chunk)}")
        yield chunk


def _body(settings: GenerationSettings, talk: bool) -> dict[str, Any]:
    if settings.grammar is not None:
        raise UnsupportedError(
            "the protocol has no grammars", mend="give a JSON schema, or use another engine"
        )
    body: dict[str, Any] = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "presence_penalty": settings.presence_penalty,
        "frequency_penalty": settings.frequency_penalty,
    }
    optional = {
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
        "stop": list(settings.stop) or None,
        "top_k": settings.top_k or None,
        "min_p": settings.min_p or None,
        "logit_bias": {str(key): bias for key, bias in settings.logit_bias} or None,
        "ignore_eos": settings.ignore_end or None,
    }
    if settings.logprobs is not None:
        optional |= (
            {"logprobs": True, "top_logprobs": settings.logprobs}
            if talk
            else {"logprobs": settings.logprobs}
        )
    if settings.json_schema is not None:
        optional["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": settings.json_schema, "strict": True},
        }
        if not talk:  # llama-server reads it there; others ignore it and heed the format above
            optional["json_schema"] = settings.json_schema
    return body | {key: value for key, value in optional.items() if value is not None}


def _token(entry: Mapping[str, Any]) -> Token:
    tops = tuple(_scored(top) for top in entry.get("top_logprobs") or ())
    return Token(_scored(entry), tops)


def _old_entries(scores: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the log-probabilities of completions in the form of those of chats."""
    texts, values = scores.get("tokens") or (), scores.get("token_logprobs") or ()
    tops = scores.get("top_logprobs") or [None] * len(texts)
    return [
        {
            "token": text,
            "logprob": value,
            "top_logprobs": [
                {"token": other, "logprob": score} for other, score in (top or {}).items()
            ],
        }
        for text, value, top in zip(texts, values, tops, strict=True)
        if value is not None
    ]


def _scored(entry: Mapping[str, Any]) -> TokenScore:
    raw = entry.get("bytes")
    text = bytes(raw) if raw is not None else str(entry["token"]).encode()
    return TokenScore(int(entry.get("id", -1)), text, float(entry["logprob"]))


def _refusal(response: http.client.HTTPResponse, context: int) -> EngineError:
    try:
        answer = json.loads(response.read())
    except ValueError:
        answer = {}
    message = _message(answer) or response.reason
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if code == "context_length_exceeded" or "maximum context length" in message:
        refused = ContextLengthError(0, 0, context)
        refused.what = message
        return refused
    return EngineError(f"the server refused ({response.status}): {message}")


def _message(answer: Any) -> str:
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return str(error.get("message", "")) if isinstance(error, dict) else str(error or "")
