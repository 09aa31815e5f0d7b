"""How well a model predicts text: every token but the first of a document, exactly once.

A document longer than `seq_len` is read in windows: each new window ends `stride` tokens further
and scores only the tokens no window has scored yet, so that they have `seq_len - stride` or more
tokens before them. With one window the loss is the one transformers computes from `labels`.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solarmini.errors import EvaluateError
from solarmini.evaluate.records import Context, Record
from solarmini.evaluate.scoring import Row, Scorer
from solarmini.evaluate.statistics import Item, estimate, exponential

_FEWEST_DOCUMENTS = 5  # below this a document is too coarse an item: windows are taken instead
_LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Document:
    """A tokenised document; `bytes` leaves out those of the first token, which is never scored."""

    ids: np.ndarray
    bytes: int


def windows(length: int, seq_len: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """Yield (start, first scored, end) of the windows over a document of `length` tokens.

    Positions 1 .. length-1 are each scored once; no window holds more than `seq_len` tokens.
    """
    if not 1 <= stride < seq_len:
        raise EvaluateError(
            f"a stride of {stride} does not fit windows of {seq_len} tokens",
            mend=f"choose a stride from 1 to {seq_len - 1}",
        )
    scored, end = 1, min(length, seq_len)
    while scored < length:
        yield max(0, end - seq_len), scored, end
        scored, end = end, min(length, end + stride)


def tokenize(texts: Sequence[str], tokenizer: Any) -> list[Document]:
    """Tokenise documents as the model expects text to begin (with its BOS if it has one)."""
    documents = []
    for text in texts:
        encoded = tokenizer(text, return_offsets_mapping=True, verbose=False)
        ids = np.asarray(encoded["input_ids"], dtype=np.int64)
        offsets = encoded["offset_mapping"]
        skipped = text[: offsets[0][1]] if offsets else ""
        documents.append(Document(ids, len(text.encode()) - len(skipped.encode())))
    return documents


def document_items(
    scorer: Scorer, documents: Sequence[Document], seq_len: int, stride: int
) -> tuple[list[Item], list[Item], str]:
    """Score documents: (loss, tokens) items, (bits, bytes) items, and what an item is.

    With fewer than five documents the items of the loss are windows.
    """
    rows: list[Row] = []
    owner: list[int] = []
    for index, document in enumerate(documents):
        for start, first, end in windows(len(document.ids), seq_len, stride):
            targets = np.zeros(end - start, dtype=bool)
            targets[first - start :] = True
            rows.append(Row(document.ids[start:end], targets))
            owner.append(index)
    losses = scorer.losses(rows, "perplexity")
    sums = np.zeros(len(documents))
    counts = np.zeros(len(documents))
    for index, values in zip(owner, losses, strict=True):
        sums[index] += values.sum()
        counts[index] += len(values)
    kept = [i for i in range(len(documents)) if counts[i]]
    loss_items: list[Item] = [(float(sums[i]), float(counts[i])) for i in kept]
    bit_items: list[Item] = [(float(sums[i]) / _LN2, float(documents[i].bytes)) for i in kept]
    if len(kept) >= _FEWEST_DOCUMENTS:
        return loss_items, bit_items, "documents"
    return [(float(v.sum()), float(len(v))) for v in losses], bit_items, "windows"


def evaluate_text(
    scorer: Scorer,
    tokenizer: Any,
    task: str,
    texts: Sequence[str],
    data_sha256: str,
    context: Context,
    *,
    seq_len: int,
    stride: int,
) -> list[Record]:
    """Return records of the loss per token, the perplexity and the bits per byte of the texts."""
    started = time.monotonic()
    documents = tokenize(texts, tokenizer)
    if not any(len(document.ids) > 1 for document in documents):
        raise EvaluateError("the text holds no token to score", where=task)
    seq_len = min(seq_len, scorer.max_length)
    losses, bits, unit = document_items(scorer, documents, seq_len, min(stride, seq_len - 1))
    seconds = time.monotonic() - started
    shared: dict[str, Any] = {"data_sha256": data_sha256, "seconds": seconds}
    loss = estimate(losses)
    tokens: dict[str, Any] = {"n": len(losses), "unit": unit, "items": losses}
    tokens["total"] = sum(w for _, w in losses)
    per_byte: dict[str, Any] = {"n": len(bits), "unit": "documents", "items": bits}
    per_byte["total"] = sum(w for _, w in bits)
    return [
        context.record(task, "perplexity", exponential(loss), **tokens, **shared),
        context.record(task, "token_loss", loss, **tokens, **shared),
        context.record(task, "bits_per_byte", estimate(bits), **per_byte, **shared),
    ]
