"""The footer of a Parquet file: read, its row groups moved, written again.

A footer is Thrift (:mod:`mldata.thrift`); the structures are those of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift. Fields are kept by number and in order, known or not, so a footer that is read and written is the same bytes; one that is not (:class:`NoFooter`) is not touched.

Invariant: a row group that is moved differs from the original in its offsets and its ordinal alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from mldata.thrift import I16, I64, LIST, STRUCT, Struct, decode_struct, encode_struct

__all__ = ["MAGIC", "Footer", "Group", "NoFooter"]

MAGIC = b"PAR1"
_TAIL = 8
"""Four bytes for the length of the footer, four of magic."""

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
        fields[_COLUMNS] = (LIST, (kind, [_moved_chunk(chunk, by) for chunk in chunks]))
        if chunks:  # else there are no bytes to have a place
            fields[_GROUP_OFFSET] = (I64, start)
        if _ORDINAL in fields:
            fields[_ORDINAL] = (I16, ordinal)
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
            fields, stop = decode_struct(data)
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
        if stop != size or at != place or encode_struct(fields) != data:
            raise NoFooter("bytes that a footer written here does not have")
        return footer

    def same_file(self, other: Footer) -> bool:
        """Whether all that is not of rows agrees: schema, version, writer, metadata."""
        own = {_NUM_ROWS: (I64, 0), _ROW_GROUPS: (LIST, (STRUCT, []))}
        return encode_struct(self.fields | own) == encode_struct(other.fields | own)

    def tail(self, groups: Iterable[Group]) -> bytes:
        """The end of a file that has these row groups: footer, its length, magic."""
        listed = list(groups)
        own = {
            _NUM_ROWS: (I64, sum(group.rows for group in listed)),
            _ROW_GROUPS: (LIST, (STRUCT, [group.fields for group in listed])),
        }
        data = encode_struct(self.fields | own)
        return data + len(data).to_bytes(4, "little") + MAGIC


def _moved_chunk(chunk: Struct, by: int) -> Struct:
    kind, meta = chunk[_CHUNK_META]
    if not _FOREIGN.isdisjoint(chunk) or not _BLOOM.isdisjoint(meta):
        raise NoFooter("a column chunk with an index, a Bloom filter or a file of its own")
    moved = {number: (kind, value + by) if number in _PAGE_OFFSETS else (kind, value)
             for number, (kind, value) in meta.items()}  # fmt: skip
    place = chunk.get(_CHUNK_OFFSET, (I64, 0))[1]
    return chunk | {_CHUNK_META: (kind, moved)} | ({_CHUNK_OFFSET: (I64, place + by)} if place else {})
