"""The header of a CSV file: the names of its columns, and how its lines end."""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.csvplace import at
from mldata.formats.pieces import field_pattern, record_pattern

BOM = b"\xef\xbb\xbf"
HEADER_BYTES = 64 << 10
HEADER_MOST = 16 << 20
"""A longer header is refused: a quote in it was never closed."""


class Header(NamedTuple):
    """How a file begins."""

    names: list[str]
    start: int
    """Offset of the first record."""
    stop: int
    """Offset behind the last record."""
    end_of_line: bytes


def read_header(handle: BinaryIO, file: SourceFile, delimiter: bytes) -> Header:
    """Read the header of a file. Raises ``DataError`` if it has none, or if this is no CSV with that delimiter."""
    data = handle.read(HEADER_BYTES)
    start = len(BOM) if data.startswith(BOM) else 0
    _refuse_binary(data, file)
    while data[start : start + 1] in (b"\r", b"\n"):
        start += 1
    record = record_pattern(delimiter)
    while (found := record.match(data, start)) is None or (found.end() == len(data) < file.size):
        more = handle.read(len(data)) if len(data) < HEADER_MOST else b""
        if not more:
            raise at(
                file,
                start,
                "the header ends inside a quoted name or has text behind one",
                "close the quote",
            )
        data += more
    if found.end() == start:
        raise DataError("expected a header with the column names, found nothing", where=Where(file.name, 1))
    names, position, fields = [], start, field_pattern(delimiter)
    while field := fields.match(data, position):
        names.append(_name(field[1], file, position))
        position = field.end()
        if field[2] != delimiter:
            break
    _refuse_other_delimiter(names, file, delimiter)
    stop = _trimmed(handle, found.end(), file.size) if len(names) == 1 else file.size
    return Header(names, found.end(), stop, b"\r" if field and field[2] == b"\r" else b"\n")


def _refuse_binary(data: bytes, file: SourceFile) -> None:
    if data[:2] == b"\x1f\x8b" or data[:4] in (b"PK\3\4", b"PAR1"):
        raise DataError(
            "expected text, found a compressed or binary file",
            where=Where(file.name),
            hint="unpack it, or name the file after what it is",
        )
    names = re.split(rb"[\r\n]", data[:1024].lstrip(b"\r\n"), maxsplit=1)[0]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in names:
        raise DataError(
            "expected UTF-8, found what looks like UTF-16 or binary data",
            where=Where(file.name, 1, 1),
            hint="convert the file to UTF-8",
        )


def _refuse_other_delimiter(names: list[str], file: SourceFile, delimiter: bytes) -> None:
    others = [(b";", "a semicolon"), (b"\t", "a tab"), (b"|", "a bar"), (b",", "a comma")]
    for other, called in others:
        if len(names) == 1 and other != delimiter and other.decode() in names[0]:
            raise DataError(
                f"expected columns separated by {delimiter.decode()!r}, found one column whose name has {called}: {names[0]!r}",
                where=Where(file.name, 1),
                hint="set `normalize: {format: tsv}` for tabs, `format: csv` for commas, or convert the file",
            )


def _trimmed(handle: BinaryIO, start: int, stop: int) -> int:
    """``stop`` without the blank lines at the end."""
    while stop > start:
        size = min(HEADER_BYTES, stop - start)
        handle.seek(stop - size)
        data = handle.read(size)
        kept = len(data.rstrip(b"\r\n"))
        if kept:
            return stop - size + kept
        stop -= size
    return start


def _name(field: bytes, file: SourceFile, offset: int) -> str:
    if field.startswith(b'"'):
        field = field[1:-1].replace(b'""', b'"')
    try:
        return field.decode()
    except UnicodeDecodeError as bad:
        raise at(
            file, offset + bad.start, "expected UTF-8 in the header", "convert the file to UTF-8"
        ) from None
