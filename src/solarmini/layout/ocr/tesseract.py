"""The Tesseract program as an engine: one process a page, with a time limit, TSV output."""

import io
import os
import shutil
import subprocess
from functools import lru_cache

import numpy as np
from PIL import Image

from solarmini.errors import DocumentError
from solarmini.layout.ocr.detect import Spot
from solarmini.layout.ocr.ink import ink_of, measure
from solarmini.layout.ocr.pixels import Rect, cut
from solarmini.layout.ocr.reading import Budget, Engine, ReadLine, ReadWord

# ISO 639-1 -> Tesseract's names of language data, for those it names otherwise than by ISO 639-2/T
NAMES = {
    "ko": "kor", "en": "eng", "de": "deu", "fr": "fra", "es": "spa", "it": "ita", "pt": "por",
    "nl": "nld", "pl": "pol", "ru": "rus", "uk": "ukr", "cs": "ces", "tr": "tur", "vi": "vie",
    "ja": "jpn", "zh": "chi_sim", "ar": "ara", "he": "heb", "el": "ell", "sv": "swe",
    "da": "dan", "nb": "nor", "fi": "fin", "hu": "hun", "ro": "ron", "th": "tha", "hi": "hin",
    "id": "ind",
}  # fmt: skip
MEND = "install Tesseract (Debian: apt install tesseract-ocr tesseract-ocr-kor), or another engine"


@lru_cache
def installed_languages() -> frozenset[str]:
    """Names of the language data of the installed program; empty where there is none."""
    program = shutil.which("tesseract")
    if program is None:
        return frozenset()
    try:
        done = subprocess.run(
            [program, "--list-langs"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(line.strip() for line in (done.stdout or done.stderr).splitlines()[1:])


class TesseractEngine:
    """Runs `tesseract`. `own` serves to find how a page lies."""

    name = "tesseract"

    def __init__(self, languages: tuple[str, ...], own: Engine) -> None:
        have = installed_languages()
        if not have:
            raise DocumentError("the program 'tesseract' is not installed", mend=MEND)
        wanted = [NAMES.get(code, code) for code in languages]
        missing = [name for name in wanted if name not in have]
        if missing:
            raise DocumentError(
                f"Tesseract lacks its language data for {', '.join(missing)}",
                mend=f"apt install {' '.join('tesseract-ocr-' + name for name in missing)}",
            )
        # the first language leads: Korean text holds Latin, the other way round it is rare
        self._languages = "+".join(sorted(wanted, key=lambda name: name == "eng"))
        self.detector = own.detector
        self.recogniser = own.recogniser

    def read(
        self,
        image: np.ndarray,
        spots: list[Spot] | None,  # noqa: ARG002 - Tesseract finds lines itself
        budget: Budget,
    ) -> tuple[list[ReadLine], int]:
        """Return the lines on a uint8 RGB picture; (none, 1) when the time ran out."""
        table = self._run(image, max(budget.left, 1.0))
        if table is None:
            return [], 1
        lines = []
        for words in _words_by_line(table):
            line = _line(image, words)
            if line is not None:
                lines.append(line)
        return lines, 0

    def _run(self, image: np.ndarray, seconds: float) -> str | None:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PPM")
        command = ["tesseract", "stdin", "stdout", "-l", self._languages, "--psm", "3", "tsv"]
        try:
            done = subprocess.run(
                command,
                input=buffer.getvalue(),
                capture_output=True,
                timeout=seconds,
                check=False,
                env=os.environ | {"OMP_THREAD_LIMIT": "1"},
            )
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise DocumentError(f"tesseract failed: {''.join(last) or done.returncode}", mend=MEND)
        return done.stdout.decode("utf-8", "replace")


def _words_by_line(table: str) -> list[list[ReadWord]]:
    """Parse Tesseract's TSV: the words (level 5) of each line."""
    lines: dict[tuple[str, ...], list[ReadWord]] = {}
    for row in table.splitlines()[1:]:
        fields = row.split("\t")
        if len(fields) != 12 or fields[0] != "5" or not fields[11].strip():
            continue
        left, top, width, height = (float(v) for v in fields[6:10])
        word = ReadWord(
            fields[11].strip(),
            Rect(left, top, left + width, top + height),
            min(max(float(fields[10]) / 100, 0.0), 1.0),
        )
        lines.setdefault(tuple(fields[1:5]), []).append(word)
    return list(lines.values())


def _line(image: np.ndarray, words: list[ReadWord]) -> ReadLine | None:
    rect = Rect(
        min(w.rect.left for w in words),
        min(w.rect.top for w in words),
        max(w.rect.right for w in words),
        max(w.rect.bottom for w in words),
    )
    if rect.width < 2 or rect.height < 2:
        return None
    letters = sum(len(w.text) for w in words)
    sure = sum(w.confidence * len(w.text) for w in words) / letters
    if rect.height > 2 * rect.width and letters > 2:  # Tesseract turned the text by itself
        return ReadLine(tuple(words), rect, sure, rect.width, rect.right, angle=270)
    ink = ink_of(cut(image, rect))
    found = measure(ink, " ".join(w.text for w in words)) if ink is not None else None
    if ink is None or found is None:
        return ReadLine(tuple(words), rect, sure, rect.height, rect.bottom)
    baseline = rect.top + found.baseline
    return ReadLine(
        tuple(words), rect, sure, found.size, baseline, stroke=found.stroke, color=ink.color
    )
