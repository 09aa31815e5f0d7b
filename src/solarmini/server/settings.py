"""What a server is told when it starts."""

from pathlib import Path

from pydantic import Field

from solarmini.config import Settings
from solarmini.engine.open import Attention, EngineName

MIB = 2**20


class EngineSettings(Settings):
    """How the worker opens the model; see `solarmini.engine.open.open_engine`."""

    model: str
    engine: EngineName = "auto"
    template: str = "model"
    context: int | None = Field(default=None, gt=0)
    parallel: int = Field(default=4, ge=1, le=256)
    threads: int | None = Field(default=None, ge=1)
    device: str = "auto"
    quant: str = "q8_0"
    attention: Attention = "auto"
    speculate: bool | None = None


class Bounds(Settings):
    """What one request, one client and all of them together may cost."""

    queue: int = Field(default=64, ge=0)  # requests that wait for a slot
    per_key: int = Field(default=32, ge=1)  # requests of one key (or address) at once
    connections: int = Field(default=1024, ge=1)
    json_bytes: int = Field(default=8 * MIB, gt=0)
    upload_bytes: int = Field(default=50 * MIB, gt=0)  # of one document
    messages: int = Field(default=2048, ge=1)
    choices: int = Field(default=16, ge=1)
    texts: int = Field(default=512, ge=1)  # embedded at once
    pages: int = Field(default=100, ge=1)  # of a document, answered at once
    async_pages: int = Field(default=1000, ge=1)
    documents: int = Field(default=8, ge=0)  # documents that wait for the reader
    jobs: int = Field(default=100, ge=1)  # asynchronous results kept
    job_seconds: float = Field(default=3600, gt=0)  # for how long
    header_bytes: int = Field(default=32 * 1024, gt=0)
    header_seconds: float = Field(default=10, gt=0)
    body_seconds: float = Field(default=30, gt=0)  # plus one per 100 kB
    write_seconds: float = Field(default=60, gt=0)  # that a client may leave an answer unread
    answer_seconds: float = Field(default=600, gt=0)
    stuck_seconds: float = Field(default=300, gt=0)  # that the engine may not obey
    idle_seconds: int = Field(default=15, gt=0)  # of a connection kept alive
    drain_seconds: int = Field(default=30, ge=0)


class ServeSettings(Settings):
    """A whole server.

    `keys` are the API keys (none: no key is asked for). `origins` are web pages other than our
    own that may call it. `knowledge` is the knowledge base of `/v1/documents` (None: a new one
    that lives as long as the server). `log_prompts` writes requests' texts into the log.
    """

    engine: EngineSettings
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    keys: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    knowledge: str | None = None
    embedder: str | None = None
    reranker: str | None = None
    temporary: Path | None = None
    log_prompts: bool = False
    bounds: Bounds = Bounds()
