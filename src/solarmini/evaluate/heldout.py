"""Held-out measures for the two teaching stages: loss on answers, and preference.

Both read their rows through the same chat format as training, so what is measured is what was
taught: the supervised tokens and nothing else.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from solarmini.data.examples import Example
from solarmini.errors import EvaluateError
from solarmini.evaluate.records import Context, Record
from solarmini.evaluate.scoring import Row, Scorer
from solarmini.evaluate.statistics import Item, estimate, estimate_share


def _row(example: Example) -> Row:
    return Row(example.ids, example.mask)


def evaluate_chat(
    scorer: Scorer,
    task: str,
    examples: Sequence[Example],
    data_sha256: str,
    template_sha256: str,
    context: Context,
) -> list[Record]:
    """Return the record of the loss per supervised token (what the model answers)."""
    started = time.monotonic()
    losses = scorer.losses([_row(example) for example in examples], "held-out answers")
    items: list[Item] = [(float(v.sum()), float(len(v))) for v in losses if len(v)]
    if not items:
        raise EvaluateError("no conversation has a supervised token", where=task)
    return [
        context.record(
            task,
            "chat_loss",
            estimate(items),
            n=len(items),
            unit="conversations",
            total=sum(w for _, w in items),
            data_sha256=data_sha256,
            template_sha256=template_sha256,
            seconds=time.monotonic() - started,
            items=items,
        )
    ]


def evaluate_preference(
    scorer: Scorer,
    task: str,
    pairs: Sequence[tuple[Example, Example]],
    data_sha256: str,
    template_sha256: str,
    context: Context,
) -> list[Record]:
    """Return how often and by how much the model finds the chosen answer likelier.

    `preference_accuracy` compares summed log-probabilities (what DPO moves; it favours short
    answers), `preference_accuracy_norm` those per token, `preference_margin` is the mean difference
    of the sums in nats. A tie counts half.
    """
    started = time.monotonic()
    if not pairs:
        raise EvaluateError("there are no preference pairs", where=task)
    rows = [_row(example) for pair in pairs for example in pair]
    losses = scorer.losses(rows, "held-out preferences")
    if any(len(v) == 0 for v in losses):
        raise EvaluateError("an answer of a preference pair has no token", where=task)
    sums = np.array([v.sum() for v in losses]).reshape(-1, 2)
    means = np.array([v.mean() for v in losses]).reshape(-1, 2)
    seconds = time.monotonic() - started
    margins: list[Item] = [(float(margin), 1.0) for margin in sums[:, 1] - sums[:, 0]]
    measures = (
        ("preference_accuracy", estimate_share, _wins(sums)),
        ("preference_accuracy_norm", estimate_share, _wins(means)),
        ("preference_margin", estimate, margins),
    )
    shared: dict[str, Any] = {
        "n": len(pairs),
        "unit": "pairs",
        "total": len(pairs),
        "data_sha256": data_sha256,
        "template_sha256": template_sha256,
        "seconds": seconds,
    }
    return [
        context.record(task, metric, measure(items), items=items, **shared)
        for metric, measure, items in measures
    ]


def _wins(losses: np.ndarray) -> list[Item]:
    """One item a pair: 1 where the chosen answer [:, 0] loses less, .5 on a tie, else 0."""
    return [(float(np.sign(b - a) + 1) / 2, 1.0) for a, b in losses]
