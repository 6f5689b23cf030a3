"""An assignment: which part each row of a table is in. It is all that a split stores; rows are never copied.

In the store it is a tree of two entries:

- ``assignment``: canonical encoding of ``{"version": 1, "parts": [name, ...], "ratios": [number or None, ...], "counts": [rows, ...],
  "rows": N, "segments": [rows, ...]}``
- ``segments``: a tree of raw objects ``00000000``, ``00000001``, ...: one byte a row, the number of its part (255: in none).

Segments are in row order and cover every row once. Row numbers are those of the source table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, UsageError
from mldata.partition import NO_PART

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from store import Digest, ObjectId, Store, TreeEntry

__all__ = ["Assignment", "Segment", "write_assignment"]

VERSION = 1


@dataclass(frozen=True)
class Segment:
    """The parts of neighbouring rows: an object of one byte a row."""

    digest: Digest
    rows: int


@dataclass(frozen=True)
class Assignment:
    """A stored assignment, opened. Reads segments when asked; keeps none."""

    store: Store
    parts: tuple[str, ...]
    """Part names, in the spec's order: a row's number is an index into it."""
    ratios: tuple[float | None, ...]
    """What the spec asked for, by part; None where it did not say a share."""
    counts: tuple[int, ...]
    """Rows, by part."""
    rows: int
    segments: tuple[Segment, ...]

    @classmethod
    def open(cls, store: Store, digest: Digest) -> Assignment:
        """Read the assignment tree ``digest``. Raises ``BuildError`` when it is none, or a ``store`` error."""
        from store import decode

        tree = store.tree(digest)
        meta_entry, segments_entry = tree.get("assignment"), tree.get("segments")
        if meta_entry is None or segments_entry is None:
            raise BuildError(
                f"expected an assignment (a tree of 'assignment' and 'segments'), found {', '.join(tree.names) or 'nothing'}",
                where=digest,
                hint="Run `mldata build --force` to make the split again.",
            )
        meta: Any = decode(store.read(meta_entry.digest))
        if meta.get("version") != VERSION:
            raise BuildError(
                f"expected an assignment of version {VERSION}, found version {meta.get('version')!r}",
                where=digest,
                hint="A newer mldata made it: update mldata, or build again with --force.",
            )
        entries = list(store.tree(segments_entry.digest))
        sizes = list(meta["segments"])
        if [entry.size for entry in entries] != sizes or sum(sizes) != meta["rows"]:
            raise BuildError(
                f"expected segments of {sizes} rows, found {[entry.size for entry in entries]} for {meta['rows']} rows",
                where=digest,
                hint="Run `mldata check` to see what is damaged.",
            )
        return cls(
            store=store,
            parts=tuple(meta["parts"]),
            ratios=tuple(meta["ratios"]),
            counts=tuple(meta["counts"]),
            rows=meta["rows"],
            segments=tuple(Segment(entry.digest, entry.size) for entry in entries),
        )

    def number(self, part: str) -> int:
        """The part's number. Raises ``UsageError`` when there is no such part."""
        if part not in self.parts:
            raise UsageError(
                f"expected a part of this split ({', '.join(self.parts)}), found {part!r}",
                hint="Leave the part out to read all rows.",
            )
        return self.parts.index(part)

    def part_of(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Part numbers of rows ``start`` to ``stop`` (cut to the table's rows)."""
        import numpy as np

        start, stop = max(start, 0), min(stop, self.rows)
        pieces = []
        number = bisect_right(self._starts, start) - 1
        while start < stop:
            first, segment = self._starts[number], self.segments[number]
            count = min(stop, first + segment.rows) - start
            if count:
                pieces.append(
                    np.fromfile(self.store.path(segment.digest), np.uint8, count, offset=start - first)
                )
            start, number = start + count, number + 1
        if len(pieces) == 1:
            return pieces[0]
        return np.concatenate(pieces) if pieces else np.empty(0, np.uint8)

    def parts_at(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Part numbers of any rows of the table, in any order."""
        import numpy as np

        found = np.empty(len(rows), np.uint8)
        order = np.argsort(rows, kind="stable")
        ordered, starts = rows[order], [*self._starts, self.rows]
        edges = np.searchsorted(ordered, starts)
        for number, segment in enumerate(self.segments):
            first, last = edges[number], edges[number + 1]
            if first < last:
                parts = np.memmap(self.store.path(segment.digest), np.uint8, "r")
                found[order[first:last]] = parts[ordered[first:last] - starts[number]]
        return found

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((segment.rows for segment in self.segments[:-1]), initial=0))

    def indices(self, part: str) -> NDArray[np.int64]:
        """Source row numbers of a part, ascending. Raises ``UsageError`` when there is no such part."""
        import numpy as np

        number, found, start = self.number(part), [], 0
        for segment in self.segments:
            found.append(np.flatnonzero(self.part_of(start, start + segment.rows) == number) + start)
            start += segment.rows
        return np.concatenate(found).astype(np.int64) if found else np.empty(0, np.int64)


def write_assignment(
    *,
    parts: Sequence[str],
    ratios: Sequence[float | None],
    counts: Sequence[int],
    segments: Sequence[Segment],
    put: Callable[[bytes], ObjectId],
    put_tree: Callable[[Sequence[TreeEntry]], ObjectId],
) -> ObjectId:
    """Publish an assignment of segments that are in the store; returns its tree."""
    from store import KIND_FILE, KIND_TREE, TreeEntry, encode

    assert len(parts) == len(counts) == len(ratios) <= NO_PART
    rows = [segment.rows for segment in segments]
    meta = put(
        encode(
            {
                "version": VERSION,
                "parts": list(parts),
                "ratios": [float(ratio) if ratio is not None else None for ratio in ratios],
                "counts": list(counts),
                "rows": sum(rows),
                "segments": rows,
            }
        )
    )
    listed = put_tree(
        [TreeEntry(f"{number:08d}", KIND_FILE, it.digest, it.rows) for number, it in enumerate(segments)]
    )
    return put_tree(
        [
            TreeEntry("assignment", KIND_FILE, meta.digest, meta.size),
            TreeEntry("segments", KIND_TREE, listed.digest, listed.size),
        ]
    )
