"""`solar parse`."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from solarmini.layout.corpus import Outcome
    from solarmini.layout.document import Document
    from solarmini.layout.reading import Reading
    from solarmini.layout.save import Saving

_READ = Group("How to read", sort_key=10)
_WRITE = Group("What to write", sort_key=11)
_MACHINE = Group("Machine and files", sort_key=12)
_FORMATS = {".html": "html", ".htm": "html", ".md": "markdown", ".txt": "text", ".json": "json"}


def parse(
    files: Annotated[tuple[Path, ...], Parameter(negative="")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    format: Annotated[
        Literal["html", "markdown", "text", "json", "document"] | None, Parameter(group=_WRITE)
    ] = None,
    coordinates: Annotated[bool | None, Parameter(group=_WRITE)] = None,
    images: Annotated[str | None, Parameter(group=_WRITE)] = None,
    overlay: Annotated[bool, Parameter(group=_WRITE, negative="")] = False,
    overlay_png: Annotated[bool, Parameter(group=_WRITE, negative="")] = False,
    rich: Annotated[bool, Parameter(group=_WRITE, negative="")] = False,
    fast: Annotated[bool, Parameter(group=_READ, negative="")] = False,
    ocr: Annotated[Literal["auto", "force", "never"], Parameter(group=_READ)] = "auto",
    languages: Annotated[str, Parameter(group=_READ)] = "en,ko",
    pages: Annotated[str | None, Parameter(group=_READ)] = None,
    merge_tables: Annotated[bool, Parameter(group=_READ)] = True,
    password_file: Annotated[Path | None, Parameter(group=_READ)] = None,
    redo: Annotated[bool, Parameter(group=_MACHINE, negative="")] = False,
    jobs: Annotated[int | None, Parameter(group=_MACHINE)] = None,
    ray: Annotated[str | None, Parameter(group=_MACHINE)] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="", group=_MACHINE)] = False,
) -> int:
    """Turn PDFs, pictures and office files into HTML, Markdown, text or JSON.

    Headings, paragraphs, lists, tables with their spans, figures, captions, footnotes, headers
    and footers come out in the order in which people read them. Scans and pictures are read by
    OCR, in English and Korean. Everything runs on this machine, without a network.

        solar parse paper.pdf                     # HTML on standard output
        solar parse paper.pdf -o paper.md         # Markdown, by the output's name
        solar parse scan.png --format text | less
        solar parse paper.pdf -o p.html --pages 1-3,7 --overlay
        solar parse papers/ -o out --format markdown   # a folder; again to go on
        solar parse form.pdf --format json --images table

    With several files or a folder, files that are done already are skipped. Exit code 0: all was
    read; 1: a page or a file was not, and is named; 2: nothing was.

    Parameters
    ----------
    files
        PDF, PNG, JPEG, TIFF, BMP, WEBP, DOCX, PPTX, XLSX or HWPX files, and folders of them.
    output
        File to write; a folder for several files. Without it one file goes to standard output.
    format
        html: semantic, with ids and data-category. markdown, text. json: the answer of Upstage's
        document-parse service. document: all that is known, as `solarmini.layout.Document` reads
        it back. Default: by the output's name, else html.
    coordinates
        Where each element is on its page, in HTML and JSON (default: in JSON).
    images
        Also cut out pictures of these categories: table,figure,chart,equation or none. Default:
        figure,chart in HTML that goes to a file. Markdown has them in a folder beside it.
    overlay
        Also write OUTPUT.overlay.html: the pages with boxes, categories and reading order.
    overlay_png
        Also write a folder OUTPUT.overlay with one such picture a page.
    rich
        Mark bold, italic, raised text and links in Markdown too.
    fast
        Without layout and table models: a tenth of the time, a little less exact.
    ocr
        auto: where a page has no usable text. force: all pages. never.
    languages
        Languages that OCR reads.
    pages
        Which pages: 1-3,7,9-.
    merge_tables
        Join tables that go on over a page break.
    password_file
        File whose first line is the password of encrypted PDFs.
    redo
        Read files again that are done already.
    jobs
        Worker processes (default: one a processor).
    ray
        Read on a Ray cluster: its address, "auto", or "local" to start one here. Every machine
        must see the files and the output under the same paths.
    as_json
        Print what was done as JSON; needs an output.
    """
    from solarmini.errors import ConfigError
    from solarmini.layout.reading import Reading
    from solarmini.layout.save import Saving

    chosen: Any = format or (_FORMATS.get(output.suffix.lower()) if output else None) or "html"
    categories = _categories(images, embed=chosen == "html" and output is not None)
    saving = Saving(
        format=chosen,
        coordinates=chosen == "json" if coordinates is None else coordinates,
        images=categories,
        rich=rich,
        overlay=overlay,
        overlay_png=overlay_png,
    )
    reading = Reading(
        mode="fast" if fast else "default",
        ocr=ocr,
        languages=tuple(part.strip() for part in languages.split(",") if part.strip()),
        images=categories,
        merge_tables=merge_tables,
        password=_password(password_file),
    )
    if not files:
        raise ConfigError("which file should be read?", mend="name a file or a folder")
    if ray is not None and output is None:
        raise ConfigError("where should the results go?", mend="give -o FOLDER")
    if as_json and output is None:
        raise ConfigError(
            "--json prints what was done, so the result needs a place", mend="give -o"
        )
    single = len(files) == 1 and not files[0].is_dir() and ray is None
    if single and (output is None or (output.suffix and not output.is_dir())):
        return _one(files[0], output, reading, saving, pages, jobs, as_json)
    if output is None:
        raise ConfigError("several files need a place to go", mend="give -o FOLDER")
    return _many(files, output, reading, saving, pages, jobs, as_json, redo, ray)


def _categories(asked: str | None, *, embed: bool) -> tuple[Any, ...]:
    from solarmini.errors import ConfigError
    from solarmini.layout.document import CATEGORIES

    if asked is None:
        return ("figure", "chart") if embed else ()
    names = [part.strip() for part in asked.split(",") if part.strip()]
    if names == ["none"]:
        return ()
    for name in names:
        if name not in CATEGORIES:
            known = ", ".join(CATEGORIES)
            raise ConfigError(f"there is no category '{name}'", mend=f"known: {known}; or none")
    return tuple(names)


def _password(file: Path | None) -> str | None:
    from solarmini.errors import ConfigError

    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the password cannot be read: {error}", where=file) from error


def _one(
    file: Path,
    output: Path | None,
    reading: "Reading",
    saving: "Saving",
    pages: str | None,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Read one file to standard output or to the file `output`."""
    from solarmini.layout.corpus import Item, write
    from solarmini.layout.driver import Parser
    from solarmini.layout.save import render

    with Parser(reading, jobs=jobs, isolate=True) as parser, _pages_bar(file.name) as progress:
        document = parser.parse(file, pages=pages, progress=progress)
    if output is None:
        sys.stdout.write(render(document, saving))
        if saving.overlay or saving.overlay_png:
            _say("no overlay is written without -o", style="yellow")
    else:
        outcome = write(document, Item(file, output), saving, reading)
        if as_json:
            print(json.dumps(outcome.facts, ensure_ascii=False))
        else:
            _say(f"{', '.join(outcome.files)}: {_facts(document)}")
    for problem in document.problems:
        where = f"page {problem.page}: " if problem.page else ""
        mend = f" (mend: {problem.mend})" if problem.mend else ""
        _say(f"{where}{problem.what}{mend}", style="red" if problem.fatal else "yellow")
    return 0 if document.complete else 1


def _facts(document: "Document") -> str:
    count = len(document.pages)
    elements = sum(len(page.elements) for page in document.pages)
    return f"{count} {'page' if count == 1 else 'pages'}, {elements} elements"


def _many(
    files: tuple[Path, ...],
    output: Path,
    reading: "Reading",
    saving: "Saving",
    pages: str | None,
    jobs: int | None,
    as_json: bool,
    redo: bool,
    ray: str | None,
) -> int:
    """Read files and folders into the folder `output`."""
    from solarmini.console import progress
    from solarmini.errors import OutputError
    from solarmini.layout import corpus

    if output.exists() and not output.is_dir():
        raise OutputError("several files need a folder to go to", where=output)
    items = corpus.plan(files, output, saving.format)
    todo = items if redo else [item for item in items if not item.done]
    if ray is not None:
        from solarmini.layout.ray import read_on_ray

        outcomes = read_on_ray(todo, reading, saving, address=ray, pages=pages)
    else:
        outcomes = corpus.read_corpus(todo, reading, saving, pages=pages, jobs=jobs)
    results = []
    with progress("reading", len(todo), "files") as advance:
        for outcome in outcomes:
            results.append(outcome)
            _report(outcome)
            advance(1)
    skipped = len(items) - len(todo)
    counts = {
        name: sum(r.status == name for r in results) for name in ("done", "partial", "failed")
    }
    if as_json:
        facts = {**counts, "skipped": skipped, "files": [result.facts for result in results]}
        print(json.dumps(facts, ensure_ascii=False))
    else:
        total = sum(result.pages for result in results)
        said = [f"{counts['done']} read"]
        said += [f"{counts[name]} {name}" for name in ("partial", "failed") if counts[name]]
        said += [f"{skipped} done before"] * bool(skipped)
        _say(f"{output}: {', '.join(said)}; {total} pages")
    if results and counts["failed"] == len(results) and not skipped:
        return 2
    return 1 if counts["partial"] or counts["failed"] else 0


def _report(outcome: "Outcome") -> None:
    """Name what could not be read of a file."""
    for problem in outcome.problems:
        if problem["fatal"]:
            where = f", page {problem['page']}" if problem["page"] else ""
            _say(f"{outcome.source}{where}: {problem['what']}", style="red")


@contextmanager
def _pages_bar(label: str) -> "Generator[Callable[[int, int], None]]":
    """Give a function that shows how many pages are done, once their number is known."""
    from solarmini.console import progress

    with ExitStack() as stack:
        state: dict[str, Any] = {"done": 0}

        def show(done: int, total: int) -> None:
            if "advance" not in state:
                state["advance"] = stack.enter_context(progress(label, total, "pages"))
            state["advance"](done - state["done"])
            state["done"] = done

        yield show


def _say(text: str, style: str | None = None) -> None:
    from rich.markup import escape

    from solarmini.console import err

    err().print(escape(text), style=style, soft_wrap=True)
