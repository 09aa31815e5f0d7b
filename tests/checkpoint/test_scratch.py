"""What a process keeps for itself goes with it, at the latest when the next one begins."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from solarmini.checkpoint.scratch import ScratchFolder, scratch_folder


def test_it_goes_with_the_block_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(KeyError), scratch_folder("mine-", tmp_path) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        raise KeyError
    assert not any(tmp_path.iterdir())


def test_removing_twice_leaves_a_later_one_alone(tmp_path: Path) -> None:
    first = ScratchFolder("mine-", tmp_path)
    first.remove()
    second = ScratchFolder("mine-", tmp_path)
    first.remove()
    assert second.path.is_dir()
    second.remove()


def test_folders_in_use_and_of_others_stay(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "precious").mkdir(parents=True)
    place = tmp_path / "place"
    place.mkdir()
    (place / "mine-link").symlink_to(outside)
    (place / "mine-file").write_text("no folder")
    (place / "other-").mkdir()
    with scratch_folder("mine-", place) as first, scratch_folder("mine-", place) as second:
        assert first.is_dir()
        assert second.is_dir()
    assert {one.name for one in place.iterdir()} == {"mine-link", "mine-file", "other-"}
    assert (outside / "precious").is_dir()


def test_those_of_another_user_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine-theirs").mkdir()
    us = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    with scratch_folder("mine-", tmp_path):
        assert (tmp_path / "mine-theirs").is_dir()
    monkeypatch.undo()
    with scratch_folder("mine-", tmp_path):
        assert not (tmp_path / "mine-theirs").exists()


def test_the_next_one_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    code = f"""
        import time
        from pathlib import Path
        from solarmini.checkpoint.scratch import scratch_folder

        with scratch_folder("mine-", Path({str(tmp_path)!r})) as folder:
            (folder / "upload").write_bytes(b"half a document")
            print(folder, flush=True)
            time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    with scratch_folder("mine-", tmp_path):
        assert (left / "upload").is_file()  # it is still at work
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert (left / "upload").is_file()
    with scratch_folder("mine-", tmp_path):
        assert not left.exists()


def test_many_may_begin_and_end_at_once(tmp_path: Path) -> None:
    code = f"""
        from solarmini.checkpoint.scratch import scratch_folder

        for number in range(50):
            with scratch_folder("mine-", {str(tmp_path)!r}) as folder:
                (folder / "file").write_text(str(number))
                assert (folder / "file").read_text() == str(number)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    several = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in several] == [0, 0, 0, 0]
    assert not any(tmp_path.iterdir())
