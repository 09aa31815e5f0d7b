"""The llama.cpp engine against transformers on the same weights, alone and crowded."""

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import tiny_model

from solarmini.engine.interface import (
    ContextLengthError,
    Event,
    GenerationSettings,
    GrammarError,
    UnsupportedError,
)
from solarmini.engine.llama import LlamaEngine, LlamaGeneration, _failure
from solarmini.engine.local import TransformersEngine
from solarmini.errors import CheckpointError, ConfigError, EngineError, TemplateError
from solarmini.export.gguf import plan_gguf, write_gguf
from solarmini.export.quant import QUANTS

TALK = [{"role": "user", "content": "The quick brown fox 한국어"}]
OTHER = [{"role": "user", "content": "A model is grown, healed, taught"}]
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 5}, "fox": {"type": "boolean"}},
    "required": ["name", "fox"],
    "additionalProperties": False,
}


def ask(engine: Any, prompt: Any, **settings: Any) -> str:
    return engine.generate(prompt, GenerationSettings(**settings)).text()


@pytest.mark.parametrize("prompt", [TALK, OTHER, "The quick brown", "하나의 모델을"])
@pytest.mark.parametrize("which", ["llama", "plain"])
def test_greedy_equals_transformers(
    request: pytest.FixtureRequest, which: str, exact: TransformersEngine, prompt: Any
) -> None:
    engine: LlamaEngine = request.getfixturevalue(which)
    assert engine.encode(prompt) == exact.encode(prompt)
    mine = engine.generate(prompt, GenerationSettings(max_tokens=24, ignore_end=True))
    theirs = exact.generate(prompt, GenerationSettings(max_tokens=24, ignore_end=True))
    # a part of a character at the end is text to neither, but llama.cpp may finish the character
    assert mine.text().rstrip("\ufffd").startswith(theirs.text().rstrip("\ufffd"))
    assert mine.prompt_tokens == theirs.prompt_tokens
    assert mine.completion_tokens >= theirs.completion_tokens


def test_scores_equal_transformers(llama: LlamaEngine, exact: TransformersEngine) -> None:
    mine, theirs = (engine.score(TALK, " fox jumps 한국") for engine in (llama, exact))
    assert mine == pytest.approx(theirs, abs=0.02)
    ids = exact.encode(TALK)
    one, two = (engine.trace(ids[:3], ids[3:]) for engine in (llama, exact))
    assert one.logprobs == pytest.approx(two.logprobs, abs=0.02)
    same = np.mean([a == b for a, b in zip(one.best, two.best, strict=True)])
    assert same > 0.9
    with pytest.raises(EngineError, match="token"):
        llama.trace([], ids)


def test_embeddings_equal_transformers(llama: LlamaEngine, exact: TransformersEngine) -> None:
    texts = ["The quick brown fox", "한국어 문장도 함께 배웁니다."]
    for mine, theirs in zip(llama.embed(texts), exact.embed(texts), strict=True):
        assert np.linalg.norm(mine) == pytest.approx(1, abs=1e-5)
        assert np.dot(mine, theirs) > 0.9999


def test_logprobs_are_those_of_the_model(llama: LlamaEngine, exact: TransformersEngine) -> None:
    settings = GenerationSettings(max_tokens=12, logprobs=3)
    mine, theirs = (list(e.generate(OTHER, settings).events()) for e in (llama, exact))
    for one, two in zip(tokens(mine), tokens(theirs), strict=False):
        assert one.score.id == two.score.id
        assert one.score.raw == two.score.raw
        assert one.score.logprob == pytest.approx(two.score.logprob, abs=0.02)
        assert len(one.top) == len(two.top) == 3
        assert one.top[0].logprob == pytest.approx(two.top[0].logprob, abs=0.02)
        assert one.top[0].logprob >= one.top[1].logprob >= one.top[2].logprob
    none = list(llama.generate(OTHER, GenerationSettings(max_tokens=3, logprobs=0)).events())
    assert all(token.top == () for token in tokens(none))


def tokens(events: Sequence[Event]) -> list[Any]:
    return [token for event in events for token in event.tokens]


def test_many_at_once_answer_as_alone(llama: LlamaEngine) -> None:
    prompts = [f"The fox number {number} jumps" for number in range(12)]
    alone = [ask(llama, prompt, max_tokens=16) for prompt in prompts]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda prompt: ask(llama, prompt, max_tokens=16), prompts))
    assert together == alone
    assert len(set(alone)) > 3


def test_a_known_beginning_is_not_computed_again(llama: LlamaEngine) -> None:
    long = "The quick brown fox jumps over the lazy dog. " * 3
    first = llama.generate(long + "A", GenerationSettings(max_tokens=2))
    first.text()
    again = llama.generate(long + "Grown", GenerationSettings(max_tokens=2))
    again.text()
    assert again.cached_tokens >= len(llama.encode(long)) - 2


def test_guessing_changes_nothing(gguf: Path) -> None:
    """A random model repeats itself, so prompt lookup has much to guess."""
    prompts = [TALK, "fox jumps over fox jumps over fox jumps over", "def add(a, b): def add(a"]
    said, drafted = [], []
    for speculate in (False, True):
        with LlamaEngine(
            gguf, threads=1, attention="flash", speculate=speculate, warm_up=False
        ) as engine:
            runs = [
                engine.generate(prompt, GenerationSettings(max_tokens=90, ignore_end=True))
                for prompt in prompts
            ]
            said.append([run.text() for run in runs])
            drafted.append(sum(run.drafted for run in runs))
    assert said[0] == said[1]
    assert drafted[0] == 0
    assert drafted[1] > 0


def test_seeds_and_choices(llama: LlamaEngine) -> None:
    settings: dict[str, Any] = {"temperature": 1.2, "top_p": 0.95, "max_tokens": 20}
    first = ask(llama, TALK, seed=11, **settings)
    assert ask(llama, TALK, seed=11, **settings) == first
    assert ask(llama, TALK, seed=12, **settings) != first
    many = [llama.generate(TALK, GenerationSettings(seed=s, **settings)) for s in (11, 12)]
    texts = [generation.text() for generation in many]
    assert texts == [first, ask(llama, TALK, seed=12, **settings)]
    assert len({ask(llama, TALK, **settings) for _ in range(3)}) > 1


def test_stop_strings(llama: LlamaEngine) -> None:
    whole = ask(llama, OTHER, max_tokens=30)
    # a stop string is text, and half a character is none
    stop = next(char for char in whole[1:] if char != "\ufffd" and whole.index(char) > 1)
    cut = llama.generate(OTHER, GenerationSettings(max_tokens=30, stop=(stop,)))
    assert cut.text() == whole[: whole.index(stop)]
    assert cut.finish_reason == "stop"
    scored = llama.generate(OTHER, GenerationSettings(max_tokens=30, stop=(stop,), logprobs=0))
    assert scored.text().rstrip("\ufffd") == whole[: whole.index(stop)].rstrip("\ufffd")


def test_bias_and_penalties(llama: LlamaEngine) -> None:
    index = llama.tokenize("fox")[0]
    text = ask(llama, TALK, max_tokens=4, logit_bias=((index, 100.0),))
    assert text == llama.tokenizer.decode([index] * 4)
    without = ask(llama, TALK, max_tokens=4, logit_bias=((index, 100.0),), presence_penalty=2.0)
    assert without == text  # two points do not outweigh a hundred


@pytest.mark.parametrize("which", ["llama", "exact"])
def test_a_schema_binds_the_answer(which: str, request: pytest.FixtureRequest) -> None:
    engine = request.getfixturevalue(which)
    for seed in range(3):
        generation = engine.generate(
            TALK,
            GenerationSettings(json_schema=SCHEMA, max_tokens=80, temperature=1.0, seed=seed),
        )
        value = json.loads(generation.text())
        assert set(value) == {"name", "fox"}
        assert len(value["name"]) <= 5
        assert isinstance(value["fox"], bool)
        assert generation.finish_reason == "stop"


@pytest.mark.parametrize("which", ["llama", "exact"])
def test_a_grammar_binds_the_answer(which: str, request: pytest.FixtureRequest) -> None:
    engine = request.getfixturevalue(which)
    assert ask(engine, TALK, grammar='start: "fox" | "dog"\n', max_tokens=9) in ("fox", "dog")
    for bad in ({"grammar": "start: nowhere"}, {"json_schema": {"type": "nonsense"}}):
        with pytest.raises(GrammarError, match="cannot be enforced"):
            engine.generate(TALK, GenerationSettings(**bad))


def test_cancel_frees_the_reader_and_the_slot(gguf: Path) -> None:
    with LlamaEngine(gguf, threads=1, speculate=False, warm_up=False) as engine:
        generation = engine.generate(TALK, GenerationSettings(max_tokens=200, ignore_end=True))
        next(generation)
        generation.cancel()
        list(generation)
        assert generation.finish_reason == "cancelled"
        assert generation.completion_tokens < 200
        generation.join()
        waiting = engine.generate(TALK, GenerationSettings(max_tokens=3))
        waiting.cancel()
        assert (waiting.text(), waiting.finish_reason) == ("", "cancelled")
        assert ask(engine, TALK, max_tokens=3)  # the one slot is free again
        abandoned = engine.generate(TALK, GenerationSettings(max_tokens=200, ignore_end=True))
        next(abandoned)
    assert threading.active_count() < 20
    with pytest.raises(EngineError, match="closed"):
        engine.generate(TALK)


def test_an_answer_with_logprobs_comes_in_parts_and_can_be_cancelled(llama: LlamaEngine) -> None:
    settings: dict[str, Any] = {"max_tokens": 150, "ignore_end": True}
    plain = ask(llama, TALK, **settings)
    whole = llama.generate(TALK, GenerationSettings(logprobs=0, **settings))
    events = list(whole.events())
    # a part of a character at the end is text to one and none to the other
    assert plain.startswith("".join(event.text for event in events).rstrip("\ufffd"))
    assert whole.completion_tokens == len(tokens(events)) == 150
    assert whole.finish_reason == "length"
    sampled = [ask(llama, TALK, logprobs=0, temperature=1.0, seed=5, **settings) for _ in range(2)]
    assert sampled[0] == sampled[1]
    left = llama.generate(TALK, GenerationSettings(logprobs=0, **settings))
    next(left.events())
    left.cancel()
    list(left.events())
    left.join()
    assert left.finish_reason == "cancelled"
    assert left.completion_tokens < 150


def test_an_event_loop_can_wait_for_answers(llama: LlamaEngine) -> None:
    async def read(prompt: Any) -> str:
        parts = []
        generation = llama.generate(prompt, GenerationSettings(max_tokens=12))
        async for event in generation.stream():
            parts.append(event.text)
        return "".join(parts)

    async def leave() -> str | None:
        generation = llama.generate(TALK, GenerationSettings(max_tokens=150, ignore_end=True))
        stream = generation.stream()
        async for _ in stream:
            break
        await stream.aclose()  # ty: ignore[unresolved-attribute]
        generation.join()
        return generation.finish_reason

    async def both() -> list[str]:
        return await asyncio.gather(read(TALK), read(OTHER))

    expected = [ask(llama, prompt, max_tokens=12) for prompt in (TALK, OTHER)]
    assert asyncio.run(both()) == expected
    assert asyncio.run(leave()) == "cancelled"


def test_who_waits_for_the_end_finds_what_is_told_of_it(
    llama: LlamaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's thread is held back: it may be slower than llama.cpp's."""
    read = LlamaGeneration._events

    def late(generation: LlamaGeneration) -> Iterator[Event]:
        events = read(generation)
        yield next(events)
        generation._stop.wait()
        time.sleep(0.3)
        yield from events

    monkeypatch.setattr(LlamaGeneration, "_events", late)

    async def leave() -> str | None:
        generation = llama.generate(TALK, GenerationSettings(max_tokens=150, ignore_end=True))
        async for _ in generation.stream():
            break
        generation.cancel()
        generation.join()
        return generation.finish_reason

    assert asyncio.run(leave()) == "cancelled"


def test_context_overflow_is_refused_with_the_numbers(llama: LlamaEngine) -> None:
    long = [{"role": "user", "content": "fox " * 300}]
    with pytest.raises(ContextLengthError) as caught:
        llama.generate(long)
    assert (caught.value.prompt, caught.value.limit) == (len(llama.encode(long)), 256)
    room = 256 - len(llama.encode(TALK))
    full = llama.generate(TALK, GenerationSettings(max_tokens=room, ignore_end=True))
    full.text()
    assert full.finish_reason == "length"
    with pytest.raises(ContextLengthError):
        llama.generate(TALK, GenerationSettings(max_tokens=room + 1))
    with pytest.raises(ContextLengthError):
        llama.embed(["fox " * 300])


def test_a_file_without_template_still_continues_text(tiny: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "bare"
    shutil.copytree(tiny, folder)
    (folder / "chat_template.jinja").unlink()
    plan = plan_gguf(folder, QUANTS["q8_0"])
    assert "no chat template" in plan.notes[0]
    write_gguf(plan, tmp_path / "bare.gguf")
    with LlamaEngine(tmp_path / "bare.gguf", threads=1, warm_up=False) as engine:
        assert ask(engine, "The", max_tokens=3)
        with pytest.raises(TemplateError):
            engine.generate(TALK)
    with LlamaEngine(tmp_path / "bare.gguf", "chatml", threads=1, warm_up=False) as engine:
        assert engine.generate(TALK).prompt_tokens > 0


def test_a_tokenizer_is_restored_when_the_file_has_none(
    gguf: Path, llama: LlamaEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from solarmini.checkpoint.gguf_file import GgufFile
    from solarmini.engine.gguf_tokenizer import tokenizer_of

    monkeypatch.setenv("SOLAR_CACHE", str(tmp_path))
    file = GgufFile.open(gguf)
    foreign = replace(
        file,
        metadata={
            key: value
            for key, value in file.metadata.items()
            if key != "tokenizer.huggingface.json" and not key.startswith("solar.")
        },
    )
    for _ in range(2):  # made, then taken from the cache
        restored = tokenizer_of(foreign)
        for text in ("The quick 12 한국", "x<|im_end|>y"):
            assert restored.encode(text, add_special_tokens=False) == llama.tokenize(text)
        assert restored.eos_token_id == llama.tokenizer.eos_token_id
        assert restored.chat_template == llama.tokenizer.chat_template


def test_files_that_cannot_run(gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "t"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with pytest.raises(ConfigError, match="256"):
        LlamaEngine(gguf, context=4096)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(gguf.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match="ends at byte"):
        LlamaEngine(cut)
    raw = gguf.read_bytes()
    strange = tmp_path / "strange.gguf"
    strange.write_bytes(raw.replace(b"blk.1.attn_q.weight", b"blk.1.attn_x.weight"))
    with pytest.raises(EngineError, match="cannot run"):
        LlamaEngine(strange, threads=1)
    assert not list(place.iterdir())  # nothing private is left behind


@pytest.mark.parametrize(
    ("quant", "page_size", "mapped"),
    [("q4_0", 0, False), ("q8_0", 0, True), ("q8_0", 2**21, False)],
)
def test_weights_are_mapped_unless_rearranged_or_moved(
    quant: str,
    page_size: int,
    mapped: bool,
    tiny: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from solarmini.engine import llama_server

    monkeypatch.setattr(llama_server, "page_size", lambda: page_size)
    path = tmp_path / "model.gguf"
    write_gguf(plan_gguf(tiny, QUANTS[quant]), path)
    with LlamaEngine(path, threads=1, warm_up=False) as engine:
        ask(engine, "The", max_tokens=3)
        assert (str(path) in Path("/proc/self/maps").read_text()) is mapped
        if quant == "q8_0":  # states map the file in any case
            engine.score("The", " quick")
            assert str(path) in Path("/proc/self/maps").read_text()


def test_what_is_loaded_lies_on_huge_pages(tmp_path: Path, refusals: list[int]) -> None:
    """The cache has 100 MiB: an allocator maps so much anew, whatever was freed before."""
    from solarmini.engine import pages

    path = tmp_path / "deep.gguf"
    deep = tiny_model("llama", tmp_path / "deep", layers=20, seed=4)
    write_gguf(plan_gguf(deep, QUANTS["f32"]), path)
    before = pages.huge_bytes() or 0
    with LlamaEngine(path, threads=1, warm_up=False, parallel=256) as engine:
        moved = (pages.huge_bytes() or 0) - before
        assert refusals or (moved > 2**26 if pages.page_size() else moved == 0)
        assert ask(engine, "The", max_tokens=3)


def test_a_lazy_engine_scores_without_a_scheduler(gguf: Path, llama: LlamaEngine) -> None:
    with LlamaEngine(gguf, threads=1, warm_up=False, lazy=True) as engine:
        assert engine.score("The", " quick brown") == llama.score("The", " quick brown")
        assert engine.native_tokens("fox 한국") == llama.native_tokens("fox 한국")
        assert engine._server is None
        assert ask(engine, "The", max_tokens=3) == ask(llama, "The", max_tokens=3)
        assert engine._server is not None
    with pytest.raises(EngineError, match="closed"):
        engine.score("The", " quick")


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("temperature", [0.0, 1.3])
def test_every_token_has_its_score(llama: LlamaEngine, bound: bool, temperature: float) -> None:
    # this model's answers are bytes in disorder: many end inside a character
    grammar = "start: /(.|\\n)*/" if bound else None
    for count in range(1, 12):
        settings = GenerationSettings(
            temperature=temperature, seed=3, max_tokens=count, logprobs=1, grammar=grammar,
            ignore_end=not bound,
        )  # fmt: skip
        generation = llama.generate("The quick", settings)
        tokens = [token for event in generation.events() for token in event.tokens]
        assert len(tokens) <= count
        if generation.finish_reason == "length":
            assert len(tokens) == count == generation.completion_tokens
        else:
            assert bound


def test_a_build_without_grammars_says_so() -> None:
    # as such a build answers; the wheel that the tests install has grammars
    said = "Failed to initialize samplers: failed to parse grammar: llguidance is not enabled"
    found = _failure({"error": {"code": 400, "message": said}})
    assert isinstance(found, UnsupportedError)
    assert "compiled without llguidance" in str(found)
    assert str(_failure({"error": {"message": "no"}})) == "llama.cpp refused: no"
    assert str(_failure("broken")) == "llama.cpp refused: broken"
