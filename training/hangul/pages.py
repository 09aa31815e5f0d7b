"""Whole pages through the OCR pipeline: character error in fonts and text held out of training.

`python training/hangul/pages.py --fonts FONTS --data DATA` draws A4 pages at 200 dpi from the
held-out news, clean and as a poor scan (turned by 2 degrees, noise, blur, JPEG), and prints the
character error of the page's text and the CPU seconds that a page took.
"""

import argparse
import io
import random
import time
from pathlib import Path

import numpy as np
from fonts import Face, faces
from measure import distance, split_lines
from PIL import Image, ImageChops, ImageDraw, ImageFilter
from texts import held_out

from solarmini.layout.ocr import recognise
from solarmini.layout.ocr.hangul import LineRecogniser
from solarmini.layout.primitives import PageContent

DPI = 200
WIDE, HIGH = 1654, 2339  # A4 at 200 dpi


def page_of(face: Face, lines: list[str], points: float) -> tuple[Image.Image, str]:
    """Draw lines with a title and wide margins; return the grey page and its text."""
    size = round(points * DPI / 72 * 2)
    page = Image.new("L", (WIDE * 2, HIGH * 2))
    pen = ImageDraw.Draw(page)
    top, left, said = 360, 400, []
    for number, line in enumerate(lines):
        font = face.font(round(size * 1.5) if number == 0 else size)
        if number == 0:
            line = line[:24].strip()
        while font.getlength(line) > WIDE * 2 - 2 * left:
            line = line.rpartition(" ")[0]
        pen.text((left, top), line, fill=255, font=font)
        said.append(line)
        top += round(size * (3 if number == 0 else 1.65))
        if top > HIGH * 2 - 360:
            break
    return ImageChops.invert(page.resize((WIDE, HIGH), Image.Resampling.BOX)), " ".join(said)


def poor(page: Image.Image, rng: random.Random) -> Image.Image:
    """Turn by 2 degrees, soften, add noise, compress."""
    noise = np.random.default_rng(rng.randrange(2**32))
    page = page.rotate(rng.choice((-2, 2)), Image.Resampling.BICUBIC, fillcolor=255)
    pixels = np.asarray(page.filter(ImageFilter.GaussianBlur(0.6)), np.float32) * 0.85 + 25
    pixels += noise.standard_normal(pixels.shape, np.float32) * 16
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=55)
    return Image.open(file)


def content_of(page: Image.Image) -> PageContent:
    """The page as the picture reader hands it on."""

    def render(dpi: float) -> np.ndarray:
        scale = dpi / DPI
        size = (round(page.width * scale), round(page.height * scale))
        return np.asarray(page.resize(size, Image.Resampling.BILINEAR).convert("RGB"))

    wide, high = WIDE * 72 / DPI, HIGH * 72 / DPI
    return PageContent(number=1, width=wide, height=high, render=render, scanned=True)


def main() -> None:
    """Print one row for each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=2, help="of each face and condition")
    parser.add_argument("--only", default="", help="families whose path has this")
    parser.add_argument("--show", action="store_true", help="print what was read wrongly")
    args = parser.parse_args()
    letters = LineRecogniser().letters[1:]
    text = {
        "ko": split_lines(held_out(args.data, "ko"), letters, 44, 900),
        "en": split_lines(held_out(args.data, "en"), letters, 84, 900),
    }
    held = [f for f in faces(args.fonts) if f.held_out and "Regular" in f.path]
    for face in (f for f in held if "Italic" not in f.path and args.only in f.path):
        language = "ko" if face.korean else "en"
        able = [line for line in text[language] if face.draws(line)]
        for kind in ("clean", "poor"):
            edits = count = 0
            spent = 0.0
            for number in range(args.pages):
                rng = random.Random(number)
                part = able[number * 50 : number * 50 + 50]
                page, said = page_of(face, part, rng.choice((9, 10, 11)))
                content = content_of(poor(page, rng) if kind == "poor" else page)
                before = time.process_time()
                lines = recognise(content).lines
                spent += time.process_time() - before
                lines.sort(key=lambda line: line.box.center[1])
                read = " ".join(line.text for line in lines)
                edits += distance(said, read)
                count += len(said)
                if args.show:
                    print(said, "\n", read)
            print(
                f"{Path(face.path).stem:28} {kind:6} character error {edits / count:.4f}  "
                f"{spent / args.pages:.2f} CPU s a page",
                flush=True,
            )


if __name__ == "__main__":
    main()
