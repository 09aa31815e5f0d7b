"""Reference log-probs for preference tuning: computed once a step, kept on disk.

The reference of a step is the policy as it stands when the step starts, in memory. It is never
loaded from a path or from the config's model id, so it cannot be another model by mistake; the
loss of the first batch, which must be ln 2, proves it.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from solarmini.checkpoint.atomic import write_file_atomic
from solarmini.console import progress
from solarmini.errors import TrainError
from solarmini.train.losses import LN2
from solarmini.train.model import Policy
from solarmini.train.objectives import Pairs
from solarmini.train.plan import micro_batches
from solarmini.train.rows import pair_row

_TOLERANCE = {"fp32": 1e-6, "bf16": 2e-2}


def weights_digest(module: nn.Module) -> str:
    """Return the sha256 of all weights, names and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(memoryview(flat.numpy()))
    return digest.hexdigest()


def reference_logprobs(
    policy: Policy,
    pairs: Pairs,
    *,
    cache: Path,
    data_fingerprint: str,
    precision: str,
    micro_batch_tokens: int,
) -> np.ndarray:
    """Log-probs of all answers under the policy as it is now, float32 [pairs, 2].

    Read from `cache` when it was made by the same weights for the same data (which includes
    tokenizer and template); otherwise computed and written there.
    """
    key = hashlib.sha256(
        f"{weights_digest(policy)} {data_fingerprint} {precision}".encode()
    ).hexdigest()
    cached = read_cached(cache, key)
    if cached is not None and cached.shape == (len(pairs), 2):
        return cached
    table = _compute(policy, pairs, micro_batch_tokens)
    cache.parent.mkdir(parents=True, exist_ok=True)
    head = json.dumps({"key": key, "pairs": len(pairs)}).encode()
    write_file_atomic(cache, head + b"\n" + np.ascontiguousarray(table, "<f4").tobytes())
    return table


def read_cached(cache: Path, key: str | None = None) -> np.ndarray | None:
    """Read a cache file; None when it is missing, damaged, or was made for another key."""
    if not cache.exists():
        return None
    head, _, body = cache.read_bytes().partition(b"\n")
    about = json.loads(head)
    if key is not None and about["key"] != key:
        return None
    if len(body) != about["pairs"] * 8:
        return None
    return np.frombuffer(body, "<f4").reshape(-1, 2).copy()


def check_ln2(loss: float, precision: str, where: str) -> None:
    """Raise TrainError unless the loss of a step's first batch is ln 2.

    Any other value means that policy and reference are not the same model, or do not see the
    same tokens.
    """
    if not abs(loss - LN2) <= _TOLERANCE[precision]:
        raise TrainError(
            f"the first batch's loss is {loss:.8f}, not ln 2 = {LN2:.8f}: the reference is not "
            "the model that this step starts from",
            where=where,
            mend="remove the run folder's reference/ and start again with --restart",
        )


@torch.no_grad()
def _compute(policy: Policy, pairs: Pairs, max_tokens: int) -> np.ndarray:
    training = policy.training
    policy.eval()
    device = next(policy.parameters()).device
    table = np.empty((len(pairs), 2), dtype=np.float32)
    groups = micro_batches(
        [(index,) for index in range(len(pairs))], pairs.lengths, None, max_tokens
    )
    with progress("reference", len(pairs), "pairs") as advance:
        for group in groups:
            row = pair_row([pairs[index] for index in group]).to(device)
            values = policy.sequence_logprobs(row).cpu().numpy()
            table[group] = values.reshape(-1, 2)
            advance(len(group))
    policy.train(training)
    return table
