"""Measure the shipped recogniser on text and fonts it was not trained on.

`python training/hangul/eval.py --fonts FONTS --data DATA [--other REC.onnx]` prints a table:
character error of Korean and word accuracy of English lines for each held-out family at 100, 150,
200 and 300 dpi and as a poor scan (2 degrees turned and back, noise, blur, JPEG), with CPU
milliseconds a line. `--other` is measured on the English lines beside it.
"""

import argparse
import random
import time
import unicodedata
from pathlib import Path

import numpy as np
import yaml
from fonts import Face, faces
from measure import character_error, plain_line, split_lines, word_accuracy
from texts import held_out

from solarmini.layout.ocr.hangul import LineRecogniser
from solarmini.layout.ocr.recogniser import Recogniser

CONDITIONS = {
    "100 dpi": (100, False), "150 dpi": (150, False), "200 dpi": (200, False),
    "300 dpi": (300, False), "200 dpi poor": (200, True),
}  # fmt: skip


def other_recogniser(path: Path) -> Recogniser:
    """A PP-OCR model, its letters limited to Latin."""
    from solarmini.layout.networks import open_session
    from solarmini.layout.ocr import recogniser

    beside = path.with_name("inference.yml").read_text(encoding="utf-8")
    listed = ["", *map(str, yaml.safe_load(beside)["PostProcess"]["character_dict"]), " "]
    kept = [i for i, c in enumerate(listed) if not i or recogniser.is_latin(c)]

    class Other(recogniser.PaddleRecogniser):
        _session = open_session(path)
        _letters = (np.array(kept), [unicodedata.normalize("NFC", listed[i]) for i in kept])

    return Other("other")


def measured(
    read: Recogniser, crops: list[np.ndarray], texts: list[str], english: bool
) -> tuple[float, float]:
    """Character error (Korean) or word accuracy (English), and CPU milliseconds a line."""
    read(crops[:2])
    before = time.process_time()
    lines = [line.text.strip() for line in read(crops)]
    spent = (time.process_time() - before) / len(crops) * 1000
    lines = [unicodedata.normalize("NFC", line) for line in lines]
    return (word_accuracy if english else character_error)(texts, lines), spent


def held_out_faces(fonts: Path) -> list[Face]:
    """The regular and bold cuts of every held-out family."""
    wanted = [f for f in faces(fonts) if f.held_out and "Italic" not in f.path]
    return [f for f in wanted if any(w in f.path for w in ("Regular", "Bold"))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--other", type=Path)
    parser.add_argument("--only", default="", help="families whose path has this")
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    ours = LineRecogniser(args.weights) if args.weights else LineRecogniser()
    known = ours.letters[1:]
    readers: list[tuple[str, Recogniser]] = [("ours", ours)]
    if args.other:
        readers.append((args.other.stem, other_recogniser(args.other)))
    texts = {
        "ko": split_lines(held_out(args.data, "ko"), known, 32, args.lines * 6),
        "en": split_lines(held_out(args.data, "en"), known, 70, args.lines * 6),
    }
    for face in held_out_faces(args.fonts):
        if args.only not in face.path:
            continue
        language = "ko" if face.korean else "en"
        rng = random.Random(1)
        drawable = [t for t in texts[language] if face.draws(t)]
        chosen = rng.sample(drawable, min(args.lines, len(drawable)))
        for name, (dpi, poor) in CONDITIONS.items():
            crops = [plain_line(face, t, dpi, rng.uniform(9, 12), rng, poor) for t in chosen]
            figures = []
            for who, read in readers if language == "en" else readers[:1]:
                figure, spent = measured(read, crops, chosen, language == "en")
                figures.append(f"{who} {figure:.4f} ({spent:.1f} ms)")
            kind = "word accuracy" if language == "en" else "character error"
            print(f"{Path(face.path).stem:28} {name:14} {kind}: {'  '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
