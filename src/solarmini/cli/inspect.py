"""`solar inspect`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from rich.table import Table

    from solarmini.growth.inspect import Inspection


def inspect(
    model: str,
    /,
    *,
    text: Path | None = None,
    max_tokens: int = 512,
    measure: bool | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure the layers of a model; suggest how many to drop.

    Shows how much each layer changes the hidden state (block influence), how alike neighbours are,
    and for every m of depth up-scaling how far the hidden state that crosses the seam is from what
    the layer above it was trained on.

    Parameters
    ----------
    model
        A model folder, GGUF file, packaged model or hub id.
    text
        A text file; paragraphs are separated by blank lines. Default: a few English, Korean and
        code paragraphs.
    max_tokens
        Tokens of each paragraph that are used.
    measure
        Measure the loss of the grown model for every m. Default: for models up to 2e9 parameters.
    as_json
        Print all measures as JSON.
    """
    from solarmini.checkpoint.resolve import resolve
    from solarmini.errors import DataError, require
    from solarmini.growth.sample_text import SAMPLE

    paragraphs = list(SAMPLE)
    if text is not None:
        try:
            content = text.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot read the text: {error}", where=text) from None
        paragraphs = [part.strip() for part in content.split("\n\n") if part.strip()]
    folder = resolve(model)
    require("torch", "train")
    require("transformers", "train")
    from solarmini.growth.inspect import inspect_model

    inspection = inspect_model(folder, paragraphs, max_tokens=max_tokens, measure=measure)
    if as_json:
        print(json.dumps({"model": model, **inspection.to_dict()}, indent=2))
        return
    _print(inspection)


def _print(inspection: "Inspection") -> None:
    from solarmini.console import out

    console = out()
    console.print(
        f"[bold]{inspection.layers} layers[/], loss {inspection.loss:.3f} over "
        f"{inspection.tokens:,} tokens\n"
    )
    console.print(_layer_table(inspection))
    console.print(_seam_table(inspection))
    console.print(f"\n[bold]suggested: --drop {inspection.suggested_drop}[/], {inspection.reason}")


def _layer_table(inspection: "Inspection") -> "Table":
    from rich.table import Table

    table = Table("layer", "block influence", "", "next: state", "next: weights", box=None)
    top = max(inspection.influence) or 1.0
    for index, influence in enumerate(inspection.influence):
        last = index == inspection.layers - 1
        hidden = inspection.hidden_similarity
        table.add_row(
            str(index),
            f"[cyan]{_bar(influence / top)}[/]",
            f"{influence:.3f}",
            "" if last else f"{hidden[index + 1][index + 2]:.3f}",
            "" if last else f"{inspection.weight_similarity[index]:+.3f}",
        )
    table.caption = "how much a layer turns the hidden state; how alike it is to the next layer"
    table.caption_justify = "left"
    return table


def _seam_table(inspection: "Inspection") -> "Table":
    from rich.table import Table

    table = Table("m", "layers", "seam distance", "", "norm", "loss", box=None)
    for seam in inspection.seams:
        style = "bold green" if seam.drop == inspection.suggested_drop else ""
        table.add_row(
            str(seam.drop),
            str(seam.layers),
            f"[magenta]{_bar(seam.distance)}[/]",
            f"{seam.distance:.3f}",
            f"x{seam.norm_ratio:.2f}",
            "" if seam.loss is None else f"{seam.loss:.3f}",
            style=style,
        )
    table.caption = "what enters the seam against what the layer above it is used to"
    table.caption_justify = "left"
    return table


def _bar(share: float, width: int = 30) -> str:
    """Draw a share of 0…1 as a bar, in eighths of a column."""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
