"""POST /v1/completions."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from serving import Running
from transformers import AutoModelForCausalLM

from solarmini.engine.remote import RemoteEngine


def complete(api: Running, **rest: Any) -> Any:
    body = {"model": "tiny", "prompt": "The quick", "temperature": 0, "max_tokens": 8}
    return api.post("/v1/completions", {**body, **rest})


def texts(answer: Any) -> list[str]:
    return [choice["text"] for choice in answer.json["choices"]]


def test_a_text_goes_on_and_streams_the_same(api: Running) -> None:
    answer = complete(api)
    assert answer.json["object"] == "text_completion"
    assert answer.json["usage"]["completion_tokens"] == 8
    assert answer.json["choices"][0]["finish_reason"] == "length"
    events = complete(api, stream=True, stream_options={"include_usage": True}).events
    choices = [event["choices"][0] for event in events[:-2]]
    assert "".join(choice["text"] for choice in choices) == texts(answer)[0]
    assert choices[-1]["finish_reason"] == "length"
    assert events[-2]["usage"]["completion_tokens"] == 8


def test_without_a_limit_it_is_sixteen_tokens(api: Running) -> None:
    assert complete(api, max_tokens=None).json["usage"]["completion_tokens"] == 16


def test_several_prompts_each_with_several_answers(api: Running) -> None:
    answer = complete(api, prompt=["The quick", "하나의"], n=2, temperature=1.0, seed=5)
    assert [choice["index"] for choice in answer.json["choices"]] == [0, 1, 2, 3]
    alone = complete(api, prompt="하나의", n=2, temperature=1.0, seed=5)
    assert texts(answer)[2:] == texts(alone)
    assert answer.json["usage"]["completion_tokens"] == 32


def test_token_ids_are_a_prompt(api: Running) -> None:
    answer = complete(api, prompt=[5, 6, 7])
    assert answer.json["usage"]["prompt_tokens"] == 3
    assert texts(complete(api, prompt=[[5, 6, 7], [8, 9]]))[0] == texts(answer)[0]


def test_echo_repeats_the_prompt(api: Running) -> None:
    assert texts(complete(api, echo=True)) == ["The quick" + texts(complete(api))[0]]
    events = complete(api, echo=True, stream=True).events
    assert events[0]["choices"][0]["text"] == "The quick"


def test_a_prompt_is_scored(api: Running, served_model: Path) -> None:
    ids = [5, 6, 7, 8, 9, 10]
    found = complete(api, prompt=[ids, ids[:1]], echo=True, logprobs=1, max_tokens=2).json
    whole, short = (choice["logprobs"] for choice in found["choices"])
    assert found["usage"]["prompt_tokens"] == len(ids) + 1
    assert found["choices"][0]["text"].startswith("".join(whole["tokens"][: len(ids)]))
    assert whole["text_offset"][: len(ids)] == list(range(len(ids)))
    assert whole["token_logprobs"][0] is whole["top_logprobs"][0] is None
    model = AutoModelForCausalLM.from_pretrained(served_model.with_suffix(""))
    with torch.inference_mode():
        logprobs = torch.log_softmax(model(torch.tensor([ids])).logits[0, :-1], dim=-1)
    exact = logprobs[range(len(ids) - 1), ids[1:]].tolist()
    assert whole["token_logprobs"][1 : len(ids)] == pytest.approx(exact, abs=2e-3)
    best = [next(iter(top.values())) for top in whole["top_logprobs"][1 : len(ids)]]
    assert best == pytest.approx(logprobs.max(-1).values.tolist(), abs=2e-3)
    assert short["token_logprobs"][0] is None
    plain = complete(api, prompt=ids, echo=True, logprobs=0, max_tokens=2).json["choices"][0]
    assert plain["logprobs"]["token_logprobs"] == whole["token_logprobs"]
    assert plain["logprobs"]["top_logprobs"][1] == {}
    events = complete(api, prompt=ids, echo=True, logprobs=1, max_tokens=2, stream=True).events
    first = events[0]["choices"][0]["logprobs"]
    assert first["token_logprobs"] == whole["token_logprobs"][: len(ids)]


def test_token_ids_are_repeated_as_text(api: Running) -> None:
    text = texts(complete(api, prompt=[5, 6, 7], echo=True))[0]
    assert text == "#$%" + texts(complete(api, prompt=[5, 6, 7]))[0]


def test_a_remote_engine_scores_through_us(api: Running) -> None:
    with RemoteEngine(f"http://127.0.0.1:{api.port}/v1#solar-mini") as engine:
        trace = engine.trace([5, 6, 7], [8, 9])
    ids = [5, 6, 7, 8, 9]
    found = complete(api, prompt=ids, echo=True, logprobs=0, max_tokens=1).json["choices"][0]
    assert list(trace.logprobs) == found["logprobs"]["token_logprobs"][3:5]


def test_logprobs_have_the_old_form(api: Running) -> None:
    scores = complete(api, logprobs=2).json["choices"][0]["logprobs"]
    count = len(scores["tokens"])
    assert count
    assert {len(values) for values in scores.values()} == {count}
    assert all(value < 0 for value in scores["token_logprobs"])
    assert scores["text_offset"][:2] == [0, len(scores["tokens"][0])]


def test_a_text_follows_a_schema(api: Running) -> None:
    schema = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    answer = complete(api, response_format=form, max_tokens=60)
    assert json.loads(texts(answer)[0])["a"] in (1, 2)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": [[]]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": [1.5]}, "prompt"),
        ({"prompt": [1, 384]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"logit_bias": {"384": 1}}, "prompt"),
        ({"suffix": "end"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"echo": True, "logprobs": 2}, "logprobs"),
        ({"echo": True, "logprobs": 1, "prompt": [1, 384]}, "prompt"),
        ({"n": 17}, "n"),
        ({"model": "groundedness-check"}, "model"),
    ],
)
def test_what_is_wrong_is_named(api: Running, change: dict[str, Any], param: str) -> None:
    answer = complete(api, **change)
    assert answer.status == 400
    assert answer.error["param"] is not None
    assert answer.error["param"].split(".")[0] == param
