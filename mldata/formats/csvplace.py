"""Where in a CSV file an error is. Only errors pay for this: the file up to there is scanned again, record by record."""

from __future__ import annotations

import pyarrow as pa

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.forced import BadValue
from mldata.formats.pieces import RawPiece, field_pattern, line_of, record_pattern


def at(file: SourceFile, offset: int, message: str, hint: str) -> DataError:
    """An error at a byte of the file."""
    return DataError(message, where=Where(file.name, *line_of(file.path, offset)), hint=hint)


def bad_value(
    raw: RawPiece, bad: BadValue, name: str, kind: pa.DataType, file: SourceFile, delimiter: bytes
) -> DataError:
    """The error for a value of column ``name`` that does not convert, with the line of its record."""
    data, position = raw.data.to_pybytes(), 0
    record = record_pattern(delimiter)
    first = field_pattern(delimiter).match(data)
    several = first is not None and first[2] == delimiter
    row = -1
    while position < len(data) and (found := record.match(data, position)):
        row += 0 if several and not found[0].strip(b"\r\n") else 1
        if row == bad.row:
            break
        position = found.end()
    where = Where(file.name, line_of(file.path, raw.start + position)[0])
    return DataError(
        f"column {name!r}: expected {kind} (forced by `types`), found {bad.value!r}",
        where=where,
        hint=f"correct the value, list it under `nulls`, or give {name!r} another type under normalize in mldata.yaml",
    )


def bad_record(raw: RawPiece, width: int, file: SourceFile, delimiter: bytes, error: Exception) -> DataError:
    """The error for the first record of a piece that Arrow refused."""
    data, position, fields = raw.data.to_pybytes(), 0, field_pattern(delimiter)
    start, count = 0, 0
    while position < len(data) and (field := fields.match(data, position)):
        try:
            field[1].decode()
        except UnicodeDecodeError as bad:
            return at(file, raw.start + position + bad.start, f"expected UTF-8, found the byte 0x{field[1][bad.start]:02x}",
                       "convert the file to UTF-8")  # fmt: skip
        count += 1
        position = field.end()
        if field[2] == delimiter:
            continue
        blank = count == 1 and not field[1]
        if count != width and not blank:
            return at(file, raw.start + start, f"expected {width} fields as in the header, found {count}",
                       "quote values that hold a delimiter, or complete the row")  # fmt: skip
        start, count = position, 0
    return at(file, raw.start, f"cannot be read as CSV: {error}", "check the file from here on")
