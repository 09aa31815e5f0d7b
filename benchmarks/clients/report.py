"""What the scripts of this folder do with what they found: print it, write it down."""

import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def tell(rows: Sequence[dict[str, Any]], title: str) -> bool:
    """Print the checks of each row under what `title` names in it; tell whether all went well."""
    for row in rows:
        wrong = [check for check in row["checks"] if not check["ok"]]
        print(f"{row[title]:24} {len(row['checks']) - len(wrong)} of {len(row['checks'])}")
        for check in wrong:
            print(f"    {check['check']}: {check['error']}")
    return all(check["ok"] for row in rows for check in row["checks"])


def write(facts: dict[str, Any], kind: str, output: Path | None) -> None:
    """Write today's results to `output`, else to results/<date><kind>.json."""
    today = datetime.date.today().isoformat()
    output = output or RESULTS / f"{today}{kind}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"date": today, **facts}, indent=1) + "\n")
