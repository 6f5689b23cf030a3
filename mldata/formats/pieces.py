"""Cuts a file of records into pieces that end where a record ends.

A piece ends at the first record end at or after ``target`` bytes: it depends on content only. Where quotes may hide line ends, the
quotes before a line end are counted; that count is trusted only when every quote of the piece stands where RFC 4180 puts it
(then, by induction over the fields, an even count means outside of quotes). Otherwise this piece and all later ones are cut by an
exact scan, record by record, that reads quotes as Arrow's parser does: special only at the start of a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

MAX_RECORD_BYTES = 256 << 20
"""A record longer than this is refused: nearly always a quote that was never closed."""
SLACK_BYTES = 64 << 10
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n?|\n|\Z)")
LOOK_AHEAD_BYTES = 4 << 20
"""How far past the target the counted quotes are believed before the exact scan decides."""


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
        delimiter: the byte between fields; None for formats without fields (one line, one record).
        quote: the byte around fields; empty if there is none.
        comment: what a line begins with that is no record.
        end_of_line: the byte that ends a record: LF, or CR in a file that has CR only.
        target: bytes after which a piece ends with the next record.
        lenient: take a line that begins no sound record for one, instead of raising :class:`BadRecord`.
    """

    def __init__(
        self,
        file: BinaryIO,
        start: int,
        stop: int,
        *,
        delimiter: bytes | None,
        quote: bytes = b'"',
        comment: bytes = b"",
        end_of_line: bytes,
        target: int,
        lenient: bool = False,
    ) -> None:
        self.file, self.stop, self.target, self.lenient = file, stop, target, lenient
        self.delimiter, self.end_of_line = delimiter, end_of_line
        self.quote = quote if delimiter else b""
        self.position = start
        self.exact = False
        self._record = record_pattern(delimiter, quote, comment) if delimiter else None

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
        quoted = self._is_quoted(data)
        if not self.exact:
            end, data = self._cut_by_count(data, quoted)
            if end and (not quoted or self._is_regular(data, end)):
                return RawPiece(index, start, pa.py_buffer(data).slice(0, end), quoted)
            self.exact = True
        end, data = self._cut_exactly(data)
        return RawPiece(index, start, pa.py_buffer(data).slice(0, end), True)

    def _is_regular(self, data: bytes, end: int) -> bool:
        assert self.delimiter is not None
        return quotes_are_regular(memoryview(data)[:end], self.delimiter, self.quote)

    def _is_quoted(self, data: bytes) -> bool:
        return bool(self.quote) and self.quote in data

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
                if len(data) > self.target + LOOK_AHEAD_BYTES and quoted:
                    return 0, data
                at = max(len(data), self.target - 1)
                data = self._more(data)
                quoted = self._is_quoted(data)
                continue
            if quoted:
                quotes += data.count(self.quote, counted, at)
                counted = at
            if quotes % 2 == 0:
                return self._past_line_end(data, at), data
            at += 1

    def _past_line_end(self, data: bytes, at: int) -> int:
        """A CR cut must not leave the LF of a CRLF to the next piece."""
        both = self.end_of_line == b"\r" and data[at + 1 : at + 2] == b"\n"
        return at + 2 if both else at + 1

    def _cut_exactly(self, data: bytes) -> tuple[int, bytes]:
        assert self._record is not None
        end = 0
        while end < self.target:
            found = self._record.match(data, end)
            at_stop = self.position + len(data) >= self.stop
            if found is None or (found.end() == len(data) and not at_stop):
                if at_stop and end == len(data):
                    break
                if found is None and self.lenient and (at_stop or self._is_hopeless(data, end)):
                    line = bad_line(data, end)
                    if line < len(data) or at_stop:
                        end = line
                        continue
                if at_stop:
                    raise BadRecord(*self._explain(data, end))
                grown = self._more(data)
                data = grown
                continue
            if found.end() == end:
                break
            end = found.end()
        return end, data

    def _is_hopeless(self, data: bytes, record: int) -> bool:
        """Whether the record at ``record`` will not scan whatever comes behind ``data``: text follows a closing quote, or nothing
        closes one in as many bytes as a record may have."""
        assert self.delimiter is not None
        at, fields = record, field_pattern(self.delimiter, self.quote)
        while (found := fields.match(data, at)) and found.group(2) == self.delimiter:
            at = found.end()
        quoted = re.compile(_quoted(self.quote)).match(data, at)
        if quoted is not None and quoted.end() + 1 < len(data):
            return True
        return len(data) - record > MAX_RECORD_BYTES

    def _explain(self, data: bytes, record: int) -> tuple[str, int]:
        """Why the record at ``record`` does not scan, and the offset of the place in the file."""
        assert self.delimiter is not None
        reason, at = explain_quotes(data, record, self.delimiter, self.quote)
        return reason, self.position + at


def explain_quotes(data: bytes, record: int, delimiter: bytes, quote: bytes) -> tuple[str, int]:
    """Why the record at ``record`` does not scan, and the offset of the place in ``data``."""
    field = field_pattern(delimiter, quote)
    at = record
    while (found := field.match(data, at)) and found.group(2) == delimiter:
        at = found.end()
    quoted = re.compile(_quoted(quote)).match(data, at)
    if quoted is None:
        return "this quote is never closed", at
    return "text follows the closing quote of a field", quoted.end()


def quotes_are_regular(data: memoryview | pa.Buffer, delimiter: bytes, quote: bytes) -> bool:
    """Whether each quote of whole records stands where RFC 4180 puts it: then Arrow's parser reads them as this module does."""
    text = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(text == quote[0])
    if at.size % 2:
        return False
    border = np.zeros(256, bool)
    border[[delimiter[0], 0x0A, 0x0D, quote[0]]] = True
    opening, closing = at[::2], at[1::2]
    before = opening[opening > 0] - 1
    after = closing[closing < text.size - 1] + 1
    return bool(border[text[before]].all() and border[text[after]].all())


def _quoted(quote: bytes) -> bytes:
    return rb"%(q)s(?:[^%(q)s]++|%(q)s%(q)s)*+%(q)s" % {b"q": re.escape(quote)}


def _field(delimiter: bytes, quote: bytes) -> bytes:
    stop = re.escape(delimiter) + rb"\r\n"
    if not quote:
        return rb"[^" + stop + rb"]*+"
    return rb"(?:" + _quoted(quote) + rb"|[^" + re.escape(quote) + stop + rb"][^" + stop + rb"]*+|)"


def bad_line(data: bytes, start: int) -> int:
    """Where the line at ``start`` ends, its line end included: what is put aside of a record that does not scan."""
    found = _LINE.match(data, start)
    assert found is not None
    return found.end()


@lru_cache(maxsize=64)
def record_pattern(delimiter: bytes, quote: bytes = b'"', comment: bytes = b"") -> re.Pattern[bytes]:
    """Matches one record (or comment) with its line end (or the end of the data)."""
    field = _field(delimiter, quote)
    record = field + rb"(?:" + re.escape(delimiter) + field + rb")*+"
    if comment:
        record = rb"(?:" + re.escape(comment) + rb"[^\r\n]*+|" + record + rb")"
    return re.compile(record + rb"(?:\r\n?|\n|\Z)")


@lru_cache(maxsize=64)
def field_pattern(delimiter: bytes, quote: bytes = b'"') -> re.Pattern[bytes]:
    """Matches one field (group 1) and what ends it (group 2)."""
    return re.compile(rb"(" + _field(delimiter, quote) + rb")(" + re.escape(delimiter) + rb"|\r\n?|\n|\Z)")


def places_of(path: Path, offsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Line and column (bytes, both from 1) of each of ascending ``offsets``, in one pass over the file; LF, CRLF and CR end lines."""
    line, column, position, last = 1, 1, 0, b""
    with open(path, "rb") as file:
        for offset in offsets:
            while position < offset and (data := file.read(min(offset - position, 1 << 20))):
                position += len(data)
                joined = last + data
                line += joined.count(b"\n") + joined.count(b"\r") - joined.count(b"\r\n") - last.count(b"\r")
                cut = max(data.rfind(b"\n"), data.rfind(b"\r"))
                column = len(data) - cut if cut >= 0 else column + len(data)
                last = data[-1:] if data[-1:] == b"\r" else b""
            yield line, column


def line_of(path: Path, offset: int) -> tuple[int, int]:
    """Line and column of one ``offset`` in the file. See :func:`places_of`."""
    return next(places_of(path, [offset]))
