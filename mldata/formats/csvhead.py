"""The beginning of a CSV file: its dialect, the names of its columns, and where the records are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from mldata.errors import DataError, Where
from mldata.formats.base import Options, Recode, SourceFile
from mldata.formats.csvplace import at
from mldata.formats.dialect import SAMPLE_BYTES, Dialect, Unclear, Wish, sniff
from mldata.formats.encodings import UnknownEncoding, guess, look, marked, recoded
from mldata.formats.heads import FIRST_BYTES, copy
from mldata.formats.pieces import field_pattern, record_pattern
from mldata.formats.undecodable import undecodable

HEADER_BYTES = 64 << 10
HEADER_MOST = 16 << 20
"""A longer header is refused: a quote in it was never closed."""


@dataclass(frozen=True)
class Header:
    """How a file begins."""

    dialect: Dialect
    names: list[str]
    start: int
    """Offset of the first record."""
    stop: int
    """Offset behind the last record."""
    end_of_line: bytes
    facts: dict[str, Any] = field(default_factory=dict)
    """What was found out, for whoever asks how the file was read."""


def read_header(handle: BinaryIO, file: SourceFile, own: bytes, options: Options) -> Header:
    """Read the beginning of a file.

    Args:
        own: the delimiter that the format's name stands for.

    Raises:
        Recode: the file is not in UTF-8.
        DataError: it has no header, or could be read in two ways.
    """
    head = handle.read(SAMPLE_BYTES)
    mark = check_encoding(head, file, options)
    try:
        found = sniff(head[mark:], len(head) == file.size, own, _wish(options))
    except Unclear as unclear:
        raise at(file, mark + unclear.offset, unclear.reason, unclear.hint) from None
    dialect, first = found.dialect, mark + found.start
    data = head
    record = record_pattern(dialect.delimiter, dialect.quote)
    while (match := record.match(data, first)) is None or (match.end() == len(data) < file.size):
        more = handle.read(len(data)) if len(data) < HEADER_MOST else b""
        if not more:
            raise at(
                file, first, "the header ends inside a quoted name or has text behind one", "close the quote"
            )
        data += more
    if match.end() == first:
        raise DataError("expected a header with the column names, found nothing", where=Where(file.name, 1))
    names, last = _names(data, first, dialect, file)
    end_of_line = b"\r" if last == b"\r" else b"\n"
    start = match.end() if dialect.header else first
    if not dialect.header:
        names = [f"column_{position}" for position in range(1, len(names) + 1)]
    stop = _trimmed(handle, start, file.size) if len(names) == 1 else file.size
    facts = {"encoding": "utf-8", **dialect.to_facts(), "numbers": sorted(found.numbers)}
    return Header(dialect, names, start, stop, end_of_line, facts)


def copy_header(data: BinaryIO, out: BinaryIO, file: SourceFile, own: bytes, options: Options) -> Header:
    """Copy as much of a file that is elsewhere to ``out``, which is at ``file.path``, as its header takes, and read that. Raises as :func:`read_header`."""
    size, wanted = 0, FIRST_BYTES
    while True:
        size += copy(data, out, wanted - size)
        out.flush()
        ended = size < wanted
        try:
            with open(file.path, "rb", buffering=0) as handle:
                return read_header(
                    handle, replace(file, size=size if ended else max(file.size, size)), own, options
                )
        except DataError:
            if ended or size == file.size or wanted >= HEADER_MOST:
                raise
        wanted *= 4


def not_utf8(file: SourceFile, options: Options) -> Recode:
    """What to decode a file from in which a byte was found that is no UTF-8. Raises ``DataError`` if that cannot be told."""
    try:
        with open(file.path, "rb") as handle:
            if options.encoding is None:
                encoding = guess(handle)
            else:
                for _ in recoded(handle, "utf-8"):
                    pass
                raise AssertionError("it is UTF-8 after all")
    except UnknownEncoding as unknown:
        raise undecodable(file, unknown) from None
    return Recode(encoding.name, skip=encoding.mark, sure=encoding.sure)


def is_damaged_utf8(file: SourceFile) -> bool:
    """Whether a file that is not UTF-8 is so but for a few bytes."""
    with open(file.path, "rb") as handle:
        try:
            guess(handle)
        except UnknownEncoding as unknown:
            return unknown.damaged
    return False


def _wish(options: Options) -> Wish:
    def ascii(text: str | None) -> bytes | None:
        return None if text is None else text.encode()

    return Wish(
        ascii(options.delimiter),
        ascii(options.quote),
        options.header,
        ascii(options.comment),
        options.decimal,
        options.thousands,
    )


def check_encoding(head: bytes, file: SourceFile, options: Options) -> int:
    """Bytes of the mark at the start of a file in UTF-8. Raises ``Recode`` for another, or ``DataError`` for no text."""
    if head[:4] in (b"PK\3\4", b"PAR1"):
        raise DataError(
            "expected text, found a compressed or binary file",
            where=Where(file.name),
            hint="unpack it, or name the file after what it is",
        )
    found = marked(head)
    if options.encoding not in (None, "utf-8") and (found is None or found.name != "utf-8"):
        assert options.encoding is not None
        raise Recode(options.encoding, skip=found.mark if found and found.name in options.encoding else 0)
    found = found or look(head, len(head) == file.size)
    if found is None and options.on_bad_row == "reject" and (options.encoding or is_damaged_utf8(file)):
        return 0  # the records that are not UTF-8 are put aside
    if found is None:
        raise not_utf8(file, options)
    if found.name != "utf-8":
        if options.encoding is not None:
            raise DataError(
                f"expected UTF-8 (set by `encoding`), found {found.name}", where=Where(file.name, 1)
            )
        raise Recode(found.name, skip=found.mark)
    if b"\0" in re.split(rb"[\r\n]", head[:1024].lstrip(b"\r\n"), maxsplit=1)[0]:
        raise DataError(
            "expected text, found a NUL byte in the first line: this looks like binary data",
            where=Where(file.name, 1),
            hint="name the file after what it is, or leave it out of the source",
        )
    return found.mark


def _names(data: bytes, start: int, dialect: Dialect, file: SourceFile) -> tuple[list[str], bytes]:
    """The fields of the first record, and what ends it. An empty name becomes ``column_N``."""
    names: list[str] = []
    position, fields = start, field_pattern(dialect.delimiter, dialect.quote)
    while found := fields.match(data, position):
        names.append(_name(found[1], dialect.quote, file, position) or f"column_{len(names) + 1}")
        position = found.end()
        if found[2] != dialect.delimiter:
            return names, found[2]
    return names, b"\n"


def _name(text: bytes, quote: bytes, file: SourceFile, offset: int) -> str:
    if quote and text.startswith(quote):
        text = text[1:-1].replace(quote * 2, quote)
    try:
        return text.decode()
    except UnicodeDecodeError as bad:
        raise at(
            file, offset + bad.start, "expected UTF-8 in the header", "convert the file to UTF-8"
        ) from None


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
