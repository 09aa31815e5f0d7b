"""The model to train: loaded whole, run on rows without padding, checked against itself.

`Policy` is the module that the loop trains: hidden states from the decoder, then the output layer
on the predicted positions only, in chunks. At start its log-probs are compared with the
architecture's own forward pass on two short texts, so an architecture that this code does not
understand is refused by name instead of being trained wrongly.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from solarmini.data.examples import Example
from solarmini.errors import CheckpointError, TrainError
from solarmini.train import attention
from solarmini.train.fused import fuse, unfuse
from solarmini.train.linear_head import Shaping, cross_entropy_sum, token_logprobs
from solarmini.train.losses import sequence_sums
from solarmini.train.precision import autocast
from solarmini.train.rows import Row, pair_row, text_row

_TOLERANCE = 1e-3  # float32 against float32, other order of sums; a wrong mask is off by > 0.01


class Policy(nn.Module):
    """A causal language model that is run on rows (see `rows.Row`)."""

    def __init__(self, model: Any, precision: str = "fp32") -> None:
        super().__init__()
        self.model = model
        self.precision = precision
        self.shaping = logit_shaping(model.config)

    def hidden(self, row: Row) -> torch.Tensor:
        """Hidden states at the predicting positions, [N, H]."""
        decoder = self.model.base_model
        output = decoder(
            input_ids=row.input_ids,
            position_ids=row.position_ids,
            use_cache=False,
            layout=row.layout,
        )
        return output.last_hidden_state[0].index_select(0, row.place)

    def loss_sum(self, row: Row) -> torch.Tensor:
        """Sum of -log p over the predicted tokens, float32."""
        with autocast(row.input_ids.device, self.precision):
            head = self.head
            return cross_entropy_sum(
                self.hidden(row), head.weight, head.bias, row.target, self.shaping
            )

    def sequence_logprobs(self, row: Row) -> torch.Tensor:
        """log p of the predicted tokens of every sequence, summed, float32 [S]."""
        with autocast(row.input_ids.device, self.precision):
            head = self.head
            logprobs = token_logprobs(
                self.hidden(row), head.weight, head.bias, row.target, self.shaping
            )
        return sequence_sums(logprobs, row.owner, row.sequences)

    def forward(self, row: Row, kind: str) -> torch.Tensor:
        """`loss_sum` or `sequence_logprobs`, as `kind` says: one entry for parallel wrappers."""
        return self.loss_sum(row) if kind == "loss_sum" else self.sequence_logprobs(row)

    @property
    def head(self) -> Any:
        """The output layer."""
        return self.model.get_output_embeddings()


def logit_shaping(config: Any) -> Shaping:
    """Read what the architecture does to its logits (Gemma 2, Granite, Cohere)."""
    scale = float(getattr(config, "logit_scale", None) or 1.0)
    scale /= float(getattr(config, "logits_scaling", None) or 1.0)
    return Shaping(scale=scale, softcap=getattr(config, "final_logit_softcapping", None))


def load_model(folder: Path, device: torch.device) -> Any:
    """Load all weights in float32 for packed rows; CheckpointError when tensors do not fit."""
    import transformers
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            attn_implementation=attention.register(),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
        model, info = loaded
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"transformers {transformers.__version__} cannot load the model: {error}", where=folder
        ) from error
    for problem in ("missing_keys", "mismatched_keys", "unexpected_keys"):
        if info.get(problem):
            names = ", ".join(str(name) for name in sorted(info[problem])[:4])
            raise CheckpointError(
                f"weights do not fit the architecture: {problem.replace('_', ' ')}: {names}",
                where=folder,
            )
    model.config.use_cache = False
    embedding = model.get_input_embeddings()
    if getattr(embedding, "padding_idx", None) is not None:
        # nothing is padded here, and the padding token is often the stop token: it learns too
        embedding.padding_idx = None
    with torch.no_grad():
        for parameter in model.parameters():
            # own, aligned memory: results do not depend on where a file happened to be mapped
            parameter.data = parameter.data.to(device, copy=True)
    fuse(model)
    return model.to(device)


def check_architecture(model: Any) -> None:
    """Compare packed log-probs with the model's own forward pass; TrainError when they differ.

    Three short texts in one row, and two answers to one prompt with the prompt shared.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    size = model.get_input_embeddings().weight.shape[0]
    texts = [rng.integers(0, size, length) for length in (24, 9, 17)]
    examples = [_all_targets(ids) for ids in texts]
    prompt = texts[0][:11]
    pair = tuple(_all_targets(np.concatenate([prompt, rest])) for rest in texts[1:])
    policy = Policy(model)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            device = next(model.parameters()).device
            rows = (text_row(examples), pair_row([(pair[0], pair[1])]))
            ours = torch.cat([policy.sequence_logprobs(row.to(device)) for row in rows])
            unfuse(model)
            theirs = torch.stack([_own_logprob(model, e, device) for e in (*examples, *pair)])
    except TypeError as error:
        raise attention.unsupported(model.config, f"its forward pass differs ({error})") from error
    finally:
        model.set_attn_implementation(attention.NAME)
        fuse(model)
        model.train(was_training)
    if not bool(torch.isfinite(theirs).all()):
        raise CheckpointError(
            "the model's own log-probs are not finite",
            mend="the weights are damaged, or no longer fit the config; check them, or start over",
        )
    worst = float((ours - theirs).abs().max())
    if not worst <= _TOLERANCE * max(1.0, float(theirs.abs().max()) / 100):
        raise attention.unsupported(
            model.config, f"packed log-probs differ from its own forward pass by {worst:.3g}"
        )


def check_positions(model: Any, seq_len: int) -> None:
    """Raise TrainError when rows are longer than the positions that the model knows."""
    known = getattr(model.config, "max_position_embeddings", None)
    if known is not None and seq_len > known:
        raise TrainError(
            f"seq_len {seq_len} is more than the {known} positions that the model knows",
            mend=f"set seq_len to {known} or less",
        )


def _all_targets(ids: np.ndarray) -> Example:
    mask = np.ones(len(ids), dtype=bool)
    mask[0] = False
    return Example(ids.astype(np.int32), mask)


def _own_logprob(model: Any, example: Example, device: torch.device) -> torch.Tensor:
    """Sum of log p(token) by the architecture's own code, one text at a time, eager attention."""
    model.set_attn_implementation("eager")
    ids = torch.from_numpy(example.ids.astype(np.int64))[None].to(device)
    logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
    return -torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum")
