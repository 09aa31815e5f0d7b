"""Error rates, and the held-out lines that figures are measured on."""

import io
import random
from pathlib import Path

import numpy as np
from fonts import Face
from make_lines import HEIGHT, Sample
from PIL import Image, ImageChops, ImageDraw, ImageFilter
from rapidfuzz.distance import Levenshtein
from texts import held_out


def character_error(truth: list[str], read: list[str]) -> float:
    """Edits per true character, over all lines."""
    edits = sum(Levenshtein.distance(t, r) for t, r in zip(truth, read, strict=True))
    return edits / sum(map(len, truth))


def word_accuracy(truth: list[str], read: list[str]) -> float:
    """Share of the true words that are read exactly, in order."""
    wrong = sum(
        Levenshtein.distance(t.split(), r.split()) for t, r in zip(truth, read, strict=True)
    )
    return 1 - wrong / sum(len(t.split()) for t in truth)


def greedy(best: np.ndarray, alphabet: list[str]) -> str:
    """Best path: repeats merged, blanks (0) dropped."""
    kept = best[np.flatnonzero(np.diff(best, prepend=-1))]
    return "".join(alphabet[i - 1] for i in kept if i)


def split_lines(sentences: list[str], alphabet: list[str], length: int, count: int) -> list[str]:
    """Running text cut into `count` lines of about `length` characters."""
    have = set(alphabet)
    lines, line = [], ""
    for word in " ".join(sentences).split():
        word = "".join(c for c in word if c in have)
        if len(line) + len(word) + 1 > length:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
        if len(lines) == count:
            break
    return lines


def scanned(page: Image.Image, rng: random.Random) -> Image.Image:
    """A grey line as a poor scan: turned by 2 degrees and back, noisy, soft, compressed."""
    noise = np.random.default_rng(rng.randrange(2**32))
    slope = rng.choice((-2.0, 2.0))
    size = page.size
    page = page.rotate(slope, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    page = page.filter(ImageFilter.GaussianBlur(0.6))
    pixels = np.asarray(page, np.float32) * 0.85 + 25
    pixels += noise.standard_normal(pixels.shape, np.float32) * 16
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=55)
    back = -slope + rng.uniform(-0.15, 0.15)
    page = Image.open(file).rotate(back, Image.Resampling.BICUBIC, expand=True, fillcolor=235)
    left, top = (page.width - size[0]) // 2, (page.height - size[1]) // 2
    return page.crop((left, top, left + size[0], top + size[1]))


def plain_line(
    face: Face, text: str, dpi: int, points: float, rng: random.Random, poor: bool = False
) -> np.ndarray:
    """Crop (h, w, 3) of dark text on white at `dpi`, with a detector's margins."""
    size = points * dpi / 72
    big = round(size * 3)  # drawn large and reduced: antialiased without hinting, as a scan is
    font = face.font(big)
    ascent, descent = font.getmetrics()
    canvas = Image.new("L", (int(font.getlength(text)) + 2 * big, ascent + descent + big))
    ImageDraw.Draw(canvas).text((big, big // 2), text, fill=255, font=font)
    left, top, right, bottom = canvas.getbbox()
    small = (max(1, canvas.width // 3), max(1, canvas.height // 3))
    page = ImageChops.invert(canvas.resize(small, Image.Resampling.BOX))
    if poor:
        page = scanned(page, rng)
    margin = (bottom - top) * rng.uniform(0.05, 0.25)
    area = (left - margin * 1.5, top - margin, right + margin * 1.5, bottom + margin)
    crop = np.asarray(page.crop(tuple(round(v / 3) for v in area)))
    return np.repeat(crop[:, :, None], 3, axis=2)


def at_height(crop: np.ndarray, text: str) -> Sample:
    """A crop as the network sees it."""
    width = max(16, round(HEIGHT * crop.shape[1] / crop.shape[0]))
    small = Image.fromarray(crop).resize((width, HEIGHT), Image.Resampling.BILINEAR)
    return Sample(np.asarray(small), text, np.zeros(len(text), np.float32))


def validation_lines(
    fonts: list[Face], data: Path, alphabet: list[str], count: int = 40
) -> dict[str, list[Sample]]:
    """Small sets in held-out fonts and text, clean and poor, for each family."""
    rng = random.Random(7)
    sets: dict[str, list[Sample]] = {}
    texts = {
        "ko": split_lines(held_out(data, "ko"), alphabet, 32, count * 8),
        "en": split_lines(held_out(data, "en"), alphabet, 60, count * 8),
    }
    for face in fonts:
        if not face.held_out or "Regular" not in face.path:
            continue
        language = "ko" if face.korean else "en"
        lines = rng.sample([t for t in texts[language] if face.draws(t)], count)
        name = f"{language} {face.family}"
        if name in sets or "Italic" in face.path:
            continue
        for poor in (False, True):
            sets[name + (" poor" if poor else "")] = [
                at_height(plain_line(face, text, 200, rng.uniform(9, 12), rng, poor), text)
                for text in lines
            ]
    return sets
