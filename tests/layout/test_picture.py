import io
import struct
import zlib
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from solarmini.errors import DocumentError, LimitError
from solarmini.layout.limits import Limits
from solarmini.layout.source import Source, open_source


def saved(image: Image.Image, kind: str, **more) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def marked(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """White, with a black block at the top left."""
    image = Image.new("RGB", size, "white")
    image.paste((0, 0, 0), (0, 0, size[0] // 2, size[1] // 4))
    return image.convert(mode)


def drawn(source: Source, number: int = 1) -> np.ndarray:
    """The page at the picture's own resolution."""
    content = source.page(number)
    (picture,) = content.pictures
    assert content.render is not None
    return content.render(72 * picture.pixels[0] / content.width)


def corners(pixels: np.ndarray) -> str:
    """Which corners are dark: top left, top right, bottom right, bottom left."""
    high, wide = pixels.shape[0] // 8, pixels.shape[1] // 8
    spots = [(high, wide), (high, -wide), (-high, -wide), (-high, wide)]
    return "".join("x" if pixels[spot].mean() < 128 else "." for spot in spots)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "L"),
        ("PNG", "1"),
        ("PNG", "P"),
        ("PNG", "LA"),
        ("PNG", "RGBA"),
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("TIFF", "1"),
        ("TIFF", "CMYK"),
        ("TIFF", "RGB"),
        ("BMP", "RGB"),
        ("BMP", "P"),
        ("WEBP", "RGB"),
        ("WEBP", "RGBA"),
        ("GIF", "P"),
        ("TIFF", "F"),
        ("TIFF", "I"),
        ("TIFF", "LAB"),
    ],
)
def test_kinds_and_modes(kind: str, mode: str) -> None:
    base = marked()
    if mode == "LAB":
        from PIL import ImageCms

        lab = ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(
            base, ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
        )
        assert image is not None
    else:
        image = base.convert(mode)
    with open_source(saved(image, kind)) as source:
        assert (source.format, source.total_pages) == ("image", 1)
        content = source.page(1)
        assert content.scanned
        assert not content.lines
        pixels = drawn(source)
    assert pixels.shape == (40, 60, 3)
    assert pixels.dtype == np.uint8
    assert corners(pixels) == "x..."
    assert pixels[30, 30].min() > 240


def test_sixteen_bits_keep_their_range() -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16)[None].repeat(8, axis=0)
    with open_source(saved(Image.fromarray(ramp), "PNG")) as source:
        pixels = drawn(source)
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_clear_parts_are_white() -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 25, 50))
    with open_source(saved(image, "PNG")) as source:
        pixels = drawn(source)
    assert pixels[10, 10].tolist() == [0, 0, 255]
    assert pixels[10, 40].tolist() == [255, 255, 255]
    key = Image.new("P", (50, 50), 0)
    key.putpalette([0, 0, 0, 255, 0, 0])
    with open_source(saved(key, "PNG", transparency=0)) as source:
        assert drawn(source).min() == 255


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "dark"), [(1, "x..."), (3, "..x."), (6, ".x.."), (8, "...x"), (5, "x...")]
)
def test_the_stated_orientation_is_followed(kind: str, orientation: int, dark: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    with open_source(saved(marked(), kind, exif=exif)) as source:
        content = source.page(1)
        pixels = drawn(source)
    turned = orientation in (5, 6, 7, 8)
    assert pixels.shape[:2] == ((60, 40) if turned else (40, 60))
    assert (content.width < content.height) == turned
    assert corners(pixels) == dark


def test_pages_of_a_tiff_are_pages() -> None:
    pages = [Image.new("L", (30 + n, 20), 40 * n) for n in range(3)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    with open_source(data) as source:
        assert source.total_pages == 3
        assert [int(drawn(source, n)[0, 0, 0]) for n in (3, 1, 2)] == [80, 0, 40]
        assert source.page(2).pictures[0].pixels == (31, 20)
        with pytest.raises(DocumentError, match="no page 4"):
            source.page(4)
        with pytest.raises(DocumentError, match="no page 0"):
            source.page(0)


def test_of_an_animation_the_first_frame_is_read() -> None:
    frames = [Image.new("L", (30, 20), 200), Image.new("L", (30, 20), 10)]
    with open_source(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])) as source:
        assert source.total_pages == 1
        assert drawn(source).min() >= 199


@pytest.mark.parametrize(
    ("pixels", "dpi", "points"),
    [
        ((1654, 2339), (200, 200), (595, 842)),  # stated
        ((1654, 2339), (72, 72), (595, 842)),  # stated, but an A4 page of pixels
        ((1654, 2339), None, (595, 842)),
        ((2339, 1654), None, (842, 595)),
        ((400, 100), None, (300, 75)),  # small: as on a screen
        ((100, 100), (20000, 20000), (75, 75)),
    ],
)
def test_size_in_points(pixels, dpi, points) -> None:
    data = saved(Image.new("L", pixels), "PNG", **({"dpi": dpi} if dpi else {}))
    with open_source(data) as source:
        content = source.page(1)
    assert (content.width, content.height) == pytest.approx(points, abs=1.5)


def test_large_pictures_are_scaled_down_within_the_limits() -> None:
    limits = Limits(max_render_pixels=50_000)
    for kind in ("JPEG", "PNG", "TIFF"):
        data = saved(marked(size=(1200, 800)), kind)
        with open_source(data, limits=limits) as source:
            content = source.page(1)
            assert content.pictures[0].pixels == (1200, 800)
            assert content.render is not None
            pixels = content.render(3000)
        assert 30_000 < pixels.shape[0] * pixels.shape[1] <= 51_000
        assert corners(pixels) == "x..."


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """A PNG of one-bit pixels that says its size and holds `rows`, packed."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_pictures_beyond_the_limit_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(LimitError, match="30000 x 30000"):
        open_source(png_of(30_000, 30_000, b""))


@pytest.mark.parametrize("size", [(30_000, 2_000), (9_000, 6_700)])
def test_very_wide_and_sixty_megapixel_pictures_are_read(size: tuple[int, int]) -> None:
    wide, high = size
    rows = zlib.compress(b"".join(b"\0" + b"\xff" * (-(-wide // 8)) for _ in range(high)), 1)
    with open_source(png_of(wide, high, rows)) as source:
        content = source.page(1)
        assert content.render is not None
        pixels = content.render(300)
    assert content.pictures[0].pixels == size
    assert pixels.shape[0] * pixels.shape[1] <= 12.2e6
    assert pixels.min() == 255


def test_pillow_keeps_its_own_bounds() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with open_source(saved(marked(), "PNG")) as source:
        source.page(1)
    assert before == Image.MAX_IMAGE_PIXELS


def test_what_a_cut_off_picture_still_holds_is_read() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (400, 300, 3), dtype=np.uint8)
    noise[:50] = 0
    data = saved(Image.fromarray(noise), "JPEG", quality=90)
    with open_source(data[: len(data) // 2]) as source:
        content = source.page(1)
        pixels = drawn(source)
    assert "damaged" in content.problems[0].what
    assert pixels.shape == (400, 300, 3)
    assert pixels[5, 5].max() < 40


@pytest.mark.parametrize("cut", [9, 20, 40])
def test_pictures_without_pixels_are_errors(cut: int) -> None:
    data = saved(marked(), "PNG")[:cut]
    with pytest.raises(DocumentError), open_source(data) as source:
        source.page(1)


def test_by_path_and_after_closing(tmp_path: Path) -> None:
    path = tmp_path / "seen.jpeg"
    path.write_bytes(saved(marked(), "PNG"))  # the content counts, not the name
    with open_source(path) as source:
        content = source.page(1)
    assert content.render is not None
    with pytest.raises(DocumentError, match="closed"):
        content.render(100)
