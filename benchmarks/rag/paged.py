"""Plain texts as PDFs with pages, so that citations of a page can be measured.

Korean and Latin letters without an embedded font: the reader's own stands in, the text is exact.
"""

import textwrap
import zlib
from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
_SIZE, _LEADING = 10, 15
_LINES = (_HEIGHT - 2 * _MARGIN) // _LEADING


def write_pdf(path: Path, text: str, columns: int) -> int:
    """Write `text` in lines of `columns` letters; return the number of pages."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, columns, break_long_words=True) or [""]
    pages = [lines[at : at + _LINES] for at in range(0, len(lines), _LINES)]
    korean = any("가" <= c <= "힣" for c in text)
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", *_fonts(korean)]
    kids = []
    for page in pages:
        number = len(objects) + 1
        kids.append(f"{number} 0 R")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {_WIDTH} {_HEIGHT}]"
            f"/Resources<</Font<</F 3 0 R>>>>/Contents {number + 1} 0 R>>"
        )
        objects.append(_content(page, korean))
    objects[1] = f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(kids)}]>>"
    path.write_bytes(_file(objects))
    return len(pages)


def _fonts(korean: bool) -> list[str]:
    if not korean:
        return ["<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>", "null"]
    return [
        "<</Type/Font/Subtype/Type0/BaseFont/HYSMyeongJo-Medium/Encoding/UniKS-UCS2-H"
        "/DescendantFonts[4 0 R]>>",
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/HYSMyeongJo-Medium/DW 1000"
        "/W[1 94 500]"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Korea1)/Supplement 2>>/FontDescriptor"
        "<</Type/FontDescriptor/FontName/HYSMyeongJo-Medium/Flags 6/FontBBox[0 -200 1000 900]"
        "/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/StemV 80>>>>",
    ]


def _content(lines: list[str], korean: bool) -> str:
    said = [f"BT /F {_SIZE} Tf {_LEADING} TL {_MARGIN} {_HEIGHT - _MARGIN} Td"]
    for line in lines:
        codes = line.encode("utf-16-be", "replace") if korean else line.encode("cp1252", "replace")
        said.append(f"<{codes.hex()}> Tj T*")
    return "\n".join([*said, "ET"])


def _file(objects: list[str]) -> bytes:
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        if body.startswith("BT"):
            packed = zlib.compress(body.encode())
            head = f"<</Length {len(packed)}/Filter/FlateDecode>>\nstream\n".encode()
            raw = head + packed + b"\nendstream"
        else:
            raw = body.encode()
        out += f"{number} 0 obj\n".encode() + raw + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
