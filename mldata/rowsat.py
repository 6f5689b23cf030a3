"""Some rows of a stored table, by their numbers. Invariant: only row groups that hold one of them are read, and each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mldata.arrays import number_array

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.table import Fragment, Table

    Rows = NDArray[np.int64]

__all__ = ["rows_at"]


def rows_at(table: Table, rows: Rows, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of these numbers, which are ascending, in batches; with text as :meth:`mldata.table.Table.encoded_batches` gives it.

    Raises:
        DataError: a Parquet file of the source is damaged.
    """
    for start, fragment in zip(table.starts, table.fragments, strict=False):
        low, high = np.searchsorted(rows, [start, start + fragment.rows])
        if low == high:
            continue
        groups, places = _row_groups(table, fragment, rows[low:high] - start)
        done = 0
        for batch in table.encoded_batches(fragment, columns, groups):
            first, last = np.searchsorted(places, [done, done + batch.num_rows])
            if first < last:
                yield _rows_of(batch, places[first:last] - done)
            done += batch.num_rows
            if last == len(places):
                break


def _rows_of(batch: pa.RecordBatch, places: Rows) -> pa.RecordBatch:
    """The rows at ``places``, which are ascending; of neighbours a view, without Arrow's functions."""
    low, high = int(places[0]), int(places[-1]) + 1
    return batch.slice(low, high - low) if high - low == len(places) else batch.take(number_array(places))


def _row_groups(table: Table, fragment: Fragment, rows: Rows) -> tuple[list[int], Rows]:
    """The row groups of a fragment that hold some of its rows, and where these come when no others are read."""
    with table.open_fragment(fragment) as file:
        meta = file.metadata
        sizes = np.array([meta.row_group(number).num_rows for number in range(meta.num_row_groups)])
    group = np.searchsorted(np.cumsum(sizes), rows, side="right")
    read = np.bincount(group, minlength=len(sizes)) > 0
    passed_over = np.cumsum(np.where(read, 0, sizes))
    return np.flatnonzero(read).tolist(), rows - passed_over[group]
