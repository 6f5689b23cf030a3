"""The footer of a Parquet file: read, its row groups moved, written again.

A footer is Thrift in the compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md); the
structures are those of https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift. Fields are kept by number and
in order, known or not, so a footer that is read and written is the same bytes; one that is not (:class:`NoFooter`) is not touched.

Invariant: a row group that is moved differs from the original in its offsets and its ordinal alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

__all__ = ["MAGIC", "Footer", "Group", "NoFooter"]

MAGIC = b"PAR1"
_TAIL = 8
"""Four bytes for the length of the footer, four of magic."""

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12
_INTEGERS = frozenset({_I16, _I32, _I64})

# FileMetaData
_NUM_ROWS, _ROW_GROUPS = 3, 4
# RowGroup
_COLUMNS, _GROUP_ROWS, _GROUP_OFFSET, _GROUP_BYTES, _ORDINAL = 1, 3, 5, 6, 7
# ColumnChunk. 4 to 7 are the places of page indexes, 8 and 9 belong to encryption: not written here.
_CHUNK_OFFSET, _CHUNK_META = 2, 3
_FOREIGN = frozenset({1, 4, 5, 6, 7, 8, 9})
# ColumnMetaData. 14 and 15 are the place of a Bloom filter.
_PAGE_OFFSETS = frozenset({9, 10, 11})
_BLOOM = frozenset({14, 15})

Struct = dict[int, tuple[int, Any]]
"""Field number → (type, value), in order. A list's value is (type of its items, items); a number's an int, a double's its bytes."""


class NoFooter(ValueError):
    """Bytes that are no footer, or one with something in it that cannot be moved."""


@dataclass(frozen=True)
class Group:
    """A row group: what the footer says of it."""

    fields: Struct

    @property
    def rows(self) -> int:
        return int(self.fields[_GROUP_ROWS][1])

    @property
    def start(self) -> int:
        """Offset of its first byte."""
        return int(self.fields[_GROUP_OFFSET][1])

    @property
    def size(self) -> int:
        """Bytes of its column chunks, which follow each other."""
        return int(self.fields[_GROUP_BYTES][1])

    def moved(self, start: int, ordinal: int) -> Group:
        """The same group when it begins at ``start`` and is the one of number ``ordinal``."""
        by = start - self.start
        kind, chunks = self.fields[_COLUMNS][1]
        fields = dict(self.fields)
        fields[_COLUMNS] = (_LIST, (kind, [_moved_chunk(chunk, by) for chunk in chunks]))
        if chunks:  # else there are no bytes to have a place
            fields[_GROUP_OFFSET] = (_I64, start)
        if _ORDINAL in fields:
            fields[_ORDINAL] = (_I16, ordinal)
        return Group(fields)


@dataclass(frozen=True)
class Footer:
    """The metadata of a file, with its row groups apart."""

    fields: Struct
    groups: tuple[Group, ...]

    @classmethod
    def read(cls, file: BinaryIO) -> Footer:
        """The footer of an open file. Raises :class:`NoFooter`, also when row groups do not follow each other from the first byte on."""
        end = file.seek(0, 2)
        file.seek(max(end - _TAIL, 0))
        tail = file.read(_TAIL)
        if len(tail) != _TAIL or tail[4:] != MAGIC:
            raise NoFooter("no Parquet file")
        size = int.from_bytes(tail[:4], "little")
        place = end - _TAIL - size
        if place < len(MAGIC):
            raise NoFooter("the footer is longer than the file")
        file.seek(place)
        data = file.read(size)
        try:
            fields, stop = _Reader(data).struct(0)
            footer = cls(fields, tuple(Group(group) for group in fields[_ROW_GROUPS][1][1]))
            at = len(MAGIC)
            for ordinal, group in enumerate(footer.groups):
                if group.moved(at, ordinal) != group:
                    raise NoFooter("row groups do not follow each other")
                at += group.size
        except NoFooter:
            raise
        except (IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise NoFooter(f"not a footer: {error!r}") from error
        if stop != size or at != place or _encoded(fields) != data:
            raise NoFooter("bytes that a footer written here does not have")
        return footer

    def same_file(self, other: Footer) -> bool:
        """Whether all that is not of rows agrees: schema, version, writer, metadata."""
        own = {_NUM_ROWS: (_I64, 0), _ROW_GROUPS: (_LIST, (_STRUCT, []))}
        return _encoded(self.fields | own) == _encoded(other.fields | own)

    def tail(self, groups: Iterable[Group]) -> bytes:
        """The end of a file that has these row groups: footer, its length, magic."""
        listed = list(groups)
        own = {
            _NUM_ROWS: (_I64, sum(group.rows for group in listed)),
            _ROW_GROUPS: (_LIST, (_STRUCT, [group.fields for group in listed])),
        }
        data = _encoded(self.fields | own)
        return data + len(data).to_bytes(4, "little") + MAGIC


def _moved_chunk(chunk: Struct, by: int) -> Struct:
    kind, meta = chunk[_CHUNK_META]
    if not _FOREIGN.isdisjoint(chunk) or not _BLOOM.isdisjoint(meta):
        raise NoFooter("a column chunk with an index, a Bloom filter or a file of its own")
    moved = {number: (kind, value + by) if number in _PAGE_OFFSETS else (kind, value)
             for number, (kind, value) in meta.items()}  # fmt: skip
    place = chunk.get(_CHUNK_OFFSET, (_I64, 0))[1]
    return chunk | {_CHUNK_META: (kind, moved)} | ({_CHUNK_OFFSET: (_I64, place + by)} if place else {})


class _Reader:
    """Reads values from one byte string: each method takes an offset and returns the value and the offset behind it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def struct(self, at: int) -> tuple[Struct, int]:
        fields: Struct = {}
        number = 0
        while head := self._data[at]:
            at += 1
            if head >> 4:
                number += head >> 4
            else:
                number, at = self._zigzag(at)
            kind = head & 15
            if kind in (_TRUE, _FALSE):
                fields[number] = (kind, None)
            else:
                value, at = self._value(kind, at)
                fields[number] = (kind, value)
        return fields, at + 1

    def _value(self, kind: int, at: int) -> tuple[Any, int]:
        if kind in _INTEGERS:
            return self._zigzag(at)
        if kind == _BINARY:
            size, at = self._varint(at)
            return self._take(at, size)
        if kind == _STRUCT:
            return self.struct(at)
        if kind == _LIST:
            return self._list(at)
        if kind in (_TRUE, _FALSE, _BYTE):  # in a list a boolean is a byte
            return self._take(at, 1)
        if kind == _DOUBLE:
            return self._take(at, 8)
        raise NoFooter(f"a value of type {kind}, which no footer has")

    def _list(self, at: int) -> tuple[Any, int]:
        head = self._data[at]
        at += 1
        size = head >> 4
        if size == 15:
            size, at = self._varint(at)
        items = []
        for _ in range(size):
            item, at = self._value(head & 15, at)
            items.append(item)
        return (head & 15, items), at

    def _take(self, at: int, size: int) -> tuple[bytes, int]:
        if at + size > len(self._data):
            raise NoFooter("it ends in the middle of a value")
        return self._data[at : at + size], at + size

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while (byte := self._data[at]) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            at += 1
        return value | byte << shift, at + 1

    def _zigzag(self, at: int) -> tuple[int, int]:
        value, at = self._varint(at)
        return (value >> 1) ^ -(value & 1), at


def _encoded(fields: Struct) -> bytes:
    out = bytearray()
    _put_struct(out, fields)
    return bytes(out)


def _put_struct(out: bytearray, fields: Struct) -> None:
    before = 0
    for number, (kind, value) in fields.items():
        if 0 < number - before < 16:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _put_zigzag(out, number)
        before = number
        if kind not in (_TRUE, _FALSE):
            _put(out, kind, value)
    out.append(0)


def _put(out: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _put_zigzag(out, value)
    elif kind == _STRUCT:
        _put_struct(out, value)
    elif kind == _LIST:
        _put_list(out, *value)
    else:
        if kind == _BINARY:
            _put_varint(out, len(value))
        out += value


def _put_list(out: bytearray, kind: int, items: Sequence[Any]) -> None:
    if len(items) < 15:
        out.append(len(items) << 4 | kind)
    else:
        out.append(0xF0 | kind)
        _put_varint(out, len(items))
    for item in items:
        _put(out, kind, item)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _put_zigzag(out: bytearray, value: int) -> None:
    _put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
