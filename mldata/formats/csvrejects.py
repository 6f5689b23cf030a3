"""Bad records of a CSV file, put aside one by one with line and reason, where the spec asks for it.

Only a piece that was found to have one comes here. It is scanned record by record; what does not scan is put aside up to the end of its line,
and what scans is judged by the number of its fields and by being UTF-8. Every record is either kept as it stands or a
:class:`~mldata.formats.base.Reject`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa

from mldata.formats.dialect import Dialect
from mldata.formats.pieces import bad_line, field_pattern, record_pattern
from mldata.formats.rejects import Bad, put_aside

NOT_UTF8 = "expected UTF-8"


class Record(NamedTuple):
    """One record of a piece."""

    start: int
    stop: int
    fault: str | None
    """Why it cannot be read."""


def records(data: bytes, dialect: Dialect, width: int) -> Iterator[Record]:
    """Every record, without comments and (unless there is one column) blank lines.

    Args:
        width: the number of fields that each should have.
    """
    record = record_pattern(dialect.delimiter, dialect.quote, dialect.comment)
    position = 0
    while position < len(data):
        found = record.match(data, position)
        if found is None or found.end() == position:
            stop = bad_line(data, position)
            yield Record(position, stop, "its quotes are not closed, or text follows a closing one")
            position = stop
            continue
        start, position = position, found.end()
        text = found[0].rstrip(b"\r\n")
        if (dialect.comment and text.startswith(dialect.comment)) or (width > 1 and not text):
            continue
        yield Record(start, position, _fault(text, dialect, width))


def _fault(record: bytes, dialect: Dialect, width: int) -> str | None:
    count, position, fields = 0, 0, field_pattern(dialect.delimiter, dialect.quote)
    while field := fields.match(record, position):
        count += 1
        position = field.end()
        if field[2] != dialect.delimiter:
            break
    if count != width:
        return f"expected {width} fields, found {count}"
    try:
        record.decode()
    except UnicodeDecodeError as bad:
        return f"{NOT_UTF8}, found the byte 0x{record[bad.start]:02x}"
    return None


class Sieve:
    """Parts the sound records of a piece from the others, and remembers where the sound ones are."""

    def __init__(self, data: bytes, start: int, dialect: Dialect, width: int) -> None:
        """
        Args:
            start: offset of the piece in the file.
            width: the number of fields that each record should have.
        """
        self.bad: list[Bad] = []
        self._data, self._start = data, start
        self.undecodable = False
        """Some records are not UTF-8."""
        self._sound: list[Record] = []
        for record in records(data, dialect, width):
            if record.fault is None:
                self._sound.append(record)
            else:
                self.bad.append(self._put_aside(record, record.fault))
                self.undecodable = self.undecodable or record.fault.startswith(NOT_UTF8)

    @property
    def data(self) -> pa.Buffer:
        """The sound records."""
        return pa.py_buffer(b"".join(self._data[one.start : one.stop] for one in self._sound))

    def offset(self, row: int) -> int:
        """Where in the file a row begins, by its number among the sound ones."""
        return self._start + self._sound[row].start

    def take_out(self, faults: Mapping[int, str]) -> None:
        """Put rows aside that turned out to be bad later.

        Args:
            faults: what is wrong, by number of the row among the sound ones.
        """
        self.bad += [self._put_aside(self._sound[row], reason) for row, reason in faults.items()]
        self.bad.sort()
        self._sound = [one for row, one in enumerate(self._sound) if row not in faults]

    def _put_aside(self, record: Record, reason: str) -> Bad:
        text = self._data[record.start : record.stop].rstrip(b"\r\n")
        start = self._start + record.start
        return put_aside(start, start, reason, text)
