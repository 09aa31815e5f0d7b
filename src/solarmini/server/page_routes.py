"""The playground at `/`: its files, and the two routes that only it needs."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from solarmini.server.errors import ApiError
from solarmini.server.model_card import model_card
from solarmini.server.page_pictures import page_pictures

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The page runs its own files and nothing else; what a document or a model says cannot run.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types solar-page",
    )
)
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    type: str
    tag: str


@cache
def _files() -> dict[str, _File]:
    """Return the page's files by their path below its folder; nothing else is ever served."""
    found: dict[str, _File] = {}

    def walk(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif (kind := TYPES.get("." + entry.name.rpartition(".")[2])) is not None:
                data = entry.read_bytes()
                tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
                found[prefix + entry.name] = _File(data, kind, tag)

    walk(files("solarmini.server") / "page", "")
    return found


async def page(request: Request) -> Response:
    """Give the page."""
    return _answer(request, "index.html")


async def page_file(request: Request) -> Response:
    """Give one of the page's files."""
    return _answer(request, request.path_params["path"])


def _answer(request: Request, name: str) -> Response:
    file = _files().get(name)
    if file is None:
        raise ApiError(404, "The page has no such file.", "not_found")
    headers = {**_HEADERS, "etag": file.tag}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers={**headers, "content-type": file.type})


def routes() -> list[Route]:
    """Return the playground's routes."""
    return [
        Route("/", page),
        Route("/page/{path:path}", page_file),
        Route("/v1/model-card", model_card),
        Route("/v1/page-pictures", page_pictures, methods=["POST"]),
    ]
