"""Which rows every optimizer step takes, decided before the first one.

The plan is a pure function of lengths, settings and seed. A run's place in its data is therefore
one number, the step, and a resumed run cannot repeat or skip a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from solarmini.data.packing import plan_rows
from solarmini.errors import TrainError

Row = tuple[int, ...]  # the examples (or pairs) that share a row


@dataclass(frozen=True, slots=True)
class Pool:
    """Examples that are shuffled together: numbers [first, first + len(lengths)).

    `share` is the pool's share of all tokens; None: as large as the pool is.
    """

    first: int
    lengths: np.ndarray
    share: float | None = None

    @property
    def tokens(self) -> int:
        """Tokens of one pass."""
        return int(self.lengths.sum())


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop: whatever comes first."""

    epochs: float | None = None
    max_steps: int | None = None
    max_tokens: int | None = None


def plan_steps(
    pools: Sequence[Pool],
    budget: Budget,
    *,
    batch_size: int,
    seed: int,
    capacity: int | None = None,
) -> list[list[Row]]:
    """Return the rows of every step.

    With a `capacity` several examples share a row of at most so many tokens; without, every
    example is a row. Several pools are mixed by their shares of tokens: each row comes from the
    pool that lacks most. Epochs are counted in tokens of the pools that have no fixed share, or of
    all pools if every one has. The last step may be smaller than the others.
    """
    counted = [pool for pool in pools if pool.share is None] or list(pools)
    one_pass = sum(pool.tokens for pool in counted)
    if one_pass == 0 or any(len(pool.lengths) == 0 for pool in pools):
        raise TrainError("there is no data to train on", mend="check the data's path and split")
    limit = float("inf") if budget.max_tokens is None else budget.max_tokens
    main_limit = float("inf") if budget.epochs is None else budget.epochs * one_pass
    most = float("inf") if budget.max_steps is None else budget.max_steps
    if limit == main_limit == most:
        raise TrainError("the run would never end", mend="set epochs, max_steps or max_tokens")
    mixer = _Mixer(pools, seed, capacity)
    steps: list[list[Row]] = [[]]
    while mixer.total < limit and mixer.main < main_limit:
        if len(steps[-1]) == batch_size:
            if len(steps) >= most:
                break
            steps.append([])
        steps[-1].append(mixer.next())
    return steps


class _Mixer:
    """Draws rows from pools so that their token counts follow their shares."""

    def __init__(self, pools: Sequence[Pool], seed: int, capacity: int | None) -> None:
        self.pools = pools
        fixed = sum(pool.share or 0.0 for pool in pools)
        free = sum(pool.tokens for pool in pools if pool.share is None)
        scale = 1.0 if free else 1.0 / fixed
        self.shares = [
            (1 - fixed) * pool.tokens / free if pool.share is None else pool.share * scale
            for pool in pools
        ]
        self.streams = [
            _endless(pool, [seed, number], capacity) for number, pool in enumerate(pools)
        ]
        self.drawn = [0] * len(pools)
        counted = any(pool.share is None for pool in pools)
        self.is_main = [pool.share is None or not counted for pool in pools]

    @property
    def total(self) -> int:
        return sum(self.drawn)

    @property
    def main(self) -> int:
        return sum(n for n, main in zip(self.drawn, self.is_main, strict=True) if main)

    def next(self) -> Row:
        total = self.total
        lack = [share * total - n for share, n in zip(self.shares, self.drawn, strict=True)]
        best = max(range(len(lack)), key=lambda index: (lack[index], self.shares[index]))
        row, tokens = next(self.streams[best])
        self.drawn[best] += tokens
        return row


def _endless(pool: Pool, key: list[int], capacity: int | None) -> Iterator[tuple[Row, int]]:
    """Yield (row, tokens) for ever; every pass is shuffled anew and holds each example once."""
    epoch = 0
    while True:
        seed = int(np.random.SeedSequence([*key, epoch]).generate_state(1, np.uint64)[0])
        if capacity is None:
            order = np.random.Generator(np.random.PCG64(seed)).permutation(len(pool.lengths))
            rows = [[int(index)] for index in order]
        else:
            rows = plan_rows(pool.lengths, capacity, seed)
        for row in rows:
            yield (
                tuple(pool.first + index for index in row),
                sum(int(pool.lengths[index]) for index in row),
            )
        epoch += 1


def micro_batches(
    rows: Sequence[Row], lengths: np.ndarray, max_rows: int | None, max_tokens: int
) -> list[list[int]]:
    """Group the examples of some rows into forward passes, in order."""
    groups: list[list[int]] = []
    count = tokens = 0
    for row in rows:
        size = sum(int(lengths[index]) for index in row)
        full = count == max_rows or tokens + size > max_tokens
        if not groups or full:
            groups.append([])
            count = tokens = 0
        groups[-1] += row
        count, tokens = count + 1, tokens + size
    return groups


def count_tokens(steps: Sequence[Sequence[Row]], lengths: np.ndarray) -> int:
    """Tokens of all rows of all steps."""
    return sum(int(lengths[list(row)].sum()) for rows in steps for row in rows)
