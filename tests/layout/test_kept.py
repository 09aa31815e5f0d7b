"""Processes that stay between two calls of `parse`."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from small_pdf import report

from solarmini.layout import kept, parse
from solarmini.layout.workers import Crew


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    kept.end_kept_processes()
    yield
    kept.end_kept_processes()


def waiting() -> Crew:
    assert kept._KEPT._waiting is not None
    return kept._KEPT._waiting[1]


def pids(crew: Crew) -> list[int]:
    return [worker.process.pid for worker in crew._workers]


def test_the_next_call_finds_the_processes_of_the_last() -> None:
    first = parse(report(2), mode="fast", jobs=1)
    before = pids(waiting())
    assert parse(report(2), mode="fast", jobs=1).pages == first.pages
    assert pids(waiting()) == before
    parse(report(2), mode="fast", jobs=2)  # another number of processes: others
    assert pids(waiting()) != before
    with pytest.raises(ProcessLookupError):
        os.kill(before[0], 0)


def test_a_process_that_died_meanwhile_costs_nothing() -> None:
    parse(report(1), mode="fast", jobs=1)
    [worker] = waiting()._workers
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    document = parse(report(1), mode="fast", jobs=1)
    assert document.complete
    assert len(document.pages) == 1


def test_threads_do_not_share_a_crew() -> None:
    found: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: found.append(len(parse(report(n), mode="fast", jobs=1).pages))
        )
        for n in (1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [1, 2, 3]
    assert len(pids(waiting())) == 1


def test_idle_processes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_IDLE", 0.05)
    parse(report(1), mode="fast", jobs=1)
    timer = kept._KEPT._timer
    if timer is not None:
        timer.join(timeout=10)
    assert kept._KEPT._waiting is None
