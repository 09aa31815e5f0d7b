"""Bounds on what an untrusted file may cost."""

from pydantic import Field

from solarmini.config import Settings


class Limits(Settings):
    """What one file may cost before it is refused or its page is given up with a named problem."""

    max_bytes: int = Field(default=512 * 2**20, gt=0)  # size of the file
    max_pages: int = Field(default=10_000, gt=0)  # pages read of one file
    max_pixels: int = Field(default=80_000_000, gt=0)  # of a picture file, before it is decoded
    max_render_pixels: int = Field(default=12_000_000, gt=0)  # of one page drawn for OCR or a model
    max_characters: int = Field(default=400_000, gt=0)  # of one page's text layer
    max_objects: int = Field(default=200_000, gt=0)  # drawings and pictures of one page
    page_seconds: float = Field(default=60.0, gt=0)  # processor time of one page without OCR
    ocr_seconds: float = Field(default=120.0, gt=0)  # processor time of reading one page's pixels
    max_unpacked_bytes: int = Field(default=1024 * 2**20, gt=0)  # of an office file (zip bomb)
