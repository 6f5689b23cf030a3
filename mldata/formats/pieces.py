"""Cuts a file of records into pieces that end where a record ends.

A piece ends at the first record end at or after ``target`` bytes: it depends on content only. Where quotes may hide line ends, the
quotes before a line end are counted; that count is trusted only when every quote of the piece stands where RFC 4180 puts it
(then, by induction over the fields, an even count means outside of quotes). Otherwise this piece and all later ones are cut by an
exact scan, record by record, that reads quotes as Arrow's parser does: special only at the start of a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

MAX_RECORD_BYTES = 256 << 20
"""A record longer than this is refused: nearly always a quote that was never closed."""
SLACK_BYTES = 64 << 10
LOOK_AHEAD_BYTES = 4 << 20
"""How far past the target the counted quotes are believed before the exact scan decides."""
QUOTE = 0x22


class BadRecord(Exception):
    """A record that cannot be cut. ``offset`` is in the file."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class RawPiece(NamedTuple):
    """Whole records of a file."""

    number: int
    """Its place among the pieces of the file, from 0."""
    start: int
    data: pa.Buffer
    quoted: bool
    """Quotes occur, so line ends may be inside values."""


class Cutter:
    """Cuts one open file from ``start`` to ``stop``, in order.

    Args:
        file: the open file; positioned at will.
        delimiter: the byte between fields; None for formats without quotes (one line, one record).
        end_of_line: the byte that ends a record: LF, or CR in a file that has CR only.
        target: bytes after which a piece ends with the next record.
    """

    def __init__(
        self,
        file: BinaryIO,
        start: int,
        stop: int,
        *,
        delimiter: bytes | None,
        end_of_line: bytes,
        target: int,
    ) -> None:
        self.file, self.stop, self.target = file, stop, target
        self.delimiter, self.end_of_line = delimiter, end_of_line
        self.position = start
        self.exact = False
        self._record = record_pattern(delimiter) if delimiter else None

    def __iter__(self) -> Iterator[RawPiece]:
        index = 0
        while self.position < self.stop:
            piece = self._next(index)
            self.position += piece.data.size
            index += 1
            yield piece

    def _next(self, index: int) -> RawPiece:
        start = self.position
        data = self._read(start, min(self.target + SLACK_BYTES, self.stop - start))
        quoted = self.delimiter is not None and b'"' in data
        if not self.exact:
            end, data = self._cut_by_count(data, quoted)
            if end and (not quoted or self._quotes_are_regular(data, end)):
                return RawPiece(index, start, pa.py_buffer(data).slice(0, end), quoted)
            self.exact = True
        end, data = self._cut_exactly(data)
        return RawPiece(index, start, pa.py_buffer(data).slice(0, end), True)

    def _read(self, start: int, size: int) -> bytes:
        self.file.seek(start)
        return self.file.read(size)

    def _more(self, data: bytes) -> bytes:
        """``data`` and as much again (at least the slack) of the file behind it."""
        if len(data) > self.target + MAX_RECORD_BYTES:
            raise BadRecord(
                f"a record is longer than {MAX_RECORD_BYTES >> 20} MiB (is a quote never closed?)",
                self.position,
            )
        at = self.position + len(data)
        return data + self._read(at, min(max(len(data) - self.target, SLACK_BYTES), self.stop - at))

    def _cut_by_count(self, data: bytes, quoted: bool) -> tuple[int, bytes]:
        """End of the piece if quotes are regular, and the data it needed; 0 when it looks as if they were not."""
        quotes = counted = 0
        at = self.target - 1
        while True:
            at = data.find(self.end_of_line, at)
            if at < 0:
                if self.position + len(data) >= self.stop:
                    return len(data), data
                if self.delimiter and len(data) > self.target + LOOK_AHEAD_BYTES and b'"' in data:
                    return 0, data
                at = max(len(data), self.target - 1)
                data = self._more(data)
                quoted = self.delimiter is not None and b'"' in data
                continue
            if quoted:
                quotes += data.count(b'"', counted, at)
                counted = at
            if quotes % 2 == 0:
                return self._past_line_end(data, at), data
            at += 1

    def _past_line_end(self, data: bytes, at: int) -> int:
        """A CR cut must not leave the LF of a CRLF to the next piece."""
        both = self.end_of_line == b"\r" and data[at + 1 : at + 2] == b"\n"
        return at + 2 if both else at + 1

    def _quotes_are_regular(self, data: bytes, end: int) -> bool:
        text = np.frombuffer(data, np.uint8, end)
        at = np.flatnonzero(text == QUOTE)
        if at.size % 2:
            return False
        assert self.delimiter is not None
        border = np.zeros(256, bool)
        border[[self.delimiter[0], 0x0A, 0x0D, QUOTE]] = True
        opening, closing = at[::2], at[1::2]
        before = opening[opening > 0] - 1
        after = closing[closing < end - 1] + 1
        return bool(border[text[before]].all() and border[text[after]].all())

    def _cut_exactly(self, data: bytes) -> tuple[int, bytes]:
        assert self._record is not None
        end = 0
        while end < self.target:
            found = self._record.match(data, end)
            at_stop = self.position + len(data) >= self.stop
            if found is None or (found.end() == len(data) and not at_stop):
                if at_stop:
                    if end == len(data):
                        break
                    raise BadRecord(*self._explain(data, end))
                grown = self._more(data)
                data = grown
                continue
            if found.end() == end:
                break
            end = found.end()
        return end, data

    def _explain(self, data: bytes, record: int) -> tuple[str, int]:
        """Why the record at ``record`` does not scan, and the offset of the place in the file."""
        assert self.delimiter is not None
        field = re.compile(_field(self.delimiter) + b"(" + re.escape(self.delimiter) + b"|\r\n?|\n|\\Z)")
        at = record
        while (found := field.match(data, at)) and found.group(1) == self.delimiter:
            at = found.end()
        quoted = re.compile(rb'"(?:[^"]++|"")*+"').match(data, at)
        if quoted is None:
            return "this quote is never closed", self.position + at
        return "text follows the closing quote of a field", self.position + quoted.end()


def _field(delimiter: bytes) -> bytes:
    stop = re.escape(delimiter) + rb"\r\n"
    return rb'(?:"(?:[^"]++|"")*+"|[^"' + stop + rb"][^" + stop + rb"]*+|)"


def record_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    """Matches one record with its line end (or the end of the data)."""
    field = _field(delimiter)
    return re.compile(field + rb"(?:" + re.escape(delimiter) + field + rb")*+(?:\r\n?|\n|\Z)")


def field_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    """Matches one field (group 1) and what ends it (group 2)."""
    return re.compile(rb"(" + _field(delimiter) + rb")(" + re.escape(delimiter) + rb"|\r\n?|\n|\Z)")


def line_of(path: Path, offset: int) -> tuple[int, int]:
    """Line and column (bytes, both from 1) of ``offset`` in the file; LF, CRLF and CR end lines."""
    line, column = 1, 1
    with open(path, "rb") as file:
        left, last = offset, b""
        while left and (data := file.read(min(left, 1 << 20))):
            left -= len(data)
            joined = last + data
            line += joined.count(b"\n") + joined.count(b"\r") - joined.count(b"\r\n") - last.count(b"\r")
            cut = max(data.rfind(b"\n"), data.rfind(b"\r"))
            column = len(data) - cut if cut >= 0 else column + len(data)
            last = data[-1:] if data[-1:] == b"\r" else b""
    return line, column
