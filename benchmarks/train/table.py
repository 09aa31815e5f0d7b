"""Print a results file as a table.

usage: table.py [results/DATE.json]   (default: the newest)
"""

import json
import sys
from pathlib import Path
from typing import Any


def render(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    machine = report["machine"]
    lines = [
        "# Training: solar-mini beside TRL",
        "",
        f"{report['date'][:10]}, {machine['processor']}, {machine['threads']} threads. Real tokens "
        "(no padding) per CPU-second of the training loop, medians; peak memory of the process.",
        "",
        "| model | task | against TRL's | its setting | ours | TRL | speed | GB ours | GB TRL |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in report["ratios"]:
        lines.append(
            f"| {row['model']} | {row['kind']} | {row['against']} | {row['trl_setting']} "
            f"| {row['ours']:,.0f} | {row['trl']:,.0f} | **{row['speed_ratio']:.2f}x** "
            f"| {row['ours_gb']:.2f} | {row['trl_gb']:.2f} |"
        )
    lines += ["", "| model | task | loss of the first rows, ours | TRL |", "|---|---|---|---|"]
    for row in report["first_losses"]:
        lines.append(f"| {row['model']} | {row['kind']} | {row['ours']:.6f} | {row['trl']:.6f} |")
    lines += ["", "All measurements:", "", "| model | task | side | setting | tok/CPU-s | GB |"]
    lines.append("|---|---|---|---|---|---|")
    for run in report["runs"]:
        speed = run.get("tokens_per_cpu_second")
        shown = f"{speed:,.0f}" if speed else f"failed: {run.get('error', '')}"
        peak = run.get("peak_rss_bytes", 0) / 1e9
        lines.append(
            f"| {run['model']} | {run['kind']} | {run['side']} | {run['variant']} | {shown} "
            f"| {peak:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    folder = Path(__file__).parent / "results"
    named = sys.argv[1:] or [str(sorted(folder.glob("*.json"))[-1])]
    print(render(json.loads(Path(named[0]).read_text(encoding="utf-8"))))
