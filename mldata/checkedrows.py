"""The rows of a stored table, as checks merge what they saw: parts of rows, and values of the few that are named."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mldata.checks.wording import shown

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.assignment import Assignment
    from mldata.table import Table

__all__ = ["CheckedRows"]

PATH = "path"
"""The column of a table of media that names the row's file."""
MOST_CHARACTERS = 120
"""Of a row, however many columns are told."""


@dataclass(frozen=True)
class CheckedRows:
    """See :class:`mldata.checks.base.Rows`."""

    table: Table
    assignment: Assignment | None
    parts: Sequence[str]

    def part_of(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Part numbers of neighbouring rows."""
        return (
            np.zeros(stop - start, np.uint8)
            if self.assignment is None
            else self.assignment.part_of(start, stop)
        )

    def parts_at(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Part numbers of any rows."""
        return np.zeros(len(rows), np.uint8) if self.assignment is None else self.assignment.parts_at(rows)

    def source(self, row: int) -> str:
        """The source file of a row: of media the row's own, else that which its fragment was made from."""
        if self.table.media is not None and PATH in self.table.schema.names:
            batch, left = self._batch(row, [PATH])
            return str(batch.column(PATH)[left].as_py())
        return self.table.fragments[self._fragment(row)].source

    def text(self, row: int, columns: Sequence[str]) -> str:
        """Values of a row; with their columns' names if there are several."""
        values = self.values(row, columns)
        if len(columns) == 1:
            return next(iter(values.values()))
        text = ", ".join(f"{name}={value}" for name, value in values.items())
        return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."

    def values(self, row: int, columns: Sequence[str]) -> dict[str, str]:
        """Values of a row as people read them, shortened, by column."""
        return {name: shown(value) for name, value in self.scalars(row, columns).items()}

    def scalars(self, row: int, columns: Sequence[str]) -> dict[str, pa.Scalar]:
        """Values of a row by column."""
        found, left = self._batch(row, columns)
        return {name: found.column(name)[left] for name in columns}

    def _batch(self, row: int, columns: Sequence[str]) -> tuple[pa.RecordBatch, int]:
        """A batch that holds a row, and the row's number in it."""
        number = self._fragment(row)
        left = row - self._starts[number]
        with self.table.open_fragment(self.table.fragments[number]) as file:
            group = 0
            while left >= (rows := file.metadata.row_group(group).num_rows):
                left, group = left - rows, group + 1
            for batch in file.iter_batches(row_groups=[group], columns=list(columns), use_threads=False):
                if left < batch.num_rows:
                    return batch, left
                left -= batch.num_rows
        raise IndexError(row)

    @cached_property
    def _starts(self) -> list[int]:
        return self.table.starts

    def _fragment(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1
