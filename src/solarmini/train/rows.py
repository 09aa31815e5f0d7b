"""What a forward pass takes: one row of tokens without padding, and which of them are predicted.

Two answers to one prompt share the prompt: its tokens stand once in the row and both answers see
them, which is exact (a token's state depends on the tokens before it only) and saves the second
pass over the prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from solarmini.data.examples import Example
from solarmini.data.packing import pack
from solarmini.train.attention import Layout, Segment

Pair = tuple[Example, Example]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of T tokens with N predicted tokens in S sequences.

    input_ids and position_ids int64 [1, T]; place int64 [N]: the position whose hidden state
    predicts; target int64 [N]: the token to predict; owner int64 [N]: the sequence it belongs to.
    `tokens` counts what the data holds (a shared prompt counts twice), T what is computed.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    layout: Layout
    place: torch.Tensor
    target: torch.Tensor
    owner: torch.Tensor
    sequences: int
    tokens: int

    def to(self, device: torch.device) -> "Row":
        """Return the row with its tensors on `device`."""
        if device.type == "cpu":
            return self
        moved = (
            part.to(device, non_blocking=True)
            for part in (self.input_ids, self.position_ids, self.place, self.target, self.owner)
        )
        ids, positions, place, target, owner = moved
        return Row(ids, positions, self.layout, place, target, owner, self.sequences, self.tokens)


def text_row(examples: Sequence[Example]) -> Row:
    """Concatenate examples; every masked token is predicted from the one before it."""
    packed = pack(examples)
    targets = np.flatnonzero(packed.targets)
    owner = np.repeat(np.arange(len(examples)), [len(example) for example in examples])[targets]
    ids = torch.from_numpy(packed.input_ids)
    where = torch.from_numpy(targets)
    return Row(
        input_ids=ids[None],
        position_ids=torch.from_numpy(packed.position_ids)[None],
        layout=Layout.from_cu_seqlens(packed.cu_seqlens.tolist()),
        place=where - 1,
        target=ids[where],
        owner=torch.from_numpy(owner),
        sequences=len(examples),
        tokens=len(ids),
    )


def pair_row(pairs: Sequence[Pair]) -> Row:
    """Concatenate pairs; sequence 2i is the chosen answer of pair i, 2i + 1 the rejected one.

    What the two texts of a pair share stands in the row once.
    """
    maker = _PairRow()
    for chosen, rejected in pairs:
        maker.add(chosen, rejected)
    return maker.finish()


class _PairRow:
    def __init__(self) -> None:
        self.ids: list[np.ndarray] = []
        self.positions: list[np.ndarray] = []
        self.segments: list[Segment] = []
        self.place: list[np.ndarray] = []
        self.target: list[np.ndarray] = []
        self.owner: list[np.ndarray] = []
        self.length = 0
        self.sequences = 0
        self.tokens = 0

    def add(self, chosen: Example, rejected: Example) -> None:
        shared = shared_prefix(chosen, rejected)
        prefix = self.length
        if shared:
            self._segment(chosen.ids[:shared], np.arange(shared), 0, 0)
        for example in (chosen, rejected):
            start = self.length
            own = example.ids[shared:]
            positions = np.arange(shared, len(example))
            self._segment(own, positions, prefix, prefix + shared)
            # place of every token of this text in the row
            place = np.concatenate(
                [np.arange(prefix, prefix + shared), np.arange(start, self.length)]
            )
            targets = np.flatnonzero(example.mask)
            targets = targets[targets > 0]
            self.place.append(place[targets - 1])
            self.target.append(example.ids[targets].astype(np.int64))
            self.owner.append(np.full(len(targets), self.sequences))
            self.sequences += 1
            self.tokens += len(example)

    def _segment(
        self, ids: np.ndarray, positions: np.ndarray, prefix: int, prefix_stop: int
    ) -> None:
        start, self.length = self.length, self.length + len(ids)
        if prefix == prefix_stop:
            prefix = prefix_stop = 0
        self.segments.append(Segment(start, self.length, prefix, prefix_stop))
        self.ids.append(ids.astype(np.int64))
        self.positions.append(positions.astype(np.int64))

    def finish(self) -> Row:
        return Row(
            input_ids=torch.from_numpy(np.concatenate(self.ids))[None],
            position_ids=torch.from_numpy(np.concatenate(self.positions))[None],
            layout=Layout(tuple(self.segments)),
            place=torch.from_numpy(np.concatenate(self.place).astype(np.int64)),
            target=torch.from_numpy(np.concatenate(self.target)),
            owner=torch.from_numpy(np.concatenate(self.owner).astype(np.int64)),
            sequences=self.sequences,
            tokens=self.tokens,
        )


def shared_prefix(chosen: Example, rejected: Example) -> int:
    """Count the tokens that both texts begin with, leaving at least one of each to itself."""
    most = min(len(chosen), len(rejected)) - 1
    differ = np.flatnonzero(chosen.ids[:most] != rejected.ids[:most])
    return int(differ[0]) if len(differ) else max(most, 0)
