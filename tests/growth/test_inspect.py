"""Layer measures against their definitions, and the loss of every m against a grown model."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from growth.reference import load
from helpers import solar, tiny_model

from solarmini.growth.inspect import Inspection, Seam, inspect_model, suggest
from solarmini.growth.methods import dus
from solarmini.growth.sample_text import SAMPLE
from solarmini.growth.upscale import run_upscale
from solarmini.text.tokenizer import load_tokenizer

LAYERS = 4


@pytest.fixture(scope="module", params=["llama", "gemma3", "gpt_neox"])
def measured(request, tmp_path_factory) -> tuple[Path, Inspection]:
    folder = tmp_path_factory.mktemp(request.param)
    tiny_model(request.param, folder, layers=LAYERS)
    return folder, inspect_model(folder, SAMPLE, max_tokens=48)


def loss_of(folder: Path) -> float:
    """Mean loss per token, computed the plain way."""
    model, tokenizer = load(folder), load_tokenizer(folder)
    total, count = 0.0, 0
    for text in SAMPLE:
        ids = tokenizer(text, return_tensors="pt").input_ids[:, :48]
        with torch.inference_mode():
            total += model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        count += ids.shape[1] - 1
    return total / count


def test_influence_is_one_minus_cosine(measured) -> None:
    folder, inspection = measured
    model, tokenizer = load(folder), load_tokenizer(folder)
    cosines = []
    for text in SAMPLE:
        ids = tokenizer(text, return_tensors="pt").input_ids[:, :48]
        with torch.inference_mode():
            states = model(input_ids=ids, output_hidden_states=True).hidden_states
        # the last state carries the final norm, so only the layers below it can be compared
        pairs = pairwise(states[:-1])
        cosines.append([torch.cosine_similarity(a[0], b[0], dim=-1) for a, b in pairs])
    for layer in range(LAYERS - 1):
        expected = 1 - torch.cat([item[layer] for item in cosines]).mean().item()
        assert inspection.influence[layer] == pytest.approx(expected, abs=1e-5)


def test_loss_of_every_m_is_the_grown_models(measured, tmp_path: Path) -> None:
    folder, inspection = measured
    assert inspection.loss == pytest.approx(loss_of(folder), abs=1e-5)
    assert [seam.drop for seam in inspection.seams] == [0, 1, 2]
    for seam in inspection.seams:
        grown = run_upscale(folder, tmp_path / f"m{seam.drop}", plan=dus(LAYERS, seam.drop))
        assert seam.loss == pytest.approx(loss_of(grown), abs=1e-5)
        assert seam.layers == 2 * (LAYERS - seam.drop)


def test_seam_of_the_base_is_no_seam(measured) -> None:
    _, inspection = measured
    last = inspection.seams[-1]
    assert last.distance == pytest.approx(0, abs=1e-6)
    assert last.norm_ratio == pytest.approx(1, abs=1e-6)
    assert last.loss == pytest.approx(inspection.loss, abs=1e-6)
    assert inspection.seams[0].distance > 0.01


def test_suggestion() -> None:
    seams = [Seam(0, 12, 0.9, 3.0, 9.0), Seam(1, 10, 0.5, 2.0, 3.4), Seam(2, 8, 0.2, 1.5, 3.1)]
    base = Seam(3, 6, 0.0, 1.0, 3.0)
    assert suggest(6, 3.0, [*seams, base])[0] == 1
    drop, reason = suggest(6, 3.0, [Seam(0, 12, 0.9, 3.0, 9.0), base])
    assert (drop, "--method identity" in reason) == (2, True)
    drop, reason = suggest(6, 3.0, [Seam(0, 12, 0.9, 3.0)])
    assert (drop, "--measure" in reason) == (2, True)


def test_command(tmp_path: Path) -> None:
    from transformers.utils import logging

    base = tiny_model("llama", tmp_path / "base", layers=LAYERS)
    logging.enable_progress_bar()
    done = solar("inspect", base, "--max-tokens", 32)
    assert done.code == 0, done.err
    assert "Loading weights" not in done.err
    assert "suggested: --drop" in done.out
    text = tmp_path / "own.txt"
    text.write_text("The first paragraph.\n\nThe second one is a little longer.\n")
    facts = json.loads(solar("inspect", base, "--text", text, "--json", "--no-measure").out)
    assert facts["layers"] == LAYERS
    assert len(facts["influence"]) == LAYERS
    assert [seam["loss"] for seam in facts["seams"]] == [None] * 3
    missing = solar("inspect", base, "--text", tmp_path / "none.txt")
    assert missing.code == 2
    assert "cannot read the text" in missing.err
    (tmp_path / "empty.txt").write_text("\n\n")
    empty = solar("inspect", base, "--text", tmp_path / "empty.txt")
    assert "no token to predict" in empty.err
