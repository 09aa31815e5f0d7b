"""`solar show`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from rich.tree import Tree

    from solarmini.artifact import Manifest, Parent


def show(
    model: Path, /, *, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> None:
    """Print what a model is and its family tree.

    Works for any model folder; one made by solar also shows how each ancestor was made, the data
    it saw, its measures and its licence.

    Parameters
    ----------
    model
        A model folder.
    as_json
        Print the facts as JSON.
    """
    from solarmini.artifact import licences_unknown, read_manifest
    from solarmini.checkpoint.layers import layer_count
    from solarmini.checkpoint.reader import Checkpoint
    from solarmini.licences import read_licence

    checkpoint = Checkpoint.open(model)
    manifest = read_manifest(model)
    facts: dict[str, Any] = {
        "name": manifest.name if manifest else model.resolve().name,
        "stage": manifest.stage if manifest else "base",
        "architecture": (checkpoint.config.get("architectures") or ["unknown"])[0],
        "layers": layer_count(checkpoint.config),
        "parameters": checkpoint.parameter_count,
        "bytes": checkpoint.nbytes,
        "licence": manifest.licence if manifest else read_licence(model),
        "licence_unknown_for": licences_unknown(manifest.parents) if manifest else [],
    }
    if as_json:
        facts["manifest"] = manifest.model_dump() if manifest else None
        print(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    _print_facts(facts, manifest)


def _print_facts(facts: dict[str, Any], manifest: "Manifest | None") -> None:
    from rich.table import Table

    from solarmini.console import out, size_text

    table = Table.grid(padding=(0, 2))
    licence = facts["licence"] or "unknown"
    if facts["licence_unknown_for"]:
        licence += f" (not stated by {', '.join(facts['licence_unknown_for'])})"
    rows = [
        ("model", facts["name"]),
        ("architecture", f"{facts['architecture']}, {facts['layers']} layers"),
        ("parameters", f"{facts['parameters']:,}"),
        ("weights", size_text(facts["bytes"])),
        ("licence", licence),
    ]
    if manifest:
        rows += [
            ("made", f"{manifest.created} by solar {manifest.version}"),
            ("fingerprint", manifest.fingerprint[:16]),
            ("template", f"{manifest.template_name or 'model'} {manifest.template_sha256 or '-'}"),
        ]
        rows += [(f"measure {key}", _short(value)) for key, value in manifest.metrics.items()]
        rows += [
            (f"data {record.name}", f"{record.rows:,} rows, {record.licence or 'licence unknown'}")
            for record in manifest.data
        ]
    for label, value in rows:
        table.add_row(f"[dim]{label}[/]", str(value))
    out().print(table)
    if manifest:
        out().print(_tree(manifest))
    else:
        out().print("[dim]no solar.json: where it comes from is not known[/]")


def _tree(manifest: "Manifest") -> "Tree":
    from rich.tree import Tree

    root = Tree(f"[bold]{manifest.name}[/] [cyan]{manifest.stage}[/]")
    _grow(root, manifest.parents)
    return root


def _grow(tree: "Tree", parents: "tuple[Parent, ...]") -> None:
    for parent in parents:
        label = f"{parent.name} [cyan]{parent.stage}[/] [dim]{parent.role}"
        label += f", {parent.licence or 'licence unknown'}[/]"
        _grow(tree.add(label), parent.parents)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
