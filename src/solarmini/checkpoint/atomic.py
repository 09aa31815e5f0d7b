"""Outputs that are whole or absent: written beside, fsynced, renamed."""

import errno
import glob
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from solarmini.errors import OutputError, ResourceError

_HEADROOM = 64 * 2**20  # metadata, tokenizer and manifest beside the weights


@contextmanager
def staged_output(dst: Path, need_bytes: int = 0) -> Generator[Path]:
    """Yield a folder beside `dst` that becomes `dst` when the block ends without an error.

    Raises OutputError when `dst` exists and is not an empty folder, or cannot be written;
    ResourceError when the disk has less than `need_bytes` (plus 64 MiB) free. A process killed
    inside the block leaves no `dst`; its staging folder is removed by the next run.
    """
    dst = dst.absolute()
    if dst.exists() and not (dst.is_dir() and not any(dst.iterdir())):
        raise OutputError(
            "the output exists already", where=dst, mend="name another folder or remove this one"
        )
    try:
        dst.parent.mkdir(parents=True, exist_ok=True)
        _remove_orphans(dst)
        staging = dst.parent / f".{dst.name}.partial-{os.getpid()}"
        staging.mkdir()
    except OSError as error:
        raise _cannot_write(dst, error) from error
    try:
        check_disk(dst.parent, need_bytes)
        yield staging
        fsync_tree(staging)
        staging.rename(dst)
        fsync_folder(dst.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(
                "the disk ran full while writing; nothing was kept", where=dst
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise _cannot_write(dst, error) from error
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_file_atomic(path: Path, data: bytes | str) -> None:
    """Replace `path` by `data` in one step; a reader sees the old file or the new one."""
    raw = data.encode() if isinstance(data, str) else data
    _remove_orphans(path)
    beside = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        fsync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


def check_disk(folder: Path, need_bytes: int) -> None:
    """Raise ResourceError when the disk of `folder` cannot take `need_bytes` more."""
    free = shutil.disk_usage(folder).free
    if need_bytes and free < need_bytes + _HEADROOM:
        raise ResourceError(
            f"not enough disk: {need_bytes / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free",
            where=folder,
            mend="free some space or write to another disk",
        )


def fsync_tree(folder: Path) -> None:
    """Flush every file under `folder`, then the folders, to the disk."""
    for root, _, files in os.walk(folder, topdown=False):
        for name in files:
            _fsync(Path(root) / name)
        fsync_folder(Path(root))


def fsync_folder(folder: Path) -> None:
    """Flush a folder's own entry list, so that a rename inside it survives a power cut."""
    _fsync(folder)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_orphans(dst: Path) -> None:
    """Remove what killed runs left behind while they staged the same output."""
    for orphan in dst.parent.glob(f".{glob.escape(dst.name)}.partial-*"):
        pid = orphan.name.rpartition("-")[2]
        if pid.isdigit() and (int(pid) == os.getpid() or not _alive(int(pid))):
            if orphan.is_dir():
                shutil.rmtree(orphan, ignore_errors=True)
            else:
                orphan.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write the output: {error.strerror or error}",
        where=path,
        mend="choose a folder that you may write to",
    )
