"""The model card of a grown model."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from solarmini.growth.plan import LayerPlan, Slot

_WHAT = {
    "dus": "depth up-scaling (SOLAR 10.7B, arXiv:2312.15166)",
    "identity": "depth up-scaling whose second copies start as identity",
    "interpose": "layers copied beside themselves",
    "llama-pro": "block expansion (LLaMA Pro, arXiv:2401.02415)",
    "stack": "the whole base stacked",
    "plan": "a layer plan of its own",
}
_START = {
    "copy": "copied bit for bit",
    "identity": "copied; adds nothing at the start (gates zero)",
    "attenuate": "copied; adds a fraction of what it added (gates scaled)",
}


def model_card(
    name: str,
    bases: Sequence[str],
    licence: str | None,
    plan: LayerPlan,
    config: Mapping[str, Any],
) -> str:
    """Return the README.md of a grown model: front matter, layer map, how to use it."""
    front = ["---"]
    if licence:
        front.append(f"license: {licence}")
    front += ["base_model:", *(f"- {base}" for base in bases)]
    front += [
        "library_name: transformers",
        "pipeline_tag: text-generation",
        "tags:",
        "- depth-up-scaling",
        "---",
    ]
    same = plan.method in ("identity", "llama-pro")
    state = (
        "It computes exactly what the base computes until it is trained."
        if same or plan.is_base
        else "It has not been trained since: continue pretraining before you use it."
    )
    base = bases[0] if len(bases) == 1 else f"{len(bases)} models"
    return "\n".join(
        [
            *front,
            "",
            f"# {name}",
            "",
            f"{base}, grown from {plan.base_layers} to {len(plan)} layers by "
            f"{_WHAT.get(plan.method, plan.method)}. {state}",
            "",
            f"Made of: {', '.join(bases)}. "
            f"Licence: {licence or 'unknown; ask the makers of the base'}.",
            "",
            "## Layer map",
            "",
            "| new layers | base layers | start |",
            "|---|---|---|",
            *_rows(plan),
            "",
            "Embeddings, final norm and head are the base's, bit for bit.",
            *_attenuation(plan),
            "",
            "## Use",
            "",
            "```python",
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            "",
            f'model = AutoModelForCausalLM.from_pretrained("{name}", dtype="auto")',
            f'tokenizer = AutoTokenizer.from_pretrained("{name}")',
            "```",
            "",
            f"Architecture: {(config.get('architectures') or ['unknown'])[0]}. "
            "`solar.json` holds the exact plan, the family tree and the hash of every file.",
            "",
        ]
    )


def _rows(plan: LayerPlan) -> list[str]:
    """One row for each run of layers that follow each other as in the base."""
    seams = set(plan.seams())
    run = 0

    def key(item: tuple[int, Slot]) -> tuple[int, str]:
        nonlocal run
        run += item[0] in seams
        return run, item[1].transform

    rows = []
    for (_, transform), group in groupby(enumerate(plan.slots), key):
        members = list(group)
        new = _range(members[0][0], members[-1][0])
        source = _range(members[0][1].source, members[-1][1].source)
        model = members[0][1].model
        origin = f"{source} of base {model}" if plan.models > 1 else source
        rows.append(f"| {new} | {origin} | {_START[transform]} |")
    return rows


def _attenuation(plan: LayerPlan) -> list[str]:
    if plan.attenuation is None:
        return []
    return [
        f"What both copies of a doubled layer add is scaled by {plan.attenuation:.4f}.",
    ]


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
