"""Small operations on uint8 RGB pixels: resize, cut, turn. Pillow does the work."""

from typing import NamedTuple

import numpy as np
from PIL import Image


class Rect(NamedTuple):
    """Left, top, right, bottom in pixels; may be fractional."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Right minus left."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Bottom minus top."""
        return self.bottom - self.top


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return `image` (h, w, 3) as (height, width, 3): averaged when smaller, smooth when larger."""
    if image.shape[:2] == (height, width):
        return image
    picture = Image.fromarray(image)
    shrink = min(image.shape[0] / height, image.shape[1] / width)
    if shrink >= 3:  # cheap whole-number averaging first
        picture = picture.reduce(int(shrink / 1.5))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def cut(image: np.ndarray, rect: Rect) -> np.ndarray:
    """Return the pixels of `rect`, cut to the picture; at least one pixel each way."""
    high, wide = image.shape[:2]
    left = min(max(int(np.floor(rect.left)), 0), wide - 1)
    top = min(max(int(np.floor(rect.top)), 0), high - 1)
    right = min(max(int(np.ceil(rect.right)), left + 1), wide)
    bottom = min(max(int(np.ceil(rect.bottom)), top + 1), high)
    return image[top:bottom, left:right]


def cut_slanted(
    image: np.ndarray, center: tuple[float, float], size: tuple[float, float], angle: float
) -> np.ndarray:
    """Return a box of `size` (width, height) around `center` whose baseline runs at `angle`.

    `angle` is in degrees clockwise as seen; the result is upright.
    """
    radians = np.radians(angle)
    cos, sin = float(np.cos(radians)), float(np.sin(radians))
    width, height = max(round(size[0]), 1), max(round(size[1]), 1)
    # output (x, y) -> input: turn around the middle
    shift_x = center[0] - cos * width / 2 + sin * height / 2
    shift_y = center[1] - sin * width / 2 - cos * height / 2
    picture = Image.fromarray(image).transform(
        (width, height),
        Image.Transform.AFFINE,
        (cos, -sin, shift_x, sin, cos, shift_y),
        resample=Image.Resampling.BILINEAR,
        fillcolor=(255, 255, 255),
    )
    return np.asarray(picture)


def quarter_turned(image: np.ndarray, quarters: int) -> np.ndarray:
    """Return the picture turned clockwise by `quarters` x 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, -quarters % 4))


def straightened(image: np.ndarray, degrees: float, grow: bool = False) -> np.ndarray:
    """Return the picture turned clockwise by a few `degrees`, new corners white.

    The size is kept unless `grow`, which keeps all of the picture instead.
    """
    turned = Image.fromarray(image).rotate(
        -degrees, resample=Image.Resampling.BICUBIC, expand=grow, fillcolor=(255, 255, 255)
    )
    return np.asarray(turned)


def gray_of(image: np.ndarray) -> np.ndarray:
    """Return luminance, float32 (height, width), 0..255."""
    return image @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
