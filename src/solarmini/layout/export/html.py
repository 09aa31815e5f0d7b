"""A document as HTML: semantic, escaped, nothing that runs.

Every element carries `id` and `data-category`. Text of the file is only ever text; links are
http, https or mailto; pictures are data URIs made by us.
"""

import base64
from collections.abc import Callable, Iterator
from html import escape
from itertools import pairwise
from typing import Literal

from solarmini.layout.document import Cell, Document, Element, Page, Polygon, Span, Table
from solarmini.layout.export.clean import clean, safe_link, styled_runs
from solarmini.layout.export.flow import flowing
from solarmini.layout.export.html_list import list_html

Images = Literal["embed", "none"] | Callable[[Element], str | None]

_POLICY = "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'"
STYLE = """\
:root{color-scheme:light dark}
body{font:1rem/1.55 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
section[data-page]+section[data-page]{border-top:1px solid #8886;margin-top:2rem;padding-top:1rem}
header,footer,[data-category=footnote]{color:#767676;font-size:.875rem}
@media(prefers-color-scheme:dark){header,footer,[data-category=footnote]{color:#9a9a9a}}
h1,h2,h3,h4,h5,h6{line-height:1.25}
figure{margin:1.5rem 0;overflow-x:auto}
figcaption,[data-category=caption]{font-size:.9375rem;font-style:italic;margin:.5rem 0}
figure img{max-width:100%;height:auto;background:#fff}
figure>p{font-size:.8125rem;color:#767676}
figure>img+p{max-height:7.5rem;overflow:auto;line-height:1.35}
table{border-collapse:collapse;font-size:.9375rem}
th,td{border:1px solid #8888;padding:.25rem .6rem;text-align:left;vertical-align:top}
th{background:#8882}
pre{overflow-x:auto;background:#8881;padding:.75rem}
ul[data-markers=printed]{list-style:none;padding-left:1.5rem}
"""


def to_html(
    document: Document,
    *,
    coordinates: bool = False,
    images: Images = "embed",
    whole: bool = True,
) -> str:
    """Return the document as one HTML page, or with `whole=False` as its sections alone.

    `coordinates` adds `data-coordinates` ("x,y x,y x,y x,y" in fractions of the page) to elements
    and table cells. `images` embeds the pictures of figures, leaves them out, or is a function
    that gives the address of an element's picture.
    """
    body = "\n".join(_page(page, coordinates, images) for page in document.pages)
    if not whole:
        return body + "\n" if body else ""
    title = title_of(document)
    lang = ' lang="ko"' if _korean(document) else ""
    return (
        f'<!DOCTYPE html>\n<html{lang}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def title_of(document: Document) -> str:
    """Return the title that the file states, or else the file's name, on one line."""
    name = document.source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return " ".join(clean(document.title or name or document.source).split())


def element_html(element: Element, *, coordinates: bool = False, images: Images = "embed") -> str:
    """Return one element as HTML, without a line break at its end."""
    attributes = _attributes(element, coordinates)
    category = element.category
    if element.items:
        return list_html(element.items, attributes, inline_html)
    if element.table is not None:
        return table_html(element.table, attributes, coordinates=coordinates)
    if category in ("figure", "chart"):
        return _figure(element, attributes, images)
    if category == "code":
        return f"<pre{attributes}><code>{escape(clean(element.text), quote=False)}</code></pre>"
    text = inline_html(element.spans)
    if element.level:
        return f"<h{element.level}{attributes}>{text}</h{element.level}>"
    tag = category if category in ("header", "footer") else "p"
    return f"<{tag}{attributes}>{text}</{tag}>"


def inline_html(spans: tuple[Span, ...]) -> str:
    """Return styled text; line breaks become `<br>`."""
    parts = []
    for span in styled_runs(spans):
        text = escape(span.text, quote=False).replace("\n", "<br>\n")
        for on, tag in (
            (span.code, "code"),
            (span.superscript, "sup"),
            (span.subscript, "sub"),
            (span.italic, "em"),
            (span.bold, "strong"),
        ):
            if on and span.text.strip():
                text = f"<{tag}>{text}</{tag}>"
        link = safe_link(span.link)
        if link and span.text.strip():
            text = f'<a href="{escape(link)}" rel="nofollow noopener noreferrer">{text}</a>'
        parts.append(text)
    return "".join(parts)


def table_html(table: Table, attributes: str = "", *, coordinates: bool = False) -> str:
    """Return a table with head and body; spans are cut to the grid."""
    rows: list[list[Cell]] = [[] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row].append(cell)
    head = _head_rows(table)
    lines = [f"<table{attributes}>"]
    for tag, start, end in (("thead", 0, head), ("tbody", head, table.rows)):
        if start == end:
            continue
        lines.append(f"<{tag}>")
        for row in rows[start:end]:
            cells = "".join(_cell(cell, table, coordinates) for cell in row)
            lines.append(f"<tr>{cells}</tr>")
        lines.append(f"</{tag}>")
    return "\n".join([*lines, "</table>"])


def _head_rows(table: Table) -> int:
    """Return how many rows can stand in <thead>: none where a cell reaches into the body.

    HTML cuts a row span at the end of its row group.
    """
    head = min(table.header_rows, table.rows)
    reaching = any(cell.row < head < cell.row + cell.row_span for cell in table.cells)
    return 0 if reaching else head


def _cell(cell: Cell, table: Table, coordinates: bool) -> str:
    column_span = min(cell.column_span, table.columns - cell.column)
    row_span = min(cell.row_span, table.rows - cell.row)
    header = cell.header or cell.row < table.header_rows
    attributes = ""
    if header:
        attributes += ' scope="col"' if cell.row < table.header_rows else ' scope="row"'
    if column_span > 1:
        attributes += f' colspan="{column_span}"'
    if row_span > 1:
        attributes += f' rowspan="{row_span}"'
    if coordinates and cell.polygon is not None:
        attributes += _coordinates(cell.polygon)
    tag = "th" if header else "td"
    return f"<{tag}{attributes}>{inline_html(cell.spans)}</{tag}>"


def _figure(element: Element, attributes: str, images: Images, alt: str = "") -> str:
    parts = [f"<figure{attributes}>"]
    source = picture_source(element, images)
    if source:
        parts.append(f'<img src="{escape(source)}" alt="{escape(alt or element.category)}">')
    text = inline_html(element.spans)
    if text:
        parts.append(f"<p>{text}</p>")
    return "\n".join([*parts, "</figure>"]) if len(parts) > 1 else parts[0] + "</figure>"


def picture_source(element: Element, images: Images) -> str | None:
    """Return the address of an element's picture, or None when there is none to show."""
    if element.image is None or images == "none":
        return None
    if callable(images):
        return images(element)
    return data_uri(element.image)


def data_uri(picture: bytes) -> str | None:
    """Return a PNG, JPEG or WebP as a data URI; None for anything else."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "png"
    elif picture.startswith(b"\xff\xd8\xff"):
        kind = "jpeg"
    elif picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        kind = "webp"
    else:
        return None
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _attributes(element: Element, coordinates: bool) -> str:
    place = _coordinates(element.polygon) if coordinates else ""
    goes_on = "" if element.continues is None else f' data-continues="{element.continues}"'
    return f' id="{element.id}" data-category="{element.category}"{goes_on}{place}'


def _coordinates(polygon: Polygon) -> str:
    points = " ".join(f"{point.x:.4f},{point.y:.4f}" for point in polygon)
    return f' data-coordinates="{points}"'


def _page(page: Page, coordinates: bool, images: Images) -> str:
    parts = "\n".join(_blocks(page, coordinates, images))
    return f'<section data-page="{page.number}">\n{parts}\n</section>'


def _blocks(page: Page, coordinates: bool, images: Images) -> Iterator[str]:
    """Yield the page's elements; a caption beside its figure or table goes into one <figure>."""
    elements = flowing(page.elements)
    partner: dict[int, int] = {}  # index of a caption or of its owner -> index of the other
    for first, second in pairwise(range(len(elements))):
        for caption, owner in ((first, second), (second, first)):
            mine = elements[owner].caption == elements[caption].id
            free = caption not in partner and owner not in partner
            if mine and free and elements[caption].category == "caption":
                partner |= {caption: owner, owner: caption}
    for index, element in enumerate(elements):
        other = partner.get(index)
        if other is None:
            yield element_html(element, coordinates=coordinates, images=images)
        elif index < other:
            caption, owner = sorted((index, other), key=lambda i: elements[i].category != "caption")
            yield _captioned(
                elements[owner], elements[caption], caption < owner, coordinates, images
            )


def _captioned(
    owner: Element, caption: Element, above: bool, coordinates: bool, images: Images
) -> str:
    attributes = _attributes(caption, coordinates)
    title = f"<figcaption{attributes}>{inline_html(caption.spans)}</figcaption>"
    if owner.category in ("figure", "chart"):
        alt = " ".join(clean(caption.text).split())
        inside = _figure(owner, _attributes(owner, coordinates), images, alt)
        opening, closing = inside.index(">") + 1, inside.rindex("</figure>")
        start, body = inside[:opening], inside[opening:closing].strip("\n")
    else:
        start, body = "<figure>", element_html(owner, coordinates=coordinates, images=images)
    inner = [part for part in ((title, body) if above else (body, title)) if part]
    return "\n".join([start, *inner, "</figure>"])


def _korean(document: Document) -> bool:
    """Whether much of the text is Hangul, judged by the first elements."""
    sample = ""
    for element in document.elements:
        sample += element.text
        if len(sample) > 4000:
            break
    letters = sum(character.isalpha() for character in sample)
    hangul = sum("가" <= character <= "힣" for character in sample)
    return hangul * 5 > letters
