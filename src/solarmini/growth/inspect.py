"""Measure a model's layers: what each changes, how alike they are, what a seam would cost.

Block influence is ShortGPT's (arXiv:2403.03853, section 2.3): one minus the mean cosine between a
layer's input and its output, so 0 is a layer that changes nothing. Imports torch: import lazily.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging

from solarmini.console import progress
from solarmini.errors import CheckpointError, DataError
from solarmini.growth.config_map import grow_config
from solarmini.growth.methods import default_drop, dus
from solarmini.growth.plan import LayerPlan

MEASURE_UP_TO = 2_000_000_000  # parameters; above, trying every m takes minutes on a CPU
TOLERABLE_RISE = 0.5  # nats right after surgery; the paper's ratio on SmolLM2-135M costs 0.4


@dataclass(frozen=True, slots=True)
class Seam:
    """What depth up-scaling with this m does where the copies meet.

    `distance` is one minus the mean cosine between the hidden state that enters the seam (the
    output of layer n-m-1) and the one layer m was trained on; `norm_ratio` is the quotient of their
    lengths; `loss` the grown model's loss before any training, None if it was not measured.
    """

    drop: int
    layers: int
    distance: float
    norm_ratio: float
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """All measures of one model over one set of texts."""

    layers: int
    tokens: int
    loss: float
    influence: tuple[float, ...]
    weight_similarity: tuple[float, ...]
    hidden_similarity: tuple[tuple[float, ...], ...]
    seams: tuple[Seam, ...]
    suggested_drop: int
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists and numbers."""
        return asdict(self)


def inspect_model(
    folder: Path, texts: Sequence[str], *, max_tokens: int = 512, measure: bool | None = None
) -> Inspection:
    """Measure the model in `folder` on `texts`, each cut to `max_tokens` tokens.

    With `measure` the loss of the grown model is measured for every m by running the base's layers
    in the new order, without copying a weight; None does so for models up to 2e9 parameters.
    Raises DataError when the texts have no token to predict.
    """
    model, batches = _load(folder, texts, max_tokens)
    layers = _layer_list(model)
    with torch.inference_mode():
        hidden, losses = zip(*(_run(model, layers, ids) for ids in batches), strict=True)
        states = torch.cat([torch.stack(item) for item in hidden], dim=1).float()
        counts = [ids.shape[1] - 1 for ids in batches]
        loss = _mean(losses, counts)
        if measure is None:
            measure = sum(p.numel() for p in model.parameters()) <= MEASURE_UP_TO
        seams = _seams(model, layers, states, batches, counts, measure)
        similarity = _cosines(states)
        weights = _weight_similarity(layers)
    drop, reason = suggest(len(layers), loss, seams)
    return Inspection(
        layers=len(layers),
        tokens=sum(counts),
        loss=loss,
        influence=tuple(1 - similarity[i][i + 1] for i in range(len(layers))),
        weight_similarity=weights,
        hidden_similarity=similarity,
        seams=seams,
        suggested_drop=drop,
        reason=reason,
    )


def suggest(layers: int, loss: float, seams: Sequence[Seam]) -> tuple[int, str]:
    """Suggest m and say why.

    With measured losses: the deepest model whose loss rises by at most half a nat. Without: the
    paper's ratio, since no distance alone was found to predict the loss.
    """
    measured = [(seam, seam.loss - loss) for seam in seams if seam.loss is not None]
    for seam, rise in sorted(measured, key=lambda pair: pair[0].drop):
        if rise <= TOLERABLE_RISE and seam.layers > layers:
            return seam.drop, (
                f"the deepest model ({seam.layers} layers) that loses at most {TOLERABLE_RISE} "
                f"nats before training: {loss:.3f} -> {seam.loss:.3f}"
            )
    drop = min(default_drop(layers), layers // 2)
    if not measured:
        return drop, "the paper's ratio n/4 (no loss was measured: --measure tries every m)"
    return drop, (
        f"the paper's ratio n/4; every m costs more than {TOLERABLE_RISE} nats on this text, so "
        "consider --method identity"
    )


def _load(
    folder: Path, texts: Sequence[str], max_tokens: int
) -> tuple[PreTrainedModel, list[Tensor]]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer is None:
        raise CheckpointError("the model has no tokenizer", where=folder)
    encoded = [tokenizer(text, return_tensors="pt").input_ids[:, :max_tokens] for text in texts]
    batches = [ids for ids in encoded if ids.shape[1] > 1]
    if not batches:
        raise DataError("the text has no token to predict", mend="give a text of a few paragraphs")
    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), batches


def _layer_list(model: PreTrainedModel) -> nn.ModuleList:
    """Find the decoder's layers: the one module list as long as the config says."""
    count = model.config.get_text_config().num_hidden_layers
    found = [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count and "vision" not in name
    ]
    inner = {id(part) for module in found for part in list(module.modules())[1:]}
    outer = [module for module in found if id(module) not in inner]  # not a layer's own experts
    if len(outer) != 1:
        raise CheckpointError(f"{len(outer)} module lists could be the {count} layers")
    return outer[0]


def _run(model: PreTrainedModel, layers: nn.ModuleList, ids: Tensor) -> tuple[list[Tensor], float]:
    """Return the hidden state before the first and behind every layer [T, H], and the loss."""
    states: list[Tensor] = []

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        states.append((args[0] if args else kwargs["hidden_states"])[0])

    def behind(_: nn.Module, __: Any, output: Any) -> None:
        states.append((output if isinstance(output, Tensor) else output[0])[0])

    handles = [layers[0].register_forward_pre_hook(before, with_kwargs=True)]
    handles += [layer.register_forward_hook(behind) for layer in layers]
    try:
        loss = _loss(model, ids)
    finally:
        for handle in handles:
            handle.remove()
    return states, loss


def _loss(model: PreTrainedModel, ids: Tensor) -> float:
    logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
    return nn.functional.cross_entropy(logits, ids[0, 1:]).item()


def _cosines(states: Tensor) -> tuple[tuple[float, ...], ...]:
    """Mean cosine over tokens between the hidden states [L+1, T, H] of all depths."""
    unit = nn.functional.normalize(states, dim=-1)
    matrix = torch.einsum("ith,jth->ij", unit, unit) / states.shape[1]
    return tuple(tuple(row) for row in matrix.tolist())


def _weight_similarity(layers: nn.ModuleList) -> tuple[float, ...]:
    """Cosine between the weights of each layer and the next, all matrices taken as one vector."""

    def matrices(layer: nn.Module) -> dict[str, Tensor]:
        return {name: p for name, p in layer.named_parameters() if p.dim() > 1}

    result = []
    for lower, upper in zip(layers, list(layers)[1:], strict=False):
        pairs = [
            (a, b)
            for (_, a), b in zip(matrices(lower).items(), matrices(upper).values(), strict=False)
            if a.shape == b.shape
        ]
        dot = sum(float((a * b).sum()) for a, b in pairs)
        norm_a = sum(float(a.square().sum()) for a, _ in pairs) ** 0.5
        norm_b = sum(float(b.square().sum()) for _, b in pairs) ** 0.5
        result.append(dot / (norm_a * norm_b) if pairs else 0.0)
    return tuple(result)


def _seams(
    model: PreTrainedModel,
    layers: nn.ModuleList,
    states: Tensor,
    batches: Sequence[Tensor],
    counts: Sequence[int],
    measure: bool,
) -> tuple[Seam, ...]:
    n = len(layers)
    result = []
    with progress("trying every m", n // 2 + 1) as advance:
        for drop in range(n // 2 + 1):
            entering, expected = states[n - drop], states[drop]
            cosine = nn.functional.cosine_similarity(entering, expected, dim=-1).mean()
            ratio = (entering.norm(dim=-1) / expected.norm(dim=-1)).mean()
            loss = None
            if measure:
                with _reordered(model, layers, dus(n, drop)):
                    loss = _mean([_loss(model, ids) for ids in batches], counts)
            result.append(Seam(drop, 2 * (n - drop), 1 - cosine.item(), ratio.item(), loss))
            advance(1)
    return tuple(result)


@contextmanager
def _reordered(model: PreTrainedModel, layers: nn.ModuleList, plan: LayerPlan) -> Generator[None]:
    """Let the model run its layers in the plan's order; shares every weight."""
    text = model.config.get_text_config()
    original = list(layers)
    grown = grow_config(text.to_dict(), plan)
    changed = {
        key: (getattr(text, key), grown[key])
        for key in ("num_hidden_layers", "layer_types")
        if getattr(text, key, None) is not None
    }
    try:
        _set_layers(layers, [original[source] for source in plan.sources])
        for key, (_, value) in changed.items():
            setattr(text, key, value)
        yield
    finally:
        _set_layers(layers, original)
        for key, (value, _) in changed.items():
            setattr(text, key, value)


def _set_layers(layers: nn.ModuleList, modules: Sequence[nn.Module]) -> None:
    layers._modules.clear()
    for index, module in enumerate(modules):
        layers._modules[str(index)] = module


def _mean(losses: Sequence[float], counts: Sequence[int]) -> float:
    """Mean loss per token over texts of different lengths."""
    total = sum(loss * count for loss, count in zip(losses, counts, strict=True))
    return total / sum(counts)
