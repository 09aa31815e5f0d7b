"""Functions in, calls out."""

import json
from typing import Any

import pytest

from solarmini.engine.interface import Engine, GenerationSettings, GrammarError
from solarmini.engine.tools import ToolCall, parse_calls, plain_messages, plan_tools

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "About a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"enum": ["Seoul", "Busan"]}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
    for name in ("weather", "population")
]
ASKED = [{"role": "user", "content": "The quick brown fox"}]


@pytest.mark.parametrize("which", ["llama", "exact"])
@pytest.mark.parametrize("choice", ["required", {"function": {"name": "population"}}])
def test_a_demanded_call_is_made(which: str, choice: Any, request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue(which)
    plan = plan_tools(ASKED, TOOLS[:2], choice, parallel=False)
    short = [{"role": "user", "content": "fox"}]  # the tiny model's context is small
    settings = GenerationSettings(grammar=plan.grammar, max_tokens=120, temperature=1.0, seed=1)
    calls = parse_calls(engine.generate(short, settings).text())
    assert len(calls) == 1
    assert json.loads(calls[0].arguments)["city"] in ("Seoul", "Busan")
    if choice != "required":
        assert calls[0].name == "population"


def test_an_allowed_call_may_be_words(llama: Engine) -> None:
    plan = plan_tools(ASKED, TOOLS, "auto")
    assert plan.grammar is not None
    for seed in range(4):
        settings = GenerationSettings(
            grammar=plan.grammar, max_tokens=60, temperature=1.5, seed=seed
        )
        generation = llama.generate([{"role": "user", "content": "fox"}], settings)
        text = generation.text()
        if text.startswith(("{", "[")) and generation.finish_reason == "stop":
            assert parse_calls(text)
        else:
            assert parse_calls(text) == []


def test_functions_are_introduced_in_the_system_message() -> None:
    talk = [{"role": "system", "content": "Be kind."}, *ASKED]
    plan = plan_tools(talk, TOOLS, "auto")
    assert plan.messages[0]["content"].startswith("Be kind.\n\n")
    assert '"weather"' in plan.messages[0]["content"]
    assert plan.messages[1] == ASKED[0]
    assert plan_tools(ASKED, TOOLS, "none") == plan_tools(ASKED)
    assert plan_tools(ASKED).grammar is None


def test_calls_and_results_become_turns() -> None:
    talk = [
        {
            "role": "developer",
            "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "kind."}],
        },
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "function": {"name": "weather", "arguments": '{"city": "Seoul"}'}},
                {"id": "2", "function": {"name": "weather", "arguments": '{"city": "Busan"}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "2", "content": "rain"},
        {"role": "user", "content": "Thanks"},
    ]
    plain = plain_messages(talk)
    assert [turn["role"] for turn in plain] == ["system", "user", "assistant", "user"]
    assert plain[0]["content"] == "Be kind."
    assert parse_calls(plain[2]["content"]) == [
        ToolCall("weather", '{"city": "Seoul"}'),
        ToolCall("weather", '{"city": "Busan"}'),
    ]
    assert plain[3]["content"] == (
        "The function weather returned:\nsunny\n\nThe function weather returned:\nrain\n\nThanks"
    )


@pytest.mark.parametrize(
    "text",
    ["", "words", "{", '{"name": "x"}', '{"name": 1, "arguments": {}}', "[1]", '[{"a": 1}]', "[]"],
)
def test_what_is_no_call(text: str) -> None:
    assert parse_calls(text) == []


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([{"type": "function"}], "auto"),
        (TOOLS, {"function": {"name": "nothing"}}),
        (TOOLS, "sometimes"),
    ],
)
def test_refusals(tools: Any, choice: Any) -> None:
    with pytest.raises(GrammarError):
        plan_tools(ASKED, tools, choice)


def test_pictures_are_refused() -> None:
    with pytest.raises(GrammarError, match="text"):
        plain_messages([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}])


DEFINED = {
    "type": "object",
    "properties": {
        "city": {"$ref": "#/$defs/City"},
        "part": {"$ref": "#"},
        "note": {"default": {"$ref": "#/nowhere"}, "type": "string"},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"City": {"enum": ["Seoul", "Busan"]}},
}


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("choice", ["auto", "required"])
def test_references_within_parameters_hold(parallel: bool, count: int, choice: str) -> None:
    guidance = pytest.importorskip("llguidance")
    names = [f"f{at}" for at in range(count)]
    tools = [{"function": {"name": name, "parameters": DEFINED}} for name in names]
    plan = plan_tools(ASKED, tools, choice, parallel=parallel)
    assert plan.grammar is not None
    assert guidance.LLMatcher.validate_grammar(plan.grammar) == ""
    letters = guidance.LLTokenizer("byte")

    def allows(text: str) -> bool:
        matcher = guidance.LLMatcher(letters, plan.grammar)
        return matcher.consume_tokens(list(text.encode())) and matcher.is_accepting()

    for name in names:
        call = {"name": name, "arguments": {"city": "Seoul", "part": {"city": "Busan"}}}
        assert allows(json.dumps(call))
        assert allows(json.dumps([call, call])) is parallel
        wrong = {"name": name, "arguments": {"city": "Seoul", "part": {"city": "Ulsan"}}}
        assert not allows(json.dumps(wrong))


@pytest.mark.parametrize("strict", [None, False, True])
def test_keywords_that_cannot_be_enforced(strict: bool | None) -> None:
    guidance = pytest.importorskip("llguidance")
    tags = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
    parameters = {"type": "object", "properties": {"tags": tags}, "required": ["tags"]}
    function = {"name": "mark", "parameters": parameters, "strict": strict}
    plan = plan_tools(ASKED, [{"function": function}], "required")
    said = guidance.LLMatcher.validate_grammar(plan.grammar)
    assert ("uniqueItems" in said) is bool(strict)
    assert "strict" not in plan.messages[0]["content"]


def test_what_cannot_be_enforced_is_named_without_the_grammar(llama: Engine) -> None:
    settings = GenerationSettings(json_schema={"type": "array", "uniqueItems": True})
    with pytest.raises(GrammarError, match="uniqueItems") as caught:
        llama.generate("x", settings)
    assert "start:" not in str(caught.value)
