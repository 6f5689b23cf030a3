"""Where in a CSV file an error is. Only errors pay for this: the file up to there is scanned again, record by record."""

from __future__ import annotations

import re

import pyarrow as pa

from mldata.errors import DataError, Where, shown
from mldata.formats.base import SourceFile
from mldata.formats.dialect import Dialect
from mldata.formats.forced import BadValue
from mldata.formats.pieces import RawPiece, field_pattern, line_of, record_pattern


def at(file: SourceFile, offset: int, message: str, hint: str) -> DataError:
    """An error at a byte of the file."""
    return DataError(message, where=Where(file.name, *line_of(file.path, offset)), hint=hint)


def bad_value(
    raw: RawPiece, bad: BadValue, name: str, kind: pa.DataType, file: SourceFile, dialect: Dialect
) -> DataError:
    """The error for a value of column ``name`` that does not convert, with the line of its record."""
    data, position = raw.data.to_pybytes(), 0
    record = record_pattern(dialect.delimiter, dialect.quote, dialect.comment)
    several = _width(data, dialect) > 1
    row = -1
    while position < len(data) and (found := record.match(data, position)):
        is_record = not ((several and not found[0].strip(b"\r\n")) or is_comment(found[0], dialect))
        row += is_record
        if is_record and row == bad.row:
            break
        position = found.end()
    where = Where(file.name, line_of(file.path, raw.start + position)[0])
    return DataError(
        f"column {shown(name)}: expected {kind} (forced by `types`), found {shown(bad.value)}",
        where=where,
        hint=f"correct the value, list it under `nulls`, or give {shown(name)} another type under normalize in mldata.yaml",
    )


def _width(data: bytes, dialect: Dialect) -> int:
    """Fields of the first record."""
    fields, position, count = field_pattern(dialect.delimiter, dialect.quote), 0, 0
    while is_comment(data[position : position + 1], dialect):
        found = record_pattern(dialect.delimiter, dialect.quote, dialect.comment).match(data, position)
        position = found.end() if found else len(data)
    while field := fields.match(data, position):
        count += 1
        position = field.end()
        if field[2] != dialect.delimiter:
            break
    return count


def is_comment(record: bytes, dialect: Dialect) -> bool:
    """Whether a record, as the pattern for records found it, is a comment."""
    return bool(dialect.comment) and record.startswith(dialect.comment)


def bad_record(
    raw: RawPiece, width: int, file: SourceFile, dialect: Dialect, error: Exception
) -> DataError | None:
    """The error for the first record of a piece that Arrow refused; None if it is not UTF-8."""
    data, position, delimiter = raw.data.to_pybytes(), 0, dialect.delimiter
    fields, line = field_pattern(delimiter, dialect.quote), re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)")
    start, count = 0, 0
    while position < len(data):
        if not count and is_comment(data[position : position + 1], dialect):
            start = position = line.match(data, position).end()  # type: ignore[union-attr]  # matches anything
            continue
        field = fields.match(data, position)
        if field is None:
            break
        try:
            field[1].decode()
        except UnicodeDecodeError:
            return None
        count += 1
        position = field.end()
        if field[2] == delimiter:
            continue
        blank = count == 1 and not field[1]
        if count != width and not blank:
            what = "in the header" if dialect.header else "in the first record"
            return at(file, raw.start + start, f"expected {width} fields as {what}, found {count}",
                       "quote values that hold a delimiter, or complete the row")  # fmt: skip
        start, count = position, 0
    return at(file, raw.start, f"cannot be read as CSV: {error}", "check the file from here on")
