"""Cutting a stream of batches into groups of a fixed number of rows, so that a file does not depend on the batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

__all__ = ["STEP", "Regroup", "joined", "row_bits", "row_bytes"]

STEP = 4096
"""Rows after which a group of wide rows may end."""


class Regroup:
    """Collects batches; gives back tables of exactly the rows asked for, and a last smaller one.

    Args:
        schema: of every batch.
        rows: rows of a group.
        limit: a group also ends with the row that brings its data to this many bytes (0: no limit), looked at every
            ``step`` rows, so that wide rows do not fill memory.

    Neither the groups nor the chunks that they are in (``step`` rows each) show how the batches were cut: Arrow's Parquet writer looks
    at the size of a page and of a dictionary at the end of a chunk, too.
    """

    def __init__(self, schema: pa.Schema, rows: int, limit: int = 0, step: int = STEP) -> None:
        self._schema = schema
        self._rows = rows
        self._limit = limit
        self._step = step if limit else rows
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._open: list[pa.RecordBatch] = []
        self._open_rows = 0
        self._open_bits = self._given_bits = 0

    @property
    def empty(self) -> bool:
        """Whether no rows are held back."""
        return not self._held_rows and not self._open_rows

    def estimate(self, written: int, encoded: Callable[[pa.Table], int]) -> int:
        """Bytes of a file of the rows so far, of which ``written`` have the rows of the groups that were given back.

        Rows that are held back are taken to become as small as those before; of the first group, ``encoded`` says what its rows become.
        (With dictionaries that would depend on how the batches were cut, so their values are counted.) Only where there is a limit.
        """
        held = self._open_bits // 8
        if self.empty or self._given_bits:
            return written + held * 8 * written // max(self._given_bits, 1)
        if any(pt.is_dictionary(field.type) for field in self._schema):
            return written + held
        rows = [*self._held, *joined(self._open)]
        return written + encoded(pa.Table.from_batches(rows, self._schema))

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.Table]:
        """Take a batch; yields the groups that it completes."""
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, self._step - self._open_rows)
            start += part.num_rows
            self._open.append(part)
            self._open_rows += part.num_rows
            if self._limit:
                self._open_bits += sum(row_bits(column) for column in part.columns)
            if self._open_rows == self._step:
                self._close_step()
                if self._held_rows >= self._rows or (self._limit and self._open_bits >= 8 * self._limit):
                    yield from self.rest()

    def rest(self) -> Iterator[pa.Table]:
        """What is held back, if anything."""
        self._close_step()
        if self._held_rows:
            yield pa.Table.from_batches(self._held, self._schema)
        self._given_bits += self._open_bits
        self._held, self._held_rows, self._open_bits = [], 0, 0

    def _close_step(self) -> None:
        self._held += joined(self._open)
        self._held_rows += self._open_rows
        self._open, self._open_rows = [], 0


def joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The rows of some batches in one batch, where one can hold them: dictionaries stay apart, and so do texts past 2 GiB."""
    if len(batches) < 2 or any(pt.is_dictionary(field.type) for field in batches[0].schema):
        return batches
    try:
        return [pa.concat_batches(batches)]
    except pa.ArrowInvalid:
        return batches


def row_bytes(column: Any) -> int:
    """Bytes of the values; see :func:`row_bits`."""
    return row_bits(column) // 8


def row_bits(column: Any) -> int:
    """Bits of the values, counted so that the sum does not depend on how the column was cut or where it lies in memory.

    (``nbytes`` counts bitmaps, by the byte, where there are any.)
    """
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return row_bits(column.storage)
    if pt.is_struct(kind):
        return sum(row_bits(field) for field in column.flatten())
    if pt.is_map(kind):
        return row_bits(column.cast(pa.list_(pa.struct([kind.key_field, kind.item_field]))))
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return 32 * len(column) + row_bits(column.flatten())
    if pt.is_dictionary(kind):
        return 32 * len(column)
    if pt.is_null(kind):
        return 0
    try:
        return int(len(column) * kind.bit_width)
    except ValueError:  # of variable width
        return 32 * len(column) + 8 * int(pc.sum(pc.binary_length(column)).as_py() or 0)
