"""The store lock: shared by whoever may write, exclusive to sweep ``tmp/``.

It is ``flock`` on the file ``lock``, so the kernel lets go when a process dies, however it dies. Nothing in the store's
format depends on it: it only keeps a sweep from removing temporaries that somebody is still writing. Where the
filesystem has no ``flock`` (some network mounts), opening works, and leftovers stay until somebody removes
``tmp/`` by hand while nothing runs.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from store.atomic import explained
from store.errors import StoreBusy

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WAIT_SECONDS = 30.0
"""How long to wait for another process's sweep before giving up."""


class StoreLock:
    """The store lock as one :class:`~store.store.Store` holds it. Inherited by children of ``fork``, as flock is."""

    def __init__(self, path: Path) -> None:
        with explained(path):
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.path = path
        self.supported = fcntl is not None

    def try_alone(self) -> bool:
        """Take the lock exclusively if nobody else has it. Never waits. False without flock: nobody can tell."""
        return self._flock(exclusive=True) and self.supported

    def share(self, timeout: float = WAIT_SECONDS) -> None:
        """Take the lock shared, giving up the exclusive one if held. :class:`StoreBusy` after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while not self._flock(exclusive=False):
            if time.monotonic() > end:
                raise StoreBusy(
                    f"expected to get {self.path} within {timeout:g} s, found another process sweeping the store; "
                    "try again when it is done"
                )
            time.sleep(0.01)

    def _flock(self, *, exclusive: bool) -> bool:
        """False if somebody else has it."""
        if fcntl is None or not self.supported:
            return True
        try:
            fcntl.flock(self._fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            self.supported = False
        return True

    def close(self) -> None:
        """Let go. A child process that inherited the lock keeps it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
