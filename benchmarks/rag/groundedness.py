"""Groundedness: AUROC and swapped values beside word overlap, and what one check costs.

    python benchmarks/rag/groundedness.py --shared ../shared

Figures of quality are cross-validated (five folds, no context in two of them): every answer is
scored by a model that has not seen its context. The cost is that of the model in the package.
Writes results/<date>-groundedness.json.
"""

import argparse
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ("kiwipiepy", "onnxruntime", "scikit-learn", "numpy")
sys.path.insert(0, str(HERE.parents[1] / "training/groundedness"))

import sources  # noqa: E402
import train  # noqa: E402

from solarmini.rag.ground import check  # noqa: E402


def cost(shared: Path, times: int = 20) -> dict:
    """CPU-milliseconds of one check against about 300 tokens, English and Korean."""
    found = {}
    english = [
        row["text"] for row in sources.read(shared / "rag/corpus/xquad_en_passages.jsonl.gz")
    ]
    korean = [row["text"] for row in sources.read(shared / "rag/corpus/law_articles_ko.jsonl.gz")]
    # a token is about 4 characters of English, 1.8 of Korean
    for name, texts, size in (("en", english, 1200), ("ko", korean, 540)):
        context = next(text for text in texts if len(text) >= size)[:size]
        sentences = [part for part in context.replace("\n", ". ").split(". ") if len(part) > 30]
        answer = sentences[len(sentences) // 2] + "."
        check(context, answer)
        spent = []
        for _ in range(times):
            start = time.process_time()
            check(context, answer)
            spent.append(1000 * (time.process_time() - start))
        found[name] = {
            "characters": len(context),
            "median_cpu_ms": round(sorted(spent)[times // 2], 2),
            "most_cpu_ms": round(max(spent), 2),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared = parser.parse_args().shared / "data"
    rows = train.examples(shared)
    result = train.assess(rows, train.measured(rows)).figures
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "versions": {name: version(name) for name in PACKAGES},
        "rows": result,
        "cost": cost(shared),
    }
    to = HERE / "results" / f"{record['date']}-groundedness.json"
    to.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
