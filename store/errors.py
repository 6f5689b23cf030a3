"""The whole exception tree of the store.

Every message says what was expected, what was found, where, and what to do next. Catch :class:`StoreError` for all of
them; ``OSError`` escapes only for what is not about the store (a bug, or a signal).
"""

from __future__ import annotations

import os
from typing import Any

StrPath = str | os.PathLike[str]


class StoreError(Exception):
    """Base of everything that this package raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as it is: what made it takes other arguments than a message."""
        return Exception.__new__, (type(self), *self.args), self.__dict__


class BadDigest(StoreError):
    """Text that is not a digest."""

    def __init__(self, text: object) -> None:
        super().__init__(f"expected a digest of 64 lower-case hexadecimal characters, found {text!r:.80}")


class BadEncoding(StoreError):
    """A value that has no canonical encoding, or bytes that are not the canonical encoding of a value."""


class ObjectMissing(StoreError):
    """An object that the store does not have."""

    def __init__(self, digest: str, where: StrPath = "the store") -> None:
        super().__init__(
            f"expected object {digest} in {os.fspath(where)}, found nothing; "
            "run `mldata build` to make it again, or `mldata check` to see what needs it"
        )
        self.digest = digest


class ObjectCorrupt(StoreError):
    """An object whose bytes are not what its name says. It has been moved aside, unless the store is read-only."""

    def __init__(self, digest: str, path: StrPath, moved_to: StrPath | None = None, found: str = "") -> None:
        kept = f"; moved to {os.fspath(moved_to)}" if moved_to is not None else ""
        got = f"bytes with digest {found}" if found else "other bytes"
        super().__init__(
            f"expected object {digest} at {os.fspath(path)}, found {got}{kept}; "
            "it comes back when it is made again: run `mldata build`"
        )
        self.digest = digest
        self.path = path
        self.moved_to = moved_to


class UnsafeName(StoreError):
    """A name that cannot be kept or written safely on every system."""

    def __init__(self, name: str, why: str, where: StrPath | None = None) -> None:
        place = f" in {os.fspath(where)}" if where is not None else ""
        super().__init__(f"cannot use the name {name!r}{place}: {why}; rename it or leave it out")
        self.name = name
        self.why = why


class NameCollision(StoreError):
    """Two names in one folder that some file system takes for one."""

    def __init__(
        self, first: str, second: str, why: str = "they differ only by case or Unicode form"
    ) -> None:
        super().__init__(
            f"the names {first!r} and {second!r} cannot stand side by side: {why}; rename one of them"
        )
        self.first = first
        self.second = second


class SourceChanged(StoreError):
    """A file that kept changing while it was read."""

    def __init__(self, path: StrPath) -> None:
        super().__init__(
            f"{os.fspath(path)} changed while it was read; expected it to stay as it is during the build; "
            "wait until nothing writes to it, then run again"
        )
        self.path = path


class SourceUnreadable(StoreError):
    """A file or folder that cannot be read."""

    def __init__(self, path: StrPath, why: str) -> None:
        super().__init__(
            f"cannot read {os.fspath(path)}: {why}; expected a readable file; fix it or leave it out"
        )
        self.path = path
        self.why = why


class StoreVersionError(StoreError):
    """A folder that is not a store of the version that this package reads. Nothing in it has been touched."""


class StoreReadOnly(StoreError):
    """Something had to be written and may not be."""

    def __init__(self, path: StrPath, why: str = "the store was opened read-only") -> None:
        super().__init__(
            f"cannot write {os.fspath(path)}: {why}; make it writable, or use another store (MLDATA_STORE)"
        )
        self.path = path


class StoreFull(StoreError):
    """The disk or the quota is full. What was published before is sound; nothing half-made is visible."""

    def __init__(
        self, path: StrPath, needed: int | None = None, free: int | None = None, *, out_of_files: bool = False
    ) -> None:
        need = f"needed at least {needed:,} bytes, " if needed is not None and not out_of_files else ""
        have = f"found {free:,} bytes free" if free is not None else "found no room"
        if out_of_files:
            have = "the disk cannot hold one file more (it has no free inode)"
        super().__init__(
            f"no space left for {os.fspath(path)}: {need}{have}; "
            "make room (`mldata gc` shows what can go) and run again: finished work is kept"
        )
        self.path = path
        self.needed = needed
        self.free = free


class StoreBusy(StoreError):
    """Another process holds a lock for longer than one is willing to wait."""


class RefConflict(StoreError):
    """A ref is not what the caller expected it to be: somebody else moved it."""


class BadRef(StoreError):
    """A ref with an impossible name or with content that is not a digest."""
