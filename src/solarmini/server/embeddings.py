"""POST /v1/embeddings: by the model itself, or by the embedder that search uses."""

import asyncio
import base64
import threading
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from solarmini.errors import EmbedderError
from solarmini.server.body import read_model
from solarmini.server.errors import ApiError, invalid
from solarmini.server.names import EmbeddingTask
from solarmini.server.respond import Json, while_connected
from solarmini.server.schemas import EmbeddingBody
from solarmini.server.state import State, state_of

if TYPE_CHECKING:
    import numpy as np  # loaded when first needed: most servers only chat


class Embedders:
    """The embedder of questions and passages, made when first needed and shared with search."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self._made: Any = None
        self._lock = threading.Lock()

    def get(self) -> Any:
        """Return it; 501 where its package is not installed, or it was switched off."""
        with self._lock:
            if self._made is None:
                from solarmini.rag.embed.interface import DEFAULT, open_embedder

                self._made = open_embedder(self.name or DEFAULT)
            if self._made is None:
                what = "This server was started with --embedder none."
                raise ApiError(501, what, "not_installed", kind="server_error")
            return self._made

    def vectors(self, texts: list[str], task: EmbeddingTask) -> "np.ndarray":
        """Return the vectors of questions or passages, float32 [texts, dimension]."""
        import numpy as np

        embedder = self.get()
        if task == "query":
            return np.stack([embedder.query(text) for text in texts])
        return embedder.passages(texts)


async def embeddings(request: Request) -> Json:
    """Turn texts into vectors of length 1."""
    state = state_of(request)
    bounds = state.settings.bounds
    body = await read_model(EmbeddingBody, request.scope, request.receive, bounds)
    request.state.model = body.model
    task = state.names.embedding(body.model)
    texts = _texts(body, bounds.texts)
    vectors, tokens = await while_connected(request.receive, _embed(state, texts, task))
    vectors = _shortened(vectors, body.dimensions)
    data = [
        {"object": "embedding", "index": index, "embedding": _written(row, body.encoding_format)}
        for index, row in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Json({"object": "list", "data": data, "model": body.model, "usage": usage})


def _texts(body: EmbeddingBody, most: int) -> list[str]:
    texts = [body.input] if isinstance(body.input, str) else body.input
    if len(texts) > most:
        raise invalid(f"At most {most} texts are embedded at once.", "input")
    return texts


async def _embed(state: State, texts: list[str], task: EmbeddingTask) -> tuple["np.ndarray", int]:
    import numpy as np

    state.gate.check()
    if task == "model":
        await state.gate.acquire()
        try:
            made = await state.link.result("embed", texts=texts)
        finally:
            state.gate.release()
        return np.asarray(made["vectors"], np.float32), made["tokens"]
    try:
        vectors = await asyncio.to_thread(state.embedders.vectors, texts, task)
    except EmbedderError as error:
        raise ApiError(503, error.what, "embedder_failed", kind="server_error") from None
    counter: Any = getattr(state.embedders.get(), "count", None)
    if counter is None:
        return vectors, sum(await state.link.result("count", texts=texts))
    counts = await asyncio.to_thread(lambda: [counter(text) for text in texts])
    return vectors, sum(counts)


def _shortened(vectors: "np.ndarray", dimensions: int | None) -> "np.ndarray":
    if dimensions is None or dimensions == vectors.shape[1]:
        return vectors
    what = f"This model's vectors have {vectors.shape[1]} dimensions and cannot be shortened."
    raise invalid(what, "dimensions")


def _written(row: "np.ndarray", form: str | None) -> Any:
    if form == "base64":
        return base64.b64encode(row.astype("<f4").tobytes()).decode()
    return [float(f"{value:.7g}") for value in row.tolist()]
