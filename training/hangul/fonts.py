"""The fonts lines are drawn in: fetched as packages, grouped in families, some held out.

`python training/hangul/fonts.py FOLDER` fetches them (npm and Debian clients must be set up).
Every family is under the SIL Open Font Licence, or a licence as free (Apache-2.0, Bitstream Vera,
GUST). A held-out family, and every other cut of the same drawings, is never trained on.
"""

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

KOREAN = [
    "nanum-gothic",
    "nanum-myeongjo",
    "nanum-gothic-coding",
    "ibm-plex-sans-kr",
    "gowun-dodum",
    "gowun-batang",
    "gothic-a1",
    "noto-serif-kr",
    "do-hyeon",
    "jua",
    "sunflower",
    "song-myung",
    "black-han-sans",
    "dongle",
    "gugi",
    "gaegu",
    "poor-story",
]
LATIN = [
    "roboto",
    "open-sans",
    "lato",
    "inter",
    "source-sans-3",
    "source-serif-4",
    "merriweather",
    "eb-garamond",
    "libre-baskerville",
    "crimson-text",
    "roboto-mono",
    "roboto-slab",
    "oswald",
    "pt-serif",
    "pt-sans",
    "playfair-display",
    "montserrat",
    "source-code-pro",
    "arimo",
    "tinos",
    "cousine",
    # text figures (old-style 0123456789) by default
    "raleway",
    "alegreya",
    "alegreya-sans",
    "vollkorn",
    "gelasio",
    "cormorant-garamond",
    "cardo",
    "sorts-mill-goudy",
    "bitter",
    "noto-serif",
    "stix-two-text",
    "libre-caslon-text",
    "work-sans",
    "poppins",
    "ubuntu",
]
DEBIAN = "fonts-dejavu-core fonts-dejavu-extra fonts-liberation2 fonts-liberation fonts-lmodern"

# Noto Sans CJK is the same drawing as Noto Sans KR, Source Han Sans and the Hangul of Pretendard
# and Spoqa Han Sans: none of these is in the lists above. Gowun Batang is held out too.
HELD_OUT = ("gowun-batang", "noto-sans-cjk")
HELD_OUT_LATIN = ("tinos", "lato")
# The drawings of Tinos are those of Liberation Serif.
SAME_AS_HELD_OUT = ("LiberationSerif",)
DISPLAY = ("do-hyeon", "jua", "black-han-sans", "dongle", "gugi", "gaegu", "poor-story", "oswald")


@dataclass(frozen=True)
class Face:
    """One font file (or one face of a collection)."""

    path: str
    index: int
    family: str
    korean: bool
    held_out: bool
    display: bool

    @property
    def coverage(self) -> frozenset[int]:
        """Code points that it draws."""
        return _coverage(self.path, self.index)

    def draws(self, text: str) -> bool:
        """Whether every character has a glyph."""
        have = self.coverage
        return all(ord(c) in have or c == " " for c in text)

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        """The face at `size` pixels per em."""
        return _font(self.path, self.index, size)


@cache
def _coverage(path: str, index: int) -> frozenset[int]:
    if path.endswith((".ttc", ".otc")):
        cmap = TTCollection(path, lazy=True).fonts[index].getBestCmap()
    else:
        cmap = TTFont(path, lazy=True).getBestCmap()
    return frozenset(cmap or ())


@lru_cache(maxsize=400)
def _font(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)


def fetch(folder: Path) -> None:
    """Fetch and unpack the packages into `folder`/<family>."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in KOREAN + LATIN:
        target = folder / name
        if target.exists():
            continue
        got = subprocess.run(
            ["npm", "pack", "--silent", f"@expo-google-fonts/{name}"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if got.returncode:
            print("not found:", name, got.stderr.strip()[-200:], file=sys.stderr)
            continue
        archive = folder / got.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")
        archive.unlink()
    for package in DEBIAN.split():
        target = folder / f"debian-{package}"
        if target.exists():
            continue
        got = subprocess.run(["apt-get", "download", package], cwd=folder, check=False)
        for archive in folder.glob(f"{package}_*.deb"):
            subprocess.run(["dpkg", "-x", archive, target], check=True)
            archive.unlink()


def _is_upright(path: Path) -> bool:
    name = path.stem.lower()
    return not any(word in name for word in ("thin", "extralight", "100", "200", "symbol", "math"))


def faces(folder: Path) -> list[Face]:
    """Every usable face under `folder`, and Noto Sans CJK KR where the system has it."""
    found = []
    for family in sorted(folder.iterdir()):
        for path in sorted([*family.rglob("*.ttf"), *family.rglob("*.otf")]):
            if not _is_upright(path) or path.stem.startswith(SAME_AS_HELD_OUT):
                continue
            if "lmodern" in family.name and not path.stem.startswith(
                ("lmroman10", "lmsans10", "lmmono10")
            ):
                continue
            name = family.name
            held = name in HELD_OUT or name in HELD_OUT_LATIN
            found.append(Face(str(path), 0, name, name in KOREAN, held, name in DISPLAY))
    system = Path("/usr/share/fonts/opentype/noto")
    for path in sorted(system.glob("NotoSansCJK-*.ttc")):
        if path.stem.split("-")[1] in ("Regular", "Medium", "Bold"):
            # the second face of the collection is the Korean one
            found.append(Face(str(path), 1, "noto-sans-cjk", True, True, False))
    return found


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
