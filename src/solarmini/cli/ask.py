"""`solar ask`."""

import json
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine
    from solarmini.rag.answer.ask import Asking
    from solarmini.rag.answer.model import Answer

_Flag = Parameter(negative="")


def ask(
    question: str,
    /,
    *,
    store: str = "kb.db",
    model: str | None = None,
    stream: Annotated[bool, _Flag] = False,
    source: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    limit: int = 6,
    before: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    template: str = "model",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Answer a question from a knowledge base, every sentence with its page.

    Without a model the answer is the best sentence or table cells, word for word. A model tells
    it in its own words; each sentence is checked against the source it cites, and what that does
    not bear out is not shown. When the documents do not answer, it says so.

        solar ask "What is the H6 of SOLAR 10.7B-Instruct?"
        solar ask "야간근로 수당은 얼마인가요?" --model runs/demo --stream
        solar ask "And of Qwen 72B?" --before "What is the H6 of SOLAR 10.7B?"

    Exit code 0: there is an answer; 1: there is none in these documents.

    Parameters
    ----------
    question
        In English or Korean.
    store
        The file that `solar index` made, or postgresql://….
    model
        Folder, hub id, GGUF file, packaged model, or the URL of a server (http://host/v1#name).
    stream
        Print each sentence as soon as it is proven.
    source
        Only sources whose name fits one of these patterns.
    limit
        Most passages to answer from.
    before
        Earlier questions of the conversation, oldest first: completes a follow-up question.
    template
        Chat template of the model: model (its own), solar, chatml, or a file.
    as_json
        Print all that is known of the answer: statements, citations with boxes, what was dropped.
    """
    from solarmini.rag.answer.ask import answer
    from solarmini.rag.knowledge import KnowledgeBase

    with KnowledgeBase.open(store, create=False) as kb:
        engine = _engine(model, template)
        try:
            with kb.asking(
                question,
                model=engine,
                history=[(earlier, "") for earlier in before],
                limit=limit,
                filters={"sources": source},
            ) as asking:
                if stream and not as_json:
                    _stream(asking)
                found = answer(asking) if asking.answer is None else asking.answer
        finally:
            if engine is not None:
                engine.close()
    if as_json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, indent=1))
    else:
        _print(found, streamed=stream)
    return 1 if found.abstained else 0


def _engine(model: str | None, template: str) -> "Engine | None":
    if model is None:
        return None
    from solarmini.engine.open import open_engine

    return open_engine(model, template=template)


def _stream(asking: "Asking") -> None:
    for statement in asking:
        print(statement.marked, end=" ", flush=True)
    print()


def _print(found: "Answer", *, streamed: bool) -> None:
    from solarmini.console import err

    if not streamed or found.abstained:
        print(found.text)
    for citation in found.citations:
        place = f", page {citation.page}" if citation.polygon else ""
        print(f"[{citation.number}] {citation.source}{place}: {_shortened(citation.quote)}")
    for dropped in found.dropped:
        err().print(f"not shown ({dropped.why}): {dropped.text}", style="dim", markup=False)
    for warning in found.warnings:
        err().print(warning, style="yellow", markup=False)


def _shortened(text: str, most: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
