"""Which bytes of a file are there: pieces, each filled from its beginning, each by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blake3 import blake3

from store import Digest, Piece

__all__ = ["Pieces", "Span"]


@dataclass(frozen=True)
class Span:
    """Bytes to be asked for in one request, and not by anybody else meanwhile."""

    start: int
    stop: int | None
    """None: up to the end, wherever that is."""


class _Filling:
    """A piece of which something is there."""

    def __init__(self) -> None:
        self.have = 0
        self.hasher = blake3()
        self.lock = threading.Lock()

    def add(self, data: bytes | memoryview) -> None:
        with self.lock:
            self.hasher.update(data)
            self.have += len(data)

    def piece(self) -> Piece:
        with self.lock:
            return Piece(self.have, Digest(self.hasher.hexdigest()))


class Pieces:
    """The pieces of one file.

    Args:
        length: bytes of each but the last.
        size: of the file; None if nobody knows.
        there: complete ones that are known to be right.
    """

    def __init__(self, length: int, size: int | None, there: Mapping[int, Piece]) -> None:
        self.length = length
        self.size = size
        self._done: dict[int, Piece] = dict(there)
        self._filling: dict[int, _Filling] = {}
        self._taken: set[int] = set()
        self._lock = threading.Lock()
        self._first = 0
        """No piece before this one lacks anything."""

    def begun(self, number: int, data: Iterable[memoryview]) -> None:
        """Say what is there of a piece that is not complete."""
        filling = _Filling()
        for part in data:
            filling.add(part)
        self._filling[number] = filling

    @property
    def complete(self) -> bool:
        """Whether all of the file is there."""
        return self.size is not None and self.contiguous == self.size

    @property
    def have(self) -> int:
        """Bytes that are there."""
        with self._lock:
            return sum(it.have for it in self._done.values()) + sum(it.have for it in self._filling.values())

    @property
    def contiguous(self) -> int:
        """Bytes that are there from the beginning on."""
        with self._lock:
            while self._first in self._done and self._done[self._first].have == self.length:
                self._first += 1
            last = self._done.get(self._first) or self._filling.get(self._first)
            return self._first * self.length + (last.have if last is not None else 0)

    def take(self) -> Span | None:
        """The rest of the first piece that nobody brings yet, for one of several who bring some at a time; None if there is none.

        The size must be known. Give it back with :meth:`give_back` unless all of it was written.
        """
        assert self.size is not None
        with self._lock:
            number = self._first
            while number in self._done or number in self._taken:
                number += 1
            if number * self.length >= self.size:
                return None
            self._taken.add(number)
            return Span(self._next(number), min((number + 1) * self.length, self.size))

    def give_back(self, span: Span) -> None:
        """Let another one take what is left of it."""
        with self._lock:
            self._taken.discard(span.start // self.length)

    def gap(self) -> Span | None:
        """The first bytes that are not there, up to where some are again, for one who brings all; None if there are none."""
        with self._lock:
            number = self._first
            while number in self._done:
                number += 1
            if self.size is not None and number * self.length >= self.size:
                return None
            later = [n for n in (*self._done, *self._filling) if n > number]
            return Span(self._next(number), min(later) * self.length if later else None)

    def _next(self, number: int) -> int:
        filling = self._filling.get(number)
        return number * self.length + (filling.have if filling is not None else 0)

    def wrote(self, at: int, data: bytes | memoryview) -> None:
        """Take note of bytes that were written, at the end of what is there of a piece; they may go on into the next ones."""
        view = memoryview(data)
        while view:
            number, inside = divmod(at, self.length)
            part = view[: self.length - inside]
            with self._lock:
                filling = self._filling.setdefault(number, _Filling())
            filling.add(part)
            at, view = at + len(part), view[len(part) :]
            if filling.have == self.length or at == self.size:
                self._complete(number, filling)

    def ended(self, at: int) -> None:
        """Say that the file ends here."""
        self.size = at
        filling = self._filling.get(at // self.length)
        if filling is not None:
            self._complete(at // self.length, filling)

    def _complete(self, number: int, filling: _Filling) -> None:
        piece = filling.piece()
        with self._lock:
            self._done[number] = piece
            del self._filling[number]
            self._taken.discard(number)

    def snapshot(self) -> dict[int, Piece]:
        """What is there now, as a state says it."""
        with self._lock:
            done, filling = dict(self._done), dict(self._filling)
        return done | {number: it.piece() for number, it in filling.items() if it.have}
