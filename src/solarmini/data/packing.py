"""Pack examples of different lengths into rows of one capacity, without padding between them.

Best-fit decreasing inside shuffled windows: the shuffle keeps the order of training random, the
best fit wastes almost nothing, and both depend on nothing but the lengths and the seed.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solarmini.data.examples import Example
from solarmini.errors import DataError

WINDOW = 4096


@dataclass(frozen=True, slots=True)
class Packed:
    """Several examples in one row of T tokens (numpy arrays; ``torch.from_numpy`` is free).

    ``input_ids`` int64 [T]; ``position_ids`` int64 [T], from 0 in every segment;
    ``cu_seqlens`` int32 [S+1], where segments start and, last, T; ``targets`` bool [T], False at
    every segment's first token, so that no segment is predicted from another one.
    """

    input_ids: np.ndarray
    position_ids: np.ndarray
    cu_seqlens: np.ndarray
    targets: np.ndarray


def plan_rows(
    lengths: Sequence[int] | np.ndarray, capacity: int, seed: int, *, window: int = WINDOW
) -> list[list[int]]:
    """Say which examples share a row: every index exactly once, no row above ``capacity``.

    Raises DataError when an example alone is longer than the capacity.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    if len(sizes) and int(sizes.max()) > capacity:
        worst = int(sizes.argmax())
        raise DataError(
            f"example {worst} has {int(sizes[worst])} tokens, a row holds {capacity}",
            mend="raise the sequence length, or drop or truncate long rows",
        )
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation(len(sizes))
    rows: list[list[int]] = []
    for start in range(0, len(order), window):
        packed = _best_fit_decreasing(order[start : start + window], sizes, capacity)
        # Decreasing order would put all long examples first: shuffle rows, and inside rows.
        for index in rng.permutation(len(packed)):
            row = packed[index]
            rows.append([row[place] for place in rng.permutation(len(row))])
    return rows


def _best_fit_decreasing(indices: np.ndarray, sizes: np.ndarray, capacity: int) -> list[list[int]]:
    rows: list[list[int]] = []
    free: list[tuple[int, int]] = []  # (room left, row), sorted: the first that fits fits best
    for index in indices[np.argsort(-sizes[indices], kind="stable")]:
        size = int(sizes[index])
        place = bisect_left(free, (size, -1))
        if place < len(free):
            room, row = free.pop(place)
        else:
            room, row = capacity, len(rows)
            rows.append([])
        rows[row].append(int(index))
        insort(free, (room - size, row))
    return rows


def packing_efficiency(
    rows: Sequence[Sequence[int]], lengths: Sequence[int] | np.ndarray, capacity: int
) -> float:
    """Share of the rows' capacity that holds tokens, 0..1 (1.0 for no rows)."""
    if not rows:
        return 1.0
    used = sum(int(lengths[index]) for row in rows for index in row)
    return used / (len(rows) * capacity)


def pack(examples: Sequence[Example]) -> Packed:
    """Concatenate examples into one row, with positions reset at each of them."""
    lengths = [len(example) for example in examples]
    if not lengths or min(lengths) == 0:
        raise DataError("nothing to pack: no example, or one without tokens")
    cu_seqlens = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=cu_seqlens[1:])
    targets = np.concatenate([example.mask for example in examples]).astype(bool)
    targets[cu_seqlens[:-1]] = False
    return Packed(
        input_ids=np.concatenate([example.ids for example in examples]).astype(np.int64),
        position_ids=np.concatenate([np.arange(length, dtype=np.int64) for length in lengths]),
        cu_seqlens=cu_seqlens,
        targets=targets,
    )
