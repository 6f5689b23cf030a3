"""One partial that this process holds: bytes that came, each where it will stand in the end, and the state that vouches for them.

Format of the folder: ``data``; ``state.0`` and ``state.1``, of which the newer one that is whole counts (``partialstate.py``). States are
written in turn and in place, into room that was reserved, so that a full disk cannot keep the last one from being written.

Invariants: a state never claims bytes that were not written before it was; nothing is believed before it was hashed, since after a power
cut a state may be newer than its data; nobody writes to the data once it is an object.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from store.atomic import checkpoint, explained, start_writeback, write_at
from store.batch import Batch
from store.digest import CHUNK, Digest, Hashes, ObjectId, hash_threads
from store.errors import StoreError
from store.partialstate import PartialState, Piece
from store.seal import reseal

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["Partial"]

_DATA = "data"
_STATES = ("state.0", "state.1")
_RESERVED = 16 << 10
"""Bytes of each state file; as a rule more than a state takes."""
_OPEN = os.O_RDWR | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


class Partial:
    """A partial that this process holds. Several threads may write to it, each its own part."""

    def __init__(self, folder: Path, fd: int, number: int, state: PartialState) -> None:
        """Not for callers: use ``Partials.create`` and ``Partials.claim``."""
        self.folder = folder
        self.state = state
        """As it was last saved."""
        self._fd = fd
        self._number = number
        self._held = True
        self._users = 0
        self._idle = threading.Condition()
        self._saving = threading.Lock()

    @classmethod
    def make(cls, folder: Path, state: PartialState) -> Partial:
        """A new one in a folder that is not there yet."""
        with explained(folder):
            os.makedirs(folder)
            try:
                for name in _STATES:
                    _reserve(folder / name)
                fd = os.open(folder / _DATA, _OPEN | os.O_CREAT | os.O_EXCL, 0o644)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        partial = cls(folder, fd, 0, state)
        try:
            partial.save(state)
        except BaseException:
            partial.discard()
            raise
        return partial

    @classmethod
    def take(cls, folder: Path, *, alone: bool) -> Partial | None:
        """The one in a folder that this process has just taken; None, and the folder is gone, if it cannot be used.

        Args:
            alone: nobody else can have its data open. Else they are copied: another machine's process may only be asleep, and would go on writing.
        """
        found = read_states(folder)
        if found is not None:
            number, state = found
            with suppress(OSError):
                for name in _STATES:
                    os.chmod(folder / name, 0o644)
                if not alone:
                    _copy_aside(folder, state)
                os.chmod(folder / _DATA, 0o644)  # it was about to become an object
                return cls(folder, os.open(folder / _DATA, _OPEN), number, state)
            if state.became is not None and not (folder / _DATA).exists():
                return cls(folder, -1, number, state)
        shutil.rmtree(folder, ignore_errors=True)
        return None

    @property
    def finished(self) -> bool:
        """Whether its data became an object and only this folder was left: ``state.became`` says which."""
        return self._held and self._fd < 0

    def write(self, offset: int, data: ReadableBuffer) -> None:
        """Put bytes where they belong.

        Raises:
            StoreFull: the disk is full. StoreError: it is not held any more.
        """
        with self._open() as fd, explained(self.folder / _DATA, memoryview(data).nbytes):
            write_at(fd, data, offset)

    def start_writeback(self, offset: int, size: int) -> None:
        """Let the disk begin with a range, so that :meth:`adopt` waits less."""
        with self._open() as fd:
            start_writeback(fd, offset, size)

    def save(self, state: PartialState) -> None:
        """Remember which bytes are there; they must have been written. One who dies after this keeps them."""
        with self._saving:
            if not self._held:
                raise self._lost("let go of")
            data = state.encode(self._number + 1)
            path = self.folder / _STATES[(self._number + 1) % 2]
            checkpoint("partial.save:before")
            with explained(path, len(data)), self._still_ours(), open(path, "r+b", buffering=0) as file:
                write_at(file.fileno(), data, 0)
            checkpoint("partial.save:after")
            self._number += 1
            self.state = state

    def beat(self) -> None:
        """Show other machines that its owner lives. Needed every few seconds while nothing is saved."""
        with self._saving:
            if self._held:
                with self._still_ours():
                    os.utime(self.folder / _STATES[self._number % 2])

    def verify(self) -> dict[int, Piece]:
        """Hash what the last state claims, and keep in it only pieces that are as it says; returns these."""
        with self._open() as fd:
            whole = os.fstat(fd).st_size
        good = {
            number: piece
            for number, piece in self.state.pieces.items()
            if number * self.state.piece + piece.have <= whole
            and self._digest(number * self.state.piece, piece.have) == piece.digest
        }
        if good != self.state.pieces:
            self.save(replace(self.state, pieces=good))
        return good

    def _digest(self, start: int, size: int) -> Digest | None:
        hasher = blake3(max_threads=hash_threads(size))
        try:
            for data in self.read(start, start + size, 4 * CHUNK):
                hasher.update(data)
        except StoreError:  # a disk that fails: these bytes are lost
            return None
        return Digest(hasher.hexdigest())

    def read(self, start: int, stop: int, chunk: int = CHUNK) -> Iterator[memoryview]:
        """The bytes from ``start`` to before ``stop``, one buffer used again and again; ends early where the file does."""
        buffer = memoryview(bytearray(min(chunk, max(1, stop - start))))
        while start < stop:
            with self._open() as fd:
                try:
                    read = os.preadv(fd, [buffer[: stop - start]], start)
                except OSError as error:
                    raise StoreError(
                        f"cannot read {self.folder / _DATA}: {error.strerror or error}; expected a healthy disk; "
                        "look at the disk, then run again"
                    ) from error
            if not read:
                return
            yield buffer[:read]
            start += read

    def release(self) -> None:
        """Let go of it: the next who wants it goes on. One with nothing in it is removed. A second call does nothing."""
        if self._let_go():
            if not self.state.have and self.state.became is None:
                shutil.rmtree(self.folder, ignore_errors=True)
                return
            with suppress(OSError):  # another machine took it for dead
                os.rename(self.folder, self.folder.with_name(self.folder.name.rpartition(".")[0]))

    def discard(self) -> None:
        """Remove it, unless it was let go of."""
        if self._let_go():
            shutil.rmtree(self.folder, ignore_errors=True)

    def adopt(self, batch: Batch, hashes: Hashes) -> ObjectId:
        """Make the data an object: the file itself, not a copy of it. Visible and durable on return, and the partial is gone.

        Args:
            hashes: of what the file holds.

        Raises:
            StoreFull, StoreReadOnly, StoreError: it stays a partial.
        """
        self.save(replace(self.state, became=hashes.digest))
        path = self.folder / _DATA
        with self._open() as fd, explained(path):
            os.ftruncate(fd, hashes.size)
            os.fchmod(fd, 0o444)
            reseal(fd, hashes.digest)
        self._close()  # nobody may write to an object
        with self._still_ours():
            id = batch.adopt(hashes, batch.staging.outside(path))
            batch.commit()
        self.discard()
        return id

    @contextmanager
    def _open(self) -> Iterator[int]:
        """The data's descriptor; it stays open within this."""
        with self._idle:
            if self._fd < 0:
                raise self._lost("let go of")
            self._users += 1
            fd = self._fd
        try:
            yield fd
        finally:
            with self._idle:
                self._users -= 1
                self._idle.notify_all()

    def _close(self) -> None:
        with self._idle:
            fd, self._fd = self._fd, -1
            self._idle.wait_for(lambda: not self._users)
        if fd >= 0:
            os.close(fd)

    def _let_go(self) -> bool:
        self._close()
        with self._saving:
            held, self._held = self._held, False
        return held

    @contextmanager
    def _still_ours(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise self._lost("taken by another process, or removed") from None

    def _lost(self, how: str) -> StoreError:
        return StoreError(
            f"expected to hold the partial data {self.folder}, found it {how}; run again: what came is kept"
        )


def _reserve(path: Path) -> None:
    with open(path, "xb", buffering=0) as file:
        file.write(bytes(_RESERVED))


def read_states(folder: Path) -> tuple[int, PartialState] | None:
    """The newest state that is whole."""
    found = []
    for name in _STATES:
        with suppress(OSError):
            state = PartialState.decode((folder / name).read_bytes())
            if state is not None:
                found.append(state)
    return max(found, key=lambda it: it[0], default=None)


def _copy_aside(folder: Path, state: PartialState) -> None:
    """Put a copy of the data in its place: somebody may have this very file open and write to it."""
    with suppress(FileNotFoundError), open(folder / _DATA, "rb", buffering=0) as old:
        new = folder / f"{_DATA}.new"
        with explained(new, state.have), open(new, "wb", buffering=0) as file:
            for number, piece in state.pieces.items():
                at, end = number * state.piece, number * state.piece + piece.have
                while at < end and (data := os.pread(old.fileno(), min(CHUNK, end - at), at)):
                    write_at(file.fileno(), data, at)
                    at += len(data)
        os.replace(new, folder / _DATA)
