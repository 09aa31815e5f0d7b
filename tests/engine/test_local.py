"""The transformers engine against transformers' own generate and forward pass."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import tiny_model
from transformers import AutoModelForCausalLM

from solarmini.engine.interface import ContextLengthError, Engine, GenerationSettings
from solarmini.engine.local import TransformersEngine
from solarmini.engine.sampling import choose, keep_top
from solarmini.errors import ConfigError, ResolveError, TemplateError
from solarmini.text.chat import ChatFormat
from solarmini.train.precision import PrecisionName, choose_precision

TALK = [{"role": "user", "content": "The quick brown fox 한국어"}]


def ids_of(engine: Engine, prompt: Any, **settings: Any) -> list[int]:
    generation = engine.generate(prompt, GenerationSettings(**settings))
    list(generation)
    return list(generation.ids)  # ty: ignore[missing-attribute]


@pytest.mark.parametrize("arch", ["llama", "qwen3", "gemma3"])
def test_greedy_equals_generate(arch: str, tmp_path: Path) -> None:
    folder = tiny_model(arch, tmp_path / arch, seed=7)
    prompt = ChatFormat.load(folder).encode(TALK, add_generation_prompt=True).ids
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    out = model.generate(torch.tensor([prompt]), max_new_tokens=60, do_sample=False)
    expected = out[0, len(prompt) :].tolist()
    if expected[-1] == 2:  # the end of the turn is not part of the answer
        expected.pop()
    with TransformersEngine(folder, precision="fp32") as engine:
        assert ids_of(engine, TALK, max_tokens=60) == expected
        assert len(expected) > 5


def test_cached_equals_uncached(exact: TransformersEngine, tiny: Path) -> None:
    ids = exact.chat.encode(TALK, add_generation_prompt=True).ids
    model: Any = AutoModelForCausalLM.from_pretrained(tiny)
    grown = list(ids)
    for _ in range(20):
        with torch.inference_mode():
            grown.append(int(model(torch.tensor([grown]), use_cache=False).logits[0, -1].argmax()))
    made = ids_of(exact, TALK, max_tokens=20)
    assert made == grown[len(ids) :][: len(made)]
    assert len(made) > 3


def test_plain_text_is_continued(engine: TransformersEngine) -> None:
    generation = engine.generate("The quick", GenerationSettings(max_tokens=5))
    text = "".join(generation)
    assert generation.prompt_tokens == len(engine.tokenize("The quick"))
    assert generation.completion_tokens <= 5
    assert generation.finish_reason in ("length", "stop")
    assert isinstance(text, str)


def test_seeded_sampling_repeats(engine: TransformersEngine) -> None:
    settings: dict[str, Any] = {"temperature": 1.0, "top_p": 0.95, "top_k": 50, "max_tokens": 30}
    first = ids_of(engine, TALK, seed=11, **settings)
    assert ids_of(engine, TALK, seed=11, **settings) == first
    assert ids_of(engine, TALK, seed=12, **settings) != first
    free = {tuple(ids_of(engine, TALK, **settings)) for _ in range(3)}
    assert len(free) > 1


def test_stops_and_counts(engine: TransformersEngine) -> None:
    whole = engine.generate(TALK, GenerationSettings(max_tokens=40))
    text = "".join(whole)
    assert whole.finish_reason == ("length" if whole.completion_tokens == 40 else "stop")
    assert whole.seconds > 0
    stop = text[5:8]
    cut = engine.generate(TALK, GenerationSettings(max_tokens=40, stop=(stop,)))
    assert "".join(cut) == text[: text.index(stop)]
    assert cut.finish_reason == "stop"
    assert cut.completion_tokens < whole.completion_tokens


def test_ends_at_the_end_of_turn(tmp_path: Path) -> None:
    """A model that always wants to end its turn says nothing."""
    folder = tiny_model("llama", tmp_path / "m", tie=False)
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"].zero_()
    weights["model.norm.weight"].zero_()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with TransformersEngine(folder) as engine:  # all logits are equal: argmax is id 0
        generation = engine.generate(TALK, GenerationSettings(max_tokens=3))
        list(generation)
        assert generation.ids == [0, 0, 0]
        engine.chat.stop_ids.append(0)
        generation = engine.generate(TALK, GenerationSettings(max_tokens=3))
        assert list(generation) == []
        assert (generation.finish_reason, generation.completion_tokens) == ("stop", 1)


def test_cancel(engine: TransformersEngine) -> None:
    generation = engine.generate(TALK, GenerationSettings(max_tokens=100))
    next(generation)
    generation.cancel()
    list(generation)
    assert generation.finish_reason == "cancelled"
    assert generation.completion_tokens < 100


def test_context_overflow_is_refused_with_the_numbers(engine: TransformersEngine) -> None:
    long = [{"role": "user", "content": "fox " * 300}]
    with pytest.raises(ContextLengthError) as caught:
        engine.generate(long)
    count = len(engine.chat.encode(long, add_generation_prompt=True).ids)
    assert (caught.value.prompt, caught.value.limit) == (count, 256)
    assert f"{count:,} tokens" in str(caught.value)
    assert "holds 256" in str(caught.value)
    with pytest.raises(ContextLengthError, match="may have 256"):
        engine.generate(TALK, GenerationSettings(max_tokens=256))
    room = 256 - len(engine.chat.encode(TALK, add_generation_prompt=True).ids)
    assert ids_of(engine, TALK, max_tokens=room)  # exactly full is not too full


def test_score_is_the_forward_pass(exact: TransformersEngine, tiny: Path) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(tiny)
    prompt, continuation = "The quick brown", " fox jumps 한국"
    before, after = exact.tokenize(prompt), exact.tokenize(continuation)
    ids = torch.tensor([before + after])
    with torch.inference_mode():
        loss = model(ids, labels=torch.tensor([[-100] * len(before) + after])).loss
    scores = exact.score(prompt, continuation)
    assert len(scores) == len(after)
    assert -sum(scores) / len(scores) == pytest.approx(float(loss), abs=1e-5)
    talk = exact.score(TALK, "fox")
    assert len(talk) == len(exact.tokenize("fox"))
    with pytest.raises(ContextLengthError):
        exact.score("fox " * 300, "x")


def test_keep_top() -> None:
    logits = torch.log(torch.tensor([0.1, 0.4, 0.2, 0.3]))
    kept = keep_top(logits, 2, 1.0)
    assert torch.isfinite(kept).tolist() == [False, True, False, True]
    assert torch.isfinite(keep_top(logits, 0, 0.65)).tolist() == [False, True, False, True]
    assert torch.isfinite(keep_top(logits, 0, 0.75)).tolist() == [False, True, True, True]
    assert torch.isfinite(keep_top(logits, 0, 1e-6)).tolist() == [False, True, False, False]
    assert torch.equal(keep_top(logits, 0, 1.0), logits)


def test_choice_follows_the_probabilities() -> None:
    """20,000 draws at temperature 2 lie within five standard errors of softmax(logits / 2)."""
    logits = torch.tensor([0.0, 1.0, 2.0])
    expected = torch.softmax(logits / 2, 0)
    settings = GenerationSettings(temperature=2.0)
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(3)
    for _ in range(20_000):
        counts[choose(logits, settings, generator)] += 1
    error = (expected * (1 - expected) / 20_000).sqrt()
    assert ((counts / 20_000 - expected).abs() < 5 * error).all()
    assert choose(logits, GenerationSettings(), None) == 2
    assert math.isclose(float(counts.sum()), 20_000)


def test_weights_have_the_type_that_training_chooses(tiny: Path) -> None:
    auto = choose_precision("auto", torch.device("cpu"))
    wanted: dict[PrecisionName, str] = {"auto": auto, "fp32": "fp32", "bf16": "bf16"}
    for precision, kind in wanted.items():
        with TransformersEngine(tiny, device="cpu", precision=precision) as engine:
            dtype = torch.bfloat16 if kind == "bf16" else torch.float32
            assert engine._model.dtype == dtype


def test_bad_settings_and_models(tmp_path: Path) -> None:
    from solarmini.config import parse_settings

    for bad in ({"temperature": -1}, {"top_p": 0}, {"top_k": -1}, {"max_tokens": 0}, {"topp": 1}):
        with pytest.raises(ConfigError):
            parse_settings(GenerationSettings, bad, "test")
    with pytest.raises(ResolveError):
        TransformersEngine("no-such-model")
    folder = tiny_model("llama", tmp_path / "m")
    (folder / "chat_template.jinja").unlink()
    with TransformersEngine(folder) as engine:
        assert "".join(engine.generate("The", GenerationSettings(max_tokens=2))) is not None
        with pytest.raises(TemplateError):
            engine.generate(TALK)
    with TransformersEngine(folder, "chatml") as engine:
        assert engine.generate(TALK).prompt_tokens > 0
