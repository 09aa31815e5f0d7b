"""`solar rag-eval`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from solarmini.rag.evaluate.measures import Measured


def rag_eval(
    questions: Path,
    /,
    *,
    store: str = "kb.db",
    model: str | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure how well a knowledge base finds, answers, cites and abstains.

    Each line of the questions file is a JSON object: `question`, and as far as known `answers`
    (texts, one of which a right answer contains), `source` (pattern for the file's name), `pages`
    and `history`. A question with neither answers nor source is one that should be declined.

        solar rag-eval questions.jsonl --store kb.db -o report.html

    Parameters
    ----------
    questions
        JSON Lines.
    store
        The file that `solar index` made, or postgresql://….
    model
        Tell answers with this model; without one they are the sources' own words.
    output
        Write a page with plots and every question here, and beside it the same as JSON.
    overwrite
        Replace files that exist.
    as_json
        Print figures and rows as JSON.
    """
    from solarmini.console import progress
    from solarmini.engine.open import open_engine
    from solarmini.rag.evaluate.measures import means
    from solarmini.rag.evaluate.questions import read_questions
    from solarmini.rag.evaluate.run import evaluate
    from solarmini.rag.knowledge import KnowledgeBase

    asked = read_questions(questions)
    if output is not None:
        _free(output, overwrite)
    engine = open_engine(model) if model else None
    try:
        with (
            KnowledgeBase.open(store, create=False) as kb,
            progress("asking", len(asked), "questions") as advance,
        ):
            rows = evaluate(kb, asked, model=engine, observe=advance)
    finally:
        if engine is not None:
            engine.close()
    figures = means(rows)
    if output is not None:
        _write(output, questions.name, model, figures, rows)
    if as_json:
        print(json.dumps(_whole(figures, rows), ensure_ascii=False, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:18} {value:g}")
    if output is not None:
        print(output)


def _whole(figures: dict[str, float], rows: "Sequence[Measured]") -> dict[str, object]:
    return {"figures": figures, "rows": [row.as_dict() for row in rows]}


def _free(output: Path, overwrite: bool) -> None:
    from solarmini.errors import OutputError

    for path in (output, output.with_suffix(".json")):
        if path.exists() and not overwrite:
            mend = "name another file or --overwrite"
            raise OutputError("the output exists already", where=path, mend=mend)


def _write(
    output: Path,
    name: str,
    model: str | None,
    figures: dict[str, float],
    rows: "Sequence[Measured]",
) -> None:
    from solarmini.checkpoint.atomic import write_file_atomic
    from solarmini.rag.evaluate.report import render

    how = f"told by {model}" if model else "in the sources' own words"
    about = f"{len(rows)} questions of {name}, answers {how}."
    output.parent.mkdir(parents=True, exist_ok=True)
    write_file_atomic(output, render("Answers from documents", about, figures, rows))
    whole = json.dumps(_whole(figures, rows), ensure_ascii=False, indent=1)
    write_file_atomic(output.with_suffix(".json"), whole + "\n")
