"""Real records made of given items, without a model."""

from typing import Any

from solarmini.evaluate.records import Context, Record
from solarmini.evaluate.statistics import Item, estimate, exponential

DATA = "d" * 64


def context(model: str = "tiny") -> Context:
    return Context(
        model=model,
        fingerprint="f" * 64,
        stage="base",
        precision="fp32",
        date="2026-11-23T05:00:00+00:00",
        machine="2 cores",
        versions={"solarmini": "0.1.0"},
    )


def record(
    items: list[Item],
    task: str = "docs",
    metric: str = "token_loss",
    model: str = "tiny",
    **fields: Any,
) -> Record:
    found = estimate(items)
    made = context(model).record(
        task,
        metric,
        exponential(found) if metric == "perplexity" else found,
        n=len(items),
        unit="documents",
        total=sum(w for _, w in items),
        data_sha256=DATA,
        seconds=1.0,
        items=items,
    )
    return made.model_copy(update=fields)
