"""Models, tokenizer, health, the description of the API, groundedness."""

import re
from pathlib import Path
from typing import Any

import pytest
from serving import Running
from starlette.routing import Route
from tokenizers import Tokenizer

from solarmini.rag.ground import check
from solarmini.server.app import all_routes
from solarmini.server.worker import served_name


def test_models(api: Running) -> None:
    listed = api.get("/v1/models").json
    names = [entry["id"] for entry in listed["data"]]
    assert names[0] == "tiny"
    assert {"solar-mini", "solar-1-mini-chat", "embedding-query", "groundedness-check"} < {*names}
    assert len(names) == len(set(names))
    assert all(entry["object"] == "model" for entry in listed["data"])
    assert api.get("/v1/solar/models").json == listed
    assert api.get("/v1/models/tiny").json == listed["data"][0]
    assert listed["data"][0]["context_length"] == 1024


def test_a_model_is_called_what_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "small.v2.gguf").touch()
    assert served_name("smollm2-135m", "smollm2-135m-0123-q8_0") == "smollm2-135m"
    assert served_name("org/model", "model-0123-q8_0") == "org/model"
    assert served_name(str(tmp_path / "mine"), "mine-0123-q8_0") == "mine"
    assert served_name(str(tmp_path / "small.v2.gguf"), "small.v2") == "small.v2"
    assert served_name("http://host/v1#x", "x") == "x"


def test_an_alias_is_a_name(start: Any) -> None:
    with start(aliases=("my/model",)) as running:
        assert running.chat(model="my/model").json["model"] == "my/model"
        assert running.get("/v1/models/my/model").status == 200


def test_the_tokenizer_as_a_hub_gives_it(api: Running, served_model: Path) -> None:
    path = "/upstage/solar-pro-tokenizer/resolve/main/tokenizer.json"
    answer = api.get(path)
    theirs = Tokenizer.from_str(answer.body.decode())
    ours = Tokenizer.from_file(str(served_model.with_suffix("") / "tokenizer.json"))
    for text in ("The quick brown fox", "하나의 모델을", "<|im_start|>user\n"):
        assert theirs.encode(text).ids == ours.encode(text).ids
    assert all(isinstance(merge, str) for merge in answer.json["model"]["merges"])
    head = api.request("HEAD", path)
    assert head.body == b""
    for name in ("etag", "x-repo-commit", "content-length"):
        assert head.headers[name] == answer.headers[name]
    assert re.fullmatch("[0-9a-f]{40}", head.headers["x-repo-commit"])


def test_health(api: Running) -> None:
    facts = api.get("/health").json
    assert facts["status"] == "ok"
    assert facts["model"] == "tiny"


def test_the_description_covers_every_route(api: Running) -> None:
    described = api.get("/openapi.json").json
    for route in all_routes():
        assert isinstance(route, Route)
        path = route.path.replace(":path}", "}")
        for method in (route.methods or set()) - {"HEAD"}:
            operation = described["paths"][path][method.lower()]
            assert operation["summary"].endswith(".")
    assert "post" in described["paths"]["/v1/page-pictures"]
    ids = [o["operationId"] for path in described["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids))

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return here + [r for inside in value.values() for r in references(inside)]
        if isinstance(value, list):
            return [r for inside in value for r in references(inside)]
        return []

    names = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(references(described)) <= names


def test_the_page_about_the_api_asks_for_nothing_else(api: Running) -> None:
    page = api.get("/docs")
    text = page.body.decode()
    assert "/v1/chat/completions" in text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.findall(r"(?:src|href)=\"https?://", text)


CONTEXT = "Seoul is the capital of Korea. It has 9,400,000 inhabitants."


@pytest.mark.parametrize("answer", ["Seoul is the capital of Korea.", "Busan is the capital."])
def test_groundedness_by_route_and_by_model_name(api: Running, answer: str) -> None:
    label = check(CONTEXT, answer).label
    assert (label == "grounded") == answer.startswith("Seoul")
    found = api.post("/v1/groundedness", {"context": CONTEXT, "answer": answer}).json
    assert found["label"] == label
    assert found["claims"]
    turns = [{"role": "user", "content": CONTEXT}, {"role": "assistant", "content": answer}]
    for name in ("groundedness-check", "solar-1-mini-groundedness-check"):
        chat = api.chat(model=name, messages=turns).json
        assert chat["choices"][0]["message"]["content"] == label
        assert chat["usage"]["total_tokens"] > 0
    events = api.chat(model="groundedness-check", messages=turns, stream=True).events
    assert events[1]["choices"][0]["delta"]["content"] == label
    assert events[-1] == "[DONE]"
    alone = api.chat(model="groundedness-check", messages=turns[:1])
    assert (alone.status, alone.error["param"]) == (400, "messages")
