"""How sure a measured number is: one ratio estimator serves means, losses and differences.

Every measure here is `sum(values) / sum(weights)` over independent items: for an accuracy the
weights are 1, for a loss per token an item is a document, its value the summed loss and its
weight the number of tokens. The standard error is that of the ratio estimator (delta method with
the items as clusters: Cochran, Sampling Techniques, section 6.4), so tokens of one document are
not counted as if they were independent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

Item = tuple[float, float]  # (value, weight)
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error and 95 % interval (None where fewer than two items)."""

    value: float
    stderr: float | None
    ci_low: float | None
    ci_high: float | None


def ratio(items: Sequence[Item]) -> float:
    """Return `sum(values) / sum(weights)`; ValueError when the weights sum to nothing."""
    weight = math.fsum(w for _, w in items)
    if weight <= 0:
        raise ValueError("no weight to average over")
    return math.fsum(v for v, _ in items) / weight


def influences(items: Sequence[Item]) -> list[float]:
    """Return how far each item pulls the ratio: (v - r w) / sum(w); they sum to zero."""
    r = ratio(items)
    weight = math.fsum(w for _, w in items)
    return [(v - r * w) / weight for v, w in items]


def _stderr(pulls: Sequence[float]) -> float | None:
    n = len(pulls)
    if n < 2:
        return None
    return math.sqrt(n / (n - 1) * math.fsum(u * u for u in pulls))


def student_quantile(df: int) -> float:
    """Return the 97.5 % quantile of Student's t with `df` degrees of freedom.

    Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5) from 5 degrees on, exact table below.
    """
    table = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764}
    if df in table:
        return table[df]
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / df ** (k + 1) for k, term in enumerate(terms))


def wilson(successes: float, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share: sound for small n and at 0 and 1."""
    p = successes / n
    centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def estimate(items: Sequence[Item]) -> Estimate:
    """Estimate the ratio of `items`: Wilson interval for right-or-wrong items, else Student's t."""
    value = ratio(items)
    error = _stderr(influences(items))
    if error is None:
        return Estimate(value, None, None, None)
    if all(w == 1 and v in (0, 1) for v, w in items):
        low, high = wilson(math.fsum(v for v, _ in items), len(items))
        return Estimate(value, error, low, high)
    half = student_quantile(len(items) - 1) * error
    return Estimate(value, error, value - half, value + half)


def estimate_share(items: Sequence[Item]) -> Estimate:
    """Estimate a mean of values from 0 to 1: as `estimate`, with the interval kept inside."""
    found = estimate(items)
    if found.ci_low is None or found.ci_high is None:
        return found
    return replace(found, ci_low=max(0.0, found.ci_low), ci_high=min(1.0, found.ci_high))


def exponential(log: Estimate) -> Estimate:
    """Turn an estimate of a mean log-loss into one of its exponential (perplexity)."""
    value = math.exp(log.value)
    if log.stderr is None or log.ci_low is None or log.ci_high is None:
        return Estimate(value, None, None, None)
    return Estimate(value, value * log.stderr, math.exp(log.ci_low), math.exp(log.ci_high))


def paired_difference(first: Sequence[Item], second: Sequence[Item]) -> Estimate:
    """Estimate ratio(second) - ratio(first) on the same items in the same order.

    What both find hard cancels, so the interval is far narrower than that of unpaired runs.
    """
    if len(first) != len(second):
        raise ValueError("paired items must be the same items")
    value = ratio(second) - ratio(first)
    pulls = [b - a for a, b in zip(influences(first), influences(second), strict=True)]
    error = _stderr(pulls)
    if error is None:
        return Estimate(value, None, None, None)
    half = student_quantile(len(pulls) - 1) * error
    return Estimate(value, error, value - half, value + half)


def unpaired_difference(
    first: float, first_error: float | None, second: float, second_error: float | None
) -> Estimate:
    """Estimate second - first from two independent estimates."""
    value = second - first
    if first_error is None or second_error is None:
        return Estimate(value, None, None, None)
    error = math.hypot(first_error, second_error)
    return Estimate(value, error, value - _Z * error, value + _Z * error)
