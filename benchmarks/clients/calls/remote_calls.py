"""Our remote engine against a server: `remote_calls.py URL#MODEL`, with REFERENCE a JSON file.

The reference is what the transformers engine makes of the same weights in float32. DIRECT is set
where the server is vLLM itself: only it says which tokens a text has and scores given texts.
"""

import json
import math
import os
import threading
import time
import urllib.request
from pathlib import Path

import checks

from solarmini.engine.interface import ContextLengthError, GenerationSettings, UnsupportedError
from solarmini.engine.remote import RemoteEngine

REFERENCE = json.loads(Path(os.environ["REFERENCE"]).read_text())
DIRECT = "DIRECT" in os.environ
WATCHED = os.environ["WATCHED"]  # vLLM's address, whoever speaks to it
engine = RemoteEngine(checks.BASE, api_key=checks.KEY)
STEPS = GenerationSettings(max_tokens=REFERENCE["max_tokens"])
TOLERANCE = 0.02  # natural log; both compute in float32, in another order


def turns(text: str) -> list[dict[str, str]]:
    """Return a conversation of one question."""
    return [{"role": "user", "content": text}]


def running() -> float:
    """Return how many requests vLLM works on."""
    with urllib.request.urlopen(f"{WATCHED}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    name = "vllm:num_requests_running"
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


@checks.check
def models() -> None:
    assert engine.name == REFERENCE["model"], engine.name
    assert engine.context_length == REFERENCE["context"], engine.context_length


@checks.check
def chat_says_what_transformers_says() -> None:
    for case in REFERENCE["chats"]:
        made = engine.generate(turns(case["prompt"]), STEPS)
        text = made.text()
        assert text == case["text"], (text, case["text"])
        assert made.finish_reason == case["finish_reason"]


@checks.check
def completions_say_what_transformers_says() -> None:
    for case in REFERENCE["texts"]:
        text = engine.generate(case["prompt"], STEPS).text()
        assert text == case["text"], (text, case["text"])


@checks.check
def token_ids_are_a_prompt() -> None:
    case = REFERENCE["texts"][0]
    assert engine.generate(case["ids"], STEPS).text() == case["text"]


@checks.check
def stream_comes_in_pieces() -> None:
    made = engine.generate(turns(REFERENCE["chats"][0]["prompt"]), STEPS)
    pieces = list(made)
    assert len(pieces) > 5, pieces
    assert "".join(pieces) == REFERENCE["chats"][0]["text"]
    assert made.first_seconds is not None
    assert made.first_seconds < made.seconds


@checks.check
def usage_and_the_most_tokens() -> None:
    case = REFERENCE["chats"][0]
    made = engine.generate(turns(case["prompt"]), GenerationSettings(max_tokens=5, ignore_end=True))
    made.text()
    assert (made.finish_reason, made.completion_tokens) == ("length", 5)
    assert made.prompt_tokens == case["prompt_tokens"], (made.prompt_tokens, case)


@checks.check
def log_probabilities_are_those_of_transformers() -> None:
    case = REFERENCE["chats"][0]
    settings = GenerationSettings(max_tokens=REFERENCE["max_tokens"], logprobs=2)
    made = engine.generate(turns(case["prompt"]), settings)
    tokens = [token for event in made.events() for token in event.tokens]
    expected = case["logprobs"]
    got = [token.score.logprob for token in tokens][: len(expected)]
    assert len(got) == len(expected), (len(got), len(expected))
    worst = max(abs(a - b) for a, b in zip(got, expected, strict=True))
    assert worst < TOLERANCE, worst
    assert all(len(token.top) >= 2 for token in tokens)


@checks.check
def completions_have_log_probabilities() -> None:
    case = REFERENCE["texts"][0]
    settings = GenerationSettings(max_tokens=REFERENCE["max_tokens"], logprobs=1)
    made = engine.generate(case["prompt"], settings)
    got = [token.score.logprob for event in made.events() for token in event.tokens]
    expected = case["logprobs"]
    assert len(got) >= len(expected), (len(got), len(expected))
    worst = max(abs(a - b) for a, b in zip(got, expected, strict=False))
    assert worst < TOLERANCE, worst


@checks.check
def tokens_and_scores() -> None:
    case = REFERENCE["score"]
    if not DIRECT:
        try:
            engine.score(case["prompt"], case["continuation"])
        except UnsupportedError:
            return
        raise AssertionError("our server has no route for that")
    assert engine.tokenize(case["continuation"]) == case["ids"]
    assert engine.encode(turns("Hello")) == case["chat_ids"]
    scores = engine.score(case["prompt"], case["continuation"])
    worst = max(abs(a - b) for a, b in zip(scores, case["logprobs"], strict=True))
    assert worst < TOLERANCE, worst


@checks.check
def json_follows_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Seoul", "Busan"]}, "sunny": {"type": "boolean"}},
        "required": ["city", "sunny"],
        "additionalProperties": False,
    }
    settings = GenerationSettings(max_tokens=60, json_schema=schema)
    for prompt in (turns("How is the weather in Busan?"), "The weather in Busan as JSON:"):
        value = json.loads(engine.generate(prompt, settings).text())
        assert set(value) == {"city", "sunny"}, value
        assert value["city"] in ("Seoul", "Busan")
        assert isinstance(value["sunny"], bool)


@checks.check
def stop_strings_end_the_answer() -> None:
    for kind, prompt in (("chats", turns), ("texts", str)):
        case = REFERENCE[kind][0]
        word = case["text"].split()[3]
        settings = GenerationSettings(max_tokens=REFERENCE["max_tokens"], stop=(word,))
        made = engine.generate(prompt(case["prompt"]), settings)
        assert made.text() == case["text"][: case["text"].index(word)]
        assert made.finish_reason == "stop"


@checks.check
def a_seed_repeats_an_answer() -> None:
    settings = GenerationSettings(max_tokens=12, temperature=1.0, seed=7)
    texts = {engine.generate(turns("Tell me a story."), settings).text() for _ in range(2)}
    assert len(texts) == 1, texts
    other = GenerationSettings(max_tokens=12, temperature=1.0, seed=8)
    assert engine.generate(turns("Tell me a story."), other).text() not in texts


@checks.check
def bias_forbids_a_token() -> None:
    case = REFERENCE["texts"][0]
    first = case["answer_ids"][0]
    settings = GenerationSettings(max_tokens=4, logit_bias=((first, -100.0),))
    assert not case["text"].startswith(engine.generate(case["prompt"], settings).text())


@checks.check
def a_cancelled_answer_is_no_longer_made() -> None:
    settings = GenerationSettings(max_tokens=900, ignore_end=True)
    made = engine.generate(turns("Count from one to a thousand."), settings)
    for number, _ in enumerate(made):
        if number == 3:
            assert running() == 1
            made.cancel()
    assert made.finish_reason == "cancelled"
    began = time.monotonic()
    while running() and time.monotonic() - began < 10:
        time.sleep(0.2)
    assert running() == 0


@checks.check
def several_at_once() -> None:
    texts: dict[str, str] = {}

    def ask(prompt: str) -> None:
        texts[prompt] = engine.generate(turns(prompt), STEPS).text()

    threads = [threading.Thread(target=ask, args=(c["prompt"],)) for c in REFERENCE["chats"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {case["prompt"]: case["text"] for case in REFERENCE["chats"]}


@checks.check
def a_full_context_is_refused() -> None:
    for prompt in ("fox " * 2000, turns("fox " * 2000)):
        refused = ""
        try:
            engine.generate(prompt, STEPS).text()
        except ContextLengthError as error:
            refused = str(error)
        assert str(REFERENCE["context"]) in refused, refused


@checks.check
def finite_log_probabilities() -> None:
    made = engine.generate("The", GenerationSettings(max_tokens=3, logprobs=5))
    tokens = [token for event in made.events() for token in event.tokens]
    assert tokens
    assert all(math.isfinite(top.logprob) for token in tokens for top in token.top)


checks.run()
