"""Perplexity: exact against transformers, every token once, whatever the batches."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from solarmini.errors import CheckpointError, EvaluateError
from solarmini.evaluate.perplexity import Document, document_items, evaluate_text, tokenize, windows
from solarmini.evaluate.scoring import Row, Scorer
from solarmini.text.tokenizer import load_tokenizer
from tests.evaluate.records_maker import DATA, context
from tests.helpers import ARCHITECTURES, tiny_model

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "하나의 모델을 키우고 가르치고 정렬합니다.",
    "def add(a, b):\n    return a + b\n",
    "A model is grown, healed, taught and aligned. " * 6,
    "0123456789",
    "한국어 문장도 함께 배웁니다. " * 4,
]


@given(st.integers(0, 300), st.integers(2, 64), st.data())
def test_windows_score_every_token_but_the_first_once(
    length: int, seq_len: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, seq_len - 1))
    scored: list[int] = []
    for start, first, end in windows(length, seq_len, stride):
        assert end - start <= seq_len
        assert start < first < end
        scored += range(first, end)
        if start:  # a later window: nothing is scored with less before it than promised
            assert first - start >= seq_len - stride
    assert scored == list(range(1, length))


def test_a_stride_that_leaves_no_context_is_refused() -> None:
    with pytest.raises(EvaluateError, match="stride of 8 does not fit"):
        list(windows(20, 8, 8))


def reference_losses(scorer: Scorer, ids: np.ndarray) -> float:
    """Return the mean loss that transformers computes from `labels`."""
    inputs = torch.from_numpy(ids)[None]
    with torch.inference_mode():
        return float(scorer.model(input_ids=inputs, labels=inputs).loss)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_loss_is_that_of_transformers(arch: str, tmp_path: Path) -> None:
    scorer = Scorer(tiny_model(arch, tmp_path / arch, layers=2), precision="fp32")
    tokenizer = load_tokenizer(tmp_path / arch)
    documents = tokenize(TEXTS[:4], tokenizer)
    items, _, _ = document_items(scorer, documents, 256, 128)
    assert scorer._split  # the head runs apart from the body on all of these
    losses = scorer.losses([_whole(document) for document in documents])
    for document, values in zip(documents, losses, strict=True):
        assert len(values) == len(document.ids) - 1
        assert values.mean() == pytest.approx(reference_losses(scorer, document.ids), abs=2e-6)
    assert sum(v for v, _ in items) == pytest.approx(sum(v.sum() for v in losses), rel=1e-6)


def _whole(document: Document) -> Row:
    targets = np.ones(len(document.ids), dtype=bool)
    targets[0] = False
    return Row(document.ids, targets)


def test_windows_give_what_a_hand_made_window_gives(model: Path) -> None:
    scorer = Scorer(model, precision="fp32")
    ids = np.random.default_rng(0).integers(0, 384, 50)
    items, _, unit = document_items(scorer, [Document(ids, 50)], seq_len=16, stride=6)
    assert unit == "windows"
    total = 0.0
    with torch.inference_mode():
        for position in range(1, 50):
            end = 16 if position < 16 else min(50, 16 + 6 * math.ceil((position - 15) / 6))
            start = max(0, end - 16)
            logits = scorer.model(input_ids=torch.from_numpy(ids[start:end])[None]).logits[0]
            logprobs = torch.log_softmax(logits[position - start - 1].double(), dim=-1)
            total -= float(logprobs[ids[position]])
    assert sum(w for _, w in items) == 49
    assert sum(v for v, _ in items) == pytest.approx(total, abs=2e-4)


def test_batches_and_order_change_nothing(model: Path) -> None:
    tokenizer = load_tokenizer(model)
    found: list[Any] = []
    for batch_tokens in (1, 100, 4096):
        scorer = Scorer(model, precision="fp32", batch_tokens=batch_tokens)
        documents = tokenize(TEXTS, tokenizer)
        found.append(document_items(scorer, documents, 64, 32)[0])
        backwards = document_items(scorer, documents[::-1], 64, 32)[0]
        assert np.allclose(found[-1], backwards[::-1], rtol=1e-6)
    assert np.allclose(found[0], found[1], rtol=1e-6)
    assert np.allclose(found[0], found[2], rtol=1e-6)


def test_an_unknown_logit_scale_runs_whole_and_stays_exact(tmp_path: Path) -> None:
    import transformers

    config = transformers.GraniteConfig(
        vocab_size=384, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, logits_scaling=3.0,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    scorer = Scorer(tmp_path, precision="fp32")
    assert not scorer._split
    ids = np.arange(3, 40)
    (losses,) = scorer.losses([_whole(Document(ids, 1))])
    assert losses.mean() == pytest.approx(reference_losses(scorer, ids), abs=2e-6)


def test_records_of_a_text(model: Path) -> None:
    scorer, tokenizer = Scorer(model, precision="fp32"), load_tokenizer(model)
    records = evaluate_text(
        scorer, tokenizer, "docs", TEXTS, DATA, context(), seq_len=256, stride=128
    )
    by_metric = {record.metric: record for record in records}
    loss, perplexity = by_metric["token_loss"], by_metric["perplexity"]
    assert perplexity.value == pytest.approx(math.exp(loss.value))
    assert (loss.n, loss.unit) == (len(TEXTS), "documents")
    # Bits per byte by hand: the first token of a text is neither scored nor counted.
    ids = [tokenizer(text).input_ids for text in TEXTS]
    assert loss.total == sum(len(one) - 1 for one in ids)
    size = 0
    for text in TEXTS:
        first = tokenizer(text, return_offsets_mapping=True)["offset_mapping"][0][1]
        size += len(text.encode()) - len(text[:first].encode())
    bits = loss.value * loss.total / math.log(2) / size
    assert by_metric["bits_per_byte"].value == pytest.approx(bits)


def test_text_without_a_token_to_score_is_refused(model: Path) -> None:
    scorer, tokenizer = Scorer(model, precision="fp32"), load_tokenizer(model)
    with pytest.raises(EvaluateError, match="no token to score"):
        evaluate_text(scorer, tokenizer, "docs", ["a"], DATA, context(), seq_len=8, stride=4)


def test_weights_that_do_not_fit_are_refused(model: Path, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(model, tmp_path / "broken")
    path = tmp_path / "broken" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(CheckpointError, match="missing keys"):
        Scorer(tmp_path / "broken")


def test_a_model_of_nan_is_refused(tmp_path: Path) -> None:
    scorer = Scorer(tiny_model("llama", tmp_path / "nan", layers=2), precision="fp32")
    with torch.no_grad():
        scorer.model.get_output_embeddings().weight.fill_(float("nan"))
    with pytest.raises(EvaluateError, match="not a finite number"):
        scorer.losses([_whole(Document(np.arange(5), 1))])
