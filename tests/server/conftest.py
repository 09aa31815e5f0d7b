"""One real server with a tiny real model for the whole folder, on a real socket."""

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import tiny_model
from serving import CONTEXT, Running

from solarmini.export.gguf import plan_gguf, write_gguf
from solarmini.export.quant import QUANTS
from solarmini.server.log import Log
from solarmini.server.run import Server
from solarmini.server.settings import ServeSettings


@pytest.fixture(scope="session")
def served_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny seeded model as GGUF with room for the description of functions."""
    folder = tiny_model("llama", tmp_path_factory.mktemp("served") / "tiny", seed=4)
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = CONTEXT
    (folder / "config.json").write_text(json.dumps(config))
    path = folder.with_suffix(".gguf")
    write_gguf(plan_gguf(folder, QUANTS["f32"]), path)
    return path


Start = Callable[..., contextlib.AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def start(served_model: Path) -> Start:
    """Start a server with other settings than the usual."""

    @contextlib.contextmanager
    def started(*, wait: bool = True, engine: dict[str, Any] | None = None, **settings: Any) -> Any:
        facts = {"model": str(served_model), "engine": "llama", "threads": 1, **(engine or {})}
        log = io.StringIO()
        server = Server(
            ServeSettings.model_validate({"engine": facts, "port": 0, **settings}), Log(log)
        )
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            running = Running(port=server.port, server=server, log=log)
            if wait:
                running.wait_until_ready()
            yield running
        finally:
            server.stop()
            thread.join(30)
            assert not thread.is_alive(), "the server did not come to its end"

    return started


@pytest.fixture(scope="session")
def api(start: Start) -> Iterator[Running]:
    """The usual server."""
    with start() as running:
        yield running
