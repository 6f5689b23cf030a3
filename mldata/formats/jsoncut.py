"""Cuts JSON text into pieces that end where a record ends, without parsing it: brackets are counted, strings stepped over.

A piece ends at the first record end at or after ``target`` bytes: it depends on content only. Text that is no JSON may be cut anywhere, which is
safe: a parser's state is a function of what it has read, so if every piece is whole records, every cut was right, and if one was
wrong, a piece up to it does not parse. What is found while cutting travels with the pieces (:attr:`JsonPiece.fault`), so that the first error of the file is the
one that is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mldata.formats.jsonfault import MAX_DEPTH
from mldata.formats.pieces import MAX_RECORD_BYTES, BadRecord

WINDOW_BYTES = 1 << 20
"""How much is looked at to skip a value."""
NEAR_BYTES = 64 << 10
"""How much is looked at to find the next record end."""
SPACE = b" \t\r\n"
CLOSERS = {"elements": b"]", "entries": b"}"}

_DROPPED = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_NOT_OPEN = bytes(sorted(set(range(256)) - set(b"[{\n")))
_DELTA = np.zeros(256, np.int8)
_DELTA[list(b"[{")] = 1
_DELTA[list(b"]}")] = -1
_MARK = _DELTA != 0
_MARK[0x22] = True
_ESCAPED = re.compile(rb'\\["\\]')


class Form(Enum):
    """How records stand beside each other."""

    LINES = "lines"
    """One a line."""
    VALUES = "values"
    """One after the other, with or without space between them."""
    ELEMENTS = "elements"
    """As elements of an array, commas between them."""
    ENTRIES = "entries"
    """As values of an object: ``"key": record``, commas between them."""


class JsonPiece(NamedTuple):
    """Whole records of a file, without the brackets around them and the comma behind them."""

    number: int
    start: int
    data: bytes
    form: Form
    depth: int
    """How deep brackets nest, at the most."""
    fault: BadRecord | None = None
    """What is wrong behind ``data``, if nothing in it is."""


@dataclass
class State:
    """Where a reader stands in the structure of the text."""

    depth: int = 0
    inside: bool = False
    """In a string."""
    escaped: bool = False
    """Behind a backslash."""
    most: int = 0
    """The greatest depth so far."""

    def feed(self, data: bytes) -> int:
        """Go over ``data``; the least depth on the way."""
        if not data:  # a backslash waits for what it escapes
            return self.depth
        data = data[1:] if self.escaped else data
        if b"\\" in data:
            # Backslashes are in strings only: those that are escaped go first, then a backslash before a quote escapes it.
            data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
        self.escaped = data.endswith(b"\\")
        depths = self._depths(np.frombuffer(data.translate(None, _DROPPED), np.uint8))
        return int(depths.min()) if len(depths) else self.depth

    def places(self, data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Go over ``data``: where brackets outside of strings are, and the depth behind each."""
        if self.escaped and data:
            data = b"_" + data[1:]
        if b"\\" in data:
            data = _ESCAPED.sub(b"__", data)
        if data:
            self.escaped = data.endswith(b"\\")
        text = np.frombuffer(data, np.uint8)
        at = np.flatnonzero(_MARK[text])
        depths = self._depths(text[at])
        outside = np.flatnonzero(self._outside)
        return at[outside], depths[outside]

    def _depths(self, marks: NDArray[np.uint8]) -> NDArray[np.int32]:
        quotes = marks == 0x22
        inside = np.logical_xor.accumulate(quotes) ^ self.inside
        depths = self.depth + np.cumsum(np.where(inside, np.int8(0), _DELTA[marks]), dtype=np.int32)
        if len(marks):
            self.depth, self.inside = int(depths[-1]), bool(inside[-1])
            self.most = max(self.most, int(depths.max()))
        self._outside = ~(inside | quotes)
        return depths


def depth_of(data: bytes, *, lines: bool) -> int:
    """How deep brackets nest in whole records; if each is a line, a little more than that."""
    if lines:
        # Brackets of a line, those in strings too, need no look at the quotes: seven times as quick.
        marks = np.frombuffer(data.translate(None, _NOT_OPEN), np.uint8)
        ends = np.flatnonzero(marks == 0x0A)
        most = int(np.diff(ends, prepend=-1, append=len(marks)).max()) - 1
        if most <= MAX_DEPTH:
            return most
    state = State()
    state.feed(data)
    return state.most


class Text:
    """The bytes of an open file, from ``at`` on, and the tokens between records."""

    def __init__(self, file: BinaryIO, at: int, stop: int) -> None:
        self.file, self.at, self.stop = file, at, stop
        self._window, self._base = b"", 0

    def read(self, at: int, size: int) -> bytes:
        """Bytes of the file."""
        self.file.seek(at)
        return self.file.read(max(0, min(size, self.stop - at)))

    def peek(self) -> bytes:
        """The first byte of the next token, at which ``at`` is then; empty at the end."""
        while True:
            if not self._base <= self.at < self._base + len(self._window):
                self._base, self._window = self.at, self.read(self.at, 4096)
            if not self._window:
                return b""
            rest = self._window[self.at - self._base :].lstrip(SPACE)
            if rest:
                self.at = self._base + len(self._window) - len(rest)
                return rest[:1]
            self.at = self._base + len(self._window)

    def string(self) -> bytes:
        """The string that begins here, with its quotes."""
        data = b""
        while True:
            data += self.read(self.at + len(data), max(4096, len(data)))
            found = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL).match(data)
            if found:
                self.at += found.end()
                return found[0]
            if self.at + len(data) >= self.stop or len(data) > MAX_RECORD_BYTES:
                raise BadRecord("this string is never closed", self.at)

    def end_of_container(self, most: int = MAX_RECORD_BYTES) -> int | None:
        """Where the object or array that begins here ends; None if not within ``most`` bytes or the file."""
        state, at = State(), self.at
        while at < min(self.stop, self.at + most):
            before = State(state.depth, state.inside, state.escaped)
            data = self.read(at, WINDOW_BYTES)
            # The depth is 0 before the opening bracket only.
            if state.feed(data) <= 0:
                places, depths = before.places(data)
                closed = np.flatnonzero(depths == 0)
                if len(closed):
                    return at + int(places[closed[0]]) + 1
            at += len(data)
        return None


class Cutter:
    """Cuts the records that stand at ``text.at``; afterwards that is at the closing bracket (or the end of the file)."""

    def __init__(self, text: Text, form: Form, target: int) -> None:
        self.text, self.form, self.target = text, form, target
        self.close = CLOSERS.get(form.value, b"")

    def __iter__(self) -> Iterator[JsonPiece]:
        text, number, comma = self.text, 0, -1
        while (lead := text.peek()) != self.close:
            if not lead:
                raise BadRecord(f"the file ends inside of the {self._around}", text.at)
            start = text.at
            piece = self._cut(number, start)
            text.at = start + len(piece.data)
            yield piece
            number += 1
            if not self.close:
                continue
            lead, comma = text.peek(), text.at
            if lead == self.close:
                return
            if lead != b",":
                what = (
                    f"found {lead.decode('latin-1')!r}"
                    if lead
                    else f"the file ends inside of the {self._around}"
                )
                raise BadRecord(f"expected ',' or {self.close.decode()!r} behind a record, {what}", text.at)
            text.at += 1
        if comma >= 0:
            raise BadRecord(trailing(self.close.decode()), comma)

    @property
    def _around(self) -> str:
        return "array" if self.form is Form.ELEMENTS else "object"

    def _cut(self, number: int, start: int) -> JsonPiece:
        """The text up to the first record end at or after the target, or to the closing bracket or the end."""
        state, fault = State(), None
        data = self.text.read(start, self.target)
        if state.feed(data) < 0:
            places, depths = State().places(data)
            # A bracket that does not close what is around the records is no end of them, but their first fault.
            end = int(places[np.flatnonzero(depths < 0)[0]])
            data = data[: end + (data[end : end + 1] != self.close)].rstrip(SPACE)
        elif state.depth or state.inside or data[-1:] not in (b"}", b"]") or len(data) < self.target:
            more, fault = self._to_record_end(start, len(data), state)
            data += more
        return JsonPiece(number, start, data, self.form, state.most, fault)

    def _to_record_end(self, start: int, size: int, state: State) -> tuple[bytes, BadRecord | None]:
        parts = []
        while window := self.text.read(start + size, NEAR_BYTES):
            places, depths = state.places(window)
            found = np.flatnonzero(depths <= 0)
            if len(found):
                end = int(places[found[0]])
                end += 1 if depths[found[0]] == 0 or window[end : end + 1] != self.close else 0
                parts.append(window[:end])
                return b"".join(parts), None
            parts.append(window)
            size += len(window)
            if size > self.target + MAX_RECORD_BYTES:
                reason = f"a record is longer than {MAX_RECORD_BYTES >> 20} MiB"
                return b"".join(parts), BadRecord(reason, start)
        fault = BadRecord(f"the file ends inside of the {self._around}", start + size)
        return b"".join(parts), fault if self.close else None


def trailing(close: str) -> str:
    """The message about a comma before ``close``."""
    return f"a comma before {close!r}: JSON has no trailing commas"
