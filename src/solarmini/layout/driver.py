"""Read documents: pages in parallel, each on its own, and put together at the end."""

import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from solarmini.engine.threads import usable_cores
from solarmini.errors import DocumentError, MissingExtraError, SolarError
from solarmini.layout.document import Category, Document, Problem
from solarmini.layout.kept import kept_crew
from solarmini.layout.limits import Limits
from solarmini.layout.numbers import Pages, selected
from solarmini.layout.reading import Mode, Ocr, Reading
from solarmini.layout.together import put_together
from solarmini.layout.work import Opened, Order, draft_of, open_order, pack, unforeseen
from solarmini.layout.workers import Crew, Result

Input = str | Path | bytes | BinaryIO
Progress = Callable[[int, int], None]
"""Called with (pages done, pages in all) as a document is read."""

SMALL = 4  # pages that are read in this process where that is allowed
_CHUNK = 16  # pages of one task: the file is opened once for them
_TARGET = "solarmini.layout.work:answer"
_KEYS = itertools.count()


def parse(
    source: Input,
    *,
    mode: Mode = "default",
    ocr: Ocr = "auto",
    languages: tuple[str, ...] = ("en", "ko"),
    pages: Pages = None,
    password: str | None = None,
    images: Collection[Category] = (),
    merge_tables: bool = True,
    limits: Limits | None = None,
    jobs: int | None = None,
    isolate: bool = True,
    progress: Progress | None = None,
) -> Document:
    """Read a PDF, picture or office file into one typed document.

    `source` is a path, the file's bytes or an open binary file; its kind is found from its bytes.
    `mode="fast"` leaves the layout and table models out. `ocr`: "auto" where a page has no usable
    text, "force" for every page, "never". `pages` selects ("1-3,7,9-" or numbers from 1). `images`
    names the categories whose elements get a picture (table, figure, chart, equation …).
    `merge_tables` joins tables that go on over a page break.

    Files are read in `jobs` processes (default: one a processor), so that neither a crash of native
    code nor a page that never ends reaches the caller; they stay for half a minute to serve the
    next call. With `isolate` off, files of up to four pages that can be trusted are read in this
    process. The result is the same. A page that cannot be read is a fatal Problem in the document's
    `problems`, and `document.complete` is False; the other pages are there.

    Raises DocumentError when nothing can be read, EncryptedDocumentError, UnsupportedFormatError,
    LimitError, ConfigError (pages), MissingExtraError.
    """
    reading = Reading(
        mode=mode,
        ocr=ocr,
        languages=tuple(languages),
        images=tuple(images),
        merge_tables=merge_tables,
        limits=limits or Limits(),
        password=password,
    )
    jobs = jobs or usable_cores()
    with kept_crew(_TARGET, jobs, _wall(reading)) as crew:
        parser = Parser(reading, jobs=jobs, isolate=isolate, crew=crew)
        return parser.parse(source, pages=pages, progress=progress)


@dataclass(slots=True)
class Parsed:
    """What became of one of many files: a document, or the error that stopped it."""

    source: Path
    document: Document | None = None
    error: SolarError | None = None


@dataclass(slots=True)
class _Job:
    key: int
    order: Order
    pages: Pages
    began: float = field(default_factory=time.perf_counter)
    opened: Opened | None = None
    numbers: list[int] = field(default_factory=list)
    packed: dict[int, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    left: int = 0


class Parser:
    """Reads one file after the other, or many side by side, with the same processes.

    Leaving it as a context manager, or `close`, ends them; a `crew` that was given stays.
    """

    def __init__(
        self,
        reading: Reading | None = None,
        *,
        jobs: int | None = None,
        isolate: bool = True,
        crew: Crew | None = None,
    ) -> None:
        self.reading = reading or Reading()
        self.jobs = jobs or usable_cores()
        self.isolate = isolate
        self._crew = crew

    def __enter__(self) -> "Parser":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        if self._crew:
            self._crew.close()
            self._crew = None

    def parse(
        self, source: Input, *, pages: Pages = None, progress: Progress | None = None
    ) -> Document:
        """Read one file; see `solarmini.layout.parse`."""
        with _on_disk(source, self.reading.limits) as (path, name):
            job = _Job(next(_KEYS), Order(path, name, self.reading), pages)
            if not self.isolate:
                document = self._parse_here(job, progress)
                if document:
                    return document
            return self._parse_elsewhere(job, progress)

    def parse_many(
        self,
        paths: Iterable[Path],
        *,
        pages: Pages = None,
        progress: Progress | None = None,
    ) -> Iterator[Parsed]:
        """Read many files side by side; yields each as it is done, in any order.

        A file that cannot be read is yielded with its error; the others go on.
        """
        crew = self._crew_started()
        waiting = iter(paths)
        jobs: dict[int, _Job] = {}
        done = total = 0

        def refill() -> None:
            while len(jobs) < self.jobs + 2 and (following := next(waiting, None)) is not None:
                key = next(_KEYS)
                jobs[key] = _Job(key, Order(following, str(following), self.reading), pages)
                crew.submit(key, jobs[key].order, ["open"])

        refill()
        while jobs:
            for result in crew.results():
                job = jobs.get(result.key)
                if job is None:  # of a file that was given up
                    continue
                finished = self._take(job, result, crew)
                if result.item == "open":
                    total += job.left
                else:
                    done += 1
                if progress:
                    progress(done, total)
                if finished:
                    del jobs[job.key]
                    refill()
                    yield finished

    def _crew_started(self) -> Crew:
        if self._crew is None:
            self._crew = Crew(_TARGET, self.jobs, wall_seconds=_wall(self.reading))
        self._crew.start()
        return self._crew

    def _parse_here(self, job: _Job, progress: Progress | None) -> Document | None:
        """Read a small file in this process; None when it is not small."""
        opened, source = open_order(job.order)
        try:
            if not _begin(job, opened) or source is None:
                return _finish(job)
            if len(job.numbers) > SMALL and self.jobs > 1:
                return None
            for count, number in enumerate(job.numbers, 1):
                draft = draft_of(source, number, job.order)
                if isinstance(draft, Problem):
                    job.problems.append(draft)
                else:
                    job.packed[number] = pack(draft)
                if progress:
                    progress(count, len(job.numbers))
        finally:
            if source is not None:
                source.close()
        return _finish(job)

    def _parse_elsewhere(self, job: _Job, progress: Progress | None) -> Document:
        crew = self._crew_started()
        crew.submit(job.key, job.order, ["open"])
        for result in crew.results():
            if result.key != job.key:  # of a file that was given up
                continue
            finished = self._take(job, result, crew)
            if progress and job.numbers:
                progress(len(job.numbers) - job.left, len(job.numbers))
            if finished:
                if finished.document is None:
                    assert finished.error is not None
                    raise finished.error
                return finished.document
        raise AssertionError("a job ended without a result")

    def _take(self, job: _Job, result: Result, crew: Crew) -> Parsed | None:
        """Take in one result of a job; return what became of it when that was the last one."""
        path = job.order.path
        try:
            if result.item == "open":
                opened = result.value
                if result.failure:
                    opened = unforeseen(job.order.name, result.failure)
                if isinstance(opened, SolarError):
                    raise opened
                if _begin(job, opened):
                    size = max(1, min(_CHUNK, -(-len(job.numbers) // (2 * self.jobs))))
                    for start in range(0, len(job.numbers), size):
                        crew.submit(job.key, job.order, job.numbers[start : start + size])
            else:
                job.left -= 1
                _keep(job, result)
            if job.left:
                return None
            return Parsed(path, document=_finish(job))
        except SolarError as error:
            crew.withdraw(job.key)
            return Parsed(path, error=error)


def _wall(reading: Reading) -> float:
    """Seconds after which a process that uses no processor time is given up."""
    return 60 + 20 * reading.limits.page_seconds


def _begin(job: _Job, opened: Opened) -> bool:
    """Decide on the pages to read; False when there are none left to read (office files)."""
    job.opened = opened
    job.problems = list(opened.problems)
    numbers, missing = selected(job.pages, opened.total_pages)
    for number in missing:
        what = f"there is no page {number}: the document has {opened.total_pages}"
        job.problems.append(Problem(what=what, page=number, fatal=True))
    most = job.order.reading.limits.max_pages
    if len(numbers) > most:
        what = f"{len(numbers)} pages are more than the limit of {most}: the rest was left out"
        job.problems.append(Problem(what=what, mend="raise max_pages, or select pages", fatal=True))
        numbers = numbers[:most]
    job.numbers = numbers
    job.left = 0 if opened.pages else len(numbers)
    return job.left > 0


def _keep(job: _Job, result: Result) -> None:
    number: int = result.item
    if result.failure:
        what = f"the page {result.failure}"
        job.problems.append(Problem(what=what, page=number, fatal=True))
    elif isinstance(result.value, MissingExtraError):
        raise result.value
    elif isinstance(result.value, Problem):
        job.problems.append(result.value)
    else:
        job.packed[number] = result.value


def _finish(job: _Job) -> Document:
    opened, order = job.opened, job.order
    assert opened is not None
    wanted = set(job.numbers)
    pages = [page for page in opened.pages if page.number in wanted]
    if not opened.pages:
        packed = [job.packed[number] for number in sorted(job.packed)]
        job.packed.clear()
        pages, problems = put_together(packed, order.reading)
        job.problems += problems
    if not pages and (job.problems or not opened.pages):
        first = next((p for p in job.problems if p.fatal), None)
        what = f"no page could be read: {first.what}" if first else "there is nothing to read"
        raise DocumentError(what, where=order.name, mend=first.mend if first else None)
    return Document(
        source=order.name,
        format=opened.format,
        total_pages=opened.total_pages,
        pages=tuple(pages),
        title=opened.title,
        problems=tuple(sorted(job.problems, key=lambda p: p.page or 0)),
        seconds=round(time.perf_counter() - job.began, 3),
    )


@contextlib.contextmanager
def _on_disk(source: Input, limits: Limits) -> Generator[tuple[Path, str]]:
    """Give a path that other processes can open, and a name for messages."""
    if isinstance(source, (str, Path)):
        yield Path(source), str(source)
        return
    name = "bytes"
    if not isinstance(source, bytes):
        name = Path(str(getattr(source, "name", "stream"))).name
        source = source.read(limits.max_bytes + 1)
    with tempfile.NamedTemporaryFile(prefix="solar-", delete=True) as file:
        file.write(source)
        file.flush()
        yield Path(file.name), name
