"""Reading documents for the Upstage routes: one at a time, its pages side by side."""

import ast
import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

from solarmini.errors import SolarError
from solarmini.server.body import Upload, read_form
from solarmini.server.errors import ApiError, invalid, no_model
from solarmini.server.gate import Gate
from solarmini.server.names import PARSE
from solarmini.server.respond import Json, while_connected
from solarmini.server.settings import Bounds
from solarmini.server.state import State, state_of

if TYPE_CHECKING:
    from solarmini.layout.document import Category, Document
    from solarmini.layout.driver import Parser

T = TypeVar("T")
FORMATS = ("html", "markdown", "text")
_IDLE_SECONDS = 120.0  # after which the reader's processes are ended
TOO_MANY_PAGES = "The document has {} pages; at most {} are read in one request."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form asks of the reader, and how the answer is to be written."""

    ocr: str = "auto"
    fast: bool = False
    merge_tables: bool = True
    formats: tuple[str, ...] = ("html",)
    coordinates: bool = True
    pictures: tuple["Category", ...] = ()


class Reader:
    """Reads documents in processes of its own, so that none can bring the server down.

    One document at a time, since its pages already use every core; others wait, up to
    `bounds.documents`. A reader that nobody has used for a while ends its processes.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.gate = Gate(1, bounds.documents)
        self._patient = asyncio.Lock()
        self._bounds = bounds
        self._parser: Parser | None = None
        self._lock = threading.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def run(self, work: Callable[[], T], *, patient: bool = False) -> T:
        """Do work with the reader when it is its turn.

        `patient` work waits however long it takes, and only one of it stands in the queue with
        those who wait for their answer.
        Work that has begun goes on when its caller is gone, and keeps the reader until its end.
        """
        if patient:
            async with self._patient:
                await self.gate.acquire()
        else:
            self.gate.check()
            await self.gate.acquire()
        if self._idle is not None:
            self._idle.cancel()
        task = asyncio.ensure_future(asyncio.to_thread(work))
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Future[Any]") -> None:
        if not task.cancelled():
            task.exception()  # somebody may have gone away before it was known
        self.gate.release()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(_IDLE_SECONDS, self._rest)

    def _rest(self) -> None:
        if not self.gate.busy:
            threading.Thread(target=self.close, daemon=True).start()

    def parse(self, path: Path, wish: Wish, pages: int) -> "Document":
        """Read a file of at most `pages` pages; to be called within `run`."""
        from solarmini.layout.driver import Parser
        from solarmini.layout.limits import Limits
        from solarmini.layout.reading import Reading

        reading = Reading(
            mode="fast" if wish.fast else "default",
            ocr="force" if wish.ocr == "force" else "auto",
            images=wish.pictures,
            merge_tables=wish.merge_tables,
            limits=Limits(max_bytes=self._bounds.upload_bytes, max_pages=pages),
        )
        with self._lock:
            if self._parser is None:
                self._parser = Parser(reading, isolate=True)
            self._parser.reading = reading
            try:
                document = self._parser.parse(path)
            except SolarError:
                raise
            except BaseException:
                self._end()  # nobody knows in what state its processes are
                raise
        if document.total_pages > pages:
            raise invalid(TOO_MANY_PAGES.format(document.total_pages, pages), "document")
        return document

    def _end(self) -> None:
        if self._parser is not None:
            self._parser.close()
            self._parser = None

    def close(self) -> None:
        """End the reader's processes."""
        with self._lock:
            self._end()


async def document_parse(request: Request) -> Json:
    """Read an uploaded document and answer with its elements."""
    state = state_of(request)
    upload = await upload_of(state, request)
    assert upload.path is not None
    try:
        wish = wish_of(upload)
        path, pages = upload.path, state.settings.bounds.pages
        work = state.reader.run(lambda: answer_of(state, path, wish, pages))
        return Json(await while_connected(request.receive, work))
    finally:
        upload.path.unlink(missing_ok=True)


async def layout_analysis(request: Request) -> Json:
    """Read an uploaded document and answer in the service's first form."""
    from solarmini.server.legacy import legacy_answer

    state = state_of(request)
    upload = await upload_of(state, request)
    assert upload.path is not None
    try:
        force = flag(upload, "ocr", False)
        path, pages = upload.path, state.settings.bounds.pages
        wish = Wish(ocr="force" if force else "auto")

        def work() -> dict[str, Any]:
            document = state.reader.parse(path, wish, pages)
            state.metrics.pages.add(len(document.pages))
            return legacy_answer(document)

        return Json(await while_connected(request.receive, state.reader.run(work)))
    finally:
        upload.path.unlink(missing_ok=True)


async def upload_of(state: State, request: Request) -> Upload:
    """Return the form of a request, which has a document in it."""
    bounds = state.settings.bounds
    upload = await read_form(request.scope, request.receive, bounds, state.folder)
    request.state.model = upload.fields.get("model")
    if upload.path is None:
        raise invalid("The form needs a part named 'document' with the file.", "document")
    if not upload.path.stat().st_size:
        upload.path.unlink()
        raise invalid("The document is empty.", "document")
    return upload


def answer_of(state: State, path: Path, wish: Wish, pages: int) -> dict[str, Any]:
    """Read a file; return Upstage's answer, the sizes of pages, and problems if any."""
    from solarmini.layout.export import to_json

    document = state.reader.parse(path, wish, pages)
    state.metrics.pages.add(len(document.pages))
    answer = to_json(
        document,
        formats=wish.formats,
        coordinates=wish.coordinates,
        base64_categories=wish.pictures,
    )
    # clients compare it with the mode that they asked for, and warn of another one
    answer["usage"]["fast" if wish.fast else "standard"] = len(document.pages)
    answer["pages"] = [  # ours: clients leave alone what they do not know
        {"page": p.number, "width": p.width, "height": p.height, "angle": p.angle}
        for p in document.pages
    ]
    if document.problems:
        said = [problem.model_dump(exclude={"mend"}) for problem in document.problems]
        answer["problems"] = said
    return answer


def wish_of(upload: Upload) -> Wish:
    """Return what a form asks for; ApiError for values that mean nothing."""
    fields = upload.fields
    model = fields.get("model", PARSE[0])
    if model not in PARSE and not model.startswith("document-parse-"):
        raise no_model(model)
    ocr = fields.get("ocr", "auto").strip().lower()
    if ocr not in ("auto", "force", "true", "false"):
        raise invalid("ocr is auto or force.", "ocr")
    mode = fields.get("mode", "standard").strip().lower()
    if mode not in ("standard", "enhanced", "auto", "fast"):
        raise invalid("mode is standard, enhanced, auto or fast.", "mode")
    formats = listed(fields.get("output_formats", "html"))
    for name in formats:
        if name not in FORMATS:
            raise invalid(f"output_formats holds '{name}', which is none.", "output_formats")
    return Wish(
        ocr="force" if ocr in ("force", "true") else "auto",
        fast=mode == "fast",
        merge_tables=flag(upload, "merge_multipage_tables", True),
        formats=tuple(formats) or ("html",),
        coordinates=flag(upload, "coordinates", True),
        pictures=_categories(listed(fields.get("base64_encoding", ""))),
    )


def _categories(names: list[str]) -> tuple["Category", ...]:
    from solarmini.layout.document import CATEGORIES

    found: list[Category] = []
    for name in names:
        if name == "heading1":
            found += [c for c in CATEGORIES if c.startswith("heading")]
        elif name in CATEGORIES:
            found.append(next(c for c in CATEGORIES if c == name))
        else:
            raise invalid(f"base64_encoding holds '{name[:50]}', no category.", "base64_encoding")
    return tuple(found)


def listed(text: str) -> list[str]:
    """Return the names in `['a', 'b']`, `["a", "b"]`, `a, b` or `a`."""
    text = text.strip()
    if text.startswith(("[", "(")) and len(text) < 2000:
        for read in (json.loads, ast.literal_eval):
            with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
                return [str(item).strip().lower() for item in read(text)]
    return [name for part in text.strip("[]()").split(",") if (name := part.strip(" '\"").lower())]


def flag(upload: Upload, name: str, default: bool) -> bool:
    """Return a field that says yes or no in one of the ways in which clients say it."""
    said = upload.fields.get(name, "").strip().lower()
    if said in ("", "none", "null"):
        return default
    if said in ("true", "1", "yes", "on", "force"):
        return True
    if said in ("false", "0", "no", "off", "auto"):
        return False
    raise ApiError(400, f"{name} is true or false.", "invalid_request_body", param=name)
