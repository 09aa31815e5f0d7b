"""A corpus read on a Ray cluster: one file a task, results written by the machine that read them.

Every machine needs this package and must see the sources and the output under the same paths (a
network disk). Only paths and short outcomes travel through Ray.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from solarmini.errors import SolarError, require
from solarmini.layout.corpus import Item, Outcome, failed, write
from solarmini.layout.driver import Parser
from solarmini.layout.numbers import Pages
from solarmini.layout.reading import Reading
from solarmini.layout.save import Saving


class ReadFile:
    """What runs on the cluster: reads one row {source, output}, gives its outcome.

    Ray Data keeps the object in a process of its own, and it keeps a worker: models are loaded
    once, and a file that crashes native code takes the worker along, not the object.
    """

    def __init__(self, reading: Reading, saving: Saving, pages: Pages) -> None:
        self.reading = reading
        self.saving = saving
        self.pages = pages
        self._parser: Parser | None = None  # made where the object runs, not where it is sent from

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Read and write one file; what is wrong with it is in the outcome."""
        if self._parser is None:
            self._parser = Parser(self.reading, jobs=1, isolate=True)
        item = Item(Path(row["source"]), Path(row["output"]))
        try:
            document = self._parser.parse(item.source, pages=self.pages)
            outcome = write(document, item, self.saving, self.reading)
        except SolarError as error:
            outcome = failed(item.source, error)
        return {"outcome": json.dumps(asdict(outcome))}

    def close(self) -> None:
        """End the worker."""
        if self._parser is not None:
            self._parser.close()
            self._parser = None


def read_on_ray(
    items: Sequence[Item],
    reading: Reading,
    saving: Saving,
    *,
    address: str,
    pages: Pages = None,
) -> Iterator[Outcome]:
    """Read files on the cluster at `address` ("auto", "ray://host:10001", or "local" for one that
    is started here); yields outcomes as they come, in any order.

    Each task uses one processor of the cluster. Raises MissingExtraError, and SolarError where
    there is no cluster at the address.
    """
    if not items:
        return
    ray = require("ray", "ray")
    data = require("ray.data", "ray")
    started = _connect(ray, address)
    try:
        rows = [
            {"source": str(item.source.absolute()), "output": str(item.output.absolute())}
            for item in items
        ]
        workers = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        data.DataContext.get_current().enable_progress_bars = False  # the caller draws one
        dataset = data.from_items(rows, override_num_blocks=len(rows)).map(
            ReadFile,
            fn_constructor_args=(reading, saving, pages),
            num_cpus=1,
            compute=data.ActorPoolStrategy(min_size=1, max_size=min(workers, len(rows))),
        )
        for row in dataset.iter_rows():
            facts = json.loads(row["outcome"])
            facts |= {name: tuple(facts[name]) for name in ("problems", "files")}
            yield Outcome(**facts)
    finally:
        if started:
            ray.shutdown()


def _connect(ray: Any, address: str) -> bool:
    """Connect to a cluster; return whether that was done here."""
    if ray.is_initialized():
        return False
    try:
        ray.init(
            address=None if address == "local" else address,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level="WARNING",
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise SolarError(
            f"there is no Ray cluster to be reached: {str(error).splitlines()[0]}",
            where=address,
            mend="start one with `ray start --head`, or use --ray local",
        ) from error
    return True
