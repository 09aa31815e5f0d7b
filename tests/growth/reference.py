"""The oracle: a grown model assembled in transformers by copying modules, without our code."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

RESIDUAL = ("o_proj", "down_proj", "dense", "dense_4h_to_h")


def load(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def layer_list(model: Any) -> tuple[Any, str]:
    inner = model.gpt_neox if hasattr(model, "gpt_neox") else model.model
    return inner, "layers"


def assemble(base: Any, sources: Sequence[int]) -> Any:
    """Copy the base and give the copy the layers `sources`, each with its own position."""
    model = copy.deepcopy(base)
    inner, name = layer_list(model)
    layers = getattr(inner, name)
    grown = torch.nn.ModuleList([copy.deepcopy(layers[source]) for source in sources])
    for index, layer in enumerate(grown):
        for module in layer.modules():
            if hasattr(module, "layer_idx"):
                setattr(module, "layer_idx", index)  # noqa: B010
    setattr(inner, name, grown)
    types = getattr(base.config, "layer_types", None)
    for config in {
        id(m.config): m.config for m in model.modules() if hasattr(m, "config")
    }.values():
        config.num_hidden_layers = len(grown)
        if types is not None:
            config.layer_types = [types[source] for source in sources]
    return model.eval()


def tokens(seed: int = 0, length: int = 40, vocab: int = 384) -> torch.Tensor:
    """Longer than the tiny models' window of 16, so that windows matter."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, vocab, (2, length), generator=generator)


@torch.inference_mode()
def logits(model: Any, ids: torch.Tensor | None = None) -> torch.Tensor:
    return model(input_ids=tokens() if ids is None else ids, use_cache=False).logits


@torch.inference_mode()
def greedy(model: Any, use_cache: bool, new: int = 12) -> list[list[int]]:
    """Greedy generation past the window; with and without the cache must agree."""
    out = model.generate(
        tokens(1, 12),
        attention_mask=torch.ones(2, 12, dtype=torch.long),
        max_new_tokens=new,
        min_new_tokens=new,
        do_sample=False,
        use_cache=use_cache,
        pad_token_id=2,
    )
    return out.tolist()
