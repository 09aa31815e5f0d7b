"""Steps with a cache against one pass without, under either name of the cache."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers import tiny_model
from transformers import AutoModelForCausalLM

from solarmini.engine.step import step


@pytest.mark.parametrize("arch", ["llama", "qwen3", "gemma3"])
def test_steps_are_one_pass(arch: str, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(arch, tmp_path / arch)).eval()
    ids = torch.tensor([[5, 9, 2, 7, 3, 8], [1, 4, 6, 2, 9, 5]])
    with torch.inference_mode():
        whole = model(ids, use_cache=False).logits
    first, past = step(model, ids[:, :4])
    second, past = step(model, ids[:, 4:5], past)
    third, _ = step(model, ids[:, 5:], past)
    for place, logits in zip((3, 4, 5), (first, second, third), strict=True):
        torch.testing.assert_close(logits, whole[:, place], rtol=1e-4, atol=1e-5)


class Before524:
    """A model whose cache has the name of transformers before 5.24."""

    def forward(self, ids, past_key_values=None, use_cache=False, logits_to_keep=0):
        held = (past_key_values or 0) + ids.shape[1]
        logits = torch.full((len(ids), logits_to_keep, 3), float(held))
        return SimpleNamespace(logits=logits, past_key_values=held if use_cache else None)

    __call__ = forward


def test_the_older_name_is_known() -> None:
    _, past = step(Before524(), torch.zeros(2, 5))
    logits, past = step(Before524(), torch.zeros(2, 1), past)
    assert past == 6
    assert (logits == 6).all()
    assert logits.shape == (2, 3)
