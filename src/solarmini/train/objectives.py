"""What a step minimises: sums over examples or pairs, and what the sum is divided by.

An objective's loss is a sum over its examples; the loop divides it by the denominator of the whole
optimizer step. Splitting a step into any number of forward passes or processes therefore gives
the same loss and the same gradient.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch

from solarmini.data.examples import Example, ExampleStore
from solarmini.train.losses import dpo
from solarmini.train.rows import Pair, Row, pair_row, text_row

Run = Callable[[Row, str], torch.Tensor]  # the policy, or a parallel wrapper around it
Sums = dict[str, torch.Tensor]


class Examples(Protocol):
    """Examples by number, with their sizes: a store, or several joined."""

    lengths: np.ndarray
    supervised: np.ndarray

    def __len__(self) -> int:
        """Examples."""
        ...

    def __getitem__(self, index: int) -> Example:
        """Return one example."""
        ...


class Pairs(Protocol):
    """Preference pairs by number, with the tokens of both texts together."""

    lengths: np.ndarray

    def __len__(self) -> int:
        """Pairs."""
        ...

    def __getitem__(self, index: int) -> Pair:
        """Return one pair."""
        ...


class Objective(Protocol):
    """Loss of a group of examples (or pairs), named by their numbers."""

    lengths: np.ndarray

    def denominator(self, indices: Sequence[int]) -> int:
        """What the sum over these examples is divided by."""
        ...

    def loss(
        self, run: Run, indices: Sequence[int], device: torch.device
    ) -> tuple[torch.Tensor, Sums]:
        """Return the loss summed over these examples, and other sums to report."""
        ...


class TokenLoss:
    """-log p of the supervised tokens: language modelling and instruction tuning."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self.lengths = examples.lengths
        self.supervised = examples.supervised

    def denominator(self, indices: Sequence[int]) -> int:
        """Return the number of supervised tokens."""
        return int(self.supervised[list(indices)].sum())

    def loss(
        self, run: Run, indices: Sequence[int], device: torch.device
    ) -> tuple[torch.Tensor, Sums]:
        """Sum of -log p over all supervised tokens of the examples."""
        row = text_row([self.examples[index] for index in indices])
        return run(row.to(device), "loss_sum"), {}


class PreferenceObjective:
    """DPO against stored reference log-probs; `reference` is float32 [pairs, 2]."""

    def __init__(
        self,
        pairs: Pairs,
        reference: np.ndarray,
        *,
        beta: float,
        label_smoothing: float,
    ) -> None:
        self.pairs = pairs
        self.reference = torch.from_numpy(reference)
        self.lengths = pairs.lengths
        self.beta = beta
        self.label_smoothing = label_smoothing

    def denominator(self, indices: Sequence[int]) -> int:
        """Return the number of pairs."""
        return len(indices)

    def loss(
        self, run: Run, indices: Sequence[int], device: torch.device
    ) -> tuple[torch.Tensor, Sums]:
        """Sum of the pairs' losses; sums of accuracy, margin and both log-probs."""
        row = pair_row([self.pairs[index] for index in indices])
        logprobs = run(row.to(device), "sequence_logprobs")
        reference = self.reference[list(indices)].to(device)
        result = dpo(
            logprobs[0::2],
            logprobs[1::2],
            reference[:, 0],
            reference[:, 1],
            beta=self.beta,
            label_smoothing=self.label_smoothing,
        )
        return result.loss, {
            "accuracy": result.accuracy,
            "margin": result.margin,
            "chosen_logprob": result.chosen,
            "rejected_logprob": result.rejected,
        }


class Joined:
    """Several stores of examples seen as one."""

    def __init__(self, stores: Sequence[ExampleStore]) -> None:
        self.stores = stores
        self.starts = np.cumsum([0, *(len(store) for store in stores)])
        self.lengths = np.concatenate([store.lengths for store in stores])
        self.supervised = np.concatenate([store.supervised for store in stores])

    def __len__(self) -> int:
        """Examples of all stores."""
        return int(self.starts[-1])

    def __getitem__(self, index: int) -> Example:
        """Example `index`, counted through all stores."""
        store = int(np.searchsorted(self.starts, index, side="right")) - 1
        return self.stores[store][index - int(self.starts[store])]
