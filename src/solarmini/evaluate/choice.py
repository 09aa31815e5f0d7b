"""Multiple choice and short answers through lm-eval, on local files and without a network.

lm-eval brings the prompts, the metrics and the few-shot sampling everyone compares with; we bring
checked rows and our own scoring of log-probabilities. An inline group inherits the registered
task, a bare override would not (lm-eval 0.4.13).
"""

import contextlib
import io
import json
import logging
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solarmini.errors import EvaluateError, require
from solarmini.evaluate.records import Context, Record
from solarmini.evaluate.rows import Row, read_rows, rows_sha256
from solarmini.evaluate.scoring import Scorer
from solarmini.evaluate.statistics import Estimate, Item, estimate_share
from solarmini.evaluate.suites import ChoiceTask

_SEED = 1234  # lm-eval's own defaults: 0 for random, 1234 for the rest
_METRIC_NAMES = {
    ("exact_match", "strict-match"): "exact_match_strict",
    ("exact_match", "flexible-extract"): "exact_match_flexible",
}


def evaluate_choices(
    scorer: Scorer,
    tokenizer: Any,
    tasks: Sequence[ChoiceTask],
    context: Context,
    limit: int | None = None,
) -> list[Record]:
    """Run the tasks and return a record for each of their metrics.

    `limit` keeps the first rows of each task (of each subject for MMLU). Raises EvaluateError for
    rows that do not fit, MissingExtraError when lm-eval is not installed.
    """
    prepared = [(task, *_read(task, limit)) for task in tasks]
    require("lm_eval", "eval")
    records: list[Record] = []
    with _quiet():
        from solarmini.evaluate.harness import make_model

        model = make_model(scorer, tokenizer)
    for task, rows, examples in prepared:
        started = time.monotonic()
        items = _run(model, task, rows, examples)
        seconds = time.monotonic() - started
        for metric, pairs in items.items():
            f1 = metric == "macro_f1"
            records.append(
                context.record(
                    task.name,
                    metric,
                    Estimate(_macro_f1(pairs), None, None, None) if f1 else estimate_share(pairs),
                    n=len(pairs),
                    unit="questions",
                    total=len(pairs),
                    shots=task.shot_count,
                    data_sha256=rows_sha256(rows, examples),
                    seconds=seconds,
                    items=None if f1 else pairs,
                )
            )
    return records


def _read(task: ChoiceTask, limit: int | None) -> tuple[list[Row], list[Row]]:
    spec = task.spec
    rows = read_rows(task.file, spec.check, None if spec.per_subject else limit)
    if spec.per_subject and limit is not None:
        kept: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if len(kept[row["subject"]]) < limit:
                kept[row["subject"]].append(row)
        rows = [row for group in kept.values() for row in group]
    if not task.shot_count:
        return rows, []
    if task.fewshot is None:
        raise EvaluateError(f"{task.name} needs a file of examples", mend="or set shots to 0")
    examples = read_rows(task.fewshot, spec.check)
    if len(examples) < task.shot_count:
        raise EvaluateError(
            f"{task.shot_count} examples are asked for, the file holds {len(examples)}",
            where=task.fewshot,
        )
    return rows, examples


def _run(
    model: Any, task: ChoiceTask, rows: list[Row], examples: list[Row]
) -> dict[str, list[Item]]:
    """Return (value, weight) of every row for every metric, in row order."""
    if not task.spec.per_subject:
        return _run_one(model, task, task.spec.registered, rows, examples)
    merged: dict[str, list[Item]] = defaultdict(list)
    for subject in dict.fromkeys(row["subject"] for row in rows):
        own = [row for row in rows if row["subject"] == subject]
        shown = [row for row in examples if row["subject"] == subject]
        if len(shown) < task.shot_count:
            raise EvaluateError(
                f"the examples hold {len(shown)} of subject '{subject}', {task.shot_count} needed",
                where=task.fewshot,
            )
        name = f"{task.spec.registered}_{subject}"
        for metric, items in _run_one(model, task, name, own, shown).items():
            merged[metric] += items
    return dict(merged)


def _run_one(
    model: Any, task: ChoiceTask, registered: str, rows: list[Row], examples: list[Row]
) -> dict[str, list[Item]]:
    import lm_eval
    import torch
    from lm_eval.tasks import TaskManager

    spec = task.spec
    folder = Path(lm_eval.__file__).parent / "tasks" / spec.folder
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        files = {spec.split: _write(Path(scratch) / "rows.jsonl", rows)}
        if examples:
            files[spec.fewshot_split] = _write(Path(scratch) / "examples.jsonl", examples)
        override: dict[str, Any] = {
            "task": registered,
            "dataset_path": "json",
            "dataset_name": None,
            "dataset_kwargs": {"data_files": files, "cache_dir": f"{scratch}/cache"},
            "training_split": spec.fewshot_split if examples else None,
            "validation_split": spec.split if spec.split == "validation" else None,
            "test_split": spec.split if spec.split == "test" else None,
            "fewshot_split": spec.fewshot_split if examples else None,
            "num_fewshot": task.shot_count,
        }
        if spec.folder == "kobest":
            override["metric_list"] = _kobest_metrics(spec.primary)
        manager = TaskManager(include_path=[str(folder)], include_defaults=False)
        loaded = manager.load([{"group": "solar_local", "task": [override]}])
        for one in loaded["tasks"].values():
            one.set_fewshot_seed(seed=_SEED)
        random.seed(0)
        np.random.seed(_SEED)
        torch.manual_seed(_SEED)
        results: Any = lm_eval.evaluate(
            lm=model, task_dict=loaded, bootstrap_iters=0, log_samples=True
        )
    (samples,) = results["samples"].values()
    return _items(samples)


def _kobest_metrics(primary: str) -> list[dict[str, Any]]:
    """KoBEST's metrics without the download of a metric script that lm-eval would try."""
    names = ["acc", "acc_norm"] if primary == "acc_norm" else ["acc"]
    metrics: list[dict[str, Any]] = [
        {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in names
    ]
    return [*metrics, {"metric": "f1", "aggregation": len, "higher_is_better": True}]


def _items(samples: list[dict[str, Any]]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for sample in sorted(samples, key=lambda sample: sample["doc_id"]):
        for metric in sample["metrics"]:
            value = sample[metric]
            name = _METRIC_NAMES.get((metric, sample["filter"]), metric)
            if isinstance(value, tuple):  # (gold, predicted) of KoBEST's F1
                found["macro_f1"].append((int(value[0]), int(value[1])))
            else:
                found[name].append((float(value), 1.0))
    return dict(found)


def _macro_f1(pairs: Sequence[Item]) -> float:
    """Return the mean over classes of F1, from (gold, predicted) pairs."""
    scores = []
    for label in sorted({label for pair in pairs for label in pair}):
        hits = sum(gold == predicted == label for gold, predicted in pairs)
        total = sum((gold == label) + (predicted == label) for gold, predicted in pairs)
        scores.append(2 * hits / total)
    return sum(scores) / len(scores)


def _write(path: Path, rows: list[Row]) -> str:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return str(path)


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Keep lm-eval and datasets off the network, their bars and notes off the terminal."""
    names = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    logger = logging.getLogger("lm_eval")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
