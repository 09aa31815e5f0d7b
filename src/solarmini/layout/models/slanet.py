"""SLANet-plus table structure recogniser; whose weights: `networks/NOTICE`.

The network reads the picture of one table (488 x 488, padded) and writes its HTML token by token,
with a box for every cell (SLANet: PP-StructureV2, arXiv:2210.05391).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from solarmini.errors import require
from solarmini.layout.models.base import CellGuess, TableGuess
from solarmini.layout.models.networks import IMAGENET_MEAN, IMAGENET_STD, NETWORKS
from solarmini.layout.networks import EXTRA, open_session
from solarmini.layout.primitives import Box

_SIDE = 488
_MAX_SPAN = 64


class SlanetTable:
    """Structure recogniser; MissingExtraError when onnxruntime is not installed."""

    name = "slanet"
    dpi = 100.0

    def __init__(self, *, threads: int = 1) -> None:
        self._session = open_session(NETWORKS / "table_structure.onnx", threads)
        characters = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        words = [word for word in characters if word != "<td>"]
        if "<td></td>" not in words:
            words.append("<td></td>")
        self.tokens = ("sos", *words, "eos")

    def recognise(self, image: np.ndarray, box: Box, dpi: float) -> TableGuess | None:
        """Return the structure of the table in `box` of the page picture (see TableModel)."""
        scale = dpi / 72.0
        left, top = max(int(box.left * scale), 0), max(int(box.top * scale), 0)
        crop = image[top : int(box.bottom * scale) + 1, left : int(box.right * scale) + 1]
        height, width = crop.shape[:2]
        if height < 8 or width < 8:
            return None
        ratio = _SIDE / max(height, width)
        outputs = self._session.run(
            None, {self._session.get_inputs()[0].name: _prepare(crop, ratio)}
        )
        places, chances = np.asarray(outputs[0])[0], np.asarray(outputs[1])[0]
        tokens, boxes, score = self._read(places, chances)
        # the network gives fractions of its padded square
        to_points = _SIDE / ratio / scale
        shifted = [
            Box(
                left / scale + b[0] * to_points,
                top / scale + b[1] * to_points,
                left / scale + b[2] * to_points,
                top / scale + b[3] * to_points,
            )
            for b in boxes
        ]
        return build(tokens, shifted, score)

    def _read(
        self, places: np.ndarray, chances: np.ndarray
    ) -> tuple[list[str], list[tuple[float, float, float, float]], float]:
        """Walk the steps (t, 8) and (t, tokens) to the end: tokens, a box a cell, mean chance."""
        best = chances.argmax(axis=1)
        tokens: list[str] = []
        boxes: list[tuple[float, float, float, float]] = []
        sure: list[float] = []
        for step, index in enumerate(best):
            token = self.tokens[int(index)]
            if token == "eos" and step:
                break
            if token in ("sos", "eos"):
                continue
            tokens.append(token)
            sure.append(float(chances[step, index]))
            if token in ("<td></td>", "<td"):
                xs, ys = places[step][0::2], places[step][1::2]
                boxes.append((float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())))
        return tokens, boxes, float(np.mean(sure)) if sure else 0.0


def _prepare(crop: np.ndarray, ratio: float) -> np.ndarray:
    """Scale the longer side to 488 and pad with zeros: → (1, 3, 488, 488) float32, BGR."""
    pillow = require("PIL.Image", EXTRA)
    size = (max(int(crop.shape[1] * ratio), 1), max(int(crop.shape[0] * ratio), 1))
    picture = pillow.fromarray(np.ascontiguousarray(crop))
    picture = picture.resize(size, pillow.Resampling.BILINEAR)
    values = np.asarray(picture, dtype=np.float32)[:, :, ::-1] / 255.0
    values = (values - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    canvas = np.zeros((_SIDE, _SIDE, 3), dtype=np.float32)
    canvas[: values.shape[0], : values.shape[1]] = values
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[None])


def _cells(tokens: Sequence[str]) -> Iterator[tuple[bool, int, int] | None]:
    """Yield (in the head, row span, column span) of each cell, and None at the end of a row."""
    head = False
    rows = columns = 1
    for token in tokens:
        if token in ("<thead>", "</thead>"):
            head = token == "<thead>"
        elif token == "</tr>":
            yield None
        elif token == "<td></td>":
            yield head, 1, 1
        elif token == "<td":
            rows = columns = 1
        elif "span=" in token:
            number = "".join(c for c in token if c.isdigit())
            span = min(max(int(number or 1), 1), _MAX_SPAN)
            if "rowspan" in token:
                rows = span
            else:
                columns = span
        elif token == ">":
            yield head, rows, columns


def build(tokens: Sequence[str], boxes: Sequence[Box], score: float) -> TableGuess | None:
    """Place the cells of HTML tokens in a grid; None when there is none."""
    taken: set[tuple[int, int]] = set()
    cells: list[CellGuess] = []
    row = column = header_rows = 0
    at = 0
    for cell in _cells(tokens):
        if cell is None:
            row, column = row + 1, 0
            continue
        head, high, wide = cell
        while (row, column) in taken:
            column += 1
        if at >= len(boxes):
            break
        cells.append(CellGuess(row, column, high, wide, boxes[at]))
        at += 1
        taken.update((row + r, column + c) for r in range(high) for c in range(wide))
        header_rows = max(header_rows, row + 1) if head else header_rows
        column += wide
    return TableGuess(tuple(cells), header_rows, score) if cells else None
