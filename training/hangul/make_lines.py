"""Draw lines of text as a text detector would cut them out of scans and screens.

`python training/hangul/make_lines.py FONTS DATA SHEET.png` draws a sheet to look at.
"""

import io
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from alphabet import build
from fonts import Face, faces
from PIL import Image, ImageDraw, ImageFilter
from texts import KOREAN, Texts, paragraphs

HEIGHT = 48
MAX_WIDTH = 1600


@dataclass
class Sample:
    """A line: pixels uint8 (48, width, 3), its text, and the x of every character's middle."""

    pixels: np.ndarray
    text: str
    centres: np.ndarray


@dataclass
class Drawn:
    """Ink 0..255 of a line on its canvas, the ink's box, and the middles of the characters."""

    ink: Image.Image
    box: tuple[int, int, int, int]
    centres: np.ndarray


def advances(face: Face, size: int, text: str) -> list[float]:
    """Width of each character in pixels; measured at 64 pixels per em and scaled."""
    cache = _ADVANCES.setdefault((face.path, face.index), {})
    for char in text:
        if char not in cache:
            cache[char] = face.font(64).getlength(char)
    return [cache[char] * size / 64 for char in text]


_ADVANCES: dict[tuple[str, int], dict[str, float]] = {}


def draw(face: Face, size: int, text: str, rng: random.Random, around: list[str]) -> Drawn:
    """Draw `text` at `size` pixels per em, with pieces of the lines above and below if given."""
    font = face.font(size)
    tracking = size * (rng.uniform(-0.04, 0.12) if rng.random() < 0.25 else 0.0)
    space = rng.uniform(0.85, 1.9) if rng.random() < 0.35 else 1.0
    x, places = size * 0.8, []
    words = text.split(" ")
    gap = (advances(face, size, " ")[0] or size * 0.25) + max(tracking, 0.0)
    centres: list[float] = []
    for word in words:
        if places:
            centres.append(x + gap * space / 2)
            x += gap * space
        places.append((x, word))
        widths = advances(face, size, word)
        for width in widths:
            centres.append(x + width / 2)
            x += width + tracking
    ascent, descent = font.getmetrics()
    lead = round(size * 0.75)
    canvas = Image.new("L", (int(x + size * 0.8) + 1, ascent + descent + 2 * lead))
    pen = ImageDraw.Draw(canvas)
    for left, word in places:
        if tracking:
            for char, width in zip(word, advances(face, size, word), strict=True):
                pen.text((left, lead), char, fill=255, font=font)
                left += width + tracking
        else:
            pen.text((left, lead), word, fill=255, font=font)
    box = canvas.getbbox() or (0, 0, *canvas.size)
    if around:
        pitch = (ascent + descent) * rng.uniform(0.92, 1.35)
        for text_near, side in zip(around, rng.sample((-1, 1), len(around)), strict=True):
            pen.text((size * 0.8, lead + side * pitch), text_near, fill=255, font=font)
    if rng.random() < 0.06:
        y = min(box[3] + rng.randrange(0, max(2, size // 6)), canvas.height - 1)
        if rng.random() < 0.15:
            y = (box[1] + box[3]) // 2 + rng.randrange(-2, 3)
        pen.line((box[0], y, box[2], y), fill=255, width=max(1, size // rng.randrange(12, 30)))
    if rng.random() < 0.04:  # a table's rule beside the text
        at = rng.choice((box[0] - size // 4, box[2] + size // 4))
        pen.line((at, 0, at, canvas.height), fill=255, width=max(1, size // 24))
    return Drawn(canvas, box, np.asarray(centres, np.float32))


def turn(drawn: Drawn, rng: random.Random) -> Drawn:
    """Turn, slant or narrow the canvas a little, as deskewing leaves it."""
    ink, centres = drawn.ink, drawn.centres
    wide = drawn.box[2] - drawn.box[0]
    high = drawn.box[3] - drawn.box[1]
    limit = min(0.03, 0.22 * high / max(wide, 1))
    slope = rng.uniform(-limit, limit)
    shear = rng.uniform(-0.05, 0.22) if rng.random() < 0.25 else 0.0
    x, y = ink.width / 2, (drawn.box[1] + drawn.box[3]) / 2
    if rng.random() < 0.2:  # one end taller than the other: source = (p - middle) / (1 + g dx)
        g = rng.uniform(-0.08, 0.08) / x
        k = 1 - g * x
        matrix = ((1 + g * x) / k, 0, -x * x * g / k, y * g / k, 1 / k, -y * g * x / k, g / k, 0)
        ink = ink.transform(
            ink.size, Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BILINEAR
        )
        centres = x + (centres - x) / (1 - g * (centres - x))
    # output (x, y) takes the ink at (x + shear * dy, y + slope * dx)
    matrix = (1, shear, -shear * y, slope, 1, -slope * x)
    ink = ink.transform(ink.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return Drawn(ink, drawn.box, centres)


def cut(drawn: Drawn, rng: random.Random) -> tuple[Image.Image, np.ndarray]:
    """Cut the line out with the margins of a text detector."""
    left, top, right, bottom = drawn.box
    high = max(bottom - top, 4)
    margin = rng.choice((rng.uniform(0.0, 0.12), rng.uniform(0.05, 0.35)))
    above = margin + rng.uniform(-0.06, 0.08)
    below = margin + rng.uniform(-0.06, 0.08)
    before, after = (rng.uniform(-0.02, 0.55) * high for _ in range(2))
    area = (
        round(max(left - before, 0)),
        round(max(top - above * high, 0)),
        round(min(right + after, drawn.ink.width)),
        round(min(bottom + below * high, drawn.ink.height)),
    )
    return drawn.ink.crop(area), drawn.centres - area[0]


def colour(ink: np.ndarray, rng: random.Random, noise: np.random.Generator) -> np.ndarray:
    """Ink (h, w) 0..1 → float RGB (h, w, 3) or (h, w, 1) on paper, 0..255."""
    kind = rng.random()
    if kind < 0.55:
        paper, pen = rng.uniform(225, 255), rng.uniform(0, 70)
        pair = np.array([[paper], [pen]], np.float32)
    elif kind < 0.72:
        paper, pen = rng.uniform(150, 255), rng.uniform(0, 90)
        if rng.random() < 0.4:
            paper, pen = pen, paper
        pair = np.array([[paper], [pen]], np.float32)
    else:
        pair = noise.uniform(0, 255, (2, 3)).astype(np.float32)
        for _ in range(8):
            if abs(float((pair[0] - pair[1]) @ (0.3, 0.59, 0.11))) > 70:
                break
            pair = noise.uniform(0, 255, (2, 3)).astype(np.float32)
        else:
            pair = np.array([[250.0], [10.0]], np.float32)
    page = pair[0] + (pair[1] - pair[0]) * ink[:, :, None]
    if rng.random() < 0.2:  # light falls off along the line, or a stain
        ramp = np.linspace(rng.uniform(0.75, 1.0), 1.0, ink.shape[1], dtype=np.float32)
        page = page * (ramp if rng.random() < 0.5 else ramp[::-1])[None, :, None]
    return page


def damage(page: np.ndarray, rng: random.Random, noise: np.random.Generator) -> Image.Image:
    """Noise, specks, thresholds and JPEG, as scanners and cameras leave them."""
    if rng.random() < 0.4:
        grain = noise.standard_normal((*page.shape[:2], 1), np.float32)
        page = page + grain * rng.choice((rng.uniform(2, 10), rng.uniform(5, 28)))
    if rng.random() < 0.1:
        specks = noise.random(page.shape[:2], np.float32)
        share = rng.uniform(0.001, 0.02)
        page[specks < share] = 0
        page[specks > 1 - share] = 255
    page = np.clip(page, 0, 255)
    if rng.random() < 0.05:
        page = np.where(page > page.mean(), 255.0, 0.0)
    pixels = page.astype(np.uint8)
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if rng.random() < 0.35:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=rng.randrange(20, 92))
        image = Image.open(file)
    return image


def blur(ink: Image.Image, high: int, rng: random.Random) -> Image.Image:
    """Blur, thicken or thin the ink; `high` is the height of a line in pixels."""
    if rng.random() < 0.08 and high > 24:
        ink = ink.filter(rng.choice((ImageFilter.MaxFilter(3), ImageFilter.MinFilter(3))))
    if rng.random() < 0.4:
        ink = ink.filter(
            ImageFilter.GaussianBlur(
                high * rng.choice((rng.uniform(0.004, 0.02), rng.uniform(0.015, 0.045)))
            )
        )
    if rng.random() < 0.1:
        ink = ink.point([min(255, int(v * 1.6)) for v in range(256)])
    return ink


class Lines:
    """Endless lines: `sample()` draws one."""

    def __init__(self, fonts: list[Face], texts: Texts, seed: int) -> None:
        self.random = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.texts = texts
        usable = [face for face in fonts if not face.held_out]
        self.families: dict[bool, dict[str, list[Face]]] = {True: {}, False: {}}
        for face in usable:
            self.families[face.korean].setdefault(face.family, []).append(face)

    def face(self, english: bool) -> Face:
        """A face; families are as likely as each other, display families a third as likely."""
        latin = english and self.random.random() < 0.75
        families = self.families[not latin]
        names = list(families)
        weights = [0.25 if families[name][0].display else 1.0 for name in names]
        return self.random.choice(families[self.random.choices(names, weights)[0]])

    def words(self) -> tuple[str, Face]:
        """A text and a face that draws all of it."""
        r = self.random
        length = r.choice((r.randrange(2, 10), r.randrange(6, 26), r.randrange(18, 46)))
        text, english = self.texts.line(length)
        face = self.face(english)
        for _ in range(4):
            if face.draws(text):
                return text, face
            face = self.face(english)
        have = face.coverage
        text = " ".join("".join(c for c in text if c == " " or ord(c) in have).split())
        return (text, face) if text else self.words()

    def sample(self) -> Sample:
        """Draw one line."""
        r = self.random
        while True:
            text, face = self.words()
            drawn_size = round(min(80, max(10, r.lognormvariate(3.35, 0.42))))  # median 28
            shrink = r.uniform(1.0, 2.6) if r.random() < 0.7 else 1.0
            size = min(round(drawn_size * shrink), max(64, drawn_size))
            around = []
            if r.random() < 0.3:
                around = [self.texts.line(len(text))[0] for _ in range(r.randrange(1, 3))]
            drawn = draw(face, size, text, r, around)
            if r.random() < 0.4:
                drawn = turn(drawn, r)
            image, centres = cut(drawn, r)
            wide, high = image.size
            ratio = drawn_size / size
            if ratio < 0.98:
                image = image.resize(
                    (max(4, round(wide * ratio)), max(6, round(high * ratio))),
                    r.choice(
                        (
                            Image.Resampling.BILINEAR,
                            Image.Resampling.BOX,
                            Image.Resampling.BICUBIC,
                            Image.Resampling.LANCZOS,
                        )
                    ),
                )
            image = blur(image, image.height, r)
            ink = np.asarray(image, np.float32) / 255
            image = damage(colour(ink, r, self.noise), r, self.noise)
            stretch = r.uniform(0.85, 1.15) if r.random() < 0.25 else 1.0
            width = round(HEIGHT * image.width / image.height * stretch)
            if not 8 <= width <= MAX_WIDTH or width < 5 * len(text):
                continue
            pixels = np.asarray(image.resize((width, HEIGHT), Image.Resampling.BILINEAR))
            if pixels.ndim == 2:
                pixels = np.repeat(pixels[:, :, None], 3, axis=2)
            return Sample(pixels, text, centres * (width / wide))


def sheet(fonts: Path, data: Path, target: Path) -> None:
    """Draw forty lines under each other."""
    alphabet = build(line for name in KOREAN for line in paragraphs(data / name))
    print(len(alphabet), "characters")
    lines = Lines(faces(fonts), Texts(data, alphabet, 1), 1)
    page = Image.new("RGB", (1200, 40 * 52), "white")
    start = time.process_time()
    for row in range(40):
        sample = lines.sample()
        page.paste(Image.fromarray(sample.pixels), (0, row * 52))
        print(row, sample.text)
    print((time.process_time() - start) / 40 * 1000, "ms a line")
    page.save(target)


if __name__ == "__main__":
    sheet(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
