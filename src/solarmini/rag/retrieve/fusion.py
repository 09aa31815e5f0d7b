"""One score of two: BM25 says how much of the question was found, vectors how near it is.

found = lexical / most
fused = found + weight * (1 - SURE * best found) * (cosine - mean) / deviation

`most` is what BM25 would give a chunk that held every term of the question over and over, so that
`found` is the share of the question that a chunk holds, 0..1: where the words do not match, it is
small for every chunk and the vectors decide; where some chunk holds nearly all of them, the
vectors are heard less. Mean and deviation are those of the nearest chunks, which makes models
comparable whose cosines all lie between .8 and .9. Ranks are not used: adding reciprocal ranks
trusts both searches equally on every question, and makes the better one worse.

The weight depends on the language of the question, because the default embedder does: alone it
beats BM25 on English questions and is far behind on Korean ones (benchmarks/rag/results).
"""

import numpy as np

from solarmini.rag.lexical.hangul import is_korean

KOREAN_WEIGHT = 0.04
OTHER_WEIGHT = 0.2
SURE = 0.8
_NEAREST = 100  # chunks that mean and deviation are taken of
_LEAST_DEVIATION = 1e-3
_USUAL = slice(5, 30)  # of the chunks by cosine, the nearest first
_FEW = 40  # chunks from which those ranks are about the same things


def dense_weight(query: str) -> float:
    """Return how much vectors count for a question, by its language."""
    return KOREAN_WEIGHT if is_korean(query) else OTHER_WEIGHT


def fuse(lexical: np.ndarray, dense: np.ndarray, most: float, weight: float) -> np.ndarray:
    """Return fused scores, float32 [n], of the candidates' BM25 scores and cosines."""
    if not len(lexical):
        return lexical
    found = lexical / max(most, 1e-6)
    nearest = np.sort(dense)[::-1][:_NEAREST]
    deviation = max(float(nearest.std()), _LEAST_DEVIATION)
    heard = weight * (1 - SURE * float(found.max()))
    return (found + heard * (dense - nearest.mean()) / deviation).astype(np.float32)


def usual_cosine(dense: np.ndarray) -> float | None:
    """Return the mean cosine of passages that are near but not the nearest few.

    Those are about the same things and do not answer: what is nearer to the question than they are
    may. None where there are no vectors or too few passages.
    """
    if len(dense) < _FEW or not dense.any():
        return None
    return float(np.sort(dense)[::-1][_USUAL].mean())
