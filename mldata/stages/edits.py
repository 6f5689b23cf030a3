"""Fragments of a table that were edited since an earlier one, and which of their rows are as they were."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from mldata.errors import MldataError
from mldata.rowends import equal_ends
from store import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.table import Fragment, Table

__all__ = ["Edit", "Edits"]

MOST_BYTES = 16 << 20
"""Bytes of fragments that are read to be compared: what is saved is the writing of a few row groups."""
MOST_MEMORY = 128 << 20
"""Bytes of rows of one that are held. (A few bytes of a Parquet file can stand for very many in memory.)"""


class Edit(NamedTuple):
    """A fragment beside the one that was made of its source file before."""

    place: int
    """Number of the earlier fragment."""
    head: int
    """First rows that are the same."""
    tail: int
    """Last rows that are the same."""


class Edits:
    """Compares fragments of two tables of one schema."""

    def __init__(self, old: Table, new: Table) -> None:
        self._old = old
        self._new = new
        self._left = MOST_BYTES

    def of(self, index: int, *, fixed: bool) -> Edit | None:
        """What became of fragment ``index`` of the new table. None: there is nothing to compare it with, or there was enough to read already.

        Args:
            fixed: rows are the same only if they have the same number in both tables.
        """
        old, new = self._old, self._new
        fragment = new.fragments[index]
        place = self._places.get(fragment.source)
        if place is None or (fixed and old.starts[place] != new.starts[index]):
            return None
        earlier = old.fragments[place]
        self._left -= fragment.size + earlier.size
        if self._left < 0:
            return None
        before, after = _read(old, earlier), _read(new, fragment)
        if before is None or after is None:
            return None
        head, tail = equal_ends(before, after)
        return Edit(place, head, 0 if fixed and earlier.rows != fragment.rows else tail)

    @cached_property
    def _places(self) -> dict[str, int]:
        """Numbers of the fragments that are the only ones of their source file."""
        sources = [fragment.source for fragment in self._old.fragments]
        count = Counter(sources)
        return {source: place for place, source in enumerate(sources) if count[source] == 1}


def _read(table: Table, fragment: Fragment) -> pa.Table | None:
    """The rows of a fragment. None: they are too many to be held; or it is gone, or damaged, which is for those to say who need it."""
    import pyarrow as pa

    batches, size = [], 0
    try:
        for batch in table.fragment_batches(fragment):
            size += batch.nbytes
            if size > MOST_MEMORY:
                return None
            batches.append(batch)
    except (StoreError, MldataError):
        return None
    return pa.Table.from_batches(batches, table.schema)
