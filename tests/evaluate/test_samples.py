"""Sample answers: those of the engine, the same each time, kept with how they were made."""

from pathlib import Path

import pytest

from solarmini.engine.interface import GenerationSettings
from solarmini.engine.local import TransformersEngine
from solarmini.errors import EvaluateError, OutputError
from solarmini.evaluate.samples import (
    DEFAULT_PROMPTS,
    SampleSettings,
    make_samples,
    read_samples,
    write_samples,
)
from solarmini.text.chat import ChatFormat


def test_samples_are_the_engine_s_answers(model: Path, tmp_path: Path) -> None:
    settings = SampleSettings(prompts=DEFAULT_PROMPTS[:2], max_tokens=12)
    found = make_samples(model, settings)
    again = make_samples(model, settings)
    assert [s.answer for s in found.samples] == [s.answer for s in again.samples]
    with TransformersEngine(model) as engine:
        for sample, prompt in zip(found.samples, settings.prompts, strict=True):
            said = engine.generate(
                [{"role": "user", "content": prompt}], GenerationSettings(max_tokens=12)
            )
            assert sample.answer == "".join(said).strip()
            assert sample.prompt == prompt
            assert sample.tokens == said.completion_tokens
            assert sample.cut_off == (said.finish_reason == "length")
    assert found.template_sha256 == ChatFormat.load(model).sha256
    write_samples(tmp_path / "s" / "a.json", found)
    assert read_samples(tmp_path / "s" / "a.json") == found
    with pytest.raises(OutputError, match="exists already"):
        write_samples(tmp_path / "s" / "a.json", found)


def test_bad_sample_files_are_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluateError, match="no such file"):
        read_samples(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"samples": [], "colour": 1}')
    with pytest.raises(EvaluateError, match="not a file of samples"):
        read_samples(tmp_path / "bad.json")
    with pytest.raises(EvaluateError, match="no prompts"):
        make_samples(model, SampleSettings(prompts=()))
