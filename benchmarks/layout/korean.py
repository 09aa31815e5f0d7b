"""Measure how Korean documents are read: born digital, as a clean scan, and as a poor one.

    python benchmarks/layout/korean.py --fonts FOLDER --data FOLDER [--pages 3] [--json out.json]

Pages are drawn from known text (news that no recogniser here was trained on: FOLDER of `--data` is
the one that holds cpt/parallel/ntrex_en_ko.jsonl.gz) in fonts that were held out of training
(those of `training/hangul/fonts.py`; FOLDER of `--fonts` is where it put them, and the system's
Noto Sans CJK is used where it is installed). Each A4 page has a title, headings and paragraphs in
one or two columns; lines break between words on odd pages and between syllables on even ones, as
both ways are usual. It is read as a PDF with the font embedded ("pdf"), as a PNG at 200 dpi ("png")
and as a JPEG at 200 dpi that is skewed by 2 degrees, soft, grey and noisy ("worn").

CER is the edit distance to the text over its length, white space folded; "letters" leaves white
space out. CPU-seconds are those of `solarmini.layout.parse`, with nothing but pip packages.
"""

import argparse
import ctypes
import gzip
import io
import json
import random
import sys
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image, ImageFilter, ImageFont
from rapidfuzz.distance import Levenshtein

from solarmini.layout import parse, to_text

PAPER = (595.0, 842.0)  # points, A4
MARGIN = 62.0
GUTTER = 24.0
SIZE, LEADING = 10.5, 1.6
DPI = 200
NEWS = Path("cpt") / "parallel" / "ntrex_en_ko.jsonl.gz"
HELD_OUT = ("GowunBatang_400Regular.ttf", "NotoSansCJK-Regular.ttc")
SYSTEM = Path("/usr/share/fonts")
KOREAN_FACE = 1  # of the faces in a Noto CJK collection


@dataclass(frozen=True)
class Result:
    """What was read of one page in one condition."""

    font: str
    page: int
    condition: str
    cer: float
    letters: float
    cpu_seconds: float
    angle: float


class Type:
    """A font: its file for embedding and its widths at 1000 pixels an em."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        index = KOREAN_FACE if path.suffix == ".ttc" else 0
        self.data = _face(path, index) if path.suffix == ".ttc" else path.read_bytes()
        self._font = ImageFont.truetype(str(path), 1000, index=index)

    def width(self, text: str, size: float) -> float:
        """Width of a text in points."""
        return self._font.getlength(text) * size / 1000


def _face(path: Path, index: int) -> bytes:
    """One face of a collection as a font file of its own."""
    from fontTools.ttLib import TTCollection

    buffer = io.BytesIO()
    TTCollection(str(path)).fonts[index].save(buffer)
    return buffer.getvalue()


def sentences(data: Path, seed: int) -> Iterator[str]:
    """Sentences of the news in runs, beginning somewhere."""
    with gzip.open(data / NEWS, "rt", encoding="utf-8") as rows:
        texts = [" ".join(unicodedata.normalize("NFC", json.loads(r)["ko"]).split()) for r in rows]
    start = random.Random(seed).randrange(len(texts))
    yield from texts[start:] + texts[:start]


@dataclass
class Line:
    """A line of text on paper: left end and baseline in points from the top left."""

    text: str
    left: float
    baseline: float
    size: float


def set_page(source: Iterator[str], face: Type, number: int) -> tuple[list[Line], str]:
    """Return the lines of a page and its text, paragraphs parted by line breaks."""
    columns = 2 if number % 3 == 0 else 1
    width = (PAPER[0] - 2 * MARGIN - GUTTER * (columns - 1)) / columns
    title = " ".join(next(source).split()[:5])
    lines = [Line(title, MARGIN, MARGIN + 18, 18.0)]
    texts = [title]
    for column in range(columns):
        left, y = MARGIN + column * (width + GUTTER), MARGIN + 58
        while y < PAPER[1] - MARGIN - 120:
            if len(texts) % 3 == 1:
                texts.append(f"{len(texts) // 3 + 1}. " + " ".join(next(source).split()[:3]))
                lines.append(Line(texts[-1], left, y, 13.0))
                y += 13 * 2.0
            text = " ".join(next(source) for _ in range(3))
            broken = wrapped(text, face, width, words=number % 2 == 1)
            if y + len(broken) * SIZE * LEADING > PAPER[1] - MARGIN:
                break
            texts.append(text)
            for line in broken:
                lines.append(Line(line, left, y, SIZE))
                y += SIZE * LEADING
            y += SIZE * 1.1
    return lines, "\n".join(texts)


def wrapped(text: str, face: Type, width: float, *, words: bool) -> list[str]:
    """Break a text into lines of at most `width` points, between words or between syllables."""
    parts = [f"{w} " for w in text.split(" ")] if words else _syllables(text)
    lines, line = [], ""
    for part in parts:
        if line and face.width((line + part).rstrip(), SIZE) > width:
            lines.append(line.rstrip())
            line = ""
        line += part
    return [*lines, line.rstrip()]


def _syllables(text: str) -> list[str]:
    """Cut between syllables of Hangul; other words and signs of punctuation stay whole."""
    parts = [""]
    for before, letter in zip(" " + text, text, strict=False):
        korean = "가" <= letter <= "힣"
        if before == " " or (korean and "가" <= before <= "힣"):
            parts.append("")
        parts[-1] += letter
    return [part for part in parts if part]


def as_pdf(lines: list[Line], face: Type) -> bytes:
    """Return a PDF of one page with the font embedded and a text layer."""
    document = pdfium.PdfDocument.new()
    page = document.new_page(*PAPER)
    data = (ctypes.c_ubyte * len(face.data)).from_buffer_copy(face.data)
    font = raw.FPDFText_LoadFont(document, data, len(face.data), raw.FPDF_FONT_TRUETYPE, 1)
    for line in lines:
        thing = raw.FPDFPageObj_CreateTextObj(document, font, line.size)
        text = (line.text + "\0").encode("utf-16-le")
        raw.FPDFText_SetText(thing, (ctypes.c_ushort * (len(text) // 2)).from_buffer_copy(text))
        raw.FPDFPageObj_Transform(thing, 1, 0, 0, 1, line.left, PAPER[1] - line.baseline)
        raw.FPDFPage_InsertObject(page, thing)
    raw.FPDFPage_GenerateContent(page)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


def as_picture(pdf: bytes) -> Image.Image:
    """Return the page drawn at DPI."""
    document = pdfium.PdfDocument(pdf)
    picture = document[0].render(scale=DPI / 72).to_pil().convert("RGB")
    document.close()
    return picture


def as_png(picture: Image.Image) -> bytes:
    """Return a clean scan."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", dpi=(DPI, DPI))
    return buffer.getvalue()


def as_worn(picture: Image.Image, seed: int) -> bytes:
    """Return a poor scan: 2 degrees askew, soft, grey, noisy, JPEG of quality 60."""
    askew = picture.rotate(
        2.0 if seed % 2 else -2.0, resample=Image.Resampling.BICUBIC, fillcolor=(255, 255, 255)
    ).filter(ImageFilter.GaussianBlur(0.8))
    pixels = 30 + np.asarray(askew, dtype=np.float32) * 0.82
    noise = np.random.default_rng(seed).normal(0, 14, pixels.shape[:2])[..., None]
    buffer = io.BytesIO()
    dirty = Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))
    dirty.save(buffer, "JPEG", quality=60, dpi=(DPI, DPI))
    return buffer.getvalue()


def measure(
    face: Type, number: int, condition: str, data: bytes, text: str, *, show: bool
) -> Result:
    """Read one file and compare it with its text."""
    start = time.process_time()
    document = parse(data, jobs=1, isolate=False)
    used = time.process_time() - start
    if show:
        print(to_text(document))
    found, wanted = " ".join(to_text(document).split()), " ".join(text.split())
    bare, known = found.replace(" ", ""), wanted.replace(" ", "")
    return Result(
        face.name,
        number,
        condition,
        Levenshtein.distance(wanted, found) / len(wanted),
        Levenshtein.distance(known, bare) / len(known),
        used,
        document.pages[0].angle,
    )


def held_out(folders: list[Path]) -> list[Path]:
    """Return the held-out fonts that are there."""
    have: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.tt?")):
            have.setdefault(path.name, path)
    return [have[name] for name in HELD_OUT if name in have]


def table(results: list[Result]) -> None:
    """Print means by font and condition."""
    print("\n| font | condition | pages | CER | CER, letters | CPU-s a page |")
    print("|---|---|---|---|---|---|")
    for font, condition in dict.fromkeys((r.font, r.condition) for r in results):
        own = [r for r in results if (r.font, r.condition) == (font, condition)]
        means = [
            sum(getattr(r, field) for r in own) / len(own)
            for field in ("cer", "letters", "cpu_seconds")
        ]
        print(f"| {font} | {condition} | {len(own)} | {means[0]:.4f} | {means[1]:.4f} ", end="")
        print(f"| {means[2]:.2f} |")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fonts", type=Path, action="append", default=[])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=3, help="pages for each font")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="folder for the files that were read")
    parser.add_argument("--show", action="store_true", help="print what was read")
    options = parser.parse_args()
    fonts = held_out([*options.fonts, SYSTEM])
    if not fonts:
        print(f"no held-out font found: {' or '.join(HELD_OUT)}; fetch one with fonts.py")
        return 1
    results: list[Result] = []
    for face in map(Type, fonts):
        for number in range(1, options.pages + 1):
            lines, text = set_page(sentences(options.data, number), face, number)
            pdf = as_pdf(lines, face)
            picture = as_picture(pdf)
            files = {"pdf": pdf, "png": as_png(picture), "worn": as_worn(picture, number)}
            for condition, data in files.items():
                result = measure(face, number, condition, data, text, show=options.show)
                results.append(result)
                print(json.dumps(asdict(result)), flush=True)
                if options.keep:
                    ending = {"worn": "worn.jpg"}.get(condition, condition)
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{face.name}-{number}.{ending}").write_bytes(data)
    table(results)
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
