"""Threads are bounded by what this process may use."""

import os
from pathlib import Path

import pytest

from solarmini.engine import threads


def test_asked_stated_then_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert threads.choose_threads(7) == 7
    assert threads.choose_threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    for idle, expected in ((8.0, 8), (2.4, 2), (0.1, 1), (64.0, 8)):
        monkeypatch.setattr(threads, "_idle_cores", lambda usable, idle=idle: idle)
        assert threads.choose_threads() == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "50000 100000\n"}, 1.0),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_the_control_group_s_quota(
    files: dict[str, str], expected: float | None, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert threads._quota(tmp_path) == expected


def test_a_busy_neighbour_leaves_less() -> None:
    usable = threads.usable_cores()
    assert 1 <= usable <= (os.cpu_count() or 1)
    assert 0 <= threads._idle_cores(usable) <= (os.cpu_count() or 1)
