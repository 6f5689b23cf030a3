"""What a file was promised to be, and what it turned out to be.

Invariant: nothing is stored before every size and digest that its source or its server stated was compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from mldata.download.base import DIGESTS, Mismatch
from store import HASH_NAMES, Hashes, MultiHasher

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["Promise", "Sums"]


class Promise:
    """The size and the digests that were stated of one file, by all who stated any.

    Args:
        where: the file, for messages.
    """

    def __init__(self, where: str, size: int | None, digests: Mapping[str, str]) -> None:
        self.where = where
        self.size = size
        self.digests: dict[str, str] = {}
        self.state(digests)

    def state(self, digests: Mapping[str, str]) -> None:
        """Add what somebody states. Raises :class:`Mismatch` if another one stated otherwise; kinds that are not known are left alone."""
        for kind in DIGESTS:
            stated = digests.get(kind, "").lower()
            if stated and self.digests.setdefault(kind, stated) != stated:
                raise self._broken(kind, self.digests[kind], f"the server states {stated}")

    def state_size(self, size: int | None) -> None:
        """Add the size that a server states. Raises :class:`Mismatch` if it is not the promised one."""
        if size is not None and self.size is not None and size != self.size:
            raise self._broken("size", f"{self.size:,} bytes", f"the server has {size:,}")
        self.size = self.size if size is None else size

    def check(self, size: int, found: Mapping[str, str]) -> None:
        """Compare what came. Raises :class:`Mismatch`."""
        if self.size is not None and size != self.size:
            raise self._broken("size", f"{self.size:,} bytes", f"{size:,} came")
        for kind, stated in self.digests.items():
            if found[kind] != stated:
                raise self._broken(kind, stated, found[kind])

    def _broken(self, what: str, expected: str, found: str) -> Mismatch:
        return Mismatch(
            f"expected the {what} {expected}, found {found}; nothing of it was stored",
            where=self.where,
            hint="Run the same command again; if it stays so, the file there is damaged or was changed: `mldata update` looks at it anew.",
        )


class Sums:
    """BLAKE3 and all digests that are asked for, in one pass. For one thread at a time.

    Args:
        kinds: of :data:`mldata.download.base.DIGESTS`.
        size: bytes that will come: ``git-sha1`` begins with it.
        threads: that BLAKE3 may use.
    """

    def __init__(self, kinds: Collection[str], size: int | None, *, threads: int = 1) -> None:
        self._own = MultiHasher([name for name in HASH_NAMES if name in kinds], threads=threads)
        self._others: dict[str, _Hash] = {}
        if "sha1" in kinds:
            self._others["sha1"] = hashlib.sha1(usedforsecurity=False)
        if "git-sha1" in kinds:
            if size is None:
                raise ValueError("git-sha1 needs the size")
            self._others["git-sha1"] = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._own.size

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        self._own.update(data)
        for other in self._others.values():
            other.update(data)

    def finish(self) -> tuple[Hashes, dict[str, str]]:
        """What the store remembers, and all digests by kind. Not to be used afterwards."""
        hashes = self._own.finish()
        found = {name: other.hexdigest() for name, other in self._others.items()}
        found |= {name: value for name in HASH_NAMES if (value := getattr(hashes, name)) is not None}
        return hashes, found
