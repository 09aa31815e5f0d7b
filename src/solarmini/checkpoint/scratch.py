"""Folders for what only lives as long as a process: removed at its end, or by the next one."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class ScratchFolder:
    """A new empty folder `PREFIX…` that is locked while this process holds it.

    A killed process cannot tidy up, but its lock ends with it: whoever makes the next folder of
    the same prefix and place removes those that are its own user's and that nobody holds.
    Raises OSError when no folder can be made in `place` (default: the system's temporary one).
    """

    def __init__(self, prefix: str, place: str | Path | None = None) -> None:
        parent = Path(place or tempfile.gettempdir())
        _remove_abandoned(parent, prefix)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            handle = _lock(self.path)
            # Another process may have found it abandoned between its making and its locking.
            if handle is not None and self.path.exists():
                self._handle: int | None = handle
                return
            if handle is not None:
                os.close(handle)

    def remove(self) -> None:
        """Delete the folder with all that is in it; a second call does nothing."""
        if self._handle is None:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._handle)
        self._handle = None


@contextmanager
def scratch_folder(prefix: str, place: str | Path | None = None) -> Generator[Path]:
    """Yield the path of a ScratchFolder that is removed when the block ends."""
    folder = ScratchFolder(prefix, place)
    try:
        yield folder.path
    finally:
        folder.remove()


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for path in parent.glob(f"{prefix}*"):
        # Temporary folders are often shared: another user's are left alone, links not followed.
        try:
            found = path.lstat()
        except OSError:  # another process removed it just now
            continue
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            continue
        handle = _lock(path)
        if handle is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(handle)


def _lock(folder: Path) -> int | None:
    """Return an open handle that holds the lock of `folder`, None when another holds it."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
