"""The rows of one of two tables that are compared: those of its part, in the columns that both have, as hashes in the order of the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mldata.evolution.comparable import Types, brought
from mldata.rowhash import hash_rows
from mldata.rowsat import rows_at
from store import digest_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.subjects import Subject

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

__all__ = ["TableRows"]


@dataclass(frozen=True)
class TableRows:
    """See the module."""

    subject: Subject
    types: Types
    """Of each column that is compared."""
    skipped: frozenset[int] = frozenset()
    """Numbers of fragments that are not read."""

    @property
    def rows(self) -> int:
        """Rows that are meant, read or not."""
        subject = self.subject
        if subject.part is None or subject.assignment is None:
            return subject.table.rows
        return subject.assignment.counts[subject.assignment.number(subject.part)]

    @cached_property
    def skipped_rows(self) -> int:
        """Rows of the fragments that are not read."""
        starts = self.subject.table.starts
        masks = {number: self._mask(starts[number], starts[number + 1]) for number in self.skipped}
        return sum(
            starts[number + 1] - starts[number] if mask is None else int(mask.sum())
            for number, mask in masks.items()
        )

    def tokens(self) -> list[tuple[str, str]]:
        """Of each fragment what its rows are known by: equal tokens are equal rows."""
        found = []
        for start, fragment in zip(self.subject.table.starts, self.subject.table.fragments, strict=False):
            mask = self._mask(start, start + fragment.rows)
            chosen = "" if mask is None or mask.all() else digest_bytes(np.packbits(mask).tobytes())
            found.append((str(fragment.digest), str(chosen)))
        return found

    def hashes(self, *groups: Sequence[str]) -> Iterator[tuple[Places, list[Hashes]]]:
        """Places of rows, and for each group of columns the hashes of their values; a batch at a time."""
        names = list(dict.fromkeys(name for group in groups for name in group))
        for start, batch in self._batches(names):
            columns = {name: self._columns(batch, name) for name in names}
            made = [
                hash_rows([it for name in group for it in columns[name]])
                if group
                else np.zeros(batch.num_rows, np.uint64)
                for group in groups
            ]
            places = np.arange(start, start + batch.num_rows, dtype=np.int64)
            mask = self._mask(start, start + batch.num_rows)
            if mask is not None:
                places, made = places[mask], [it[mask] for it in made]
            yield places, made

    def hashes_at(self, names: Sequence[str], places: Places) -> list[Hashes]:
        """Of each column the hashes of the values at ``places``, in their order. Only row groups with such a place are read."""
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        found = [np.empty(len(places), np.uint64) for _ in names]
        done = 0
        for batch in rows_at(self.subject.table, ordered, names):
            at = order[done : done + batch.num_rows]
            for name, hashes in zip(names, found, strict=True):
                hashes[at] = hash_rows(self._columns(batch, name))
            done += batch.num_rows
        return found

    def _batches(self, names: Sequence[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        table = self.subject.table
        for number, (start, fragment) in enumerate(zip(table.starts, table.fragments, strict=False)):
            if number in self.skipped:
                continue
            mask = self._mask(start, start + fragment.rows)
            if mask is not None and not mask.any():
                continue
            for batch in table.encoded_batches(fragment, names):
                yield start, batch
                start += batch.num_rows

    def _columns(self, batch: pa.RecordBatch, name: str) -> tuple[pa.Array, ...]:
        """What is hashed of a column."""
        column, kind = batch.column(name), self.types[name]
        return (column,) if kind is None else brought(column, kind)

    def _mask(self, start: int, stop: int) -> NDArray[np.bool_] | None:
        """Which of some neighbouring rows are in the part; None: there is no part."""
        subject = self.subject
        if subject.part is None or subject.assignment is None:
            return None
        mask: NDArray[np.bool_] = subject.assignment.part_of(start, stop) == subject.assignment.number(
            subject.part
        )
        return mask
