"""Answers told by a model behind a URL: our own server, started for the test."""

import io
import json
import threading
from collections.abc import Iterator

import pytest
from helpers import tiny_model
from serving import Running

from solarmini.engine.remote import RemoteEngine
from solarmini.rag.answer.prompt import compose
from solarmini.rag.knowledge import KnowledgeBase

pytest.importorskip("xllamacpp")
pytest.importorskip("starlette")

QUESTION = "Who designed the bridge at Orlen?"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a tiny seeded model that has room for two sources."""
    from solarmini.export.gguf import plan_gguf, write_gguf
    from solarmini.export.quant import QUANTS
    from solarmini.server.log import Log
    from solarmini.server.run import Server
    from solarmini.server.settings import ServeSettings

    folder = tiny_model("llama", tmp_path_factory.mktemp("served") / "tiny", seed=3)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 2048}))
    path = folder.with_suffix(".gguf")
    write_gguf(plan_gguf(folder, QUANTS["f32"]), path)
    facts = {"model": str(path), "engine": "llama", "threads": 1}
    log = io.StringIO()
    server = Server(ServeSettings.model_validate({"engine": facts, "port": 0}), Log(log))
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        running = Running(port=server.port, server=server, log=log)
        running.wait_until_ready()
        yield f"http://127.0.0.1:{server.port}/v1"
    finally:
        server.stop()
        thread.join(30)


def test_a_served_model_keeps_to_the_form(kb: KnowledgeBase, url: str) -> None:
    """Weights are random: whatever it says in the schema, only what is borne out is shown."""
    answer = kb.ask(QUESTION, model=url, limit=2)
    if answer.abstained:
        assert (answer.abstained, answer.mode) == ("model declined", "tiny")
    else:
        assert "Marta Vell" in answer.text
        assert answer.mode == "extractive"
    for dropped in answer.dropped:
        assert set(dropped.markers) <= {1, 2}


def test_a_follow_up_goes_to_the_server(kb: KnowledgeBase, url: str) -> None:
    """What random weights make of it is not used; the rule completes the question."""
    answer = kb.ask("How long is its deck?", model=url, history=[(QUESTION, "Marta Vell.")])
    assert "Orlen" in answer.searched


def test_what_is_not_answered_is_not_sent(kb: KnowledgeBase, url: str) -> None:
    assert kb.ask("What is the capital of France?", model=url).abstained in (
        "not answered",
        "nothing found",
    )


def test_tokens_are_estimated_where_the_server_does_not_count(kb: KnowledgeBase, url: str) -> None:
    with RemoteEngine(url) as engine:
        hits = kb.search(QUESTION, 6)
        assert len(compose(QUESTION, hits, engine).hits) == len(hits)
        engine.context_length = 300  # room for some of them only
        assert 1 <= len(compose(QUESTION, hits, engine).hits) < len(hits)
