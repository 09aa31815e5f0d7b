"""The line protocol between the server and the process that holds the model.

One JSON value a line over a socket pair. Requests are objects {id, op, …}. Replies: `[id, text]` or
`[id, text, tokens]` for a step of an answer, and objects {id, started | done | result | error}.
"""

import json
from typing import Any

from solarmini.engine.interface import ContextLengthError, GrammarError, Token, UnsupportedError
from solarmini.errors import EngineError, MissingExtraError, SolarError, TemplateError


class PromptError(EngineError):
    """Token ids that the model's vocabulary does not have."""


_KINDS: dict[str, type[SolarError]] = {
    "grammar": GrammarError,
    "unsupported": UnsupportedError,
    "template": TemplateError,
    "prompt": PromptError,
    "engine": EngineError,
}
_encoder = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def line(value: Any) -> bytes:
    """Return a value as one line."""
    return _encoder.encode(value).encode() + b"\n"


def pack_tokens(tokens: tuple[Token, ...]) -> list[Any]:
    """Return tokens as lists: [id, bytes in hex, logprob, [tops]]."""
    return [
        [
            *(token.score.id, token.score.raw.hex(), token.score.logprob),
            [[top.id, top.raw.hex(), top.logprob] for top in token.top],
        ]
        for token in tokens
    ]


def pack_error(error: BaseException) -> dict[str, Any]:
    """Return an error as an object."""
    if isinstance(error, ContextLengthError):
        counts = [error.prompt, error.wanted, error.limit]
        return {"kind": "context", "counts": counts, "what": error.what}
    if isinstance(error, MissingExtraError):
        return {"kind": "extra", "what": error.what, "mend": error.mend}
    if isinstance(error, SolarError):
        kind = next((k for k, cls in _KINDS.items() if isinstance(error, cls)), "engine")
        return {"kind": kind, "what": error.what, "where": error.where, "mend": error.mend}
    return {"kind": "engine", "what": f"{type(error).__name__}: {error}"}


def unpack_error(packed: dict[str, Any]) -> SolarError:
    """Return the error that was packed."""
    if packed["kind"] == "context":
        refused = ContextLengthError(*packed["counts"])
        refused.what = packed["what"]
        return refused
    if packed["kind"] == "extra":
        error = MissingExtraError("", "serve")
        error.what, error.mend = packed["what"], packed["mend"]
        return error
    cls = _KINDS[packed["kind"]]
    return cls(packed["what"], where=packed.get("where"), mend=packed.get("mend"))
