"""Write README.md from the newest results: python benchmarks/rag/table.py"""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
INTRO = """# Retrieval and answers

Made by `table.py` from `results/`. Every figure stands beside its rivals from the same run.
"""


def newest(name: str) -> dict[str, Any] | None:
    found = sorted((HERE / "results").glob(f"*-{name}.json"))
    return json.loads(found[-1].read_text(encoding="utf-8")) if found else None


def head(title: str, done: dict[str, Any], about: str) -> list[str]:
    machine = done["machine"]
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    where = f"{machine['cpus']} cores of an x86-64 server CPU with AVX-512, Linux"
    return [f"## {title}", "", f"{done['date']}, {where}; {versions}.", "", about, ""]


def table(columns: list[str], rows: list[list[object]]) -> list[str]:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return [*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def retrieval(done: dict[str, Any]) -> list[str]:
    kinds = ["whitespace-bm25", "bm25", "dense", "rank-fusion", "hybrid"]
    about = (
        "nDCG@10 (in brackets recall@5 and mean reciprocal rank). whitespace-bm25: k1 1.2, b .75 "
        "on white space; bm25: ours, over morphemes and bigrams; dense: the default embedder; "
        "rank-fusion: reciprocal ranks, k 60; hybrid: ours. The paraphrased questions are our own, "
        "in other words than the passages'."
    )
    rows = []
    for row in done["rows"]:
        cells = [
            f"{f['ndcg@10']:.3f} ({f['recall@5']:.3f}, {f['mrr']:.3f})"
            for f in (row["figures"][kind] for kind in kinds)
        ]
        size = f"{row['passages']:,} / {row['questions']:,}"
        rows.append([row["set"], size, *cells, f"{row['hybrid_minus_better_leg']:+.4f}"])
    columns = ["set", "passages / questions", *kinds, "hybrid − better of the two"]
    return head("Finding the passage", done, about) + table(columns, rows)


def speed(done: dict[str, Any]) -> list[str]:
    about = (
        "One thread. search: everything `KnowledgeBase.search` does, the question's vector given; "
        "numpy: product and ten largest, nothing else; embedding: the question's vector."
    )
    rows = [
        [
            f"{row['chunks']:,}",
            *(f"{row[f'{kind}_cpu']['p50_ms']} / {row[f'{kind}_cpu']['p95_ms']}"
              for kind in ("search", "numpy", "embedding")),
            row["p95_cpu_ratio"],
            row["p95_ratio"],
        ]
        for row in done["rows"]
    ]  # fmt: skip
    columns = [
        "chunks", "search, CPU-ms p50 / p95", "numpy", "embedding",
        "search / numpy, p95 of CPU", "of elapsed time",
    ]  # fmt: skip
    return head("Search among many", done, about) + table(columns, rows)


def ingest(done: dict[str, Any]) -> list[str]:
    about = "Korean statutes as PDFs; CPU-seconds of all processes; memory of the main process."
    rows = []
    for row in done["rows"]:
        share = ", ".join(f"{name} {value:.0%}" for name, value in row["share"].items())
        memory = f"{row['rss_mib_after_a_fifth']:.0f} → {row['rss_mib_at_the_end']:.0f}"
        rows.append(
            [row["pages"], row["layout"], row["embedder"], row["chunks"],
             row["pages_per_cpu_second"], share, memory]
        )  # fmt: skip
    columns = [
        "pages", "layout", "embedder", "chunks", "pages a CPU-second", "where the time goes",
        "MiB after a fifth → at the end",
    ]  # fmt: skip
    return head("Indexing", done, about) + table(columns, rows)


def citations(done: dict[str, Any]) -> list[str]:
    about = (
        "Questions of our own over six documents (the SOLAR paper, three Korean statutes, two "
        "chapters of the Debian handbook): 60 with an answer, 12 without. Pages cited, by "
        "precision and recall; contains: a right answer stands in what was said. The rules of "
        "`rag/answer` were mended while looking at these questions: they are no held-out set."
    )
    names = ["precision", "recall", "contains", "answered", "declined", "recall1", "cpu_ms_p50"]
    rows = [[row["mode"], *(row.get(name, "–") for name in names)] for row in done["rows"]]
    return head("Answers and citations", done, about) + table(["mode", *names], rows)


def abstention(done: dict[str, Any]) -> list[str]:
    about = (
        "Questions answered as they are, without the passage that answers, and without all "
        "passages on its subject; AUROC of the confidence against each of the two."
    )
    names = ["answered", "answered_without_the_passage", "answered_without_the_subject",
             "auroc_passage", "auroc_subject"]  # fmt: skip
    rows = [
        [row["set"], row["questions"], *("–" if row[name] is None else row[name] for name in names)]
        for row in done["rows"]
    ]
    columns = ["set", "questions", *(name.replace("_", " ") for name in names)]
    return head("Knowing that there is no answer", done, about) + table(columns, rows)


def main() -> None:
    lines = INTRO.split("\n")
    for name, write in (
        ("retrieval", retrieval),
        ("speed", speed),
        ("ingest", ingest),
        ("citations", citations),
        ("abstention", abstention),
    ):
        done = newest(name)
        if done:
            lines += write(done)
    (HERE / "README.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
