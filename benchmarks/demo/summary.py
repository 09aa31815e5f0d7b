"""Write the figures of a finished demo run as one JSON file and a table.

    make demo
    python benchmarks/demo/summary.py runs/smollm2-demo > benchmarks/demo/README.md

The JSON goes to benchmarks/demo/results/DATE.json; the table is printed.
"""

import json
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
COLUMNS = (
    ("docs", "perplexity", "documents ppl ↓"),
    ("answers", "chat_loss", "answer loss ↓"),
    ("preferences", "preference_accuracy", "preferences ↑"),
    ("choice_en", "acc_norm", "choice en, acc_norm ↑"),
    ("choice_ko", "acc", "choice ko, acc ↑"),
)


def summarise(run: Path) -> dict[str, Any]:
    """Return date, machine, versions and every stage's time and scores of a run folder."""
    build = json.loads((run / "build.json").read_text(encoding="utf-8"))
    rows, about = [], {}
    for stage in build["stages"]:
        records = json.loads((run / stage["records"]).read_text(encoding="utf-8"))["records"]
        about = records[0]
        scores = {
            f"{r['task']}/{r['metric']}": {
                key: r[key] for key in ("value", "ci_low", "ci_high", "n", "unit")
            }
            for r in records
        }
        facts = {key: stage[key] for key in ("name", "kind", "role", "seconds")}
        rows.append({**facts, "scores": scores})
    return {
        "date": about["date"],
        "machine": about["machine"],
        "versions": about["versions"],
        "precision": about["precision"],
        "started": build["started"],
        "finished": build["finished"],
        "stages": rows,
        "ratios": _ratios({row["name"]: row["scores"] for row in rows}),
    }


def _ratios(scores: dict[str, Any]) -> dict[str, float]:
    def value(stage: str, key: str) -> float:
        return scores[stage][key]["value"]

    ppl, loss = "docs/perplexity", "docs/token_loss"
    gap = value("grown", loss) - value("base", loss)
    return {
        "grown / base perplexity": value("grown", ppl) / value("base", ppl),
        "naive / base perplexity": value("naive", ppl) / value("base", ppl),
        "gap to the base closed": (value("grown", loss) - value("healed", loss)) / gap,
        "control / base perplexity": value("control", ppl) / value("base", ppl),
        "instructed / healed answer loss": value("instructed", "answers/chat_loss")
        / value("healed", "answers/chat_loss"),
        "aligned - instructed preference accuracy": value(
            "aligned", "preferences/preference_accuracy"
        )
        - value("instructed", "preferences/preference_accuracy"),
        "aligned - instructed preference margin": value("aligned", "preferences/preference_margin")
        - value("instructed", "preferences/preference_margin"),
    }


def table(summary: dict[str, Any]) -> str:
    """Return the Markdown page of a summary."""
    head = ["stage", "seconds", *[title for _, _, title in COLUMNS]]
    lines = [
        "# The demo's figures",
        "",
        "Made by `python benchmarks/demo/summary.py runs/smollm2-demo` after `make demo`.",
        "",
        f"{summary['date'][:10]}, {summary['machine']}, {summary['precision']}; "
        + ", ".join(f"{name} {version}" for name, version in summary["versions"].items()),
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    for row in summary["stages"]:
        cells = [f"{row['name']} ({row['kind']})", f"{row['seconds']:.0f}"]
        for task, metric, _ in COLUMNS:
            score = row["scores"][f"{task}/{metric}"]
            cells.append(f"{score['value']:.3g} (n={score['n']})")
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| figure | value |", "|---|---|"]
    lines += [f"| {name} | {value:.3f} |" for name, value in summary["ratios"].items()]
    return "\n".join(lines)


def main() -> None:
    """Summarise the run folder named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/demo/summary.py RUN")
    summary = summarise(Path(sys.argv[1]))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{summary['date'][:10]}.json"
    path.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(summary))


if __name__ == "__main__":
    main()
