"""Print a results file as tables, or put them into the README.

usage: table.py [--write] [results/DATE.json]   (default: the newest)
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_MARK = "<!-- results -->"
SIDES = {
    "raw": "llama.cpp bare",
    "raw_plain": "llama.cpp bare, plain",
    "llama": "our engine",
    "server": "our server",
}

TRANSFORMERS = {"fp32": "transformers, float32", "bf16": "transformers, bfloat16"}
PEERS = {"raw": "bare", "raw_plain": "bare, plain", **TRANSFORMERS}


def render(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    machine, settings = report["machine"], report["settings"]
    lines = [
        f"{report['date'][:10]}, {machine['processor']}, {machine['cores']} cores, "
        f"{machine['threads']} thread(s), load {machine['load_before']:.1f} before and "
        f"{machine['load_after']:.1f} after; prompts of {settings['prompt']} tokens, answers of "
        f"{settings['answer']}; medians of {settings['repeats']} rounds. Rates are tokens per "
        "second, in brackets per second of processor time.",
    ]
    if features := report.get("compiled_for"):
        lines[0] += f" llama.cpp is compiled for {', '.join(features)}."
    if report["server"] != "measured":
        lines += ["", f"Server: {report['server']}."]
    for model in report["models"]:
        lines += _model(model)
    return "\n".join(lines)


def _model(model: dict[str, Any]) -> list[str]:
    streams = [load["streams"] for load in model["rows"][0]["loads"]]
    head = ["side", "peak MB", "first token s", "prefill"]
    head += [f"decode x{count}" for count in streams] + ["of the limit"]
    lines = ["", f"## {model['model']}", "", _cells(head), "|---" * len(head) + "|"]
    for row in model["rows"]:
        lines.append(_row(f"{row['quant']}, {SIDES[row['side']]}", row))
    lines += [_row(TRANSFORMERS[precision], peer) for precision, peer in model["peers"].items()]
    lines += ["", *_against(model, streams), "", *_exports(model), "", *_savings(model)]
    return lines


def _against(model: dict[str, Any], streams: list[int]) -> list[str]:
    keys = [f"decode{kind}_{count}" for count in streams for kind in ("", "_per_cpu")]
    head = ["side", "against"] + [f"decode x{count}" for count in streams]
    lines = [_cells([*head, "first token", "peak memory"]), "|---" * (len(head) + 2) + "|"]
    for row in model["rows"]:
        for key, peer in PEERS.items():
            found = row.get(f"against_{key}")
            if found is None:
                continue
            cells = [f"{row['quant']}, {SIDES[row['side']]}", peer]
            for wall, cpu in zip(keys[::2], keys[1::2], strict=True):
                cells.append(f"x{found[wall]:.2f} (x{found[cpu]:.2f})")
            cells.append(f"x{found[f'first_seconds_{streams[0]}']:.2f}")
            more = row.get(f"bytes_more_than_{key}")
            cells.append(
                f"x{found['peak_memory']:.2f}" if more is None else f"{more / 1e6:+.0f} MB"
            )
            lines.append(_cells(cells))
    return lines


def _exports(model: dict[str, Any]) -> list[str]:
    head = ["file", "MB", "perplexity", "against float32", "same likeliest token"]
    lines = [_cells(head), "|---" * len(head) + "|"]
    for export in model["exports"]:
        check, cells = export["check"], [export["quant"], f"{export['bytes'] / 1e6:.0f}"]
        if check and check["compared"]:
            cells += [f"{check['perplexity']:.3f}", f"x{check['ratio']:.4f}"]
            lines.append(_cells([*cells, f"{check['agreement']:.1%}"]))
        else:
            lines.append(_cells([*cells, "-", "-", "-"]))
    return lines


def _savings(model: dict[str, Any]) -> list[str]:
    head = ["prompt lookup", "answers", "plain", "flash", "flash with lookup", "lookup's gain"]
    head += ["guesses right", "same bytes"]
    lines = [_cells(head), "|---" * len(head) + "|"]
    for quant, lookup in model["lookup"].items():
        for kind, rate in lookup["tokens_per_cpu_second"].items():
            share = f" ({lookup['quoted']:.0%} quoted)" if kind == "quoting" else ""
            cells = [quant, kind + share, f"{rate['plain']:.1f}", f"{rate['flash']:.1f}"]
            cells += [f"{rate['lookup']:.1f}"]
            cells += [f"x{rate['ratio']:.2f}", f"{rate['accepted']} of {rate['drafted']}"]
            lines.append(_cells([*cells, "yes" if lookup["identical"] else "NO"]))
    lines.append("")
    for quant, prefix in model["prefix"].items():
        lines.append(
            f"Prefix cache, {quant}: first token after {prefix['cold']:.3f} CPU-seconds, with "
            f"{prefix['cached_tokens']} cached tokens after {prefix['cached']:.3f} "
            f"(x{prefix['ratio']:.2f})."
        )
        lines.append("")
    return lines[:-1]


def _row(name: str, run: dict[str, Any]) -> str:
    first = run["loads"][0]
    cells = [name, f"{run['peak_bytes'] / 1e6:.0f}", f"{first['first_seconds']:.2f}"]
    cells.append(f"{first['prefill']:.0f} ({first['prefill_per_cpu']:.0f})")
    cells += [f"{load['decode']:.1f} ({load['decode_per_cpu']:.1f})" for load in run["loads"]]
    share = run.get("fraction_of_limit")
    return _cells([*cells, "-" if share is None else f"{share:.0%}"])


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write_readme(tables: str, path: Path = HERE / "README.md") -> None:
    """Put the tables below the README's mark, in place of those there."""
    above, _, _ = path.read_text(encoding="utf-8").partition(_MARK)
    path.write_text(f"{above}{_MARK}\n{tables}\n", encoding="utf-8")


def main() -> None:
    files = [argument for argument in sys.argv[1:] if argument != "--write"]
    files = files or sorted(map(str, (HERE / "results").glob("20*.json")))
    if not files:
        raise SystemExit("no results yet: run.py makes them")
    tables = render(json.loads(Path(files[-1]).read_text()))
    if "--write" in sys.argv:
        write_readme(tables)
    else:
        print(tables)


if __name__ == "__main__":
    main()
