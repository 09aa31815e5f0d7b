"""Request bodies, bounded in bytes and time: JSON into memory, documents onto disk."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from solarmini.server.errors import ApiError, invalid, too_large
from solarmini.server.settings import Bounds

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
M = TypeVar("M", bound=BaseModel)

_BYTES_A_SECOND = 100_000  # slower than this, a body is given up after its seconds are spent
_FIELD_BYTES = 256 * 1024
_FIELDS = 64
_FORM_BYTES = 64 * 1024  # what a form may have beside its document
_TYPES = ("str", "int", "float", "bool", "dict")
_FILES = ("document", "image", "file")
MAX_SIZE = "uploaded document is too large. max allowed size is {}MB"


class Disconnected(Exception):
    """The client went away; `unread`: it is there, but has stopped reading its answer."""

    def __init__(self, unread: bool = False) -> None:
        super().__init__()
        self.unread = unread


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header's value."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None


async def chunks(
    scope: Scope, receive: Receive, limit: int, bounds: Bounds, refusal: ApiError
) -> AsyncIterator[bytes]:
    """Yield the body; raises `refusal` beyond `limit` bytes, 408 when it comes too slowly.

    A body that is a little too large is read to its end, so that a client that only listens after
    it has sent all hears the answer.
    """
    stated = header(scope, b"content-length") or ""
    if stated.isdecimal() and int(stated) > 4 * limit:
        raise refusal
    started, size = time.monotonic(), 0
    while True:
        left = bounds.body_seconds + size / _BYTES_A_SECOND - (time.monotonic() - started)
        try:
            async with asyncio.timeout(max(left, 0.001)):
                message = await receive()
        except TimeoutError:
            what = "The request's body did not arrive in time."
            raise ApiError(408, what, "request_timeout") from None
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > 4 * limit:
            raise refusal
        if size <= limit:
            yield part
        if not message.get("more_body"):
            break
    if size > limit:
        raise refusal


async def read_json(scope: Scope, receive: Receive, bounds: Bounds, limit: int = 0) -> Any:
    """Return the JSON value of a body (ApiError 400 when it is none, 413 when too large)."""
    limit = limit or bounds.json_bytes
    refusal = too_large(f"The request's body is too large; at most {limit:,} bytes are read.")
    body = bytearray()
    async for part in chunks(scope, receive, limit, bounds, refusal):
        body += part
    try:
        value = json.loads(body)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise invalid("The body is nested too deeply.") from None
    except UnicodeEncodeError:
        raise invalid("The body holds half a character (a lone surrogate).") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise invalid(f"The body is not valid JSON: {str(error)[:200]}") from None
    return value


async def read_model(
    model: type[M], scope: Scope, receive: Receive, bounds: Bounds, limit: int = 0
) -> M:
    """Return a body as `model`; 400 naming the first wrong field."""
    value = await read_json(scope, receive, bounds, limit)
    if not isinstance(value, dict):
        raise invalid("The body has to be a JSON object.")
    return checked(model, value)


def checked(model: type[M], value: Any) -> M:
    """Return `value` as `model`; ApiError 400 naming the first wrong field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        # the names of a union's members ("str", "list[…]", "constrained-str") are no fields
        inside = [str(part) for part in first["loc"]]
        place = ".".join(p for p in inside if (p.isidentifier() and p not in _TYPES) or p.isdigit())
        if first["type"] == "missing":
            raise invalid(f"you must provide a {place} parameter", place) from None
        raise invalid(f"'{place}': {first['msg']}", place or None) from None
    except RecursionError:
        raise invalid("The body is nested too deeply.") from None


@dataclass(slots=True)
class Upload:
    """A form: its fields, and its document in a file that belongs to the caller's folder."""

    fields: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    name: str = "document"


class _Form:
    """Takes a form apart as it comes."""

    def __init__(self, boundary: bytes, folder: Path) -> None:
        self.upload = Upload()
        self._folder, self._file = folder, None
        self._name, self._value = b"", b""
        self._headers: dict[str, bytes] = {}
        self._part, self._kept = "", bytearray()
        self.parts = 0
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
            },
        )

    def _begin(self) -> None:
        self.parts += 1
        if self.parts > _FIELDS:
            raise invalid(f"The form has more than {_FIELDS} parts.")
        self._headers, self._name, self._value, self._kept = {}, b"", b"", bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower().decode("latin-1")] = self._value
        self._name, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._part = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        if filename is not None or self._part in _FILES:
            if self.upload.path is not None:
                raise invalid("The form holds more than one document.", self._part)
            self.upload.name = (filename or b"document").decode("utf-8", "replace")
            descriptor, path = tempfile.mkstemp(dir=self._folder, prefix="upload-")
            self._file = open(descriptor, "wb")  # noqa: SIM115 - closed at the part's end
            self.upload.path = Path(path)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._kept += data[start:end]
        if len(self._kept) > _FIELD_BYTES:
            raise invalid(f"The form's field has more than {_FIELD_BYTES:,} bytes.", self._part)

    def _end(self) -> None:
        if self._file is not None:
            self.close()
            return
        try:
            value = self._kept.decode()
            former = self.upload.fields.get(self._part)  # a list may come as repeated parts
            self.upload.fields[self._part] = value if former is None else f"{former},{value}"
        except UnicodeDecodeError:
            raise invalid("The form's field is not UTF-8.", self._part) from None

    def close(self) -> None:
        """Close the document's file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Close and remove the document's file."""
        self.close()
        if self.upload.path is not None:
            self.upload.path.unlink(missing_ok=True)


async def read_form(scope: Scope, receive: Receive, bounds: Bounds, folder: Path) -> Upload:
    """Return a multipart form, its document (if any) written into `folder`."""
    kind, options = parse_options_header(header(scope, b"content-type") or "")
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise invalid("The body has to be a multipart form with a part named 'document'.")
    most = bounds.upload_bytes
    refusal = ApiError(413, MAX_SIZE.format(most // 2**20), "request_too_large", param="document")
    form = _Form(options[b"boundary"], folder)
    try:
        async for part in chunks(scope, receive, most + _FORM_BYTES, bounds, refusal):
            form.parser.write(part)
        form.parser.finalize()
        form.close()
        path = form.upload.path
        if path is not None and path.stat().st_size > most:
            raise refusal
    except BaseException as error:
        form.discard()
        if isinstance(error, MultipartParseError):
            raise invalid(f"The form cannot be read: {error}") from None
        raise
    return form.upload
