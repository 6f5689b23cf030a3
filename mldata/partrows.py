"""Rows of a table, sorted into parts while they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mldata.arrays import number_array
from mldata.table import BATCH_ROWS
from mldata.utf8 import check_utf8, text_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.assignment import Assignment
    from mldata.table import Fragment, Table

__all__ = ["by_part", "fragment_rows", "rows_by_part"]


def rows_by_part(
    table: Table,
    assignment: Assignment | None,
    *,
    only: int | None = None,
    columns: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
    row_index: str | None = None,
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """All rows in order, in batches each of which belongs to one part; with the number of that part.

    Args:
        assignment: None puts every row into part 0.
        only: leave out the rows of other parts; fragments without a row of this part are not read.
        columns: names of the columns wanted; None means all.
        batch_rows: rows read at a time; a batch has at most so many.
        row_index: name of an int64 column to append, with the row's number in the table.
    """
    start = 0
    for fragment in table.fragments:
        yield from fragment_rows(
            table,
            fragment,
            start,
            assignment,
            only=only,
            columns=columns,
            batch_rows=batch_rows,
            row_index=row_index,
        )
        start += fragment.rows


def fragment_rows(
    table: Table,
    fragment: Fragment,
    start: int,
    assignment: Assignment | None,
    *,
    only: int | None = None,
    columns: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
    row_index: str | None = None,
    within: tuple[int, int] | None = None,
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """:func:`rows_by_part` of one fragment, whose first row is number ``start`` of the table.

    Args:
        within: leave out the rows of the fragment before the first of these numbers, and from the second one on.
    """
    first, end = within or (0, fragment.rows)
    first, end = start + first, start + end
    parts = assignment.part_of(start, start + fragment.rows) if assignment is not None else None
    if parts is not None and only is not None and not (parts == only).any():
        return
    texts = text_columns(table.schema)
    for batch in table.fragment_batches(fragment, columns, batch_rows):
        if end <= start:
            return
        if start < first:
            skipped = min(first - start, batch.num_rows)
            batch, start = batch.slice(skipped), start + skipped
        batch = batch.slice(0, end - start)
        if not batch.num_rows:
            continue
        check_utf8(batch, texts, fragment.source, start)
        stop = start + batch.num_rows
        if row_index is not None:
            batch = _indexed(batch, row_index, start)
        if assignment is None:
            yield 0, batch
        else:
            yield from by_part(batch, assignment.part_of(start, stop), only=only)
        start = stop


def by_part(
    batch: pa.RecordBatch, numbers: NDArray[np.uint8], *, only: int | None = None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of a batch sorted by ``numbers``, one a row; ``only`` those of this number."""
    for number in np.flatnonzero(np.bincount(numbers)):
        if only is None or number == only:
            rows = np.flatnonzero(numbers == number)
            whole = len(rows) == batch.num_rows
            yield int(number), batch if whole else batch.take(_positions(rows))


def _positions(rows: NDArray[np.int64]) -> pa.Int64Array:
    """The same numbers in the same memory. (``pa.array`` would import ``numpy.ma``, to see whether some are masked.)"""
    return pa.Int64Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(rows)])


def _indexed(batch: pa.RecordBatch, name: str, start: int) -> pa.RecordBatch:
    schema = batch.schema.append(pa.field(name, pa.int64(), nullable=False))
    index = number_array(np.arange(start, start + batch.num_rows, dtype=np.int64))
    return pa.RecordBatch.from_arrays([*batch.columns, index], schema=schema)
