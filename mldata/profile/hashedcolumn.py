"""Columns whose values are only told apart: lists (with their lengths), structs, nulls, and types of which not even that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import as_numpy
from mldata.profile import summary as forms
from mldata.profile.batch import Batch, Block
from mldata.profile.counted import count_values
from mldata.profile.distinct import DistinctSketch, distinct_of, fold_distinct
from mldata.profile.kinds import hashable, kind_of, nulls_of, stored, undictionaried
from mldata.profile.limits import Limits
from mldata.profile.numbers import NumberSketch, fold_numbers, numbers_of
from mldata.profile.record import ColumnReader, ColumnRecord, SketchForm
from mldata.profile.summary import ColumnSummary
from mldata.rowhash import hash_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Counts = NDArray[np.int64]

__all__ = ["HashedColumn", "HashedReader"]


@dataclass(frozen=True, eq=False)
class HashedColumn(ColumnRecord):
    """What is known of it."""

    distinct: DistinctSketch | None
    """None: values cannot be told apart."""
    lengths: NumberSketch | None
    """None: it has no lists."""

    sketches: ClassVar[Mapping[str, SketchForm]] = {"distinct": DistinctSketch, "lengths": NumberSketch}

    @classmethod
    def _folded(cls, some: Sequence[HashedColumn], exact: bool, most: int | None) -> dict[str, Any]:
        distinct = [each.distinct for each in some if each.distinct is not None]
        lengths = [each.lengths for each in some if each.lengths is not None]
        return {
            "distinct": fold_distinct(distinct, exact=exact) if distinct else None,
            "lengths": fold_numbers(lengths, exact=exact, most=most) if lengths else None,
        }

    def told(self, field: pa.Field, limits: Limits) -> ColumnSummary:
        """The column, within limits."""
        distinct = self.distinct.told() if self.distinct is not None else None
        lengths = self.lengths.told(limits.points) if self.lengths is not None else None
        return self._summary(field, distinct, numbers=lengths)


class HashedReader(ColumnReader[HashedColumn]):
    """Reads a leaf's rows of such a column."""

    def __init__(self, number: int, field: pa.Field, *, exact: bool) -> None:
        super().__init__(number, exact=exact)
        self._hashable, self._list = hashable(field.type), kind_of(field.type) == forms.LIST
        self._open()

    def _open(self) -> None:
        self._rows = self._nulls = 0
        self._hashes: list[Hashes] = []
        self._lengths: list[Counts] = []

    def add(self, column: pa.Array, batch: Batch) -> None:
        """The next rows."""
        column = stored(column)
        if self._list:
            column = undictionaried(column)
        nulls = nulls_of(column)
        self._rows += len(column)
        if nulls is not None:
            batch.block.null(self._number, batch.start, nulls)
            self._nulls += int(np.count_nonzero(nulls))
        if self._hashable:
            hashes = hash_column(column)
            batch.block.hashes.add(self._number, batch.start, hashes)
            self._hashes.append(hashes if nulls is None else hashes[~nulls])
        if self._list:
            known = column.drop_null() if nulls is not None else column
            self._lengths.append(_lengths_of(known))

    def end_block(self, block: Block) -> None:
        """No more rows of the block."""
        distinct = lengths = None
        if self._hashable:
            hashes = np.concatenate([np.empty(0, np.uint64), *self._hashes])
            distinct = distinct_of(hashes, exact=self._exact)
        if self._list:
            numbers = numbers_of(*count_values(np.concatenate([np.empty(0, np.int64), *self._lengths])))
            lengths = numbers.settled(exact=self._exact)
        self._made.append(HashedColumn(self._rows, self._nulls, distinct, lengths))
        self._open()


def _lengths_of(lists: pa.Array) -> Counts:
    """Elements of each of some lists or maps, none of which is null; Arrow counts those of lists alone."""
    lengths = np.diff(lists.offsets) if pt.is_map(lists.type) else as_numpy(pc.list_value_length(lists))
    return lengths.astype(np.int64)
