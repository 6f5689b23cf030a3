"""What every kind of archive is held to: the names of members, how many and how much there may be, and how a refusal reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.litter import litter
from store import NameCollision, UnsafeName, check_names, split_path

__all__ = ["CHUNK", "LIMITS", "Guard", "Limits", "Member"]

CHUNK = 1 << 18
"""Bytes of a member in memory at a time."""
SHOWN = 200
"""Characters of a member's name in a message."""
BY_HAND = "if you trust the archive, unpack it by hand and name the folder as the source"
REPACK = "make the archive again without it; or " + BY_HAND
FETCH = "fetch the archive again"
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Limits:
    """How much may come out of one archive."""

    ratio: int = 200
    """Bytes out for each byte of the archive, once more than :attr:`free` bytes are out."""
    free: int = 100 << 20
    bytes: int = 1 << 40
    members: int = 10_000_000

    def blown(self, out: int, size: int) -> bool:
        """Whether ``out`` bytes are too many to come out of ``size``."""
        return out > self.free and out > self.ratio * size

    def to_params(self) -> dict[str, Any]:
        """For an action key."""
        return asdict(self)


LIMITS = Limits()


class Member(NamedTuple):
    """A file in an archive."""

    path: str
    """Safe, with ``/`` between folders."""
    data: Iterator[bytes]
    target: str | None = None
    """The path of the member that this one is another name of (then ``data`` is empty). It may come later."""


class Guard:
    """Watches over one archive while it is read."""

    def __init__(self, archive: SourceFile, limits: Limits, ignored: Counter[str]) -> None:
        self.name, self.size, self.limits = archive.name, archive.size, limits
        self._ignored = ignored
        self._paths: set[str] = set()
        self._count = 0
        self._out = 0

    def path(self, name: str) -> str | None:
        """The path of a file by its name in the archive; None for a file to be left out.

        Raises:
            DataError: the name is unsafe, or was there before, or there are too many.
        """
        self.seen(name)
        path = self.safe(name)
        if kind := next(filter(None, map(litter, path.split("/"))), None):
            self._ignored[kind] += 1
            return None
        if path in self._paths:
            raise self.refuse(name, "expected each member once", "found it twice", REPACK)
        self._paths.add(path)
        return path

    def seen(self, name: str) -> None:
        """Count a member of any kind. Raises ``DataError`` past the limit."""
        self._count += 1
        if self._count > self.limits.members:
            most = f"expected at most {self.limits.members:,} members"
            raise self.refuse(name, most, "found more", BY_HAND)

    def safe(self, name: str) -> str:
        """A relative path out of a name in an archive, without ``./`` before it. Raises ``DataError`` if it is unsafe."""
        path = name
        while path.startswith("./"):
            path = path[2:]
        try:
            if _DRIVE.match(path):
                raise UnsafeName(path, "it begins with a drive letter")
            split_path(path)
        except UnsafeName as error:
            raise self.refuse(
                name, "expected a name that is safe on every system", f"found that {error.why}", REPACK
            ) from None
        return path

    def grow(self, name: str, count: int) -> None:
        """Take note of bytes that come out. Raises ``DataError`` when they are too many for the archive's size."""
        self._out += count
        limits = self.limits
        if self._out > limits.bytes:
            most = f"expected at most {limits.bytes:,} bytes in an archive"
            raise self.refuse(name, most, f"found {self._out:,} and more", BY_HAND)
        if limits.blown(self._out, self.size):
            found = f"found {self._out:,} bytes and more out of {self.size:,} ({self._out // max(self.size, 1):,} to 1)"
            raise self.refuse(name, f"expected at most {limits.ratio} bytes out of each byte", found, BY_HAND)

    def finish(self) -> None:
        """Compare all names. Raises ``DataError`` for two that some system would not keep apart."""
        folders: dict[str, set[str]] = {"": set()}
        for path in self._paths:
            while True:
                head, _, base = path.rpartition("/")
                known = head in folders
                folders.setdefault(head, set()).add(base)
                if known:
                    break
                path = head
        for folder in folders:
            if folder in self._paths:
                raise self.refuse(folder, "expected a file or a folder", "found both", REPACK)
        for folder, names in sorted(folders.items()):
            try:
                check_names(sorted(names), folder or None)
            except NameCollision as error:
                raise self.refuse(
                    error.second, "expected names that differ on every system", f"found {error}", REPACK
                ) from None

    def refuse(self, member: str, expected: str, found: str, hint: str) -> DataError:
        """An error about a member."""
        shown = member if len(member) <= SHOWN else member[:SHOWN] + "…"
        return DataError(f"member {shown!r}: {expected}, {found}", where=Where(self.name), hint=hint)

    def damaged(self, why: object) -> DataError:
        """An error about the archive as a whole."""
        return DataError(
            f"expected a whole archive, found damage ({why})", where=Where(self.name), hint=FETCH
        )
