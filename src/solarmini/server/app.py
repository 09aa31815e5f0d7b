"""The application: routes, and what lives as long as the server."""

import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from starlette.routing import Route, Router

from solarmini.checkpoint.scratch import scratch_folder
from solarmini.server import extract, jobs, knowledge, openapi, page_routes, routes
from solarmini.server.answering import answers
from solarmini.server.chat import chat_completions
from solarmini.server.completions import completions
from solarmini.server.documents import Reader, document_parse, layout_analysis
from solarmini.server.embeddings import Embedders, embeddings
from solarmini.server.front import Front
from solarmini.server.gate import Clients, Gate
from solarmini.server.keys import Keys
from solarmini.server.link import EngineLink
from solarmini.server.log import Log
from solarmini.server.metrics import Metrics
from solarmini.server.settings import ServeSettings
from solarmini.server.state import State

Ready = Callable[[State], None]


def _post(path: str, endpoint: Any) -> Route:
    return Route(path, endpoint, methods=["POST"])


def _get(path: str, endpoint: Any) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _openai(prefix: str) -> list[Route]:
    return [
        _post(f"{prefix}/chat/completions", chat_completions),
        _post(f"{prefix}/completions", completions),
        _post(f"{prefix}/embeddings", embeddings),
        _get(f"{prefix}/models", routes.models),
        _get(f"{prefix}/models/{{name:path}}", routes.model),
    ]


def _digitization(prefix: str) -> list[Route]:
    return [
        _post(prefix, document_parse),
        _post(f"{prefix}/async", jobs.submit),
        _get(f"{prefix}/requests", jobs.listing),
        _get(f"{prefix}/requests/{{id}}", jobs.status),
    ]


def _extraction(prefix: str) -> list[Route]:
    return [
        _post(f"{prefix}{end}", endpoint)
        for path, endpoint in (
            ("", extract.extract_information),
            ("/schema-generation", extract.generate_schema),
        )
        for end in (path, f"{path}/chat/completions")
    ]


def all_routes() -> list[Route]:
    """Return every route of the API."""
    return [
        *_openai("/v1"),
        *_openai("/v1/solar"),
        *_digitization("/v1/document-digitization"),
        *_digitization("/v1/document-ai/document-parse"),
        _get("/v1/document-digitization/results/{secret}", jobs.download),
        _post("/v1/document-ai/layout-analysis", layout_analysis),
        *_extraction("/v1/information-extraction"),
        _post("/v1/documents", knowledge.add_document),
        _get("/v1/documents", knowledge.list_documents),
        _get("/v1/documents/{id}", knowledge.get_document),
        _get("/v1/documents/{id}/content", knowledge.document_content),
        Route("/v1/documents/{id}", knowledge.delete_document, methods=["DELETE"]),
        _post("/v1/search", knowledge.search),
        _post("/v1/answers", answers),
        _post("/v1/groundedness", knowledge.groundedness),
        _post("/v1/rerank", knowledge.rerank),
        Route(
            "/upstage/{tokenizer}/resolve/{revision}/tokenizer.json",
            routes.tokenizer,
            methods=["GET", "HEAD"],
        ),
        _get("/health", routes.health),
        _get("/metrics", routes.metrics),
        _get("/openapi.json", openapi.openapi),
        _get("/docs", openapi.docs),
    ]


def make_app(settings: ServeSettings, log: Log | None = None, ready: Ready | None = None) -> Front:
    """Return the ASGI application; the model is loaded when its lifespan begins.

    `ready` is told of the state as soon as requests can come in (the model may still be loading).
    """
    log = log or Log()

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncGenerator[None]:
        with scratch_folder("solar-server-", settings.temporary) as folder:
            state = _state(settings, log, folder)
            front.state = state
            if ready is not None:
                ready(state)
            try:
                yield
            finally:
                await state.jobs.close()
                await state.link.close()
                state.reader.close()
                state.knowledge.close()

    mounted = [*all_routes(), *page_routes.routes()]
    front = Front(Router(routes=mounted, redirect_slashes=False, lifespan=lifespan))
    return front


def _state(settings: ServeSettings, log: Log, folder: Path) -> State:
    bounds = settings.bounds
    gate = Gate(settings.engine.parallel, bounds.queue)
    reader = Reader(bounds)
    link = EngineLink(settings.engine, log.write, bounds.stuck_seconds)
    embedders = Embedders(settings.embedder)

    def engine_memory() -> float:
        return routes.resident_bytes(link.pid) if link.pid else 0.0

    metrics = Metrics(
        {
            "solar_running": ("Answers being made.", lambda: gate.busy),
            "solar_waiting": ("Answers waiting for a slot.", lambda: gate.waiting),
            "solar_documents_waiting": (
                "Documents waiting for the reader.",
                lambda: reader.gate.waiting,
            ),
            "solar_engine_restarts": ("Times the engine process died.", lambda: link.restarts),
            "solar_engine_up": ("1 while the engine can answer.", lambda: link.state == "ready"),
            "solar_resident_bytes": ("Memory of the server.", routes.resident_bytes),
            "solar_engine_resident_bytes": ("Memory of the engine process.", engine_memory),
        }
    )
    return State(
        settings=settings,
        log=log,
        keys=Keys(settings.keys),
        link=link,
        gate=gate,
        clients=Clients(bounds.per_key),
        metrics=metrics,
        folder=folder,
        reader=reader,
        jobs=jobs.Jobs(bounds.jobs, bounds.job_seconds),
        embedders=embedders,
        knowledge=knowledge.Knowledge(settings, reader, embedders, folder),
        started=time.time(),
    )
