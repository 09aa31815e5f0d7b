"""A real server with a small grown model, and a real browser that looks at its page."""

import contextlib
import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import solar, tiny_model
from page_parts import Open, Start
from serving import CONTEXT, Running

from solarmini.server.log import Log
from solarmini.server.run import Server
from solarmini.server.settings import ServeSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

RECIPE = """
name = "family"
prompts = ["Hi"]
answer_tokens = 2
[evaluate]
text = ["docs={here}/text.jsonl@4"]
[[stage]]
name = "base"
kind = "pull"
settings.model = "{here}/seed"
[[stage]]
name = "grown"
kind = "upscale"
from = ["base"]
settings.drop = 1
[[stage]]
name = "healed"
kind = "pretrain"
from = ["grown"]
[stage.settings]
data = ["{here}/text.jsonl"]
eval = ["{here}/text.jsonl@4"]
eval_every = 4
seq_len = 64
batch_size = 1
max_steps = 8
lr = 1e-3
"""


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that was grown and trained by our own commands: the folder of its run."""
    folder = tmp_path_factory.mktemp("family")
    seed = tiny_model("llama", folder / "seed", seed=4)
    config = json.loads((seed / "config.json").read_text())
    config["max_position_embeddings"] = CONTEXT
    (seed / "config.json").write_text(json.dumps(config))
    texts = [f"Row {i}: a model is grown and healed, 한국어 {i * 7}. " * 6 for i in range(8)]
    lines = [json.dumps({"text": text}) for text in texts]
    (folder / "text.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    made = solar("build", folder / "recipe.toml", "--run", folder / "run")
    assert made.code == 0, made.err
    return folder / "run"


@pytest.fixture(scope="session")
def start(family: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a server on the grown model."""
    before = os.environ.get("SOLAR_CACHE")
    os.environ["SOLAR_CACHE"] = str(tmp_path_factory.mktemp("cache"))

    @contextlib.contextmanager
    def started(**settings: Any) -> Iterator[Running]:
        engine = {"model": str(family / "healed"), "engine": "llama", "quant": "f32", "threads": 1}
        facts = {"engine": engine, "port": 0, "embedder": "none", **settings}
        log = io.StringIO()
        server = Server(ServeSettings.model_validate(facts), Log(log))
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            keys = settings.get("keys")
            running = Running(
                port=server.port, server=server, log=log, key=keys[0] if keys else None
            )
            running.wait_until_ready()
            yield running
        finally:
            server.stop()
            thread.join(30)
            assert not thread.is_alive(), "the server did not come to its end"

    yield started
    if before is None:
        del os.environ["SOLAR_CACHE"]
    else:
        os.environ["SOLAR_CACHE"] = before


@pytest.fixture(scope="session")
def api(start: Start) -> Iterator[Running]:
    """The usual server."""
    with start() as running:
        yield running


@pytest.fixture
def open_page(browser: "Browser", api: Running) -> Iterator[Open]:
    """Open the page in a fresh browser profile; what it complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    strangers: list[str] = []
    expected: list[str] = []

    def opened(
        running: Running = api, path: str = "/", expect: tuple[str, ...] = (), **options: Any
    ) -> "Page":
        expected.extend(expect)
        origin = f"http://127.0.0.1:{running.port}"
        context = browser.new_context(**{"locale": "en-US", **options})
        contexts.append(context)
        context.set_default_timeout(40_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.extend(_complaint(said)))
        page.on("request", lambda request: strangers.extend(_stranger(request, origin)))
        page.goto(origin + path)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    left = [text for text in complaints if not any(part in text for part in expected)]
    assert not left
    assert not strangers, "the page asked another machine"


def _complaint(said: Any) -> list[str]:
    return [said.text] if said.type in ("error", "warning") else []


def _stranger(request: Any, origin: str) -> list[str]:
    known = request.url.startswith((origin, "blob:", "data:", "about:"))
    return [] if known else [request.url]
