"""`solar data show` and `solar data check`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from solarmini.data.check import Report, RowEncoder
    from solarmini.text.chat import Encoded

app = App(name="data", help="Look at training data as the model will see it.")

_BAR = 40
_Json = Annotated[bool, Parameter(name="--json", negative="")]


@app.command
def show(
    file: str, /, *, model: str, template: str = "model", row: int = 1, as_json: _Json = False
) -> None:
    """Print the tokens of one row, coloured by what is supervised.

    Green tokens are targets: the model learns to write them. Dim ones are only read. Special
    tokens are reversed. A small number says how many tokens a character took. Without a terminal
    the supervised stretches stand in [ ].

    Parameters
    ----------
    file
        Data: a file, folder, pattern, hf:owner/name, or python-docs; path[#split][@rows].
    model
        The model whose tokenizer and template to use: folder, hub id, GGUF or packaged name.
    template
        `model`, `solar`, `chatml`, or a path to a .jinja file.
    row
        Which row, from 1.
    as_json
        Print ids and mask as JSON.
    """
    from solarmini.data.check import find_row
    from solarmini.data.sources import parse_source

    encoder = _encoder(model, template)
    found = find_row(parse_source(file), row)
    sequences = encoder.encode(found)
    if as_json:
        facts = {
            "row": row,
            "where": found.row.where,
            "format": found.format,
            "sequences": [_sequence(encoder, label, encoded) for label, encoded in sequences],
        }
        print(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    _print_row(encoder, f"{found.row.where} ({found.format})", sequences)


@app.command
def check(
    file: str,
    /,
    *,
    model: str,
    template: str = "model",
    seq_len: int = 2048,
    as_json: _Json = False,
) -> int:
    """Read and tokenise every row and say what a training stage would meet.

    Prints formats, rows, a histogram of lengths, the supervised share, rows that are too long,
    doubled or malformed, and texts that hold control tokens. Exits with 1 when a row is wrong.

    Parameters
    ----------
    file
        Data: a file, folder, pattern, hf:owner/name, or python-docs; path[#split][@rows].
    model
        The model whose tokenizer and template to use: folder, hub id, GGUF or packaged name.
    template
        `model`, `solar`, `chatml`, or a path to a .jinja file.
    seq_len
        Sequences longer than this count as too long.
    as_json
        Print the figures as JSON.
    """
    from solarmini.data.check import check_source
    from solarmini.data.sources import parse_source

    report = check_source(parse_source(file), _encoder(model, template), seq_len)
    if as_json:
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    else:
        _print_report(report, file, seq_len)
    return 1 if report.bad_rows else 0


def _encoder(model: str, template: str) -> "RowEncoder":
    from solarmini.checkpoint.resolve import resolve
    from solarmini.data.check import RowEncoder
    from solarmini.text.tokenizer import load_tokenizer

    return RowEncoder(load_tokenizer(Path(resolve(model))), template)


def _sequence(encoder: "RowEncoder", label: str, encoded: "Encoded") -> dict[str, Any]:
    from solarmini.text.show import readable_pieces

    pieces = readable_pieces(encoder.tokenizer, encoded.ids, encoded.mask)
    return {
        "label": label,
        "tokens": len(encoded.ids),
        "supervised": sum(encoded.mask),
        "ids": encoded.ids,
        "mask": encoded.mask,
        "pieces": [
            {
                "text": piece.text,
                "ids": piece.ids,
                "supervised": piece.supervised,
                "special": piece.special,
            }
            for piece in pieces
        ],
    }


def _print_row(encoder: "RowEncoder", title: str, sequences: list[tuple[str, "Encoded"]]) -> None:
    from rich.markup import escape

    from solarmini.console import out
    from solarmini.text.show import colour_tokens, mark_tokens, share_line

    console = out()
    for label, encoded in sequences:
        heading = f"{title}, {label}: {share_line(encoded.mask)}"
        arguments = (encoder.tokenizer, encoded.ids, encoded.mask)
        if console.is_terminal:
            console.print(f"[bold]{escape(heading)}[/]", soft_wrap=True)
            console.print(colour_tokens(*arguments), soft_wrap=True)
        else:
            print(heading)
            print(mark_tokens(*arguments))


def _print_report(report: "Report", file: str, seq_len: int) -> None:
    from rich.markup import escape
    from rich.table import Table

    from solarmini.console import out

    facts = report.as_dict()
    table = Table.grid(padding=(0, 2))
    rows = [
        ("data", escape(file)),
        ("format", ", ".join(f"{name} ({n:,})" for name, n in report.formats.items()) or "-"),
        ("rows", f"{report.rows:,}"),
        ("tokens", f"{report.tokens:,} in {len(report.lengths):,} sequences"),
        ("supervised", f"{report.supervised:,} tokens ({facts['supervised_share']:.1%})"),
        (f"longer than {seq_len}", f"{report.too_long:,} rows"),
        ("doubled", f"{report.duplicates:,} rows; {report.same_prompt:,} more share a prompt"),
        ("control tokens in text", f"{report.control:,} rows"),
        ("malformed", f"{report.bad_rows:,} rows"),
    ]
    for label, value in rows:
        table.add_row(f"[dim]{label}[/]", value)
    console = out()
    console.print(table)
    console.print("\n[dim]tokens a sequence[/]")
    largest = max((item["sequences"] for item in facts["histogram"]), default=1)
    for item in facts["histogram"]:
        bar = "█" * round(_BAR * item["sequences"] / largest)
        console.print(f"≤ {item['up_to']:>7,}  {item['sequences']:>8,}  [green]{bar}[/]")
    for problem in report.problems:
        console.print(
            f"[red]{escape(str(problem['where']))}[/] {escape(str(problem['what']))} "
            f"[dim]({escape(str(problem['mend']))})[/]",
            soft_wrap=True,
        )
    if report.bad_rows > len(report.problems):
        console.print(f"[dim]and {report.bad_rows - len(report.problems):,} more[/]")
