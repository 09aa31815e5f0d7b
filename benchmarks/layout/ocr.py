"""Measure OCR engines on pages drawn from known text: CER, WER and CPU-seconds a page.

    python benchmarks/layout/ocr.py --engine own --engine tesseract --pages 5 --json out.json

Text comes from the shared corpora (SOLAR_SHARED): passages of XQuAD in English, statutes in Korean.
Fonts are those found on the machine; `--font` names files instead. Every page is drawn at 200 dpi
and read as it is ("clean"), with noise, blur, JPEG and 2 degrees of skew ("worn"), and turned by a
quarter ("turned"). CER and WER are edit distances over the lengths of the reference, white space
folded; CPU-seconds count the engine's child processes too.
"""

import argparse
import gzip
import io
import json
import os
import random
import resource
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from solarmini.layout.ocr import recognise
from solarmini.layout.primitives import PageContent

ROOT = Path(__file__).parents[2]
A4 = (1654, 2339)  # pixels at 200 dpi
MARGIN = 160
POINT = 200 / 72
FOLDERS = (Path("/usr/share/fonts"), Path.home() / ".fonts", Path("/Library/Fonts"))
WANTED = {
    "en": ("LiberationSerif-Regular", "LiberationSans-Regular", "DejaVuSerif", "DejaVuSans"),
    "ko": (
        "NotoSerifCJK-Regular",
        "NotoSansCJK-Regular",
        "NanumGothic",
        "NanumMyeongjo",
        "UnBatang",
    ),
}
TEXTS = {"en": "xquad_en_passages.jsonl.gz", "ko": "law_articles_ko.jsonl.gz"}


@dataclass(frozen=True)
class Result:
    engine: str
    language: str
    condition: str
    font: str
    cer: float
    wer: float
    cpu_seconds: float
    angle: float


def paragraphs(language: str, seed: int) -> Iterator[str]:
    """Passages of the corpus in a shuffled order, letters of the script only."""
    shared = Path(os.environ.get("SOLAR_SHARED", ROOT.parent / "shared"))
    with gzip.open(shared / "data" / "rag" / "corpus" / TEXTS[language], "rt") as file:
        rows = [json.loads(line) for line in file]
    random.Random(seed).shuffle(rows)
    for row in rows:
        text = " ".join(unicodedata.normalize("NFC", row["text"]).split())
        if language == "ko":  # Han letters are no part of the language measured
            text = "".join(
                c
                for c in text
                if not "\u2e80" <= c <= "\u312f"
                and not "\u3400" <= c <= "\u9fff"
                and not "\uf900" <= c <= "\ufaff"
            )
        if len(text) > 80:
            yield " ".join(text.split())


def font_files(language: str) -> list[Path]:
    """Fonts of WANTED that this machine has."""
    have = [p for folder in FOLDERS if folder.is_dir() for p in folder.rglob("*.[to]t[cf]")]
    return [p for name in WANTED[language] for p in have if p.stem == name]


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines of at most `width` pixels, broken at spaces."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def draw_page(source: Iterator[str], path: Path, size: float) -> tuple[np.ndarray, str]:
    """Return a page (h, w, 3) filled with text at `size` points, and the text."""
    page = Image.new("RGB", A4, "white")
    pen = ImageDraw.Draw(page)
    index = 1 if "CJK" in path.name and path.suffix == ".ttc" else 0  # the Korean face
    font = ImageFont.truetype(str(path), round(size * POINT), index=index)
    leading = size * POINT * 1.45
    lines: list[str] = []
    y = float(MARGIN)
    for text in source:
        for line in wrapped(text, font, A4[0] - 2 * MARGIN):
            if y + leading > A4[1] - MARGIN:
                return np.asarray(page), " ".join(lines)
            pen.text((MARGIN, y), line, font=font, fill="black")
            lines.append(line)
            y += leading
        y += leading * 0.6
    return np.asarray(page), " ".join(lines)


def worn(page: np.ndarray, seed: int) -> np.ndarray:
    """A poor scan: skewed by 2 degrees, soft, noisy, grayish, saved as JPEG of quality 60."""
    from PIL import ImageFilter

    random_state = np.random.default_rng(seed)
    picture = Image.fromarray(page).rotate(
        -2.0, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255)
    )
    picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    pixels = 30 + np.asarray(picture, dtype=np.float32) * 0.82
    pixels += random_state.normal(0, 14, pixels.shape[:2])[..., None]
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer).convert("RGB"))


def turned(page: np.ndarray, seed: int) -> np.ndarray:
    """The page turned by 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(page, 1 + seed % 3))


CONDITIONS = {"clean": lambda page, _: page, "worn": worn, "turned": turned}


def cpu() -> float:
    """Processor seconds of this process and its children."""
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def content_of(page: np.ndarray) -> PageContent:
    """A scanned A4-like page at 200 dpi."""
    high, wide = page.shape[:2]

    def render(dpi: float) -> np.ndarray:
        if abs(dpi - 200) < 0.5:
            return page
        size = (round(wide * dpi / 200), round(high * dpi / 200))
        return np.asarray(Image.fromarray(page).resize(size, Image.Resampling.LANCZOS))

    return PageContent(1, wide / POINT, high / POINT, render=render, scanned=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", action="append", default=[])
    parser.add_argument("--language", action="append", choices=("en", "ko"), default=[])
    parser.add_argument("--condition", action="append", choices=tuple(CONDITIONS), default=[])
    parser.add_argument("--font", action="append", type=Path, default=[])
    parser.add_argument("--pages", type=int, default=3, help="pages for each font")
    parser.add_argument("--size", type=float, default=10.5, help="points")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", action="store_true", help="print what was read")
    options = parser.parse_args()
    results: list[Result] = []
    for language in options.language or ("en", "ko"):
        files = options.font or font_files(language)
        if not files:
            print(f"no font for {language} on this machine: name one with --font")
        for path in files:
            source = paragraphs(language, seed=7)
            for number in range(options.pages):
                page, text = draw_page(source, path, options.size)
                for condition in options.condition or CONDITIONS:
                    picture = CONDITIONS[condition](page, number)
                    for engine in options.engine or ["auto"]:
                        result = measure(
                            engine, language, condition, path, picture, text, options.show
                        )
                        results.append(result)
                        print(json.dumps(asdict(result)), flush=True)
    table(results)
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=1))
    return 0


def measure(
    engine: str,
    language: str,
    condition: str,
    path: Path,
    picture: np.ndarray,
    text: str,
    show: bool,
) -> Result:
    languages = ("en",) if engine == "rapidocr" else ("en", "ko")  # no packaged one reads Korean
    start = cpu()
    page = recognise(content_of(picture), languages=languages, engine=engine)
    used = cpu() - start
    found = " ".join(" ".join(line.text for line in page.lines).split())
    if show:
        print(found)
    return Result(
        engine,
        language,
        condition,
        path.stem,
        Levenshtein.distance(text, found) / len(text),
        Levenshtein.distance(text.split(), found.split()) / len(text.split()),
        used,
        page.angle,
    )


def table(results: list[Result]) -> None:
    """Print means by engine, language and condition."""
    print("\n| engine | language | condition | pages | CER | WER | CPU-s a page |")
    print("|---|---|---|---|---|---|---|")
    keys = sorted({(r.engine, r.language, r.condition) for r in results})
    for key in keys:
        own = [r for r in results if (r.engine, r.language, r.condition) == key]
        cer, wer, used = (
            float(np.mean([getattr(r, f) for r in own])) for f in ("cer", "wer", "cpu_seconds")
        )
        print(f"| {' | '.join(key)} | {len(own)} | {cer:.4f} | {wer:.4f} | {used:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
