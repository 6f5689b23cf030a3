"""Which rows of an export stand in the last one already, and where.

A fragment with the content of an earlier one, and its rows in the same parts, gives each part the same rows. That is seen from the two tables
and assignments alone; no row is read.

Invariant: a file of the last export is used only after its bytes were hashed, since what is copied from it gets a digest of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mldata.assignment import Assignment
from mldata.errors import BuildError
from mldata.exports.base import Earlier, Fresh, Kept
from mldata.partrows import fragment_rows
from mldata.stages import table_of
from mldata.table import Table
from store import StoreError, hash_file

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.stages.base import Job
    from store import Digest, Store

__all__ = ["Stored", "earlier_files", "intact"]

BLOCK_ROWS = 1 << 22
"""Rows whose parts are looked at in one step."""


@dataclass(frozen=True)
class Stored:
    """A file of the last export, in the store."""

    digest: Digest
    earlier: Earlier


def earlier_files(
    job: Job, table: Table, assignment: Assignment | None, files: Mapping[int, str], row_index: str | None
) -> dict[int, Stored]:
    """What can be taken over from the last export, by the number of the part: of files that have most of their rows already.

    Look whether they are :func:`intact` before they are used.

    Args:
        files: name of the file of each part wanted, in the last export as in this one.
        row_index: name of the column of row numbers, if the files have one.
    """
    previous = job.previous
    if previous is None:
        return {}
    try:
        old = _Rows.of(job.store, previous.inputs)
        new = _Rows(table, assignment)
        if old.parts != new.parts or not old.table.schema.equals(table.schema):
            return {}
        same_split = previous.inputs.get("split") == job.inputs.get("split")
        pieces = _pieces(old, new, files, row_index, same_split=same_split)
        linked = {fragment.digest for fragment in old.table.fragments}
        tree = job.store.tree(previous.output)
        found = {}
        for number, name in files.items():
            entry = tree.get(name)
            kept = sum(piece.rows for piece in pieces[number] if isinstance(piece, Kept))
            rows = sum(piece.rows for piece in pieces[number])
            if entry is not None and entry.digest not in linked and 2 * kept > rows:
                total = old.assignment.counts[number] if old.assignment else old.table.rows
                with suppress(StoreError):  # this file alone is gone or damaged
                    path = job.store.path(entry.digest)
                    found[number] = Stored(entry.digest, Earlier(path, total, pieces[number]))
    except (StoreError, BuildError):  # gone by now: nothing needs it any more
        return {}
    return found


def intact(file: Stored) -> bool:
    """Whether an earlier file has the bytes of its digest: all of them are hashed."""
    try:
        return hash_file(file.earlier.path).digest == file.digest
    except (OSError, StoreError):
        return False


@dataclass(frozen=True)
class _Rows:
    """A table and what part each of its rows is in."""

    table: Table
    assignment: Assignment | None

    @classmethod
    def of(cls, store: Store, inputs: Mapping[str, Digest]) -> _Rows:
        split = inputs.get("split")
        return cls(
            Table.open(store, table_of(inputs)),
            Assignment.open(store, split) if split is not None else None,
        )

    @property
    def parts(self) -> tuple[str, ...]:
        return self.assignment.parts if self.assignment is not None else ("",)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each part in each fragment: an array of shape (fragments, parts)."""
        counts = np.zeros((len(self.table.fragments), len(self.parts)), np.int64)
        if self.assignment is None:
            counts[:, 0] = [fragment.rows for fragment in self.table.fragments]
            return counts
        every = sum(self.assignment.counts) == self.table.rows  # so the last part has what the others leave
        for index, numbers in enumerate(self._numbers()):
            for part in range(len(self.parts) - every):
                counts[index, part] = np.count_nonzero(numbers == part)
            if every:
                counts[index, -1] = len(numbers) - counts[index].sum()
        return counts

    @cached_property
    def digests(self) -> list[bytes]:
        """A digest of the parts of each fragment's rows."""
        from blake3 import blake3

        return [blake3(numbers.data).digest() for numbers in self._numbers()]

    def _numbers(self) -> Iterator[NDArray[np.uint8]]:
        """The part of each row, by fragment."""
        starts = self.table.starts
        first = 0
        while first < len(starts) - 1:
            last = first + 1
            while last < len(starts) - 1 and starts[last + 1] - starts[first] <= BLOCK_ROWS:
                last += 1
            ends = starts[first : last + 1]
            if self.assignment is None:
                block = np.zeros(ends[-1] - ends[0], np.uint8)
            else:
                block = self.assignment.part_of(ends[0], ends[-1])
            for start, stop in pairwise(ends):
                yield block[start - ends[0] : stop - ends[0]]
            first = last


def _pieces(
    old: _Rows, new: _Rows, parts: Iterable[int], row_index: str | None, *, same_split: bool
) -> dict[int, list[Kept | Fresh]]:
    """The rows of each part in order, kept ones and fresh ones."""
    old_starts, starts = old.table.starts, new.table.starts
    fragments, old_fragments = new.table.fragments, old.table.fragments
    still = same_split and old_starts == starts  # so that each row number is in the part that it was in
    counts = new.counts
    old_counts = counts if still else old.counts
    before = np.cumsum(old_counts, axis=0) - old_counts
    places = {fragment.digest: place for place, fragment in reversed(list(enumerate(old_fragments)))}
    pieces: dict[int, list[Kept | Fresh]] = {part: [] for part in parts}
    for index, fragment in enumerate(fragments):
        # Of equal fragments the one at the same place, then the first.
        same = index < len(old_fragments) and old_fragments[index].digest == fragment.digest
        place = index if same else places.get(fragment.digest, -1)
        kept = place >= 0 and ((still and same) or new.digests[index] == old.digests[place])
        if row_index is not None and kept:
            kept = starts[index] == old_starts[place]
        for part, made in pieces.items():
            rows = int(counts[index, part])
            if not rows:
                continue
            if not kept:
                read = partial(_read, new, index, part, row_index)
                made.append(Fresh(rows, read))
                continue
            start = int(before[place, part])
            last = made[-1] if made else None
            if isinstance(last, Kept) and last.start + last.rows == start:
                made[-1] = Kept(last.start, last.rows + rows)
            else:
                made.append(Kept(start, rows))
    return pieces


def _read(rows: _Rows, index: int, part: int, row_index: str | None) -> Iterator[pa.RecordBatch]:
    table = rows.table
    found = fragment_rows(
        table, table.fragments[index], table.starts[index], rows.assignment, only=part, row_index=row_index
    )
    return (batch for _, batch in found)
