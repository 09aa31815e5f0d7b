"""A record is one measured number with all that is needed to trust or repeat it."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from solarmini import __version__
from solarmini.checkpoint.atomic import write_file_atomic
from solarmini.config import Settings
from solarmini.errors import EvaluateError, OutputError
from solarmini.evaluate.statistics import Estimate, Item

SCHEMA_VERSION = 1
LOWER_IS_BETTER = frozenset({"perplexity", "token_loss", "bits_per_byte", "chat_loss"})


class Record(Settings):
    """One measured number.

    `n` counts the independent items behind the interval, which `unit` names (documents, questions,
    pairs); `total` is what the value is averaged over (tokens, bytes or items). `items` holds
    (value, weight) of every item in file order, so that two models can be compared pair by pair.
    """

    model: str = Field(description="Name of the model.")
    fingerprint: str | None = Field(
        description="Digest of its weight files; null: it has no manifest."
    )
    stage: str = Field(description="What made the model.")
    task: str = Field(description="Name of the data or task.")
    metric: str = Field(description="Name of the measure.")
    value: float = Field(description="The number.")
    stderr: float | None = Field(description="Its standard error; null: fewer than two items.")
    ci_low: float | None = Field(description="Lower end of the 95 % interval.")
    ci_high: float | None = Field(description="Upper end of the 95 % interval.")
    n: int = Field(description="Independent items behind the interval.")
    unit: str = Field(
        description="What an item is: documents, windows, conversations, pairs or questions."
    )
    total: float = Field(description="What the value is averaged over: tokens, bytes or items.")
    shots: int = Field(0, description="Examples shown before each question.")
    higher_is_better: bool = Field(description="Which way is better.")
    template_sha256: str | None = Field(
        None, description="Hash of the chat template that was used; null: none was."
    )
    data_sha256: str = Field(description="Hash of the rows that were measured on.")
    precision: str = Field(description="Format of matrix products.")
    seconds: float = Field(description="Time it took.")
    date: str = Field(description="Time in UTC, ISO 8601.")
    machine: str = Field(description="Processor, cores, memory and operating system.")
    versions: dict[str, str] = Field(
        description="Versions of solar, Python and the libraries that took part."
    )
    items: tuple[tuple[float, float], ...] | None = Field(
        None, description="Value and weight of every item in file order, for paired comparison."
    )

    @property
    def key(self) -> tuple[str, str]:
        """What was measured: (task, metric)."""
        return self.task, self.metric


class RecordSet(Settings):
    """All records of one model, as one JSON file."""

    schema_version: int = Field(SCHEMA_VERSION, description="Version of this file format.")
    records: tuple[Record, ...] = Field(description="All measured numbers.")

    def get(self, task: str, metric: str) -> Record | None:
        """Return the record of a task and metric, None if it was not measured."""
        return next((r for r in self.records if r.key == (task, metric)), None)


class Context(Settings):
    """What all records of one evaluation share."""

    model: str
    fingerprint: str | None
    stage: str
    precision: str
    date: str
    machine: str
    versions: dict[str, str]

    def record(
        self,
        task: str,
        metric: str,
        estimated: Estimate,
        *,
        n: int,
        unit: str,
        total: float,
        data_sha256: str,
        seconds: float,
        shots: int = 0,
        template_sha256: str | None = None,
        items: Sequence[Item] | None = None,
    ) -> Record:
        """Make the record of one estimate; item values are kept to 9 significant digits."""
        kept = None if items is None else tuple((_round(v), _round(w)) for v, w in items)
        return Record(
            model=self.model,
            fingerprint=self.fingerprint,
            stage=self.stage,
            task=task,
            metric=metric,
            value=estimated.value,
            stderr=estimated.stderr,
            ci_low=estimated.ci_low,
            ci_high=estimated.ci_high,
            n=n,
            unit=unit,
            total=total,
            shots=shots,
            higher_is_better=metric not in LOWER_IS_BETTER,
            template_sha256=template_sha256,
            data_sha256=data_sha256,
            precision=self.precision,
            seconds=round(seconds, 2),
            date=self.date,
            machine=self.machine,
            versions=self.versions,
            items=kept,
        )


def _round(value: float) -> float:
    return float(f"{value:.9g}")


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def machine_name() -> str:
    """Describe the processor, cores and memory; no host name."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = f", {pages / 2**30:.0f} GiB"
    return f"{cores} cores, {model}{memory}, {platform.system()}"


def versions_of(*packages: str) -> dict[str, str]:
    """Return the installed versions of packages, of Python and of this project."""
    from importlib import metadata

    found = {"solarmini": __version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_records(path: Path, records: Sequence[Record], *, overwrite: bool = False) -> None:
    """Write the records as one JSON file in one step; OutputError if it exists already."""
    if path.exists() and not overwrite:
        raise OutputError(
            "the record file exists already", where=path, mend="name another file or --overwrite"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    data = RecordSet(records=tuple(records)).model_dump(mode="json")
    rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in data["records"])
    write_file_atomic(path, f'{{"schema_version": {SCHEMA_VERSION}, "records": [\n{rows}\n]}}\n')


def read_records(path: Path) -> RecordSet:
    """Read a record file; EvaluateError when it is missing, not JSON, or has unknown keys."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise EvaluateError(
            "there is no such record file", where=path, mend="make it with `solar evaluate -o`"
        ) from None
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise EvaluateError(f"not a record file: {error}", where=path) from None
    try:
        found = RecordSet.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "file"
        raise EvaluateError(
            f"not a record file of this version: {key}: {first['msg']}", where=path
        ) from None
    if found.schema_version != SCHEMA_VERSION:
        raise EvaluateError(
            f"record file of schema {found.schema_version}, this is {SCHEMA_VERSION}", where=path
        )
    return found
