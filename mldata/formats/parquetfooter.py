"""What the footer of a Parquet file promises, held against the file before Arrow goes by it.

A reader starts at the end of a file and follows offsets: of a truncated file, of two files in one or of a footer that lies it may give other rows, and Arrow
ends the whole program for some footers (of encrypted columns, for example). So the footer is read here first.

The structures are those of https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import Any, BinaryIO

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.streamed import damaged
from mldata.thrift import NoStruct, Struct, decode_struct

__all__ = ["KIND", "Leaves", "check_footer", "check_leaves"]

KIND = "Parquet file"
CHUNK = 1 << 20
MAGIC, ENCRYPTED = b"PAR1", b"PARE"
_NO_FOOTER = (NoStruct, TypeError, ValueError, KeyError, IndexError, AttributeError)
"""What comes of a structure whose fields are of other types than they should be."""
_TAIL = 8
"""Four bytes for the length of the footer, four of magic."""

# FileMetaData
_NUM_ROWS, _ROW_GROUPS, _ENCRYPTION = 3, 4, 8
# RowGroup
_COLUMNS, _GROUP_ROWS = 1, 3
# ColumnChunk
_FILE_PATH, _CHUNK_META, _OFFSET_INDEX, _COLUMN_INDEX, _CRYPTO, _CRYPTED_META = 1, 3, 4, 6, 8, 9
# ColumnMetaData
_TYPE, _PATH, _VALUES, _PACKED_BYTES, _PAGE, _DICTIONARY, _BLOOM, _SIZES = 1, 3, 5, 7, 9, 11, 14, 16
# SizeStatistics
_REPETITIONS, _DEFINITIONS = 2, 3

Leaves = Sequence[tuple[str, int, int]]
"""Of each leaf column of the schema: its physical type, how deep it repeats, and is defined."""
_PHYSICAL = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")


def check_footer(file: SourceFile, data: BinaryIO | None = None) -> Struct:
    """The footer of a file that holds what it promises, and nothing else. ``data``: the file, where it is elsewhere. Raises ``DataError``."""
    with open(file.path, "rb") if data is None else nullcontext(data) as data:
        head = data.read(len(MAGIC))
        data.seek(max(file.size - _TAIL, 0))
        tail = data.read()
        if tail.endswith(ENCRYPTED):
            raise _encrypted(file)
        if head != MAGIC:
            raise damaged(file, KIND, "it does not start with PAR1")
        if not tail.endswith(MAGIC) or file.size < len(MAGIC) + _TAIL:
            raise damaged(
                file, KIND, "it does not end with PAR1 (is it truncated, or is something behind it?)"
            )
        size = int.from_bytes(tail[:4], "little")
        place = file.size - _TAIL - size
        if place < len(MAGIC):
            raise damaged(
                file, KIND, f"it has {file.size:,} bytes, and its footer alone {size:,} (is it truncated?)"
            )
        data.seek(place)
        try:
            footer, _ = decode_struct(data.read(size))
            end = _check_chunks(footer, place, file)
        except _NO_FOOTER as error:
            raise damaged(file, KIND, f"its footer cannot be read: {error}") from error
        _check_alone(data, end, place, file)
    return footer


def check_leaves(footer: Struct, leaves: Leaves, file: SourceFile) -> None:
    """Raise ``DataError`` if column chunks are not those of the schema: Arrow counts on that."""
    try:
        _check_leaves(footer, leaves, file)
    except _NO_FOOTER as error:
        raise damaged(file, KIND, f"its footer cannot be read: {error}") from error


def _check_leaves(footer: Struct, leaves: Leaves, file: SourceFile) -> None:
    for group in _groups(footer):
        chunks = _value(group, _COLUMNS, (0, []))[1]
        if len(chunks) != len(leaves):
            raise damaged(
                file, KIND, f"its schema has {len(leaves):,} columns, and a row group {len(chunks):,}"
            )
        for chunk, (physical, *depths) in zip(chunks, leaves, strict=True):
            meta = _value(chunk, _CHUNK_META, {})
            kind = _value(meta, _TYPE, -1)
            sizes = _value(meta, _SIZES, {})
            counted = [len(_value(sizes, field, (0, []))[1]) for field in (_REPETITIONS, _DEFINITIONS)]
            fits = all(count in (0, depth + 1) for count, depth in zip(counted, depths, strict=True))
            if not fits or not 0 <= kind < len(_PHYSICAL) or _PHYSICAL[kind] != physical:
                raise damaged(file, KIND, "types or statistics in its footer do not belong to its schema")


def _check_chunks(footer: Struct, place: int, file: SourceFile) -> int:
    """Where the data ends. Raises ``DataError`` unless every column chunk is in the file, before ``place``, and the rows are as many as it says."""
    if _ENCRYPTION in footer:
        raise _encrypted(file)
    end, rows = len(MAGIC), 0
    taken: list[tuple[int, int, str]] = []
    for index, group in enumerate(_groups(footer)):
        rows += group[_GROUP_ROWS][1]
        for chunk in _value(group, _COLUMNS, (0, []))[1]:
            if _CRYPTO in chunk or _CRYPTED_META in chunk:
                raise _encrypted(file)
            meta: Struct = chunk[_CHUNK_META][1]
            name = ".".join(part.decode(errors="replace") for part in meta[_PATH][1][1])
            where = f"column chunk {name!r} of row group {index}"
            if _value(chunk, _FILE_PATH, b""):
                raise damaged(file, KIND, f"{where} is in another file")
            for start, size in _extents(chunk, meta):
                if start < len(MAGIC) or size < 0 or start + size > place:
                    raise damaged(file, KIND, f"{where} is not inside the file")
                end = max(end, start + size)
                taken.append((start, start + size, where))
    if rows != footer[_NUM_ROWS][1]:
        raise damaged(
            file, KIND, f"the footer says {footer[_NUM_ROWS][1]:,} rows and its row groups have {rows:,}"
        )
    taken.sort()
    for (_, stop, one), (start, _, other) in pairwise(taken):
        if start < stop:
            raise damaged(file, KIND, f"{one} and {other} are in the same place")
    return end


def _extents(chunk: Struct, meta: Struct) -> Iterator[tuple[int, int]]:
    """Where the pages of a column chunk, its indexes and its Bloom filter are: offset and bytes."""
    if meta[_VALUES][1]:
        start = meta[_PAGE][1]
        if dictionary := _value(meta, _DICTIONARY, 0):
            start = min(start, dictionary)
        yield start, meta[_PACKED_BYTES][1]
    for fields, field in ((chunk, _OFFSET_INDEX), (chunk, _COLUMN_INDEX), (meta, _BLOOM)):
        if offset := _value(fields, field, 0):
            yield offset, _value(fields, field + 1, 0)


def _check_alone(data: BinaryIO, end: int, place: int, file: SourceFile) -> None:
    """Raise ``DataError`` if there is another Parquet file before this one: behind the data there is room for it then.

    Its end is where the footer believes data to be, or behind that.
    """
    room = place - end
    if room < len(MAGIC):
        return
    if _holds(data, 0, room + 2 * len(MAGIC), 2 * MAGIC) or _holds(data, end, place, MAGIC):
        raise damaged(file, KIND, "there is another Parquet file inside (are these two in one?)")


def _holds(data: BinaryIO, start: int, stop: int, wanted: bytes) -> bool:
    """Whether ``wanted`` is between two offsets."""
    data.seek(start)
    held, left = b"", stop - start
    while left > 0 and (piece := data.read(min(left, CHUNK))):
        left -= len(piece)
        held += piece
        if wanted in held:
            return True
        held = held[-len(wanted) :]
    return False


def _groups(footer: Struct) -> list[Struct]:
    return list(footer[_ROW_GROUPS][1][1])


def _value(fields: Struct, number: int, default: Any) -> Any:
    return fields[number][1] if number in fields else default


def _encrypted(file: SourceFile) -> DataError:
    return DataError(
        "expected a Parquet file, found an encrypted one, which is not read",
        where=Where(file.name),
        hint="decrypt it first: read it with its keys, and write it without",
    )
