"""Many files to many files: what there is to do, what is done already, and how each one went."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from solarmini.errors import DocumentError, SolarError
from solarmini.layout.document import Document, Problem
from solarmini.layout.driver import Parser
from solarmini.layout.numbers import Pages
from solarmini.layout.reading import Reading
from solarmini.layout.save import SUFFIXES, Format, Saving, save

SUFFIXES_READ = frozenset(
    f".{kind}"
    for kind in (
        *("pdf", "png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp", "gif"),
        *("docx", "pptx", "xlsx", "hwpx"),
    )
)


@dataclass(frozen=True, slots=True)
class Item:
    """A file to read and the file to write."""

    source: Path
    output: Path

    @property
    def done(self) -> bool:
        """Whether the output is there and not older than the source."""
        try:
            return self.output.stat().st_mtime >= self.source.stat().st_mtime
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one file went. `status`: done, partial (pages are missing), failed, skipped."""

    source: str
    output: str | None
    status: str
    pages: int = 0
    seconds: float = 0.0
    problems: tuple[dict[str, Any], ...] = ()
    files: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """As an object for JSON."""
        return asdict(self)


def plan(sources: Iterable[Path], output: Path, format: Format) -> list[Item]:
    """Return what to read and where it goes; folders are searched, their tree is kept.

    Two files that differ in their suffix alone keep it in the output's name. Raises DocumentError
    when a source does not exist or nothing is found.
    """
    found: list[tuple[Path, Path]] = []  # source, path in the output folder
    for source in sources:
        if source.is_dir():
            inside = sorted(p for p in source.rglob("*") if _is_document(p))
            found += [(path, path.relative_to(source)) for path in inside]
        elif source.exists():
            found.append((source, Path(source.name)))
        else:
            raise DocumentError("there is no such file", where=source)
    if not found:
        raise DocumentError(
            "there is nothing to read here",
            where=", ".join(map(str, sources)),
            mend=f"these are read: {' '.join(sorted(SUFFIXES_READ))}",
        )
    stems = Counter(place.with_suffix("") for _, place in found)
    items = []
    for source, place in dict(found).items():
        stem = place.with_suffix("") if stems[place.with_suffix("")] == 1 else place
        items.append(Item(source, output / stem.with_name(stem.name + SUFFIXES[format])))
    twice = [path for path, count in Counter(item.output for item in items).items() if count > 1]
    if twice:
        raise DocumentError(
            "two files would be written to the same place",
            where=twice[0],
            mend="read them into different folders",
        )
    return items


def _is_document(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts[-1:])
    return path.suffix.lower() in SUFFIXES_READ and not hidden and path.is_file()


def read_corpus(
    items: Iterable[Item],
    reading: Reading,
    saving: Saving,
    *,
    pages: Pages = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Read files side by side and write each as soon as it is done; yields how each one went."""
    by_source = {item.source: item for item in items}
    with Parser(reading, jobs=jobs, isolate=True) as parser:
        for parsed in parser.parse_many(by_source, pages=pages, progress=progress):
            item = by_source[parsed.source]
            if parsed.document is None:
                assert parsed.error is not None
                yield failed(item.source, parsed.error)
            else:
                yield write(parsed.document, item, saving, reading)


def write(document: Document, item: Item, saving: Saving, reading: Reading) -> Outcome:
    """Write a document and return how it went."""
    files = save(
        document,
        item.output,
        saving,
        origin=item.source,
        limits=reading.limits,
        password=reading.password,
    )
    return Outcome(
        source=str(item.source),
        output=str(item.output),
        status="done" if document.complete else "partial",
        pages=len(document.pages),
        seconds=document.seconds,
        problems=tuple(problem.model_dump() for problem in document.problems),
        files=tuple(map(str, files)),
    )


def failed(source: Path, error: SolarError) -> Outcome:
    """Return the outcome of a file that gave no document."""
    problem = Problem(what=error.what, mend=error.mend, fatal=True)
    return Outcome(str(source), None, "failed", problems=(problem.model_dump(),))
