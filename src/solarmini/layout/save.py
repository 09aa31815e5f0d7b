"""A document written to files: whole or not at all, pictures and overlay beside it."""

import json
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from solarmini.errors import OutputError
from solarmini.layout.document import Category, Document, Element
from solarmini.layout.limits import Limits

Format = Literal["html", "markdown", "text", "json", "document"]
SUFFIXES: dict[Format, str] = {
    "html": ".html",
    "markdown": ".md",
    "text": ".txt",
    "json": ".json",
    "document": ".document.json",
}


@dataclass(frozen=True, slots=True)
class Saving:
    """What is written of a document, and how."""

    format: Format = "html"
    coordinates: bool = False
    images: tuple[Category, ...] = ()
    rich: bool = False
    overlay: bool = False
    overlay_png: bool = False


def render(
    document: Document, saving: Saving, link: Callable[[Element], str | None] | None = None
) -> str:
    """Return the document in the format asked for.

    `link` gives the address of an element's picture; without it pictures are part of the text
    (HTML, JSON) or left out (Markdown).
    """
    from solarmini.layout import export

    if saving.format == "html":
        return export.to_html(document, coordinates=saving.coordinates, images=link or "embed")
    if saving.format == "markdown":
        return export.to_markdown(document, rich=saving.rich, images=link)
    if saving.format == "text":
        return export.to_text(document)
    if saving.format == "json":
        answer = export.to_json(
            document, coordinates=saving.coordinates, base64_categories=saving.images
        )
        return json.dumps(answer, ensure_ascii=False) + "\n"
    return document.model_dump_json() + "\n"


def save(
    document: Document,
    output: Path,
    saving: Saving,
    *,
    origin: Path | None = None,
    limits: Limits | None = None,
    password: str | None = None,
) -> list[Path]:
    """Write `document` to the file `output`; return all files written, `output` last.

    With `output` "a.md", Markdown's pictures go to the folder a.images, the overlay to
    a.overlay.html and, as PNG, to the folder a.overlay. `origin` is the file that was read: its
    pages are drawn for the overlay. Raises OutputError.
    """
    stem = output.with_name(output.name.removesuffix(SUFFIXES[saving.format]))
    written: list[Path] = []
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        link = None
        if saving.format == "markdown" and saving.images:
            folder = stem.with_name(stem.name + ".images")
            written += _save_images(document, folder, saving.images)
            link = _linker(folder.name, saving.images)
        if (saving.overlay or saving.overlay_png) and origin is not None:
            written += _save_overlay(document, stem, saving, origin, limits, password)
        text = render(document, saving, link)
        _write(output, lambda file: _put(file, text))
    except OSError as error:
        raise OutputError(
            f"cannot write the output: {error.strerror or error}",
            where=error.filename or output,
            mend="choose a place that you may write to, with room on the disk",
        ) from error
    return [*written, output]


def _linker(folder: str, categories: Collection[Category]) -> Callable[[Element], str | None]:
    from urllib.parse import quote

    def link(element: Element) -> str | None:
        return f"{quote(folder)}/{element.id}.png" if element.category in categories else None

    return link


def _save_images(document: Document, folder: Path, categories: Collection[Category]) -> list[Path]:
    written = []
    for element in document.elements:
        if element.image is None or element.category not in categories:
            continue
        folder.mkdir(exist_ok=True)
        path = folder / f"{element.id}.png"
        _write_bytes(path, element.image)
        written.append(path)
    return written


def _save_overlay(
    document: Document,
    stem: Path,
    saving: Saving,
    origin: Path,
    limits: Limits | None,
    password: str | None,
) -> list[Path]:
    from solarmini.layout.export import overlay_png, write_overlay
    from solarmini.layout.pictures import as_jpeg, page_pixels

    written = []
    with page_pixels(origin, document, limits=limits, password=password) as pixels:
        if saving.overlay:

            def picture(number: int) -> bytes | None:
                drawn = pixels(number)
                return None if drawn is None else as_jpeg(drawn)

            path = stem.with_name(stem.name + ".overlay.html")
            _write(path, lambda file: write_overlay(file, document, picture))
            written.append(path)
        if saving.overlay_png:
            folder = stem.with_name(stem.name + ".overlay")
            folder.mkdir(exist_ok=True)
            for page in document.pages:
                drawn = pixels(page.number)
                if drawn is not None:
                    path = folder / f"{page.number}.png"
                    _write_bytes(path, overlay_png(page, drawn))
                    written.append(path)
    return written


def _put(file: TextIO, text: str) -> None:
    file.write(text)


def _write(path: Path, put: Callable[[TextIO], None]) -> None:
    """Let `put` write a file beside `path`, then put it in its place in one step."""
    beside = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            put(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _write_bytes(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
