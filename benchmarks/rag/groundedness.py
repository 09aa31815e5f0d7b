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
import random
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ("kiwipiepy", "onnxruntime", "scikit-learn", "numpy")
CHECKS = 200  # of each language whose cost is measured
sys.path.insert(0, str(HERE.parents[1] / "training/groundedness"))

import sources  # noqa: E402
import train  # noqa: E402

from solarmini.rag.ground import check  # noqa: E402
from solarmini.rag.ground.entail.encoder import encoder  # noqa: E402
from solarmini.rag.lexical.hangul import has_hangul  # noqa: E402


def cost(rows: list[sources.Row]) -> dict:
    """CPU-milliseconds of a check against about 300 tokens, English and Korean.

    Tokens are those of the network; every answer is another one, checked once before it counts.
    """
    found = {}
    reader, draw = encoder(), random.Random(train.SEED)
    for language, korean in (("en", False), ("ko", True)):
        held = [row for row in rows if has_hangul(row.context) == korean]
        draw.shuffle(held)
        fitting = (row for row in held if 270 <= len(reader.tokens(row.context)) <= 330)
        spent = []
        for row in islice(fitting, CHECKS):
            check(row.context, row.answer)
            start = time.process_time()
            check(row.context, row.answer)
            spent.append(1000 * (time.process_time() - start))
        spent.sort()
        found[language] = {
            "checks": len(spent),
            "median_cpu_ms": round(spent[len(spent) // 2], 2),
            "p95_cpu_ms": round(spent[int(0.95 * len(spent))], 2),
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
        "cost": cost(rows),
    }
    to = HERE / "results" / f"{record['date']}-groundedness.json"
    to.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
