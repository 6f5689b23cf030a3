"""What keeps gc away from a running build: leases, and the gate.

A *lease* is a file that a builder holds under ``flock`` while it runs, and to which it appends every digest it relies on: hits it
took, objects, trees and results it published. The kernel lets go of the lock when the process dies, so a lease whose lock is free
is dead and protects nothing.

The *gate* makes "look whether it is there" and "say that I need it" one step. Builders hold it shared around the two; gc holds it
exclusively around "read the leases" and "delete". So what a builder saw is in its lease before gc deletes anything more.

Invariant: whatever a builder found or published inside the gate is in a lease before it leaves the gate.

Format of ``leases/<unique>.lease``: text lines. The first is ``mldata-lease 1 <pid> <why>``; every other is a letter, a space and 64
hex digits: ``f`` an object that is no tree, ``t`` a tree, ``r`` an action key, ``o`` an object of unknown kind. Nothing is synced: a
lease matters only while its process lives.

How the rest of the package uses it (``leases`` is the store's one :class:`Leases`)::

    with leases.lease("build penguins"):           # for as long as what was found or made is relied on
        with leases.gate():
            present = digest in store              # look: a hit, a deduplicated put, a batch that publishes ...
            ...                                    # publish what is absent
            leases.need([digest, ...], "file")     # ... and say so before leaving: one call for many
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from store.atomic import explain, explained, unique_name
from store.digest import Digest
from store.errors import StoreBusy, StoreError
from store.layout import Layout

if sys.platform != "win32":
    import fcntl

__all__ = ["Lease", "LeaseReader", "Leases", "Need", "NeedKind"]

NeedKind = Literal["file", "tree", "result", "object"]
"""What a leased digest names; ``object`` is an object of unknown kind, which gc looks into."""

_LETTER: dict[NeedKind, str] = {"file": "f", "tree": "t", "result": "r", "object": "o"}
_KIND: dict[str, NeedKind] = {letter: kind for kind, letter in _LETTER.items()}
_HEADER = "mldata-lease 1 "
_HEX = frozenset("0123456789abcdef")
_NO_FLOCK = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})


class Need(NamedTuple):
    """One line of a lease."""

    kind: NeedKind
    digest: Digest


class Lease:
    """A lease that this process holds. Several ``with store.lease(...)`` of one Store share one; threads may share it."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.pid = os.getpid()
        self.holders = 0
        self.whole: set[Digest] = set()
        """Trees seen complete since the lease began. They stay complete while it lives, which is why the memory is kept here."""
        self._fd = fd
        self._mutex = threading.Lock()

    def need(self, digests: Iterable[Digest], kind: NeedKind = "object") -> None:
        """Say that gc must keep these. Call it inside the gate in which they were found or published.

        One write a call. Raises ``StoreFull`` when the disk is full; the lease stays readable.
        """
        letter = _LETTER[kind]
        self._append("".join([f"{letter} {digest}\n" for digest in digests]))

    def add(self, needs: Iterable[Need]) -> None:
        """:meth:`need` for digests of several kinds."""
        self._append("".join([f"{_LETTER[kind]} {digest}\n" for kind, digest in needs]))

    def _append(self, lines: str) -> None:
        with self._mutex:
            start = os.fstat(self._fd).st_size
            try:
                view = memoryview(lines.encode())
                while view:
                    view = view[os.write(self._fd, view) :]
            except OSError as error:
                os.ftruncate(self._fd, start)  # half a line would be glued to the next one
                raise explain(error, self.path, len(lines)) from error

    def forget(self, tree: Digest | None = None) -> None:
        """Drop what is remembered as complete: an object turned out damaged, or one tree did."""
        if tree is None:
            self.whole.clear()
        else:
            self.whole.discard(tree)

    def close(self) -> None:
        """End the lease. What the build wants kept is in a ref or a receipt by now."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self._fd)


class Leases:
    """The leases of one store, as one process sees them."""

    def __init__(self, layout: Layout, *, read_only: bool = False) -> None:
        self._folder = layout.leases
        self._read_only = read_only
        self._mutex = threading.Lock()
        self._lease: Lease | None = None
        self._inside = threading.local()

    # -- builders

    @contextmanager
    def lease(self, why: str) -> Iterator[Lease]:
        """Hold a lease; leases opened while one is held share it, and the last to leave ends it.

        Raises ``StoreReadOnly`` or ``StoreFull`` when the lease file cannot be made.
        """
        with self._mutex:
            lease = self.current or self._create(why)
            lease.holders += 1
            self._lease = lease
        try:
            yield lease
        finally:
            with self._mutex:
                lease.holders -= 1
                if lease.holders == 0 and lease.pid == os.getpid():
                    if self._lease is lease:
                        self._lease = None
                    lease.close()

    @property
    def current(self) -> Lease | None:
        """The lease this process holds on this store. One inherited through ``fork`` is the parent's, not ours."""
        lease = self._lease
        return lease if lease is not None and lease.pid == os.getpid() else None

    def need(self, digests: Iterable[Digest], kind: NeedKind = "object") -> None:
        """:meth:`Lease.need` of the current lease; without one nothing is promised, and nothing is written."""
        lease = self.current
        if lease is not None:
            lease.need(digests, kind)

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Hold the gate shared: no gc deletes anything meanwhile. Re-entrant within a thread; keep it short.

        No-op on a read-only store, and where the filesystem has no locks (gc refuses to run there).
        """
        depth: int = getattr(self._inside, "depth", 0)
        if depth or self._read_only:
            # A second turnstile pass in one thread would wait for a gc that waits for the first.
            yield
            return
        fd = self._pass_turnstile(exclusive=False)
        self._inside.depth = 1
        try:
            yield
        finally:
            self._inside.depth = 0
            os.close(fd)

    def _create(self, why: str) -> Lease:
        name = f"{unique_name()}.lease"
        path = self._folder / name
        # Inside the gate gc cannot see the file before it is locked, and take it for a dead one.
        with self.gate():
            fd = self._open(name, os.O_EXCL | os.O_APPEND)
            try:
                # A gc that only plans stands at no gate, and may be looking whether anybody holds this very file: that lasts a moment.
                _flock(fd, exclusive=True)
                with explained(path):
                    os.write(
                        fd, f"{_HEADER}{os.getpid()} {' '.join(why.split())}\n".encode("utf-8", "replace")
                    )
            except BaseException:
                os.close(fd)
                path.unlink()
                raise
        return Lease(path, fd)

    # -- gc

    @contextmanager
    def closed_gate(self) -> Iterator[None]:
        """Hold the gate exclusively: no builder looks, publishes or leases meanwhile. For gc only, and briefly.

        Raises:
            StoreBusy: the filesystem cannot lock files, so running builds cannot be told from dead ones.
        """
        if getattr(self._inside, "depth", 0):
            raise StoreBusy(
                "expected gc to start outside the gate, found it held by the same thread; leave it first"
            )
        fd = self._pass_turnstile(exclusive=True)
        self._inside.depth = 1  # what gc itself calls may pass the gate
        try:
            yield
        finally:
            self._inside.depth = 0
            os.close(fd)

    def _pass_turnstile(self, *, exclusive: bool) -> int:
        """Descriptor that holds the gate. Closing it opens the gate.

        flock is not fair: builders whose shared holds overlap would keep gc out for ever. So everybody passes a turnstile first, and gc
        stands in it while it waits for the builders inside to leave.
        """
        turn = self._open("turnstile")
        try:
            fd = self._open("gate")
            try:
                with explained(self._folder):
                    locked = _flock(turn, exclusive=True) and _flock(fd, exclusive=exclusive)
                if exclusive and not locked:
                    raise StoreBusy(
                        f"expected a filesystem with file locks, found none at {self._folder}: gc cannot tell running builds from"
                        " dead ones; move the store to a local disk, or run gc where the disk is local"
                    )
            except BaseException:
                os.close(fd)
                raise
            return fd
        finally:
            os.close(turn)

    def _open(self, name: str, flags: int = 0) -> int:
        path = self._folder / name
        flags |= os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        with explained(path):
            try:
                return os.open(path, flags, 0o644)
            except FileNotFoundError:
                self._folder.mkdir(parents=True, exist_ok=True)
                return os.open(path, flags, 0o644)

    def paths(self) -> list[Path]:
        """Every lease file, live or dead, by name."""
        with suppress(FileNotFoundError):
            return sorted(
                Path(entry.path) for entry in os.scandir(self._folder) if entry.name.endswith(".lease")
            )
        return []

    def live(self, path: Path) -> bool:
        """Whether a process holds this lease. A lease this very process holds is live too."""
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            # Without locks nobody can tell: alive is the answer that loses nothing.
            return not _flock(fd, exclusive=False, wait=False)
        finally:
            os.close(fd)

    def remove_dead(self, path: Path) -> bool:
        """Remove a lease that nobody holds; call it with the gate closed. Returns whether it went."""
        if self.live(path):
            return False
        with suppress(FileNotFoundError):
            path.unlink()
        return True


class LeaseReader:
    """Reads the lines appended to a lease since the last call, so that gc's last look stays short."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def read(self) -> list[Need]:
        """New needs; an unfinished last line is left for the next call.

        Raises:
            StoreError: a line is not a need. gc must stop: it cannot know what that build relies on.
        """
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:  # the build is over: what it wanted kept is in a ref or a receipt
            return []
        data = data[: data.rfind(b"\n") + 1]
        lines = data.decode("utf-8", "replace").split("\n")[:-1]
        if self._offset == 0 and lines:
            header = lines.pop(0)
            if not header.startswith(_HEADER):
                raise self._damaged(header)
        self._offset += len(data)
        return [self._parse(line) for line in lines]

    def _parse(self, line: str) -> Need:
        kind = _KIND.get(line[:1])
        digest = line[2:]
        if kind is None or len(line) != 66 or line[1] != " " or set(digest) - _HEX:
            raise self._damaged(line)
        return Need(kind, Digest(digest))

    def _damaged(self, line: str) -> StoreError:
        return StoreError(
            f"{self.path}: expected a lease line ('f', 't', 'r' or 'o', a space, 64 hex digits), found {line[:80]!r};"
            " wait for the running build to end, or stop it, then run gc again"
        )


def _flock(fd: int, *, exclusive: bool, wait: bool = True, unsupported: bool = False) -> bool:
    """Whether the lock was taken: False when it is held by another and ``wait`` is false, ``unsupported`` without locks."""
    if sys.platform == "win32":  # no flock: builders work, gc refuses
        return unsupported
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_FLOCK:
            return unsupported
        raise
    return True
