"""Which rows of an export stand in the last one already, and where.

A fragment with the content of an earlier one, and its rows in the same parts, gives each part the same rows. That is seen from the two tables
and assignments alone. Of fragments that were edited, as long as they are few and small, the rows are read and compared
(:mod:`mldata.stages.edits`).

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
from mldata.stages.edits import Edit, Edits
from mldata.table import Table
from store import StoreError

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
    size: int
    earlier: Earlier
    same: bool
    """Whether the new file has the very rows of this one, under the very schema."""


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
        alike = old.table.schema.equals(table.schema, check_metadata=True)
        found = {}
        for number, name in files.items():
            entry = tree.get(name)
            kept = sum(piece.rows for piece in pieces[number] if isinstance(piece, Kept))
            rows = sum(piece.rows for piece in pieces[number])
            if entry is not None and entry.digest not in linked and 2 * kept > rows:
                total = old.assignment.counts[number] if old.assignment else old.table.rows
                with suppress(StoreError):  # this file alone is gone or damaged
                    path = job.store.path(entry.digest)
                    same = alike and pieces[number] == [Kept(0, total)]
                    earlier = Earlier(path, total, pieces[number])
                    found[number] = Stored(entry.digest, entry.size, earlier, same)
    except (StoreError, BuildError):  # gone by now: nothing needs it any more
        return {}
    return found


def intact(store: Store, file: Stored) -> bool:
    """Whether an earlier file has the bytes of its digest: all of them are hashed. One that has not is moved aside."""
    try:
        store.verify(file.digest)
    except StoreError:
        return False
    return True


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
        if self.assignment is None:
            counts = [[fragment.rows] for fragment in self.table.fragments]
        else:
            every = (
                sum(self.assignment.counts) == self.table.rows
            )  # so the last part has what the others leave
            looked = range(len(self.parts) - every)
            counts = [[int(np.count_nonzero(them == part)) for part in looked] for them in self._numbers()]
            if every:
                for fragment, row in zip(self.table.fragments, counts, strict=True):
                    row.append(fragment.rows - sum(row))
        return np.array(counts, np.int64).reshape(len(counts), len(self.parts))

    @cached_property
    def digests(self) -> list[bytes]:
        """A digest of the parts of each fragment's rows."""
        from blake3 import blake3

        return [blake3(numbers.data).digest() for numbers in self._numbers()]

    def numbers(self, index: int) -> NDArray[np.uint8]:
        """The part of each row of a fragment."""
        start, rows = self.table.starts[index], self.table.fragments[index].rows
        if self.assignment is None:
            return np.zeros(rows, np.uint8)
        return self.assignment.part_of(start, start + rows)

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
    old_array = new.counts if still else old.counts
    # Lists: an element of an array takes ten times as long, and there are a few for each of thousands of fragments.
    counts, old_counts = new.counts.tolist(), old_array.tolist()
    before = (np.cumsum(old_array, axis=0) - old_array).tolist()
    places = {fragment.digest: place for place, fragment in reversed(list(enumerate(old_fragments)))}
    pieces: dict[int, list[Kept | Fresh]] = {part: [] for part in parts}
    edits = Edits(old.table, new.table)
    for index, fragment in enumerate(fragments):
        # Of equal fragments the one at the same place, then the first.
        same = index < len(old_fragments) and old_fragments[index].digest == fragment.digest
        place = index if same else places.get(fragment.digest, -1)
        kept = place >= 0 and ((still and same) or new.digests[index] == old.digests[place])
        if row_index is not None and kept:
            kept = starts[index] == old_starts[place]
        ends = None
        if not kept and (edit := edits.of(index, fixed=row_index is not None)) is not None:
            place, ends = edit.place, _Ends.of(edit, old.numbers(edit.place), new.numbers(index))
        for part, made in pieces.items():
            rows = counts[index][part]
            if kept:
                _add(made, Kept(before[place][part], rows))
                continue
            if ends is None:
                _add(made, Fresh(rows, partial(_read, new, index, part, row_index, (0, fragment.rows))))
                continue
            (head, tail), middle = ends.counts(part), (ends.head, fragment.rows - ends.tail)
            _add(made, Kept(before[place][part], head))
            _add(made, Fresh(rows - head - tail, partial(_read, new, index, part, row_index, middle)))
            _add(made, Kept(before[place][part] + old_counts[place][part] - tail, tail))
    return pieces


def _add(pieces: list[Kept | Fresh], piece: Kept | Fresh) -> None:
    """Append a piece, if there is something of it; one with what stands before it, if they follow each other in the earlier file."""
    last = pieces[-1] if pieces else None
    if isinstance(piece, Kept) and isinstance(last, Kept) and last.start + last.rows == piece.start:
        pieces[-1] = Kept(last.start, last.rows + piece.rows)
    elif piece.rows:
        pieces.append(piece)


@dataclass(frozen=True)
class _Ends:
    """The rows at both ends of an edited fragment that are the same, and in the same parts, as those of the earlier one."""

    numbers: NDArray[np.uint8]
    """The part of each row."""
    head: int
    tail: int

    @classmethod
    def of(cls, edit: Edit, old: NDArray[np.uint8], new: NDArray[np.uint8]) -> _Ends:
        moved = np.flatnonzero(old[: edit.head] != new[: edit.head])
        head = int(moved[0]) if len(moved) else edit.head
        moved = np.flatnonzero(old[len(old) - edit.tail :] != new[len(new) - edit.tail :])
        tail = edit.tail - int(moved[-1]) - 1 if len(moved) else edit.tail
        return cls(new, head, tail)

    def counts(self, part: int) -> tuple[int, int]:
        """Rows of a part among the first ones and among the last ones."""
        last = self.numbers[len(self.numbers) - self.tail :]
        return int(np.count_nonzero(self.numbers[: self.head] == part)), int(np.count_nonzero(last == part))


def _read(
    rows: _Rows, index: int, part: int, row_index: str | None, within: tuple[int, int]
) -> Iterator[pa.RecordBatch]:
    table = rows.table
    found = fragment_rows(
        table,
        table.fragments[index],
        table.starts[index],
        rows.assignment,
        only=part,
        row_index=row_index,
        within=within,
    )
    return (batch for _, batch in found)
