"""Columns of numbers, booleans and times: values are kept as they come, and looked at a block at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mldata.arrays import number_array
from mldata.profile.batch import Batch, Block
from mldata.profile.distinct import DistinctSketch, distinct_of, fold_distinct
from mldata.profile.frequent import FrequentSketch, fold_frequent, frequent_of
from mldata.profile.kinds import doubles, native, nulls_of, plain_type, stored, undictionaried
from mldata.profile.limits import Limits
from mldata.profile.numbers import NumberSketch, fold_numbers, numbers_among
from mldata.profile.record import ColumnReader, ColumnRecord, SketchForm
from mldata.profile.summary import ColumnSummary, Distinct, Value
from mldata.profile.times import told_ticks
from mldata.rowhash import hash_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NumberColumn", "NumberReader"]

_PIECE = 1 << 16


@dataclass(frozen=True, eq=False)
class NumberColumn(ColumnRecord):
    """What is known of it."""

    numbers: NumberSketch
    distinct: DistinctSketch | None
    """None, and so is the next: the numbers are complete, and tell it."""
    frequent: FrequentSketch | None

    sketches: ClassVar[Mapping[str, SketchForm]] = {
        "numbers": NumberSketch,
        "distinct": DistinctSketch,
        "frequent": FrequentSketch,
    }

    @classmethod
    def _folded(cls, some: Sequence[NumberColumn], exact: bool, most: int | None) -> dict[str, Any]:
        numbers = fold_numbers([each.numbers for each in some], exact=exact, most=most)
        if numbers.complete:
            return {"numbers": numbers, "distinct": None, "frequent": None}
        return {
            "numbers": numbers,
            "distinct": fold_distinct([each._distinct() for each in some], exact=exact),
            "frequent": fold_frequent([each._frequent() for each in some]),
        }

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
        return self._summary(field, distinct, frequent=frequent, numbers=self.numbers.told(limits.points))


_SPECIAL = (math.nan, math.inf, -math.inf)


def _told(values: list[Any], kind: pa.DataType) -> list[Value]:
    if pt.is_boolean(kind):
        return [bool(value) for value in values]
    return list(told_ticks(values, kind)) if pt.is_temporal(kind) else values


class NumberReader(ColumnReader[NumberColumn]):
    """Reads a leaf's rows of such a column."""

    def __init__(self, number: int, field: pa.Field, *, exact: bool) -> None:
        super().__init__(number, exact=exact)
        self._type = plain_type(field.type)
        self._chunks: list[pa.Array] = []

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
