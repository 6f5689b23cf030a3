"""The rows of one of two tables that are compared: those of its part, in the columns that both have, as hashes in the order of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mldata.rowhash import hash_column, hash_rows
from store import digest_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.subjects import Subject
    from mldata.table import Fragment

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

__all__ = ["TableRows"]


@dataclass(frozen=True)
class TableRows:
    """See the module."""

    subject: Subject
    casts: Mapping[str, pa.DataType]
    """What columns are brought to before they are compared, where the other table has them as another type."""
    skipped: frozenset[int] = frozenset()
    """Numbers of fragments that are not read."""

    @property
    def rows(self) -> int:
        """Rows that are meant, read or not."""
        subject = self.subject
        if subject.part is None or subject.assignment is None:
            return subject.table.rows
        return subject.assignment.counts[subject.assignment.number(subject.part)]

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
            columns = {name: self._column(batch, name) for name in names}
            made = [
                hash_rows([columns[name] for name in group]) if group else np.zeros(batch.num_rows, np.uint64)
                for group in groups
            ]
            places = np.arange(start, start + batch.num_rows, dtype=np.int64)
            mask = self._mask(start, start + batch.num_rows)
            if mask is not None:
                places, made = places[mask], [it[mask] for it in made]
            yield places, made

    def column_hashes(self, name: str, places: Places) -> Hashes:
        """Hashes of one column at ``places``, in their order. Only fragments with such a place are read."""
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        found = np.empty(len(places), np.uint64)
        for start, fragment in zip(self.subject.table.starts, self.subject.table.fragments, strict=False):
            low, high = np.searchsorted(ordered, [start, start + fragment.rows])
            if low == high:
                continue
            done = start
            for batch in self._read(fragment, [name]):
                first, last = np.searchsorted(ordered, [done, done + batch.num_rows])
                if first < last:
                    hashes = hash_column(self._column(batch, name))
                    found[order[first:last]] = hashes[ordered[first:last] - done]
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
            for batch in self._read(fragment, names):
                yield start, batch
                start += batch.num_rows

    def _read(self, fragment: Fragment, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return self.subject.table.encoded_batches(fragment, names)

    def _column(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        import pyarrow.compute as pc

        column = batch.column(name)
        kind = self.casts.get(name)
        return column if kind is None else pc.cast(column, kind, safe=False)

    def _mask(self, start: int, stop: int) -> NDArray[np.bool_] | None:
        """Which of some neighbouring rows are in the part; None: there is no part."""
        subject = self.subject
        if subject.part is None or subject.assignment is None:
            return None
        mask: NDArray[np.bool_] = subject.assignment.part_of(start, stop) == subject.assignment.number(
            subject.part
        )
        return mask
