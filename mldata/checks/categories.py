"""Columns of few distinct values: how many rows have each of them, by part.

A blob is the canonical encoding of ``{COLUMN: {"values": [text, ...], "counts": [n, ...], "rows": bytes} or None}``: values as text in the order in
which they come; how many rows of the block have each, null last; and for each row, if rows are to be told apart, the number of its value (2 bytes,
little-endian, 65,535 for null, all of it compressed by zstd after its length). None stands for a column that has too many values, or one too long to
be the name of a category: it is out for good, so that what comes out does not depend on the cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mldata.arrays import filled
from mldata.checks import base
from mldata.checks.base import Blob, Place, Rows, Sketch
from store import decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint16]

__all__ = ["Category", "CategoryBlock", "categories", "has_values", "merge_categories", "merge_counts"]

KIND = "categories"
LONGEST = 200
"""Characters of a value; what is longer is no category but a text."""
_NULL = 0xFFFF


def has_values(kind: pa.DataType) -> bool:
    """Whether values of a type can be told by their text."""
    if pt.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pt.is_string(kind)
        or pt.is_large_string(kind)
        or pt.is_boolean(kind)
        or pt.is_integer(kind)
        or pt.is_floating(kind)
        or pt.is_decimal(kind)
        or pt.is_date(kind)
        or pt.is_timestamp(kind)
    )


class CategoryBlock:
    """The values of one block.

    Args:
        most: a column with more distinct values is out; below 65,535.
        by_row: whether rows are told by value, which parts need.
    """

    def __init__(self, columns: Sequence[str], most: int, *, by_row: bool = True) -> None:
        assert most < _NULL
        self._most, self._by_row = most, by_row
        self._known: dict[str, dict[str, int] | None] = {name: {} for name in columns}
        self._counts: dict[str, NDArray[np.int64]] = {name: np.zeros(most + 1, np.int64) for name in columns}
        self._rows: dict[str, list[bytes]] = {name: [] for name in columns}

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at the next rows."""
        for name, known in self._known.items():
            if known is None:
                continue
            codes = self._codes(batch.column(name), known)
            if codes is None:
                self._known[name] = None
                del self._counts[name], self._rows[name]
                continue
            seen = np.bincount(np.minimum(codes, self._most), minlength=self._most + 1)
            self._counts[name] += seen
            if self._by_row:
                self._rows[name].append(_packed(codes))

    def _codes(self, column: pa.Array, known: dict[str, int]) -> Codes | None:
        """Number of each row's value, numbers of new values in the order of rows; None: there are too many."""
        if pt.is_null(column.type):
            return np.full(len(column), _NULL, np.uint16)
        if not pt.is_dictionary(column.type):
            column = column.dictionary_encode()
        places = filled(column.indices, len(column.dictionary))
        used, first = np.unique(places, return_index=True)
        used = used[np.argsort(first)]
        used = used[used < len(column.dictionary)]
        if len(used) > self._most:
            return None
        codes = np.full(len(column.dictionary) + 1, _NULL, np.uint16)
        texts = _texts(column.dictionary.take(pa.array(used)))
        for place, text in zip(used.tolist(), texts, strict=True):
            if text is None:  # a dictionary may hold null
                continue
            if len(text) > LONGEST:
                return None
            codes[place] = known.setdefault(text, len(known))
        return codes[places] if len(known) <= self._most else None

    def blob(self) -> Blob:
        """What was seen."""
        return Blob(KIND, encode({name: self._column(name) for name in self._known}))

    def codes(self, name: str) -> tuple[list[str], bytes] | None:
        """Values of a column and the number of each row's, as the blob has them, not compressed; None: too many."""
        known = self._known[name]
        return None if known is None else (list(known), b"".join(map(_unpacked, self._rows[name])))

    def _column(self, name: str) -> dict[str, Any] | None:
        known = self._known[name]
        if known is None:
            return None
        counts = self._counts[name]
        rows = b"".join(map(_unpacked, self._rows[name]))
        return {
            "values": list(known),
            "counts": [*counts[: len(known)].tolist(), int(counts[-1])],
            "rows": _squeezed(rows) if self._by_row else b"",
        }


def _texts(values: pa.Array) -> list[str | None]:
    kind = values.type
    if pt.is_float16(kind):
        values = values.cast(pa.float32())
    found: list[str | None] = values.cast(pa.string()).to_pylist()
    return found


def _packed(codes: Codes) -> bytes:
    return _squeezed(codes.astype("<u2").tobytes())


def _squeezed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + bytes(pa.compress(data, "zstd", asbytes=True))


def _unpacked(data: bytes) -> bytes:
    size = int.from_bytes(data[:8], "little")
    return bytes(pa.decompress(data[8:], size, "zstd", asbytes=True))


@dataclass(frozen=True)
class Category:
    """One value of a column."""

    value: str | None
    """As text; None: null."""
    rows: int
    parts: Mapping[str, int]
    """Rows by part, of parts that have any."""
    first: Mapping[str, int]
    """The number of the first row in each of these."""
    lowest: int
    """The number of the first row."""

    def place(self, part: str | None = None) -> Place:
        """The first row, or that of a part."""
        if part is not None:
            return Place(self.first[part], part, _quoted(self.value))
        at = next((name for name, row in self.first.items() if row == self.lowest), None)
        return Place(self.lowest, at, _quoted(self.value))

    def to_json(self) -> list[Any]:
        """As :func:`categories` reads it."""
        return [self.value, self.rows, dict(self.parts), dict(self.first), self.lowest]


def _quoted(value: str | None) -> str | None:
    return None if value is None else base.shown(pa.scalar(value))


def merge_categories(
    sketches: Sequence[Sketch], rows: Rows, columns: Sequence[str], most: int
) -> dict[str, list[list[Any]] | None]:
    """The values of each column in the order in which they come, null last if it is there, as JSON; None: too many."""
    tables: dict[str, _Table | None] = {name: _Table(rows.parts, most) for name in columns}
    for sketch in sketches:
        for start, stop, path in sketch.blocks(KIND, base.BLOCK_ROWS):
            seen: Any = decode(path.read_bytes())
            numbers = None
            for name, table in tables.items():
                if table is None:
                    continue
                if seen[name] is None:
                    tables[name] = None
                    continue
                if numbers is None:
                    numbers = rows.part_of(start, stop)
                if not table.add(start, seen[name], numbers):
                    tables[name] = None
    return {
        name: None if table is None else [it.to_json() for it in table.categories()]
        for name, table in tables.items()
    }


def merge_counts(
    sketches: Sequence[Sketch], columns: Sequence[str], most: int
) -> dict[str, list[list[Any]] | None]:
    """Of each column ``[value, rows]``, the most frequent value first, as JSON; None: too many. Rows need not be told apart."""
    tables: dict[str, dict[str | None, int] | None] = {name: {} for name in columns}
    for sketch in sketches:
        for _, _, path in sketch.blocks(KIND, base.BLOCK_ROWS):
            seen: Any = decode(path.read_bytes())
            for name, table in tables.items():
                if table is None:
                    continue
                mine = seen[name]
                for value, count in zip([*mine["values"], None], mine["counts"], strict=True) if mine else ():
                    if count:
                        table[value] = table.get(value, 0) + count
                if mine is None or len(table) - (None in table) > most:
                    tables[name] = None
    return {
        name: None
        if table is None
        else [[*it] for it in sorted(table.items(), key=lambda it: (-it[1], it[0] is None, it[0] or ""))]
        for name, table in tables.items()
    }


def categories(merged: Sequence[Sequence[Any]]) -> list[Category]:
    """What :func:`merge_categories` gave of a column."""
    return [Category(*it) for it in merged]


class _Table:
    """Rows by value and part of one column."""

    def __init__(self, parts: Sequence[str], most: int) -> None:
        self._parts, self._most = list(parts), most
        self._width = len(parts) + 1  # the last: rows in no part
        self._known: dict[str | None, int] = {}
        self._counts = np.zeros((0, self._width), np.int64)
        self._first = np.zeros((0, self._width), np.int64)

    def add(self, start: int, seen: Mapping[str, Any], numbers: NDArray[np.uint8]) -> bool:
        """Add a block; whether there still are few enough values."""
        values: list[str | None] = list(seen["values"])
        places = [self._known.setdefault(it, len(self._known)) for it in values]
        if len(self._known) - (None in self._known) > self._most:
            return False
        if seen["counts"][-1]:
            places.append(self._known.setdefault(None, len(self._known)))
        new = len(self._known) - len(self._counts)
        self._counts = np.vstack([self._counts, np.zeros((new, self._width), np.int64)])
        self._first = np.vstack([self._first, np.full((new, self._width), np.iinfo(np.int64).max)])
        codes = np.frombuffer(_unpacked(seen["rows"]), "<u2")
        table = np.array([*places, 0], np.int64)
        cells = table[np.minimum(codes, len(values))]
        cells *= self._width
        cells += np.minimum(numbers, len(self._parts))
        self._counts += np.bincount(cells, minlength=self._counts.size).reshape(self._counts.shape)
        rows = np.full(self._first.size, np.iinfo(np.int64).max)
        rows[cells[::-1]] = np.arange(start + len(codes) - 1, start - 1, -1)  # the first row is written last
        np.minimum(self._first, rows.reshape(self._first.shape), out=self._first)
        return True

    def categories(self) -> Iterator[Category]:
        """Values in the order of their first rows, null last."""
        for value, at in sorted(
            self._known.items(), key=lambda it: (it[0] is None, self._first[it[1]].min())
        ):
            counts, first = self._counts[at].tolist(), self._first[at].tolist()
            named = [number for number in range(len(self._parts)) if counts[number]]
            yield Category(
                value,
                sum(counts),
                {self._parts[number]: counts[number] for number in named},
                {self._parts[number]: first[number] for number in named},
                min(first),
            )
