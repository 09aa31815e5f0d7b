"""An output folder is whole or absent, whatever happens."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from solarmini.checkpoint.atomic import staged_output, write_file_atomic
from solarmini.errors import OutputError, ResourceError


def test_success_renames_and_leaves_nothing_beside(tmp_path: Path) -> None:
    with staged_output(tmp_path / "deep" / "out") as staging:
        (staging / "a").write_text("1")
        assert not (tmp_path / "deep" / "out").exists()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), staged_output(tmp_path / "out") as staging:
        (staging / "a").write_text("1")
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_refused_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious").write_text("x")
    with pytest.raises(OutputError, match="exists already"), staged_output(out):
        pass
    assert (out / "precious").read_text() == "x"


def test_output_where_none_can_be_made() -> None:
    # /proc takes no folders, not even from root
    with pytest.raises(OutputError, match="cannot write"), staged_output(Path("/proc/solar/out")):
        pass


def test_not_enough_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(ResourceError, match="not enough disk: 1000000"),
        staged_output(tmp_path / "out", need_bytes=10**18),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_killed_run_leaves_no_output_and_the_next_clears_up(tmp_path: Path) -> None:
    code = f"""
        import time
        from pathlib import Path
        from solarmini.checkpoint.atomic import staged_output
        with staged_output(Path({str(tmp_path / "out")!r})) as staging:
            (staging / "half").write_text("half")
            print("inside", flush=True)
            time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "out").exists()
    assert len(list(tmp_path.iterdir())) == 1
    with staged_output(tmp_path / "out") as staging:
        (staging / "whole").write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["whole"]


def test_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_file_atomic(path, "one")
    write_file_atomic(path, b"two")
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError):
        write_file_atomic(Path("/proc/solar-file"), "x")


def test_what_a_killed_run_left_beside_a_file_goes_with_the_next_write(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = tmp_path / "[f].json"  # a name that a pattern would read otherwise
    (tmp_path / f".{path.name}.partial-{ended.pid}").write_text("half")
    alive = tmp_path / f".{path.name}.partial-{os.getppid()}"
    alive.write_text("another process is at it")
    write_file_atomic(path, "whole")
    assert {one.name for one in tmp_path.iterdir()} == {path.name, alive.name}
