"""A growth before it is written: tables of what base and grown model need."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from solarmini.checkpoint.reader import Checkpoint
from solarmini.checkpoint.writer import OutTensor
from solarmini.growth.predict import LORA_RANK, Needs, context_of, predict
from solarmini.growth.upscale import Grown

if TYPE_CHECKING:
    from rich.table import Table

_WAYS = {
    "full_fp32": "train all weights, fp32",
    "full_bf16": "train all weights, bf16 products",
    "full_bf16_checkpointing": "… with --gradient-checkpointing",
    "lora_bf16": f"train LoRA r={LORA_RANK}, bf16 products",
    "lora_bf16_checkpointing": "… with --gradient-checkpointing",
}


def base_needs(base: Checkpoint) -> Needs:
    """Predict what the base itself needs."""
    copied = [OutTensor(t.name, t.dtype, t.shape, t) for t in base.tensors.values()]
    return predict(base.config, copied)


def grown_needs(grown: Grown) -> Needs:
    """Predict what the grown model needs."""
    return predict(grown.config, grown.tensors)


def facts(grown: Grown, context: int | None = None) -> dict[str, Any]:
    """Return plan, config changes and needs of base and grown model, for machines."""
    length = context or context_of(grown.config)
    old, new = grown.bases[0].config, grown.config
    return {
        "growth": grown.plan.to_dict(),
        "ranges": grown.plan.ranges(),
        "seam_layers": list(grown.plan.seam_layers()),
        "new_layers": list(grown.plan.new_layers()),
        "config_changes": _changes(old, new),
        "base": base_needs(grown.bases[0]).to_dict(length),
        "grown": grown_needs(grown).to_dict(length),
    }


def needs_table(base: Needs, grown: Needs, context: int) -> "Table":
    """Return the table of `--dry-run`: parameters, bytes, cache and predicted memory."""
    from rich.table import Table

    table = Table(title_justify="left", pad_edge=False, box=None)
    table.add_column("")
    table.add_column("base", justify="right")
    table.add_column("grown", justify="right", style="bold")
    table.add_column("", justify="right", style="dim")
    rows = [
        ("layers", base.layers, grown.layers, "{:,}"),
        ("tensors", base.tensors, grown.tensors, "{:,}"),
        ("parameters", base.parameters, grown.parameters, "{:,}"),
        (f"bytes ({grown.dtype})", base.nbytes, grown.nbytes, "{:,}"),
        ("KV cache per token, 16 bit", base.cache_per_token, grown.cache_per_token, "{:,} B"),
        (
            f"KV cache at {context:,} tokens",
            base.cache_bytes(context),
            grown.cache_bytes(context),
            "GB",
        ),
        (
            f"serve at 16 bit, one sequence of {context:,}",
            base.serving_bytes(context),
            grown.serving_bytes(context),
            "GB",
        ),
    ]
    for way, label in _WAYS.items():
        before, after = base.training(way, context).total, grown.training(way, context).total
        rows.append((f"{label} *", before, after, "GB"))
    for label, before, after, form in rows:
        table.add_row(label, _show(before, form), _show(after, form), f"{after / before:.2f}x")
    table.caption = (
        f"* of each process, with rows of {context:,} tokens: fp32 weights, gradients and AdamW "
        "moments (and bf16 copies for the products); activations are an estimate"
    )
    table.caption_justify = "left"
    return table


def _show(value: int, form: str) -> str:
    if form != "GB":
        return form.format(value)
    return f"{value / 1e9:,.2f} GB" if value >= 1e8 else f"{value / 1e6:,.2f} MB"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return {key: [before, after]} of the top-level keys of the config that differ."""
    keys = sorted({*old, *new})
    return {k: [old.get(k), new.get(k)] for k in keys if old.get(k) != new.get(k)}
