"""Every architecture that growth knows, held against transformers."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from growth import zoo
from transformers import AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from solarmini.errors import PlanError
from solarmini.growth.architectures import REFUSED, decoder_type, known_architectures
from solarmini.growth.methods import dus, identity
from solarmini.growth.plan import LayerPlan
from solarmini.growth.upscale import run_upscale

IDS = torch.randint(3, 90, (2, 24), generator=torch.Generator().manual_seed(3))
CLOSE = 1e-5  # mixtures of experts may add in another order


@torch.inference_mode()
def logits(model: Any) -> torch.Tensor:
    return model(input_ids=IDS, use_cache=False).logits


@torch.inference_mode()
def greedy(model: Any, use_cache: bool) -> list[list[int]]:
    return model.generate(
        IDS,
        attention_mask=torch.ones_like(IDS),
        max_new_tokens=6,
        min_new_tokens=6,
        do_sample=False,
        use_cache=use_cache,
        pad_token_id=0,
    ).tolist()


def load(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def assemble(base: Any, plan: LayerPlan) -> Any:
    model = copy.deepcopy(base)
    name, layers = next(
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == zoo.N
    )
    grown = torch.nn.ModuleList([copy.deepcopy(layers[source]) for source in plan.sources])
    parent, _, leaf = name.rpartition(".")
    setattr(model.get_submodule(parent), leaf, grown)
    types = getattr(base.config, "layer_types", None)
    for config in {
        id(m.config): m.config for m in model.modules() if hasattr(m, "config")
    }.values():
        for key in ("num_hidden_layers", "n_layer", "num_layers", "n_layers"):
            if key in vars(config):
                setattr(config, key, len(plan))
        if types is not None and "layer_types" in vars(config):
            config.layer_types = [types[source] for source in plan.sources]
    return model.eval()


@pytest.mark.parametrize("model_type", known_architectures())
def test_architecture(model_type: str, tmp_path: Path) -> None:
    base, folder = zoo.make(model_type, tmp_path / "base")
    expected = logits(base)

    same = load(run_upscale(folder, tmp_path / "identity", plan=identity(zoo.N, 2)))
    torch.testing.assert_close(logits(same), expected, rtol=CLOSE, atol=CLOSE)

    plan = dus(zoo.N, 2)
    grown = load(run_upscale(folder, tmp_path / "dus", plan=plan))
    assert not torch.allclose(logits(grown), expected, atol=1e-3)
    torch.testing.assert_close(logits(grown), logits(assemble(base, plan)), rtol=CLOSE, atol=CLOSE)
    assert greedy(grown, use_cache=True) == greedy(grown, use_cache=False)


@pytest.mark.parametrize("model_type", sorted(REFUSED))
def test_refused_architectures_say_why(model_type: str) -> None:
    with pytest.raises(PlanError, match="cannot be grown") as caught:
        decoder_type({"model_type": model_type})
    assert REFUSED[model_type] in str(caught.value)


def test_unknown_architecture_is_refused_not_guessed() -> None:
    with pytest.raises(PlanError, match="not known to compute the same at another depth"):
        decoder_type({"model_type": "rwkv"})


@pytest.mark.parametrize(
    "config", [{"model_type": "t5"}, {"model_type": "custom", "is_encoder_decoder": True}]
)
def test_encoder_decoders_are_refused(config) -> None:
    with pytest.raises(PlanError, match="encoder-decoder"):
        decoder_type(config)


def test_known_architectures_exist_in_transformers() -> None:
    assert set(known_architectures()) <= set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
