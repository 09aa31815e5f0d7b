"""Log-probabilities of chosen tokens: the one place where evaluation runs a model.

Perplexity, the loss on answers and preferences all ask the same question: how much does the model
lose on these tokens of these sequences? Rows are sorted by length and batched under a token
budget, so almost nothing is padding; padding stands on the right, where a causal model cannot see
it from the tokens that count. The language-model head sees only the positions that are scored,
in chunks, so the logits of a batch never exist at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solarmini.console import progress
from solarmini.errors import CheckpointError, EvaluateError
from solarmini.train.precision import PrecisionName, autocast, choose_device, choose_precision

_HEAD_CHUNK = 512  # positions whose logits exist at once: 512 x 49,152 x 4 bytes = 96 MiB


class Row:
    """One sequence and which of its tokens are scored (never the first).

    ids: int64 [T]; targets: bool [T], targets[t] asks for -log p(ids[t] | ids[:t]).
    """

    def __init__(self, ids: np.ndarray, targets: np.ndarray) -> None:
        if len(ids) != len(targets):
            raise ValueError("ids and targets differ in length")
        if len(targets) and targets[0]:
            raise ValueError("the first token has nothing before it and cannot be scored")
        last = int(np.flatnonzero(targets)[-1]) + 1 if targets.any() else 0
        # Tokens after the last scored one change nothing: leave them out.
        self.ids = np.asarray(ids[:last], dtype=np.int64)
        self.targets = np.asarray(targets[:last], dtype=bool)


class Scorer:
    """A loaded model that scores rows.

    `precision` ("auto", "fp32", "bf16") and `device` are chosen as in training; `batch_tokens`
    bounds rows x longest row of a batch.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        precision: PrecisionName = "auto",
        device: str = "auto",
        batch_tokens: int = 4096,
    ) -> None:
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        self.batch_tokens = batch_tokens
        self.model: Any = _load(model_dir).to(self.device).eval()
        config = self.model.config.get_text_config()
        self.max_length: int = getattr(config, "max_position_embeddings", None) or 2048
        self._softcap = getattr(config, "final_logit_softcapping", None)
        self._split = self._head_can_be_split()

    def losses(self, rows: Sequence[Row], label: str = "scoring") -> list[np.ndarray]:
        """Return -log p of every scored token, float64 [number of targets], row by row."""
        return [losses for losses, _ in self.score(rows, label)]

    @torch.inference_mode()
    def score(
        self, rows: Sequence[Row], label: str = "scoring"
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return, row by row, -log p of every scored token and whether it was the likeliest."""
        results = [(np.zeros(0), np.zeros(0, dtype=bool))] * len(rows)
        with progress(label, sum(len(row.ids) for row in rows), "tokens") as advance:
            for batch in self._batches(rows):
                for index, scored in zip(batch, self._score([rows[i] for i in batch]), strict=True):
                    results[index] = scored
                advance(sum(len(rows[i].ids) for i in batch))
        return results

    def _batches(self, rows: Sequence[Row]) -> list[list[int]]:
        order = sorted(
            (i for i, row in enumerate(rows) if len(row.ids)), key=lambda i: -len(rows[i].ids)
        )
        batches: list[list[int]] = []
        for index in order:
            width = len(rows[batches[-1][0]].ids) if batches else 0
            if batches and (len(batches[-1]) + 1) * width <= self.batch_tokens:
                batches[-1].append(index)
            else:
                batches.append([index])
        return batches

    def _score(self, rows: Sequence[Row]) -> list[tuple[np.ndarray, np.ndarray]]:
        width = len(rows[0].ids)
        ids = np.zeros((len(rows), width), dtype=np.int64)
        targets = np.zeros((len(rows), width), dtype=bool)
        for r, row in enumerate(rows):
            ids[r, : len(row.ids)] = row.ids
            targets[r, : len(row.targets)] = row.targets
        with autocast(self.device, self.precision):
            scored = self._target_losses(
                torch.from_numpy(ids).to(self.device), torch.from_numpy(targets).to(self.device)
            )
        losses = scored[0].double().cpu().numpy()
        if not np.isfinite(losses).all():
            raise EvaluateError(
                "the model gave a loss that is not a finite number",
                mend="look for NaN in the weights, or use --precision fp32",
            )
        ends = np.cumsum(targets.sum(axis=1))[:-1]
        greedy = np.split(scored[1].cpu().numpy(), ends)
        return list(zip(np.split(losses, ends), greedy, strict=True))

    def _target_losses(
        self, ids: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return -log p of the targets and whether each is the argmax; ids, targets [B, T]."""
        # The last token is only ever predicted, never fed.
        inputs, wanted, labels = ids[:, :-1], targets[:, 1:], ids[:, 1:][targets[:, 1:]]
        if self._split:
            body = self.model.base_model(input_ids=inputs, use_cache=False)
            states = body.last_hidden_state[wanted]
        else:
            states = self.model(input_ids=inputs, use_cache=False).logits[wanted]
        losses, greedy = [], []
        for start in range(0, len(labels), _HEAD_CHUNK):
            piece = states[start : start + _HEAD_CHUNK]
            logits = (self._head(piece) if self._split else piece).float()
            gold = labels[start : start + _HEAD_CHUNK]
            losses.append(torch.logsumexp(logits, dim=-1) - logits.gather(1, gold[:, None])[:, 0])
            greedy.append(logits.argmax(dim=-1) == gold)
        return torch.cat(losses), torch.cat(greedy)

    def _head(self, states: torch.Tensor) -> torch.Tensor:
        logits = self.model.get_output_embeddings()(states)
        if self._softcap:
            logits = torch.tanh(logits / self._softcap) * self._softcap
        return logits

    @torch.inference_mode()
    def _head_can_be_split(self) -> bool:
        """Whether body, head and soft cap alone give the model's own logits.

        Architectures that scale their logits in another way run whole: the same numbers, only
        with the logits of a batch in memory.
        """
        inputs = torch.arange(1, 5, device=self.device)[None]
        expected = self.model(input_ids=inputs, use_cache=False).logits
        if self.model.get_output_embeddings() is None:
            return False
        body = self.model.base_model(input_ids=inputs, use_cache=False)
        states = getattr(body, "last_hidden_state", None)
        if states is None or states.shape[-1] != self.model.get_output_embeddings().in_features:
            return False
        return torch.allclose(self._head(states), expected, rtol=1e-3, atol=1e-3)


def _load(model_dir: Path) -> Any:
    """Load all weights in float32; CheckpointError when they do not fit the architecture."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            model_dir,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the model cannot be loaded: {error}", where=model_dir) from error
    model, info = loaded
    for problem in ("missing_keys", "mismatched_keys", "unexpected_keys"):
        if info.get(problem):
            names = ", ".join(str(name) for name in sorted(info[problem])[:4])
            raise CheckpointError(
                f"weights do not fit the architecture: {problem.replace('_', ' ')}: {names}",
                where=model_dir,
            )
    return model
