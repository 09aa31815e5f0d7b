"""Losses as pure functions of log-probabilities."""

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import logsigmoid

LN2 = math.log(2.0)


@dataclass(frozen=True, slots=True)
class PreferenceLoss:
    """Sums over the pairs of a batch, so that batches add up.

    loss keeps its graph; accuracy counts pairs whose margin is above zero (a tie counts half);
    margin is beta * ((chosen - its reference) - (rejected - its reference)).
    """

    loss: torch.Tensor
    accuracy: torch.Tensor
    margin: torch.Tensor
    chosen: torch.Tensor
    rejected: torch.Tensor


def dpo(
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    *,
    beta: float,
    label_smoothing: float = 0.0,
) -> PreferenceLoss:
    """Direct preference optimisation, sigmoid form, summed over the pairs (all arguments [B]).

    Rafailov et al. 2023 (arXiv:2305.18290), equation 7; with label smoothing e the labels are
    taken to be flipped with probability e (conservative DPO). Exactly ln 2 a pair where policy
    and reference agree.
    """
    margin = beta * ((chosen - reference_chosen) - (rejected - reference_rejected))
    loss = -(1 - label_smoothing) * logsigmoid(margin) - label_smoothing * logsigmoid(-margin)
    seen = margin.detach()
    return PreferenceLoss(
        loss=loss.sum(),
        accuracy=((seen > 0).float() + 0.5 * (seen == 0).float()).sum(),
        margin=seen.sum(),
        chosen=chosen.detach().sum(),
        rejected=rejected.detach().sum(),
    )


def sequence_sums(logprobs: torch.Tensor, owner: torch.Tensor, count: int) -> torch.Tensor:
    """Sum token log-probs [N] into `count` sequences; owner[i] is the sequence of token i."""
    return torch.zeros(count, dtype=logprobs.dtype, device=logprobs.device).index_add(
        0, owner, logprobs
    )
