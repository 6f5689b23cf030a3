"""Files of one's own: settings, and secrets that nobody else may read.

Invariants: such a file is replaced whole or not at all, it has the mode that was asked for from its first byte on, and what a symbolic link
stands for is replaced, not the link (people keep their settings in a repository).
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mldata.errors import UsageError

__all__ = ["SECRET", "SETTINGS", "alone", "others_may_read", "write_personal"]

SECRET = 0o600
SETTINGS = 0o644
_OTHERS = stat.S_IRGRP | stat.S_IROTH


def write_personal(path: Path, text: str, mode: int) -> None:
    """Replace a file by ``text``, durably; the folder is made if it is not there (with mode 700).

    Raises:
        UsageError: it cannot be written; the text is in no part of the error.
    """
    path = Path(os.path.realpath(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 600
        try:
            with open(fd, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                if mode != SECRET and os.name != "nt":
                    os.fchmod(fd, mode)
                os.fsync(fd)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}",
            hint="Look at who may write there: ls -ld " + str(path.parent),
        ) from None


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def others_may_read(path: Path) -> bool:
    """Whether the mode of a file lets its group or everybody read it; False where there are no modes."""
    return os.name != "nt" and bool(os.stat(path).st_mode & _OTHERS)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let no other process into the same block for this folder: what is read in it is still so when it is written.

    Raises:
        UsageError: the folder cannot be made.
    """
    from mldata.projectlock import ProjectLock

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = ProjectLock(folder / ".lock")
    except OSError as error:
        raise UsageError(
            f"cannot write in {folder}: {error.strerror or error}",
            hint="XDG_CONFIG_HOME names another folder for settings.",
        ) from None
    try:
        lock.acquire(wait=True)
        yield
    finally:
        lock.release()
