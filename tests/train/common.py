"""Data, models and small helpers for the tests of training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solarmini.data.examples import Example
from solarmini.train.model import Policy, load_model
from solarmini.train.rows import Row
from tests.helpers import tiny_model

CPU = torch.device("cpu")


class Rows:
    """Examples in memory with what an objective needs to know of them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = list(examples)
        self.lengths = np.array([len(example) for example in examples])
        self.supervised = np.array([example.supervised for example in examples])

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]


class PairRows:
    """Pairs in memory."""

    def __init__(self, pairs: Sequence[tuple[Example, Example]]) -> None:
        self.pairs = list(pairs)
        self.lengths = np.array([len(a) + len(b) for a, b in pairs])

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Example, Example]:
        return self.pairs[index]


def random_example(
    rng: np.random.Generator, length: int, prompt: int = 1, vocab: int = 300
) -> Example:
    mask = np.zeros(length, dtype=bool)
    mask[prompt:] = True
    return Example(rng.integers(3, vocab, length).astype(np.int32), mask)


def random_pair(rng: np.random.Generator, prompt: int, a: int, b: int) -> tuple[Example, Example]:
    head = rng.integers(3, 300, prompt)
    sides = []
    for length in (a, b):
        ids = np.concatenate([head, rng.integers(3, 300, length)]).astype(np.int32)
        mask = np.zeros(len(ids), dtype=bool)
        mask[prompt:] = True
        sides.append(Example(ids, mask))
    return sides[0], sides[1]


def make_policy(arch: str, folder: Path, layers: int = 2, **options: Any) -> Policy:
    if not folder.exists():
        tiny_model(arch, folder, layers=layers, **options)
    return Policy(load_model(folder, CPU))


def gradients(policy: Policy) -> dict[str, torch.Tensor]:
    found = {
        name: parameter.grad.clone()
        for name, parameter in policy.named_parameters()
        if parameter.grad is not None
    }
    policy.zero_grad(set_to_none=True)
    return found


def max_difference(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    assert set(a) == set(b)
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def loss_and_gradients(policy: Policy, rows: Sequence[Row]) -> tuple[float, dict]:
    total = sum(policy.loss_sum(row) for row in rows)
    assert isinstance(total, torch.Tensor)
    total.backward()
    return float(total.detach()), gradients(policy)


def write_text(path: Path, rows: int = 40) -> Path:
    texts = [f"The fox number {i} jumps over the lazy dog. " * (1 + i % 5) for i in range(rows)]
    return write_rows(path, [{"text": text} for text in texts])


def write_chats(path: Path, rows: int = 24) -> Path:
    return write_rows(
        path,
        [
            {
                "messages": [
                    {"role": "user", "content": f"What is {i}+1?"},
                    {"role": "assistant", "content": f"It is {i + 1}. " * (1 + i % 3)},
                ]
            }
            for i in range(rows)
        ],
    )


def write_pairs(path: Path, rows: int = 24) -> Path:
    return write_rows(
        path,
        [
            {
                "prompt": f"What is {i}+1?",
                "chosen": f"It is {i + 1}.",
                "rejected": "I do not know. " * (1 + i % 3),
            }
            for i in range(rows)
        ],
    )


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def log_of(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "training_log.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
