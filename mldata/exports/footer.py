"""The footer of a Parquet file: read, its row groups moved, written again.

A footer is Thrift (:mod:`mldata.thrift`); the structures are those of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift. Numbers that tell of places are read; all else is kept as the
bytes that it is, known or not, so that a footer that is read and written is the same bytes. One that cannot be is not touched (:class:`NoFooter`).

Invariant: a row group that is moved differs from the original in its offsets and its ordinal alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO

from mldata.thrift import (
    I16,
    I64,
    LIST,
    STRUCT,
    Span,
    encode_integer,
    encode_list_head,
    integer_at,
    list_at,
    struct_at,
)

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
_DATA_PAGE = 9
_PAGE_OFFSETS = (_DATA_PAGE, 10, 11)
_BLOOM = frozenset({14, 15})


class NoFooter(ValueError):
    """Bytes that are no footer, or one with something in it that cannot be moved."""


@dataclass(frozen=True)
class Group:
    """A row group: what the footer says of it."""

    rows: int
    start: int
    """Offset of its first byte."""
    size: int
    """Bytes of its column chunks, which follow each other."""
    ordinal: int
    texts: tuple[bytes, ...]
    """What is before, between and after the numbers of :attr:`places`."""
    places: tuple[int | None, ...]
    """Offsets counted from :attr:`start`; None: the :attr:`ordinal`."""

    def moved(self, start: int, ordinal: int) -> Group:
        """The same group when it begins at ``start`` and is the one of number ``ordinal``."""
        return replace(self, start=start, ordinal=ordinal)

    def encode(self) -> bytes:
        """Its bytes in a footer."""
        numbers = [self.ordinal if place is None else self.start + place for place in self.places]
        pieces = [self.texts[0]]
        for number, text in zip(numbers, self.texts[1:], strict=True):
            pieces += (encode_integer(number), text)
        return b"".join(pieces)


@dataclass(frozen=True)
class Footer:
    """The metadata of a file, with its row groups apart."""

    texts: tuple[bytes, bytes, bytes]
    """What is before the number of rows, between it and the row groups, and after these."""
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
            return _decoded(data, place)
        except NoFooter:
            raise
        except (IndexError, KeyError, ValueError, RecursionError) as error:
            raise NoFooter(f"not a footer: {error!r}") from error

    def same_file(self, other: Footer) -> bool:
        """Whether all that is not of rows agrees: schema, version, writer, metadata."""
        return self.texts == other.texts

    def tail(self, groups: Iterable[Group]) -> bytes:
        """The end of a file that has these row groups: footer, its length, magic."""
        listed = list(groups)
        before, between, after = self.texts
        data = b"".join(
            (
                before,
                encode_integer(sum(group.rows for group in listed)),
                between,
                encode_list_head(STRUCT, len(listed)),
                *(group.encode() for group in listed),
                after,
            )
        )
        return data + len(data).to_bytes(4, "little") + MAGIC


def _decoded(data: bytes, place: int) -> Footer:
    """The footer that ``data`` is, of a file whose row groups end at ``place``."""
    groups: list[Group] = []

    def row_groups(kind: int, begin: int) -> int:
        of, count, at = list_at(data, begin)
        if kind != LIST or of != STRUCT or data[begin:at] != encode_list_head(STRUCT, count):
            raise NoFooter("a list of row groups that would be written in another way")
        start = len(MAGIC)
        for ordinal in range(count):
            group, at = _group_at(data, at, start, ordinal)
            groups.append(group)
            start += group.size
        if start != place:
            raise NoFooter("something is between the row groups and the footer")
        return at

    spans, stop = struct_at(data, 0, {_ROW_GROUPS: row_groups})
    (_, begin, end), (_, first, last) = spans[_NUM_ROWS], spans[_ROW_GROUPS]
    if stop != len(data) or end > first:
        raise NoFooter("bytes that a footer written here does not have")
    if _integer(data, spans[_NUM_ROWS]) != sum(group.rows for group in groups):
        raise NoFooter("the row groups have not as many rows as the file")
    return Footer((data[:begin], data[end:first], data[last:]), tuple(groups))


def _group_at(data: bytes, at: int, start: int, ordinal: int) -> tuple[Group, int]:
    """The row group at offset ``at`` of a footer, and where it ends. ``start``, ``ordinal``: what its place and number must be."""
    moving: list[Span] = []

    def columns(kind: int, begin: int) -> int:
        of, count, behind = list_at(data, begin)
        if kind != LIST or (count and of != STRUCT):
            raise NoFooter("no list of column chunks")
        for _ in range(count):
            behind = _chunk_at(data, behind, moving)
        return behind

    spans, stop = struct_at(data, at, {_COLUMNS: columns})
    rows, size = _integer(data, spans[_GROUP_ROWS]), _integer(data, spans[_GROUP_BYTES])
    if rows < 0 or size < 0:
        raise NoFooter("a row group of less than nothing")
    if moving:  # else there are no bytes to have a place
        if _integer(data, spans[_GROUP_OFFSET]) != start:
            raise NoFooter("row groups do not follow each other")
        moving.append(spans[_GROUP_OFFSET])
    places: list[int | None] = [_integer(data, span) - start for span in moving]
    if _ORDINAL in spans:
        if _integer(data, spans[_ORDINAL], I16) != ordinal:
            raise NoFooter("row groups are not in order")
        moving.append(spans[_ORDINAL])
        places.append(None)
    texts = []
    edge = at
    for _, begin, end in moving:
        if begin < edge:
            raise NoFooter("fields are not in order")
        texts.append(data[edge:begin])
        edge = end
    return Group(rows, start, size, ordinal, (*texts, data[edge:stop]), tuple(places)), stop


def _chunk_at(data: bytes, at: int, moving: list[Span]) -> int:
    """Where the column chunk at ``at`` ends. Its offsets are added to ``moving``."""
    meta: dict[int, Span] = {}

    def metadata(kind: int, begin: int) -> int:
        if kind != STRUCT:
            raise NoFooter("a column chunk without metadata")
        found, end = struct_at(data, begin)
        meta.update(found)
        return end

    spans, stop = struct_at(data, at, {_CHUNK_META: metadata})
    if _DATA_PAGE not in meta or not _FOREIGN.isdisjoint(spans) or not _BLOOM.isdisjoint(meta):
        raise NoFooter("a column chunk with an index, a Bloom filter or a file of its own")
    if _CHUNK_OFFSET in spans and _integer(data, spans[_CHUNK_OFFSET]):  # 0: not told
        moving.append(spans[_CHUNK_OFFSET])
    moving += [meta[number] for number in _PAGE_OFFSETS if number in meta]
    return stop


def _integer(data: bytes, span: Span, kind: int = I64) -> int:
    found, begin, end = span
    value, _ = integer_at(data, begin)
    if found != kind or (end - begin > 1 and not data[end - 1]):
        raise NoFooter("a number that would be written in another way")
    return value
