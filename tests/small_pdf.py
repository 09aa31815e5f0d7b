"""PDFs made by tests: standard fonts, text at places, strokes; nothing else."""

from dataclasses import dataclass, field

FONTS = {"F": "Helvetica", "B": "Helvetica-Bold", "I": "Helvetica-Oblique", "M": "Courier"}


@dataclass
class SmallPdf:
    """Draws pages from the top left in points; `data()` is the file."""

    width: int = 612
    height: int = 792
    streams: list[str] = field(default_factory=list)

    def page(self) -> "SmallPdf":
        self.streams.append("")
        return self

    def text(self, x: float, y: float, text: str, size: float = 11, font: str = "F") -> "SmallPdf":
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        self.streams[-1] += (
            f"BT /{font} {size} Tf 1 0 0 1 {x} {self.height - y} Tm ({escaped}) Tj ET\n"
        )
        return self

    def lines(
        self, x: float, y: float, texts: list[str], size: float = 11, font: str = "F"
    ) -> "SmallPdf":
        for index, text in enumerate(texts):
            self.text(x, y + index * size * 1.2, text, size, font)
        return self

    def stroke(self, x: float, y: float, to_x: float, to_y: float) -> "SmallPdf":
        start, end = f"{x} {self.height - y} m", f"{to_x} {self.height - to_y} l"
        self.streams[-1] += f"0.6 w {start} {end} S\n"
        return self

    def grid(self, x: float, y: float, widths: list[float], heights: list[float]) -> "SmallPdf":
        right, bottom = x + sum(widths), y + sum(heights)
        for index in range(len(heights) + 1):
            at = y + sum(heights[:index])
            self.stroke(x, at, right, at)
        for index in range(len(widths) + 1):
            at = x + sum(widths[:index])
            self.stroke(at, y, at, bottom)
        return self

    def filled(
        self, x: float, y: float, width: float, height: float, color: tuple[float, float, float]
    ) -> "SmallPdf":
        red, green, blue = color
        self.streams[-1] += (
            f"{red} {green} {blue} rg {x} {self.height - y - height} {width} {height} re f 0 g\n"
        )
        return self

    def data(self) -> bytes:
        names = list(FONTS)
        first = 3 + len(names)  # of the pages: two objects each
        kids = " ".join(f"{first + 2 * i} 0 R" for i in range(len(self.streams)))
        fonts = " ".join(f"/{name} {3 + i} 0 R" for i, name in enumerate(names))
        objects = [
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {len(self.streams)} >>",
        ]
        objects += [
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{FONTS[name]} /Encoding /WinAnsiEncoding >>"
            for name in names
        ]
        for index, stream in enumerate(self.streams):
            objects.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {self.width} {self.height}] "
                f"/Resources << /Font << {fonts} >> >> /Contents {first + 2 * index + 1} 0 R >>"
            )
            raw = stream.encode("cp1252")
            objects.append(f"<< /Length {len(raw)} >>\nstream\n{stream}endstream")
        parts, places, size = [b"%PDF-1.4\n"], [], 9
        for number, body in enumerate(objects, 1):
            places.append(size)
            parts.append(f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252"))
            size += len(parts[-1])
        table = "".join(f"{place:010} 00000 n \n" for place in places)
        end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{size}\n%%EOF\n"
        return (
            b"".join(parts)
            + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}".encode()
        )


def report(pages: int) -> bytes:
    """A report with a title, running text and page numbers."""
    pdf = SmallPdf()
    for number in range(1, pages + 1):
        pdf.page().text(72, 40, "Annual report of the lighthouse", 9)
        pdf.text(72, 90, f"{number} Section number {number}", 16, "B")
        for part in range(3):
            words = [f"Line {line} of part {part} says on page {number}" for line in range(6)]
            pdf.lines(72, 130 + 110 * part, [f"{w} that the lamp burns well." for w in words])
        pdf.text(300, 760, str(number), 9)
    return pdf.data()
