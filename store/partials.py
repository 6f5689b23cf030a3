"""Partial data: what came of something large before it was cut off, kept so that only the rest has to come.

Each is a folder below ``partial/`` (``partial.py``), called ``<key>.<unique>``, and ``<key>.<unique>.<owner>`` while a process holds it; the
key is the beginning of the digest of what the bytes are of.

Invariant: one process at a time writes in a folder, the one that its name says (``claims.py``).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.atomic import checkpoint, explained, unique_name
from store.claims import Owner, alive, this_process
from store.digest import digest_bytes
from store.errors import StoreReadOnly
from store.layout import Layout
from store.partial import Partial, read_states
from store.partialstate import PartialState

__all__ = ["Kept", "Partials"]

_KEY = 32


@dataclass(frozen=True)
class Kept:
    """A partial as it is listed."""

    name: str
    """Of its folder."""
    where: str | None
    """What it is of, for people; None if its state cannot be read."""
    have: int
    """Bytes that it claims."""
    size: int | None
    """Bytes that there will be, if that is known."""
    bytes: int
    """That it takes on disk."""
    touched: float
    """When it was last written to, in seconds since the epoch."""
    age: float
    """Seconds since then, by the filesystem's own clock."""
    live: bool
    """Whether a process holds it."""


class Partials:
    """The partial data of one store."""

    def __init__(self, layout: Layout, *, read_only: bool = False) -> None:
        self._folder = layout.partial
        self._tmp = layout.tmp
        self._read_only = read_only

    def keys(self) -> set[str]:
        """Keys (see :meth:`key`) of which there is something, held or not. One listing for many questions."""
        return {name.partition(".")[0] for name in self._names()}

    @staticmethod
    def key(identity: str) -> str:
        """What folders of partials of ``identity`` begin with."""
        return digest_bytes(identity.encode("utf-8", "surrogatepass"))[:_KEY]

    def create(self, identity: str, state: PartialState) -> Partial:
        """A new one, held by this process, with nothing in it. Raises ``StoreFull``, ``StoreReadOnly``."""
        return Partial.make(self._own(self.key(identity)), state)

    def claim(self, identity: str) -> Partial | None:
        """The largest one that there is of ``identity`` and that nobody holds, held by this process from now on; None if there is none.

        One that cannot be used is removed on the way.
        """
        if self._read_only:
            raise StoreReadOnly(self._folder)
        prefix = self.key(identity) + "."
        free = [kept for kept in self.kept(prefix) if not kept.live]
        for kept in sorted(free, key=lambda kept: (-kept.have, kept.name)):
            partial = self._take(kept.name)
            if partial is not None:
                return partial
        return None

    def kept(self, prefix: str = "") -> list[Kept]:
        """All that there is, by name."""
        names = [name for name in self._names() if name.startswith(prefix)]
        if not names:
            return []
        now = self._now()
        found = (self._look(name, now) for name in names)
        return [kept for kept in found if kept is not None]

    def clean(self, names: Collection[str] | None = None) -> list[Kept]:
        """Remove these, or all, but for those that somebody holds; says which went."""
        return [
            kept for kept in self.kept() if (names is None or kept.name in names) and self.remove(kept.name)
        ]

    def remove(self, name: str) -> bool:
        """Remove one unless somebody holds it, or has taken it since it was listed. Returns whether it went."""
        if self._read_only:
            raise StoreReadOnly(self._folder)
        kept = self._look(name, self._now())
        if kept is None or kept.live:
            return False
        folder = self._rename(name)
        if folder is None:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True

    def strays(self) -> list[str]:
        """Names in ``partial/`` that are none of a partial."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return sorted(name for name in os.listdir(self._folder) if not _well_formed(name))
        return []

    def _names(self) -> list[str]:
        with suppress(FileNotFoundError, NotADirectoryError):
            return sorted(name for name in os.listdir(self._folder) if _well_formed(name))
        return []

    def _own(self, key: str) -> Path:
        return self._folder / f"{key}.{unique_name()}.{this_process()}"

    def _rename(self, name: str) -> Path | None:
        """Take a folder: its new path, or None if somebody was faster."""
        own = self._own(name.partition(".")[0])
        checkpoint("partial.claim:before")
        with explained(own):
            try:
                os.rename(self._folder / name, own)
            except FileNotFoundError:
                return None
        checkpoint("partial.claim:after")
        return own

    def _take(self, name: str) -> Partial | None:
        owner = _owner(name)
        folder = self._rename(name)
        if folder is None:
            return None
        return Partial.take(folder, alone=owner is None or owner.here)

    def _look(self, name: str, now: float) -> Kept | None:
        folder = self._folder / name
        try:
            states = [entry.stat(follow_symlinks=False) for entry in os.scandir(folder)]
            states = states or [os.stat(folder)]
        except (FileNotFoundError, NotADirectoryError):
            return None
        touched = max(it.st_ctime for it in states)
        used = sum(getattr(it, "st_blocks", it.st_size // 512) * 512 for it in states)
        found = read_states(folder)
        state = found[1] if found is not None else None
        owner = _owner(name)
        live = owner is not None and alive(owner, now - touched)
        where, have, size = (state.where, state.have, state.size) if state is not None else (None, 0, None)
        return Kept(name, where, have, size, used, touched, max(0.0, now - touched), live)

    def _now(self) -> float:
        """The filesystem's clock: another machine's may differ from this one's."""
        if self._read_only:
            return time.time()
        probe = self._tmp / f"clock.{unique_name()}"
        try:
            os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            return os.stat(probe).st_mtime
        except OSError:  # it is full
            return time.time()
        finally:
            with suppress(OSError):
                os.unlink(probe)


def _well_formed(name: str) -> bool:
    parts = name.split(".")
    return (
        len(parts) in (2, 3)
        and len(parts[0]) == _KEY
        and not set(parts[0]) - set("0123456789abcdef")
        and (len(parts) == 2 or Owner.parse(parts[2]) is not None)
    )


def _owner(name: str) -> Owner | None:
    parts = name.split(".")
    return Owner.parse(parts[2]) if len(parts) == 3 else None
