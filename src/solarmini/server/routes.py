"""The small routes: models, tokenizer, health, metrics."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from solarmini import __version__
from solarmini.server.errors import ApiError, no_model
from solarmini.server.respond import Json
from solarmini.server.state import State, state_of

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def models(request: Request) -> Json:
    """List every model name."""
    state = state_of(request)
    return Json({"object": "list", "data": [_model(state, n) for n in state.names.all()]})


async def model(request: Request) -> Json:
    """Describe one model name."""
    state = state_of(request)
    name = request.path_params["name"]
    if name not in state.names.all():
        raise no_model(name)
    return Json(_model(state, name))


def _model(state: State, name: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": name,
        "object": "model",
        "created": int(state.started),
        "owned_by": "solar-mini",
    }
    loaded = state.link.model
    if loaded is not None and name == loaded.name:
        facts |= {"context_length": loaded.context, "parallel": loaded.parallel}
    return facts


async def tokenizer(request: Request) -> Response:
    """Give the model's tokenizer.json as a hub would, so that clients can count tokens."""
    state = state_of(request)
    text = state.cache.get("tokenizer")
    if text is None:
        text = await state.link.result("tokenizer")
        if text is None:
            what = "The model's tokenizer is not here: the model runs on another server."
            raise ApiError(404, what, "not_found")
        text = state.cache["tokenizer"] = readable_by_all(text)
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    headers = {
        "etag": f'"{digest}"',
        "x-repo-commit": digest[:40],
        "x-linked-size": str(len(data)),
        "content-length": str(len(data)),
        "accept-ranges": "none",
    }
    body = b"" if request.method == "HEAD" else data
    return Response(body, headers=headers, media_type="application/json")


def readable_by_all(definition: str) -> str:
    """Return a tokenizer.json with its merges written "a b", as tokenizers before 0.20 need it.

    Newer ones read both. Where a piece holds a space, only the new way can say it, and it stays.
    """
    value = json.loads(definition)
    merges = value.get("model", {}).get("merges")
    if not merges or not isinstance(merges[0], list):
        return definition
    if any(" " in piece for pair in merges for piece in pair):
        return definition
    value["model"]["merges"] = [" ".join(pair) for pair in merges]
    return json.dumps(value, ensure_ascii=False)


async def health(request: Request) -> Json:
    """Say whether requests can be answered: 200, or 503 while they cannot."""
    state = state_of(request)
    link = state.link
    facts = {
        "status": "ok" if link.state == "ready" else link.state,
        "model": link.model.name if link.model else None,
        "version": __version__,
        "engine_restarts": link.restarts,
        "running": state.gate.busy,
        "waiting": state.gate.waiting,
        "uptime_seconds": round(time.time() - state.started),
    }
    if link.state == "ready":
        return Json(facts)
    return Json(facts, status_code=503, headers={"retry-after": "2"})


async def metrics(request: Request) -> Response:
    """Give all counts in Prometheus' format."""
    return Response(state_of(request).metrics.text(), headers={"content-type": METRICS_TYPE})


def resident_bytes(pid: int | None = None) -> float:
    """Return the memory of a process that is in RAM; 0 where that cannot be read."""
    try:
        text = Path(f"/proc/{pid or os.getpid()}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0.0
