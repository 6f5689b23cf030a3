"""What the filesystem of a folder can do, found out by doing it.

Invariant: nothing is left behind, and nothing outside a temporary folder is touched.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass

from store.atomic import explained
from store.copying import clone
from store.errors import StrPath

if sys.platform != "win32":
    import fcntl

__all__ = ["Abilities", "abilities"]

_TIME_NS = 1_600_000_000_123_456_789


@dataclass(frozen=True)
class Abilities:
    """What was found."""

    reflink: bool
    """Copies share blocks until one of them is written to."""
    hardlink: bool
    symlink: bool
    flock: bool
    """A lock that one process has keeps another out."""
    fine_times: bool
    """Times of files are kept to the nanosecond: without that a seal does not hold, and files are hashed again each time."""
    case_sensitive: bool
    """``a`` and ``A`` are two files."""


def abilities(folder: StrPath) -> Abilities:
    """Try everything in a temporary folder below ``folder``. Raises ``StoreError`` where nothing can be written."""
    with explained(folder):
        place = tempfile.mkdtemp(prefix=".mldata-", dir=folder)
        try:
            plain = os.path.join(place, "plain")
            with open(plain, "wb") as file:
                file.write(bytes(8192))
            return Abilities(
                reflink=_reflink(plain),
                hardlink=_works(os.link, plain, plain + "-hard"),
                symlink=_works(os.symlink, plain, plain + "-soft"),
                flock=_flock(plain),
                fine_times=_fine_times(plain),
                case_sensitive=not os.path.exists(os.path.join(place, "PLAIN")),
            )
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _works(make: object, source: str, target: str) -> bool:
    assert callable(make)
    with suppress(OSError, NotImplementedError):
        make(source, target)
        return True
    return False


def _reflink(path: str) -> bool:
    with open(path, "rb") as source, open(path + "-copy", "wb") as target:
        return clone(source.fileno(), target.fileno())


def _flock(path: str) -> bool:
    if sys.platform == "win32":
        return False
    with open(path, "rb") as mine, open(path, "rb") as other:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


def _fine_times(path: str) -> bool:
    os.utime(path, ns=(_TIME_NS, _TIME_NS))
    return os.stat(path).st_mtime_ns == _TIME_NS
