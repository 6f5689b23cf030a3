"""One build at a time in a project folder: receipts, the lock file and exports are written by one process only.

It is ``flock`` on ``.mldata/lock``: the kernel lets go when the process dies. Several projects may still build at once over one
store, which has its own rules (``store/FORMAT.md``). Where there is no flock (some network mounts, Windows) nothing
is locked; every file is still published whole.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class ProjectLock:
    """The lock of one project folder, as one process holds it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def acquire(self, *, wait: bool, shared: bool = False) -> bool:
        """Take the lock; False if another process has it and ``wait`` is false. A shared one keeps out only those who want it alone."""
        if sys.platform == "win32":
            return True
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(self._fd, kind | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except OSError:
            return True  # no flock on this filesystem
        return True

    def release(self) -> None:
        """Let go."""
        os.close(self._fd)


class _Held(threading.local):
    def __init__(self) -> None:
        self.paths: set[Path] = set()


_held = _Held()


@contextmanager
def project_lock(path: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold the lock of a project; ``waiting`` is called if somebody else has it. Gives whether that was so.

    A thread that has it goes on: a command that compares two datasets has a session for each, one inside the other.
    """
    held = _held.paths
    if path in held:
        yield False
        return
    lock = ProjectLock(path)
    try:
        waited = not lock.acquire(wait=False)
        if waited:
            waiting()
            lock.acquire(wait=True)
        held.add(path)
        yield waited
    finally:
        held.discard(path)
        lock.release()
