"""`solar search`."""

import json
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.rag.retrieve.hit import Hit


def search(
    query: str,
    /,
    *,
    store: str = "kb.db",
    limit: int = 10,
    source: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    kind: Annotated[
        tuple[Literal["text", "table", "figure", "code", "furniture"], ...], Parameter(negative="")
    ] = (),
    heading: str | None = None,
    mode: Literal["hybrid", "lexical", "dense"] = "hybrid",
    expand: Literal["none", "neighbours", "section"] = "none",
    reranker: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Find the passages that answer a question, with their page.

    Searches by words (Korean by morphemes, with typos forgiven) and by meaning at once.

        solar search "What is the H6 of SOLAR 10.7B-Instruct?"
        solar search "야간근로 수당" --source '*.pdf' --limit 3
        solar search "learning rate" --kind table --json

    Exit code 0: something was found; 1: nothing was.

    Parameters
    ----------
    query
        A question or a few words.
    store
        The file that `solar index` made, or postgresql://….
    limit
        Most passages to print.
    source
        Only sources whose name fits one of these patterns.
    kind
        Only passages of these kinds.
    heading
        Only passages under a title that contains this.
    mode
        hybrid: words and meaning. lexical: words. dense: meaning.
    expand
        Also give the passages around each one, or all under its heading.
    reranker
        Cross-encoder of sentence-transformers that orders the best passages anew.
    as_json
        Print a JSON list of all that is known of each passage.
    """
    from solarmini.rag.knowledge import KnowledgeBase
    from solarmini.rag.retrieve.rerank import CrossEncoderReranker
    from solarmini.rag.store.filters import Filters

    filters = Filters(sources=source, kinds=kind, heading=heading)
    judge = CrossEncoderReranker(reranker) if reranker else None
    with KnowledgeBase.open(store, create=False) as kb:
        hits = kb.search(query, limit, filters, mode=mode, expand=expand, reranker=judge)
    if as_json:
        print(json.dumps([hit.as_dict() for hit in hits], ensure_ascii=False, indent=1))
    else:
        _print(hits)
    return 0 if hits else 1


def _print(hits: "list[Hit]") -> None:
    from solarmini.console import err

    for number, hit in enumerate(hits, start=1):
        where = f"{hit.source}, page {hit.page}" if hit.polygon else hit.source
        print(f"{number}. {where}  [{hit.score:.3f}]")
        if hit.heading:
            print("   " + " > ".join(hit.heading))
        text = hit.context or hit.text
        print("   " + (text if hit.context else _shortened(text)).replace("\n", "\n   "))
        print()
    if not hits:
        err().print("nothing was found")


def _shortened(text: str, most: int = 400) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
