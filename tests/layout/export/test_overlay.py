"""The overlay: self-contained, nothing of the document runs, boxes where the elements are."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from small_documents import PNG, document, of

from solarmini.layout.document import Document
from solarmini.layout.export import overlay_page, overlay_png, write_overlay
from solarmini.layout.export.overlay import COLORS
from solarmini.layout.pictures import as_jpeg


class Parts(HTMLParser):
    """Tags with their attributes, and the text of each script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)


def test_every_element_has_a_box_and_a_row(sample: Document) -> None:
    parts = Parts(overlay_page(sample, lambda _: PNG))
    boxes = [a["data-of"] for t, a in parts.tags if t == "g"]
    rows = [a["data-of"] for t, a in parts.tags if t == "li"]
    assert boxes == rows == [str(n) for n in range(14)]
    assert all(a.get("tabindex") == "0" for t, a in parts.tags if t == "g")
    cells = [a for t, a in parts.tags if t == "polygon" and a.get("class") == "cell"]
    assert len(cells) == 1
    paths = [a["points"] for t, a in parts.tags if t == "polyline"]
    assert [len((points or "").split()) for points in paths] == [8, 6]


def test_boxes_are_where_the_elements_are(sample: Document) -> None:
    html = overlay_page(sample, lambda _: None)
    box = re.search(r'class="box" points="([^"]+)"', html)
    assert box is not None
    high = 1000 * 792 / 612
    expected = [(100, 0.2 * high), (900, 0.2 * high), (900, 0.3 * high), (100, 0.3 * high)]
    points = [tuple(map(float, point.split(","))) for point in box[1].split()]
    assert points == [pytest.approx(point, abs=0.1) for point in expected]


def test_the_page_needs_nothing_else_and_runs_only_our_script(sample: Document) -> None:
    html = overlay_page(sample, lambda _: PNG)
    parts = Parts(html)
    [script] = parts.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    [policy] = [a["content"] for t, a in parts.tags if "http-equiv" in a]
    assert f"script-src 'sha256-{digest}'" in (policy or "")
    assert "default-src 'none'" in (policy or "")
    addresses = [a[k] or "" for _, a in parts.tags for k in ("src", "href") if k in a]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)


def test_hostile_text_is_text() -> None:
    hostile = "</script></title></template><script>alert(1)</script><img src=x onerror=alert(1)>"
    made = document(of("paragraph", hostile), of("heading1", '" onload="x'), title=hostile)
    parts = Parts(overlay_page(made, lambda _: b"<svg onload=alert(1)>"))
    assert len(parts.scripts) == 1
    assert "img" not in [tag for tag, _ in parts.tags]
    assert not any(name.startswith("on") for _, a in parts.tags for name in a)


def test_pages_are_written_one_at_a_time(sample: Document) -> None:
    asked: list[int] = []
    file = io.StringIO()

    def picture(number: int) -> bytes:
        asked.append(number)
        assert file.getvalue().count("<figure") == number - 1
        return as_jpeg(np.full((20, 10, 3), 255, np.uint8))

    write_overlay(file, sample, picture)
    assert asked == [1, 2]
    assert "data:image/jpeg;base64," in file.getvalue()


def test_png_shows_boxes_in_their_colors(sample: Document) -> None:
    page = sample.pages[0]
    blank = np.full((792, 612, 3), 255, np.uint8)
    drawn = np.asarray(Image.open(io.BytesIO(overlay_png(page, blank))))
    assert drawn.shape == blank.shape
    edge = drawn[round(0.25 * 792), round(0.1 * 612)]  # of the left side of all boxes
    wanted = COLORS[page.elements[-1].category]
    assert edge.tolist() == [int(wanted[at : at + 2], 16) for at in (1, 3, 5)]
    assert (drawn[700:, 300:] == 255).all()  # where there is nothing
