"""Picture files as pages: PNG, JPEG, TIFF (many pages), BMP, WEBP, GIF (first frame)."""

import contextlib
import io
import math
import threading
import warnings
from collections.abc import Generator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from solarmini.errors import DocumentError, LimitError
from solarmini.layout.document import Problem
from solarmini.layout.limits import Limits
from solarmini.layout.primitives import Box, PageContent, Picture

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError)
_DAMAGE += (OverflowError, ZeroDivisionError, RuntimeError)
# A picture without a believable resolution is taken for a page as wide as A4, but not for a
# print coarser than a screen: small pictures are small pages.
PAGE_INCHES = 8.27
SCREEN_DPI = 96.0
BANNER_INCHES = 2.0  # height that a picture much wider than high has at least
SANE_DPI = (100.0, 2400.0)
SANE_INCHES = (1.0, 60.0)
_TURNS = {  # EXIF 2.32, tag 0x0112
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_AVERAGED = ("L", "RGB", "RGBA", "CMYK", "YCbCr", "LAB")  # scaled before they are converted
_STRIP = 1 << 22  # values turned to 8 bits at once
_LOCK = threading.RLock()  # Pillow's bounds are global; ours stand in for them one at a time


class PictureFile:
    """A picture by path or as bytes. Raises DocumentError, LimitError.

    Holds at most one decoded page, of at most `max_render_pixels`.
    """

    def __init__(self, source: Path | bytes, *, limits: Limits, name: str) -> None:
        self.limits = limits
        self.name = name
        self._source: Path | bytes | None = source
        self._kept: tuple[int, np.ndarray, list[str]] | None = None
        with self._image() as image:
            frames = int(getattr(image, "n_frames", 1))
            # of an animation or a camera's bundle the first picture stands for all
            self.total_pages = frames if image.format == "TIFF" else 1

    @property
    def title(self) -> str | None:
        """Pictures have none."""
        return None

    def page(self, number: int) -> PageContent:
        """Return page `number` without lines; `render` draws it. Raises as `draw` does."""
        with self._image(number) as image:
            dpi = _dpi(image)
            width, height = image.size
            if _turned(image):
                width, height, dpi = height, width, (dpi[1], dpi[0])
        across, down = width * 72 / dpi[0], height * 72 / dpi[1]
        content = PageContent(number=number, width=across, height=down, scanned=True)
        content.pictures = [Picture(Box(0.0, 0.0, across, down), (width, height))]
        content.render = _Renderer(self, number, across, down)
        _, notes = self.pixels(number)
        content.problems = [Problem(what=note, page=number) for note in notes]
        return content

    def pixels(self, number: int) -> tuple[np.ndarray, list[str]]:
        """Return uint8 RGB (height, width, 3) as it is seen, and what was wrong with it.

        Scaled down where it has more than `max_render_pixels`. Raises DocumentError where it
        cannot be decoded, LimitError where it is too large to try.
        """
        with _LOCK:
            if self._kept is None or self._kept[0] != number:
                self._kept = None
                self._kept = (number, *self._decode(number))
            return self._kept[1], self._kept[2]

    def close(self) -> None:
        """Forget the file and its pixels."""
        with _LOCK:
            self._source = self._kept = None

    @contextlib.contextmanager
    def _image(self, number: int = 1) -> Generator[Image.Image]:
        """The picture opened at a frame, its size checked, nothing decoded."""
        source = self._source
        if source is None:
            raise DocumentError("the picture is closed already", where=self.name)
        with _LOCK, _unbounded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata; what counts is whether pixels come
            try:
                file = io.BytesIO(source) if isinstance(source, bytes) else source
                with Image.open(file, formats=_FORMATS) as image:
                    self._check(image)
                    if number > 1 or image.format == "TIFF":
                        image.seek(number - 1)
                        self._check(image)
                    yield image
            except UnidentifiedImageError as error:
                raise DocumentError("the picture is damaged", where=self.name) from error
            except EOFError as error:
                raise DocumentError(f"there is no page {number}", where=self.name) from error
            except MemoryError as error:
                raise LimitError("no memory for the picture", where=self.name) from error
            except _DAMAGE as error:
                raise DocumentError(f"the picture is damaged: {error}", where=self.name) from error

    def _check(self, image: Image.Image) -> None:
        width, height = image.size
        if width * height > self.limits.max_pixels:
            raise LimitError(
                f"the picture has {width} x {height} pixels; at most "
                f"{self.limits.max_pixels:,} are decoded",
                where=self.name,
                mend="scale it down, or raise max_pixels",
            )
        if width < 1 or height < 1:
            raise DocumentError("the picture is empty", where=self.name)

    def _decode(self, number: int) -> tuple[np.ndarray, list[str]]:
        notes: list[str] = []
        try:
            with self._image(number) as image:
                return self._rgb(image), notes
        except LimitError:
            raise
        except DocumentError:
            # what a cut-off file still holds is better than nothing
            with self._image(number) as image, _lenient():
                pixels = self._rgb(image)
            notes.append("the picture is damaged: a part of it is missing")
            return pixels, notes

    def _rgb(self, image: Image.Image) -> np.ndarray:
        most = self.limits.max_render_pixels
        shrink = math.sqrt(image.width * image.height / most)
        if shrink > 1 and image.format in ("JPEG", "MPO"):
            # the decoder leaves out detail that would be thrown away
            image.draft(None, (int(image.width / shrink) + 1, int(image.height / shrink) + 1))
        image.load()
        orientation = image.getexif().get(0x0112, 1)  # after loading: TIFF turns by itself
        plain = image if image.mode in _AVERAGED else _eight_bit(image)
        shrink = math.sqrt(plain.width * plain.height / most)
        if shrink > 1:
            small = max(int(plain.width / shrink), 1), max(int(plain.height / shrink), 1)
            plain = plain.resize(small, Image.Resampling.BOX)
        plain = _eight_bit(plain)
        if plain.mode == "RGBA":
            ground = Image.new("RGB", plain.size, (255, 255, 255))
            ground.paste(plain, mask=plain.getchannel("A"))
            plain = ground
        if orientation in _TURNS:
            plain = plain.transpose(_TURNS[orientation])
        return np.array(plain.convert("RGB"), dtype=np.uint8)


class _Renderer:
    """Scales a picture to a resolution when asked."""

    def __init__(self, file: PictureFile, number: int, width: float, height: float) -> None:
        self.file = file
        self.number = number
        self.width = width
        self.height = height

    def __call__(self, dpi: float) -> np.ndarray:
        if not dpi > 0:
            raise DocumentError(f"a page cannot be drawn at {dpi:g} dpi")
        pixels, _ = self.file.pixels(self.number)
        most = self.file.limits.max_render_pixels
        scale = min(dpi / 72, math.sqrt(most / (self.width * self.height)))
        size = (max(round(self.width * scale), 1), max(round(self.height * scale), 1))
        if size == (pixels.shape[1], pixels.shape[0]):
            return pixels.copy()
        way = Image.Resampling.BICUBIC
        return np.array(Image.fromarray(pixels).resize(size, way, reducing_gap=3.0))


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring any mode to L, RGB or RGBA of 8 bits."""
    if image.mode in ("L", "RGB", "RGBA"):
        return _keyed(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _deep(np.asarray(image), image.mode == "F")
    if image.mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _deep(values: np.ndarray, real: bool) -> Image.Image:
    """Bring 16 or 32 bits a pixel to 8, strip by strip."""
    highest = float(values.max(initial=0))
    # the range that the values speak of: 0..1, 8 bits in a wider box, 16 bits
    top = 1.0 if real and highest <= 1.0 else 255.0 if highest <= 255 else 65535.0
    plain = np.empty(values.shape, dtype=np.uint8)
    rows = max(_STRIP // max(values.shape[1], 1), 1)
    for at in range(0, len(values), rows):
        part = values[at : at + rows].astype(np.float32) * (255.0 / top)
        plain[at : at + rows] = np.clip(np.nan_to_num(part), 0.0, 255.0).astype(np.uint8)
    return Image.fromarray(plain)


def _keyed(image: Image.Image) -> Image.Image:
    """A plain picture may still name one colour that is clear."""
    if image.mode != "RGBA" and "transparency" in image.info:
        return image.convert("RGBA")
    return image


def _dpi(image: Image.Image) -> tuple[float, float]:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        across = down = 0.0
    low, high = SANE_DPI
    short, long = SANE_INCHES
    if low <= across <= high and low <= down <= high:
        inches = image.width / across, image.height / down
        if short <= min(inches) and max(inches) <= long:
            return across, down
    width = image.height if _turned(image) else image.width
    height = image.width if _turned(image) else image.height
    paper = PAGE_INCHES if height >= width else PAGE_INCHES * math.sqrt(2)
    # a banner is no sheet of paper: its text would come out too small to be read
    guess = max(min(width / paper, height / BANNER_INCHES), SCREEN_DPI)
    return guess, guess


def _turned(image: Image.Image) -> bool:
    """Whether its EXIF orientation will swap width and height (those of TIFF are swapped)."""
    if image.format == "TIFF":
        return False
    try:
        return image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except _DAMAGE:
        return False


@contextlib.contextmanager
def _unbounded() -> Generator[None]:
    """Put our limits in the place of Pillow's own, which differ and only warn."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextlib.contextmanager
def _lenient() -> Generator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # ty: ignore[invalid-assignment]
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
