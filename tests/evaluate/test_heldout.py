"""Held-out answers and preferences: only the answer's tokens count, and they count exactly."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from solarmini.data.examples import make_example
from solarmini.errors import EvaluateError
from solarmini.evaluate.evaluate import (
    DataTask,
    EvaluateSettings,
    _answer_only,
    evaluate_model,
)
from solarmini.evaluate.heldout import evaluate_chat, evaluate_preference
from solarmini.evaluate.scoring import Scorer
from solarmini.text.chat import ChatFormat
from tests.evaluate.records_maker import DATA, context

PAIRS = [
    ("What is two and two?", "Four.", "I will not say."),
    ("하나의 모델?", "하나의 모델을 키우고 가르칩니다.", "몰라요"),
    ("Name a fox.", "The quick brown fox.", "A lazy dog is a dog and a dog and a dog."),
]


def logprob(scorer: Scorer, ids: list[int], first: int) -> float:
    """Return log p(ids[first:] | ids[:first]) by transformers' own forward pass."""
    with torch.inference_mode():
        logits = scorer.model(input_ids=torch.tensor([ids])).logits[0].double()
    logprobs = torch.log_softmax(logits, dim=-1)
    return sum(float(logprobs[t - 1, ids[t]]) for t in range(first, len(ids)))


def test_chat_loss_is_the_loss_of_the_answers(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    turns = [
        [{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a, _ in PAIRS
    ]
    file.write_text("".join(json.dumps({"messages": one}) + "\n" for one in turns))
    settings = EvaluateSettings(
        chat=(DataTask.model_validate({"name": "chat", "source": {"path": str(file)}}),),
        precision="fp32",
    )
    (record,) = evaluate_model(model, settings).records
    chat, scorer = ChatFormat.load(model), Scorer(model, precision="fp32")
    total, count = 0.0, 0
    for messages in turns:
        prompt = chat.encode(messages[:1], add_generation_prompt=True).ids
        whole = chat.encode(messages)
        # the newline that ChatML writes after the end of the turn is not the answer's
        end = len(whole.mask) - whole.mask[::-1].index(True)
        total -= logprob(scorer, whole.ids[:end], len(prompt))
        count += end - len(prompt)
    assert record.total == count
    assert record.value == pytest.approx(total / count, abs=2e-5)
    assert record.template_sha256 == chat.sha256
    assert (record.n, record.unit, record.metric) == (3, "conversations", "chat_loss")


def test_preference_accuracy_by_hand(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [{"prompt": q, "chosen": a, "rejected": b} for q, a, b in PAIRS]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    settings = EvaluateSettings(
        preference=(DataTask.model_validate({"name": "p", "source": {"path": str(file)}}),),
        precision="fp32",
    )
    records = {r.metric: r for r in evaluate_model(model, settings).records}
    chat, scorer = ChatFormat.load(model), Scorer(model, precision="fp32")
    sums, means = [], []
    for question, *answers in PAIRS:
        asked = [{"role": "user", "content": question}]
        prompt = chat.encode(asked, add_generation_prompt=True).ids
        for answer in answers:
            whole = chat.encode([*asked, {"role": "assistant", "content": answer}])
            end = len(whole.mask) - whole.mask[::-1].index(True)
            sums.append(logprob(scorer, whole.ids[:end], len(prompt)))
            means.append(sums[-1] / (end - len(prompt)))
    margins = np.array(sums[::2]) - np.array(sums[1::2])
    assert records["preference_accuracy"].value == pytest.approx((margins > 0).mean())
    assert records["preference_margin"].value == pytest.approx(margins.mean(), abs=1e-3)
    normalised = np.array(means[::2]) > np.array(means[1::2])
    assert records["preference_accuracy_norm"].value == pytest.approx(normalised.mean())


def test_earlier_answers_of_a_pair_are_not_scored(model: Path, tmp_path: Path) -> None:
    history = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "A model is grown, healed, taught and aligned. " * 3},
        {"role": "user", "content": "And?"},
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps({"prompt": history, "chosen": "Yes", "rejected": "No"}) + "\n")
    settings = EvaluateSettings(
        preference=(DataTask.model_validate({"name": "p", "source": {"path": str(file)}}),),
        precision="fp32",
    )
    margin = evaluate_model(model, settings).get("p", "preference_margin")
    chat, scorer = ChatFormat.load(model), Scorer(model, precision="fp32")
    prompt = chat.encode(history, add_generation_prompt=True).ids
    sums = []
    for answer in ("Yes", "No"):
        ids = prompt + chat.tokenizer(answer).input_ids + [chat.stop_ids[0]]
        sums.append(logprob(scorer, ids, len(prompt)))
    turns = [*history, {"role": "assistant", "content": "Yes"}]
    example = _answer_only(chat, turns, len(history))
    assert example.supervised == len(chat.tokenizer("Yes").input_ids) + 1
    assert margin is not None
    assert margin.value == pytest.approx(sums[0] - sums[1], abs=1e-4)


def test_a_tie_counts_half(model: Path) -> None:
    scorer = Scorer(model, precision="fp32")
    one = make_example([1, 2, 3, 4], [False, False, True, True])
    records = evaluate_preference(scorer, "p", [(one, one)], DATA, "t", context())
    assert [record.value for record in records] == [0.5, 0.5, 0.0]


def test_nothing_supervised_is_refused(model: Path) -> None:
    scorer = Scorer(model, precision="fp32")
    empty = make_example([1, 2, 3], [False, False, False])
    with pytest.raises(EvaluateError, match="no conversation has a supervised token"):
        evaluate_chat(scorer, "chat", [empty], DATA, "t", context())
    with pytest.raises(EvaluateError, match="has no token"):
        evaluate_preference(scorer, "p", [(empty, empty)], DATA, "t", context())
