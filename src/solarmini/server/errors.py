"""Errors as clients know them: {"error": {message, type, param, code}} with the right status."""

import json
from typing import Any

from solarmini.engine.interface import ContextLengthError, GrammarError, UnsupportedError
from solarmini.errors import (
    ConfigError,
    DocumentError,
    EncryptedDocumentError,
    LimitError,
    MissingExtraError,
    SolarError,
    TemplateError,
    UnsupportedFormatError,
)
from solarmini.server.wire import PromptError

_INVALID = "invalid_request_error"


class ApiError(Exception):
    """What a request is refused with."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        param: str | None = None,
        kind: str = _INVALID,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.param, self.kind = param, kind
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)

    def body(self) -> dict[str, Any]:
        """Return the object that the client gets."""
        facts = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"error": facts}

    def encoded(self) -> bytes:
        """Return the object as JSON."""
        return json.dumps(self.body(), ensure_ascii=False).encode("utf-8", "replace")


def invalid(message: str, param: str | None = None) -> ApiError:
    """Return the error for a body that says something wrong."""
    return ApiError(400, message, "invalid_request_body", param=param)


def invalid_key() -> ApiError:
    """Return the error for a key that is missing or unknown; it never repeats the key."""
    return ApiError(
        401,
        "The API key is missing or wrong. Send it as 'Authorization: Bearer KEY'.",
        "invalid_api_key",
        kind="authentication_error",
        headers={"www-authenticate": "Bearer"},
    )


def no_model(name: str) -> ApiError:
    """Return the error for a model name that this server does not serve."""
    shown = name if len(name) <= 100 else name[:100] + "…"
    what = f"The model '{shown}' does not exist; GET /v1/models lists those that do."
    return ApiError(404, what, "model_not_found", param="model")


def too_large(message: str) -> ApiError:
    """Return the error for a body beyond the limit."""
    return ApiError(413, message, "request_too_large")


def unavailable(message: str, code: str, retry_after: int = 2) -> ApiError:
    """Return the error for a server that will be able to answer later."""
    return ApiError(503, message, code, kind="server_error", retry_after=retry_after)


def too_many(message: str, retry_after: int = 1) -> ApiError:
    """Return the error for a client that asks for too much at once."""
    return ApiError(
        429, message, "rate_limit_exceeded", kind="rate_limit_error", retry_after=retry_after
    )


def internal() -> ApiError:
    """Return the error for a fault of ours; the log has the rest."""
    what = "The server failed on this request. Its log says why, under this request's id."
    return ApiError(500, what, "internal_error", kind="server_error")


def context_length(prompt: int, wanted: int, limit: int) -> ApiError:
    """Return the error for a prompt and answer that do not fit into the context."""
    what = (
        f"This model's maximum context length is {limit} tokens. However, you requested "
        f"{prompt + wanted} tokens ({prompt} in the messages, {wanted} in the completion). "
        "Please reduce the length of the messages or completion."
    )
    return ApiError(400, what, "context_length_exceeded", param="messages")


def of_solar(error: SolarError) -> ApiError:
    """Return the answer to one of the project's own errors."""
    said = error.what if error.mend is None else f"{error.what} ({error.mend})"
    match error:
        case ContextLengthError() if not error.wanted:  # another server counted
            return ApiError(400, error.what, "context_length_exceeded", param="messages")
        case ContextLengthError() if not error.prompt:
            return invalid("The prompt is empty.")
        case ContextLengthError():
            return context_length(error.prompt, error.wanted, error.limit)
        case UnsupportedFormatError():
            what = f"unsupported document format: {said}"
            return ApiError(415, what, "unsupported_format", param="document")
        case LimitError():
            return too_large(said)
        case EncryptedDocumentError() | DocumentError():
            return ApiError(400, said, "invalid_document", param="document")
        case MissingExtraError():
            return ApiError(501, said, "not_installed", kind="server_error")
        case UnsupportedError():
            return ApiError(501, said, "unsupported", kind="server_error")
        case PromptError():
            return invalid(said, "prompt")
        case GrammarError() | TemplateError() | ConfigError():
            return invalid(said)
    return ApiError(500, said, "internal_error", kind="server_error")
