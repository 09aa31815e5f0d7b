"""A small build folder: real tiny models and artifacts, records of known numbers."""

import json
import shutil
from pathlib import Path
from typing import Any

from solarmini.artifact import DataRecord, describe_parent, finish_artifact, read_manifest
from solarmini.checkpoint.atomic import staged_output
from solarmini.evaluate.records import write_records
from solarmini.evaluate.samples import Sample, SampleSet, write_samples
from solarmini.evaluate.statistics import Item
from tests.evaluate.records_maker import record
from tests.helpers import tiny_model

HOSTILE = "<script>alert('x')</script> & \"q\" ]]> 한국어"
LOSS = {"base": 3.0, "grown": 3.5, "naive": 8.0, "healed": 3.1, "control": 2.9, "taught": 3.2}
CHAT = {"base": 2.5, "grown": 2.7, "naive": 7.0, "healed": 2.6, "control": 2.5, "taught": 2.0}
TREE: list[tuple[str, str, list[str], str]] = [
    ("base", "pull", [], "main"),
    ("grown", "upscale", ["base"], "main"),
    ("naive", "upscale", ["base"], "naive"),
    ("healed", "pretrain", ["grown"], "main"),
    ("control", "pretrain", ["base"], "control"),
    ("taught", "instruct", ["healed"], "main"),
]


def items(loss: float) -> list[Item]:
    """Five documents of unlike difficulty whose mean loss is exactly `loss`."""
    return [(w * (loss + 0.01 * (k - 2)), float(w)) for k, w in enumerate((90, 100, 120, 100, 90))]


def make_run(folder: Path) -> Path:
    """Write a build of six stages; `taught` holds hostile text wherever text may come from."""
    tiny_model("llama", folder / "base", layers=4)
    shutil.rmtree(folder / "base" / "solar.json", ignore_errors=True)
    stages = []
    for name, kind, parents, role in TREE:
        if name != "base":
            _model(folder, name, kind, parents)
        docs, chat = items(LOSS[name]), items(CHAT[name])
        records = [
            record(docs, metric="perplexity", model=name),
            record(docs, model=name),
            record(chat, task="answers", metric="chat_loss", model=name),
        ]
        write_records(folder / "records" / f"{name}.json", records)
        entry: dict[str, Any] = {
            "name": name, "kind": kind, "from": parents, "path": name, "role": role,
            "records": f"records/{name}.json", "samples": None, "seconds": 12.5, "key": "ignored",
        }  # fmt: skip
        if name in ("base", "taught"):
            write_samples(folder / "samples" / f"{name}.json", _samples(name))
            entry["samples"] = f"samples/{name}.json"
        stages.append(entry)
    build = {
        "recipe": "tiny", "name": f"Grown {HOSTILE}", "started": "2026-11-23T05:00:00+00:00",
        "finished": "2026-11-23T05:20:00+00:00", "machine": "2 cores", "stages": stages,
    }  # fmt: skip
    (folder / "build.json").write_text(json.dumps(build, ensure_ascii=False))
    return folder


def _model(folder: Path, name: str, kind: str, parents: list[str]) -> None:
    from solarmini.growth.upscale import plan_for, run_upscale

    source, target = folder / parents[0], folder / name
    if kind == "upscale":
        plan = plan_for(4, drop=1) if name == "grown" else plan_for(4, method="stack")
        run_upscale(source, target, plan=plan)
        return
    manifest = read_manifest(source)
    with staged_output(target) as staging:
        shutil.copytree(source, staging, dirs_exist_ok=True)
        (staging / "solar.json").unlink(missing_ok=True)
        _log(staging / "training_log.jsonl", LOSS[name], kind)
        finish_artifact(
            staging,
            name=name,
            stage=kind,
            parents=[describe_parent(source)],
            data=[DataRecord(name=HOSTILE, sha256="a" * 64, rows=3, bytes=99, note=HOSTILE)],
            growth=manifest.growth if manifest else None,
        )


def _log(path: Path, end: float, kind: str) -> None:
    rows: list[dict[str, Any]] = [{"step": 0, "tokens": 0, "eval_loss": end + 0.4, "phase": kind}]
    for step in range(1, 21):
        row: dict[str, Any] = {"step": step, "tokens": 500 * step, "loss": end + 4 / step}
        if step % 5 == 0:
            row["eval_loss"] = end + 0.4 * (1 - step / 20)
        rows.append({**row, "phase": kind})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _samples(name: str) -> SampleSet:
    answers = {"base": "", "taught": f"Answer {HOSTILE}"}
    return SampleSet(
        model=name, fingerprint=None, stage="base", template="model", template_sha256=None,
        max_tokens=8, temperature=0, seed=0, date="2026-11-23T05:00:00+00:00",
        samples=(
            Sample(
                prompt=f"Say {HOSTILE}", answer=answers[name], tokens=8, cut_off=True, seconds=1
            ),
        ),
    )  # fmt: skip
