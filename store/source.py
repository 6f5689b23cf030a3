"""Sources: files and folders outside the store, which nobody promises to hold still.

Invariants: opening never hangs on a pipe and never follows a link out of the folder that was asked for; the names in a folder are
checked before anything in it is read; a file counts as read only if size and times were the same before and after.
"""

from __future__ import annotations

import os
import stat as stat_module
from collections.abc import Callable, Iterator
from typing import NamedTuple

from store.digest import ObjectId
from store.errors import SourceUnreadable, StrPath, UnsafeName
from store.names import check_names

SMALL = 1 << 20
"""Files up to this many bytes are read whole."""

READ = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)
"""How sources are opened: a pipe that nobody writes to must not stop us."""


class FileStat(NamedTuple):
    """What tells a file from an edited one, together: nothing else about the file enters a decision."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> FileStat:
        """The four from an ``os.stat_result``."""
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


class Ingested(NamedTuple):
    """One file that was taken in."""

    name: str
    id: ObjectId
    executable: bool
    stat: FileStat
    """The file as it was when these bytes were read."""


def open_source(path: str) -> int:
    """Open a file for reading without hanging on a pipe. Raises :class:`SourceUnreadable`."""
    try:
        return os.open(path, READ)
    except OSError as error:
        raise SourceUnreadable(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise UnsafeName(path, str(error)) from error


def read_small(fd: int, before: os.stat_result) -> bytes | None:
    """All bytes of a file of at most :data:`SMALL` bytes, or None if it changed meanwhile. ``OSError`` if unreadable.

    Args:
        before: the file's ``fstat``, made after opening it.
    """
    data = os.read(fd, before.st_size + 1)
    if len(data) < before.st_size:
        data = _read_rest(fd, data, before.st_size + 1)
    return data if len(data) == before.st_size and unchanged(before, os.fstat(fd)) else None


def _read_rest(fd: int, data: bytes, limit: int) -> bytes:
    parts = [data]
    size = len(data)
    while size < limit and (part := os.read(fd, limit - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def unchanged(a: os.stat_result, b: os.stat_result) -> bool:
    """Whether an open file was left alone between two ``fstat``."""
    return a.st_mtime_ns == b.st_mtime_ns and a.st_size == b.st_size and a.st_ctime_ns == b.st_ctime_ns


def kind_of(mode: int) -> str:
    """What a mode that is no regular file's stands for, in words."""
    for test, text in (
        (stat_module.S_ISDIR, "a folder"),
        (stat_module.S_ISFIFO, "a pipe"),
        (stat_module.S_ISSOCK, "a socket"),
        (stat_module.S_ISLNK, "a symbolic link"),
    ):
        if test(mode):
            return text
    return "a device"


def scan(folder: StrPath, ignore: Callable[[str], bool] | None = None) -> Iterator[tuple[str, str]]:
    """Every file below a folder as (name ``a/b/c``, path), sorted within each folder.

    A link to a file inside the folder counts as that file. Folders without files leave no trace, as in git.

    Args:
        ignore: called with each file's or folder's name ``a/b``; true leaves it out.

    Raises:
        UnsafeName, NameCollision: a name that cannot be kept; a link that leaves the folder, dangles or points to a folder; a pipe, socket or device.
        SourceUnreadable: a folder that cannot be listed.
    """
    base = os.fspath(folder)
    real: str | None = None
    stack = [("", base)]
    while stack:
        prefix, path = stack.pop()
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise SourceUnreadable(path, error.strerror or str(error)) from error
        if ignore is not None:
            entries = [entry for entry in entries if not ignore(prefix + entry.name)]
        check_names([entry.name for entry in entries], path)
        below = []
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                below.append((name + "/", entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield name, entry.path
            elif entry.is_symlink():
                if real is None:
                    real = os.path.realpath(base)
                yield name, _inside(entry.path, name, real)
            else:
                mode = entry.stat(follow_symlinks=False).st_mode
                raise UnsafeName(name, f"it is {kind_of(mode)}, expected a file or folder", base)
        stack += reversed(below)


def _inside(path: str, name: str, base: str) -> str:
    """Where a link inside the folder ``base`` leads, if that is a file in it."""
    target = os.path.realpath(path)
    if target != base and not target.startswith(base.rstrip("/") + "/"):
        raise UnsafeName(name, f"it is a link that leaves the folder, to {target}", base)
    if not os.path.lexists(target) or os.path.islink(target):
        raise UnsafeName(name, f"it is a link to {os.readlink(path)!r}, where nothing is", base)
    if os.path.isdir(target):
        raise UnsafeName(name, "it is a link to a folder, expected a link to a file", base)
    return target
