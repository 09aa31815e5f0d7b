"""PDFs made by tests object by object, so that any of it can be odd, hostile or broken."""

import hashlib
import zlib
from dataclasses import dataclass, field

HELVETICA = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
BOLD = HELVETICA.replace("/Helvetica", "/Helvetica-Bold")
OBLIQUE = HELVETICA.replace("/Helvetica", "/Helvetica-Oblique")
COURIER = HELVETICA.replace("/Helvetica", "/Courier")
# a font that is not in the file: its character collection alone says what the codes mean
KOREAN = (
    "<< /Type /Font /Subtype /Type0 /BaseFont /HYSMyeongJo-Medium /Encoding /UniKS-UCS2-H "
    "/DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HYSMyeongJo-Medium "
    "/CIDSystemInfo << /Registry (Adobe) /Ordering (Korea1) /Supplement 1 >> /DW 1000 >>] >>"
)


@dataclass
class RawPdf:
    """Objects by number; 1 is the catalogue, 2 the page tree, 3 the resources of all pages."""

    media: str = "[0 0 600 800]"
    extra: str = ""  # of every page: /Rotate 90, /CropBox [...]
    fonts: dict[str, str] = field(
        default_factory=lambda: {"F": HELVETICA, "B": BOLD, "I": OBLIQUE, "M": COURIER, "K": KOREAN}
    )
    xobjects: dict[str, int] = field(default_factory=dict)
    resources: str = ""
    contents: list[bytes] = field(default_factory=list)
    objects: dict[int, bytes] = field(default_factory=dict)
    compress: bool = False

    def page(self, content: str | bytes) -> "RawPdf":
        """Add a page with a content stream."""
        self.contents.append(content.encode("cp1252") if isinstance(content, str) else content)
        return self

    def stream(self, number: int, head: str, data: bytes) -> "RawPdf":
        """Add a stream object."""
        self.objects[number] = stream(head, data)
        return self

    def all_objects(self) -> dict[int, bytes]:
        """The objects of the file by number."""
        kids = " ".join(f"{1000 + 2 * i} 0 R" for i in range(len(self.contents)))
        fonts = " ".join(f"/{name} {body}" for name, body in self.fonts.items())
        images = " ".join(f"/{name} {number} 0 R" for name, number in self.xobjects.items())
        found = {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: f"<< /Type /Pages /Kids [{kids}] /Count {len(self.contents)} >>".encode(),
            3: f"<< /Font << {fonts} >> /XObject << {images} >> {self.resources} >>".encode(),
        }
        for index, content in enumerate(self.contents):
            found[1000 + 2 * index] = (
                f"<< /Type /Page /Parent 2 0 R /MediaBox {self.media} {self.extra} "
                f"/Resources 3 0 R /Contents {1001 + 2 * index} 0 R >>"
            ).encode()
            if self.compress:
                content = zlib.compress(content)
            found[1001 + 2 * index] = stream(
                "/Filter /FlateDecode" if self.compress else "", content
            )
        return found | self.objects

    def data(self, trailer: str = "") -> bytes:
        """The file."""
        return assemble(self.all_objects(), trailer)


def stream(head: str, data: bytes) -> bytes:
    """A stream object's body."""
    return f"<< /Length {len(data)} {head} >>\nstream\n".encode() + data + b"\nendstream"


def assemble(objects: dict[int, bytes], trailer: str = "") -> bytes:
    """Number, place and index objects."""
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", {}
    for number in sorted(objects):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + objects[number] + b"\nendobj\n"
    table = "".join(f"{n} 1\n{place:010} 00000 n \n" for n, place in places.items())
    size = max(objects) + 1
    end = f"trailer << /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + f"xref\n0 1\n0000000000 65535 f \n{table}{end}".encode()


def show(x: float, y: float, text: str, size: float = 10, font: str = "F", more: str = "") -> str:
    """Operators that show `text` with its baseline's start at (x, y), y upward."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"q BT {more} /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET Q\n"


def korean(x: float, y: float, text: str, size: float = 10) -> str:
    """Operators that show Korean text in a font that is not embedded."""
    return f"BT /K {size} Tf 1 0 0 1 {x} {y} Tm <{text.encode('utf-16-be').hex()}> Tj ET\n"


def mapped_font(meanings: dict[int, str], base: str = "Helvetica") -> tuple[str, bytes]:
    """A font whose codes mean what `meanings` says: its body (ToUnicode is object 50), the map."""
    lines = "".join(
        f"<{code:02x}> <{text.encode('utf-16-be').hex()}>\n" for code, text in meanings.items()
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(meanings)} beginbfchar\n{lines}endbfchar endcmap end end"
    )
    return (
        f"<< /Type /Font /Subtype /Type1 /BaseFont /{base} /Encoding /WinAnsiEncoding "
        "/ToUnicode 50 0 R >>"
    ), cmap.encode()


def gray_image(width: int, height: int, data: bytes | None = None) -> bytes:
    """An image object of 8-bit gray."""
    pixels = zlib.compress(data if data is not None else bytes(width * height))
    head = (
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray "
        "/BitsPerComponent 8 /Filter /FlateDecode"
    )
    return stream(head, pixels)


_PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def _rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 255
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + box[i]) & 255
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) & 255])
    return bytes(out)


def encrypted(pdf: RawPdf, password: str) -> bytes:
    """The file encrypted for `password` (ISO 32000-1, 7.6: RC4, 40 bits, revision 2)."""
    user = (password.encode("latin-1") + _PAD)[:32]
    owner_value = _rc4(hashlib.md5(user).digest()[:5], user)
    rights, name = 0xFFFFFFFC, b"0123456789abcdef"
    key = hashlib.md5(user + owner_value + rights.to_bytes(4, "little") + name).digest()[:5]
    user_value = _rc4(key, _PAD)
    objects = pdf.all_objects()
    for number, body in objects.items():
        head, mark, rest = body.partition(b"stream\n")
        if mark:
            data = rest.removesuffix(b"\nendstream")
            salt = key + number.to_bytes(3, "little") + b"\0\0"
            data = _rc4(hashlib.md5(salt).digest()[:10], data)
            objects[number] = head + mark + data + b"\nendstream"
    objects[90] = (
        b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <"
        + owner_value.hex().encode()
        + b"> /U <"
        + user_value.hex().encode()
        + b"> >>"
    )
    return assemble(objects, f"/Encrypt 90 0 R /ID [<{name.hex()}> <{name.hex()}>]")
