"""Columns of numbers, booleans and times: values are kept as they come, and looked at a block at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mldata.arrays import number_array
from mldata.profile.batch import Batch, Block
from mldata.profile.distinct import DistinctSketch, distinct_of, fold_distinct
from mldata.profile.frequent import FrequentSketch, fold_frequent, frequent_of
from mldata.profile.kinds import doubles, kind_of, native, nulls_of, plain_type, stored, undictionaried
from mldata.profile.limits import Limits
from mldata.profile.numbers import LEAF_POINTS, NumberSketch, fold_numbers, numbers_among
from mldata.profile.summary import ColumnSummary, Distinct, Value
from mldata.profile.times import told_ticks
from mldata.rowhash import hash_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NumberColumn", "NumberReader"]

_PIECE = 1 << 16


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """What is known of it."""

    rows: int
    nulls: int
    numbers: NumberSketch
    distinct: DistinctSketch | None
    """None, and so is the next: the numbers are complete, and tell it."""
    frequent: FrequentSketch | None

    def to_plain(self) -> dict[str, Any]:
        """For a section."""
        return {
            "rows": self.rows,
            "nulls": self.nulls,
            "numbers": self.numbers.to_plain(),
            "distinct": self.distinct.to_plain() if self.distinct is not None else None,
            "frequent": self.frequent.to_plain() if self.frequent is not None else None,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> NumberColumn:
        """What :meth:`to_plain` gave."""
        distinct, frequent = plain["distinct"], plain["frequent"]
        return cls(
            plain["rows"],
            plain["nulls"],
            NumberSketch.from_plain(plain["numbers"]),
            DistinctSketch.from_plain(distinct) if distinct is not None else None,
            FrequentSketch.from_plain(frequent) if frequent is not None else None,
        )

    @classmethod
    def fold(cls, some: Sequence[NumberColumn], *, exact: bool, most: int | None = None) -> NumberColumn:
        """Of all together; ``most``: points to keep of what is not complete."""
        if len(some) == 1:
            return some[0]
        numbers = fold_numbers([each.numbers for each in some], exact=exact, most=most)
        rows, nulls = sum(each.rows for each in some), sum(each.nulls for each in some)
        if numbers.complete:
            return cls(rows, nulls, numbers, None, None)
        distinct = fold_distinct([each._distinct() for each in some], exact=exact)
        return cls(rows, nulls, numbers, distinct, fold_frequent([each._frequent() for each in some]))

    def _distinct(self) -> DistinctSketch:
        if self.distinct is not None:
            return self.distinct
        special = [value for value, count in zip(_SPECIAL, self.numbers.special, strict=True) if count]
        hashes = hash_column(number_array(self.numbers.values))
        others = hash_column(number_array(np.array(special, np.float64)))
        return distinct_of(np.concatenate([hashes, others]), exact=True)

    def _frequent(self) -> FrequentSketch:
        return self.frequent or frequent_of(self.numbers.values.view(np.uint64), self.numbers.counts)

    def told(self, field: pa.Field, limits: Limits) -> ColumnSummary:
        """The column, within limits."""
        special = self.numbers.special
        if self.distinct is not None:
            distinct = self.distinct.told()
        else:
            distinct = Distinct(len(self.numbers.values) + sum(map(bool, special)))
        found = self._frequent().cut(limits.values)
        values = found.keys.view(self.numbers.values.dtype)
        order = np.lexsort((values, -found.counts))
        frequent = found.told(_told(values.tolist(), plain_type(field.type)), order, self.numbers.finite)
        return ColumnSummary(
            field.name,
            str(field.type),
            kind_of(field.type),
            field.nullable,
            self.rows,
            self.nulls,
            distinct,
            frequent,
            self.numbers.told(limits.points),
        )


_SPECIAL = (math.nan, math.inf, -math.inf)


def _told(values: list[Any], kind: pa.DataType) -> list[Value]:
    if pt.is_boolean(kind):
        return [bool(value) for value in values]
    return list(told_ticks(values, kind)) if pt.is_temporal(kind) else values


class NumberReader:
    """Reads a leaf's rows of such a column."""

    def __init__(self, number: int, field: pa.Field, *, exact: bool) -> None:
        self._number, self._exact = number, exact
        self._type = plain_type(field.type)
        self._chunks: list[pa.Array] = []
        self._made: list[NumberColumn] = []

    def add(self, column: pa.Array, batch: Batch) -> NDArray[np.uint64]:
        """The next rows; gives what the sample has of those that are drawn."""
        column = undictionaried(stored(column))
        nulls = nulls_of(column)
        if nulls is not None:
            batch.block.null(self._number, batch.start, nulls)
        self._chunks.append(column)
        drawn = doubles(column) if batch.drawn is None else doubles(column.take(number_array(batch.drawn)))
        return drawn.view(np.uint64)

    def end_block(self, block: Block) -> None:
        """No more rows of the block."""
        column = self._joined()
        self._chunks = []
        hashes = None if self._exact else np.empty(len(column), np.uint64)
        for start in range(0, len(column), _PIECE):
            piece = hash_column(column.slice(start, _PIECE))
            block.hashes.add(self._number, start, piece)
            if hashes is not None:
                hashes[start : start + _PIECE] = piece
        values, nulls = native(column), nulls_of(column)
        if nulls is not None:
            values = values[~nulls]
        numbers = numbers_among(values)
        kept = numbers.settled(exact=self._exact)
        distinct = frequent = None
        if hashes is not None and not kept.complete:
            distinct = distinct_of(hashes if nulls is None else hashes[~nulls], exact=False)
            frequent = frequent_of(numbers.values.view(np.uint64), numbers.counts)
        made = NumberColumn(len(column), column.null_count, kept, distinct, frequent)
        self._made.append(made)

    def _joined(self) -> pa.Array:
        return pa.concat_arrays(self._chunks) if self._chunks else pa.nulls(0, self._type)

    def fold(self) -> None:
        """Make one of the blocks that there are."""
        self._made = [NumberColumn.fold(self._made, exact=self._exact, most=LEAF_POINTS)]

    def finish(self) -> dict[str, Any]:
        """The column's section."""
        self.fold()
        return self._made[0].to_plain()
