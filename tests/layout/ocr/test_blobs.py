import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from solarmini.layout.ocr.blobs import find_blobs


def flooded(mask: np.ndarray) -> list[tuple[int, int, int, int, int]]:
    """Pieces by flood fill over 8 neighbours: (left, top, right, bottom, area)."""
    todo = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    found = []
    while todo:
        piece, front = set(), [todo.pop()]
        while front:
            y, x = front.pop()
            piece.add((y, x))
            near = {(y + a, x + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & todo
            todo -= near
            front += near
        ys, xs = zip(*piece, strict=True)
        found.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, len(piece)))
    return sorted(found)


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_pieces_are_those_of_a_flood_fill(mask: np.ndarray) -> None:
    blobs = find_blobs(mask, mask.astype(np.float32))
    ours = sorted(
        (*map(int, box), int(area)) for box, area in zip(blobs.boxes, blobs.area, strict=True)
    )
    assert ours == flooded(mask)


@given(arrays(bool, (9, 11)), arrays(np.float32, (9, 11), elements=st.floats(0, 1, width=32)))
def test_score_is_the_mean_weight(mask: np.ndarray, weights: np.ndarray) -> None:
    blobs = find_blobs(mask, weights)
    whole = float((blobs.score * blobs.area).sum())
    assert whole == pytest.approx(float(weights[mask].sum()), abs=1e-4)


@pytest.mark.parametrize("angle", [-70, -30, -2, 0, 5, 45, 88])
def test_direction_of_a_bar(angle: float) -> None:
    y, x = np.mgrid[:400, :400] - 200.0
    radians = np.radians(angle)
    along = x * np.cos(radians) + y * np.sin(radians)
    across = -x * np.sin(radians) + y * np.cos(radians)
    bar = (np.abs(along) < 150) & (np.abs(across) < 8)
    blobs = find_blobs(bar, bar.astype(np.float32))
    assert len(blobs.area) == 1
    assert blobs.angle[0] == pytest.approx(angle, abs=0.15)
    assert blobs.stretch[0] == pytest.approx(150 / 8, rel=0.08)


def test_nothing_on_an_empty_mask() -> None:
    blobs = find_blobs(np.zeros((5, 7), dtype=bool), np.zeros((5, 7)))
    assert blobs.boxes.shape == (0, 4)
    assert len(blobs.score) == 0
