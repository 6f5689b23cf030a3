"""Rows that are nearly equal, found over any number of fragments in bounded memory: candidates by keys, confirmed by records.

What makes rows near is for others to say (:mod:`mldata.checks.neartext`, :mod:`mldata.checks.nearmedia`). They give each row that is compared a few keys, of
which rows that are near share at least one (locality-sensitive hashing: Indyk, Motwani: "Approximate nearest neighbors", STOC 1998), and a record that
tells how near two rows are. The first key is of the whole content: rows that share it are twins, of which the first stands for all.

A blob is a block: for each key, the block's keys in order (:mod:`mldata.checks.runs`); the numbers of the rows in ascending order (4 bytes each); a hash of
each whole row (8 bytes); the records. All little-endian. A row's size is fixed, so that the file's size tells how many there are.

Rows that share a key are put in order of their numbers, and each is compared with the first of them and with the ``WINDOW`` that follow it: all pairs of the
usual handful, and of a crowd no more than that many times its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks import base
from mldata.checks.base import Blob, Rows, Sketch
from mldata.checks.clusters import Clusters, Told
from mldata.checks.runs import ROW, ROW_BITS, Keys, key_ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]
    Records = NDArray[np.uint8]

__all__ = ["NearBlock", "NearRows", "Shape"]

GATHER_ROWS = 1 << 20
"""Rows whose keys are compared at a time, or twice as many: of more that share one key each is compared with the first only. Tests shrink it."""
WINDOW = 32
PAIRS = 1 << 14
"""Pairs whose records are compared at a time."""
_OPEN = 256
"""Files that are held open."""


@dataclass(frozen=True)
class Shape:
    """What is stored of a row."""

    keys: int
    """How many, with that of the whole content."""
    record: int
    """Bytes."""

    @property
    def row(self) -> int:
        """Bytes in all."""
        return 8 * self.keys + 4 + 8 + self.record


class NearBlock:
    """The rows of one block that are to be compared."""

    def __init__(self, shape: Shape) -> None:
        self._shape, self._rows = shape, 0
        self._kept: list[tuple[Hashes, NDArray[np.uint32], Hashes, Records]] = []

    def add(self, present: NDArray[np.bool_], keys: Hashes, whole: Hashes, records: Records) -> None:
        """Add the next rows.

        Args:
            present: of all rows, which are compared; the others have nothing below.
            keys: (rows, keys), the first one of the whole content.
            whole: hashes of the whole rows.
            records: (rows, bytes).
        """
        numbers = (np.flatnonzero(present) + self._rows).astype(np.uint32)
        self._kept.append((keys & ~ROW, numbers, whole, records))
        self._rows += len(present)
        assert self._rows <= 1 << ROW_BITS

    def blob(self, kind: str) -> Blob:
        """What was added."""
        if not self._kept:
            return Blob(kind, b"")
        keys, numbers, whole, records = (np.concatenate(it) for it in zip(*self._kept, strict=True))
        pieces = []
        for number in range(self._shape.keys):
            column = keys[:, number] | numbers
            column.sort()  # no two are equal, so there is one order
            pieces.append(column.astype("<u8").tobytes())
        pieces += [numbers.astype("<u4").tobytes(), whole.astype("<u8").tobytes(), records.tobytes()]
        return Blob(kind, b"".join(pieces))


class _Block:
    """A stored block."""

    def __init__(self, path: Path, start: int, shape: Shape) -> None:
        self.path, self.start, self.shape = path, start, shape
        self.rows = path.stat().st_size // shape.row

    def keys(self, number: int) -> Keys:
        return Keys(self.path, self.start, self.rows, 8 * number * self.rows)

    def maps(self) -> tuple[Any, Any, Any]:
        at = 8 * self.shape.keys * self.rows
        numbers = np.memmap(self.path, "<u4", "r", at, (self.rows,))
        whole = np.memmap(self.path, "<u8", "r", at + 4 * self.rows, (self.rows,))
        records = np.memmap(self.path, np.uint8, "r", at + 12 * self.rows, (self.rows, self.shape.record))
        return numbers, whole, records


Near = Callable[["Records", "Records"], "NDArray[np.bool_]"]
"""From the records of pairs: which are near."""


class NearRows:
    """Merges blocks: clusters of rows that are near, directly or by others between them.

    Args:
        kind: of the blobs.
        near: whether pairs are near, by their records.
        window: with how many rows that follow it a row of a crowd is compared.
    """

    def __init__(
        self, sketches: Sequence[Sketch], kind: str, shape: Shape, near: Near, *, window: int = WINDOW
    ) -> None:
        self._near, self._window = near, window
        blocks = [
            _Block(path, start, shape)
            for sketch in sketches
            for start, _, path in sketch.blocks(kind, base.BLOCK_ROWS)
        ]
        self._blocks = [block for block in blocks if block.rows]
        self._starts = np.array([block.start for block in self._blocks], np.int64)
        self._maps = lru_cache(_OPEN)(lambda number: self._blocks[number].maps())
        self.rows = sum(block.rows for block in self._blocks)
        """That are compared."""
        length = max((sketch.start + sketch.rows for sketch in sketches), default=0)
        self.clusters = Clusters(length if self.rows else 0)
        self.distinct = self.rows
        """Of these, rows that are no twin of an earlier one."""
        for number in range(shape.keys if self.rows > 1 else 0):
            self._key(number)
            if not number:
                self._twins()

    def tell(self, rows: Rows) -> Told:
        """What there is to tell of the clusters."""
        return self.clusters.tell(rows, lambda numbers: self._take(numbers, 1))

    def _key(self, number: int) -> None:
        keys = [block.keys(number) for block in self._blocks]
        for slices in key_ranges(keys, GATHER_ROWS):
            size = sum(last - first for _, first, last in slices)
            if size > 2 * GATHER_ROWS:  # one hash, so all of them are one crowd
                self._crowd(keys, slices)
                continue
            read = [keys[at].read(first, last) for at, first, last in slices]
            hashes, rows = (np.concatenate(arrays) for arrays in zip(*read, strict=True))
            if number:
                kept = self._first[self._index(rows)]
                hashes, rows = hashes[kept], rows[kept]
            order = np.lexsort((rows, hashes))
            hashes, rows = hashes[order], rows[order]
            same = hashes[1:] == hashes[:-1]
            if not same.any():
                continue
            shared = np.append(same, False) | np.insert(same, 0, False)
            hashes, rows = hashes[shared], rows[shared]
            head = np.insert(hashes[1:] != hashes[:-1], 0, True)
            first = rows[np.maximum.accumulate(np.where(head, np.arange(len(rows)), 0))]
            self._compare(first, rows)
            for step in range(1, min(self._window + 1, len(rows))) if number else ():
                pairs = hashes[step:] == hashes[:-step]
                if not pairs.any():
                    break
                self._compare(rows[:-step][pairs], rows[step:][pairs])

    def _crowd(self, keys: Sequence[Keys], slices: Sequence[tuple[int, int, int]]) -> None:
        """Compare each row of one key with the first of them."""
        head = None
        for at, first, last in slices:
            for start in range(first, last, GATHER_ROWS):
                _, rows = keys[at].read(start, min(start + GATHER_ROWS, last))
                head = int(rows[0]) if head is None else head
                self._compare(np.full(len(rows), head, np.int64), rows)

    def _compare(self, rows: Numbers, others: Numbers) -> None:
        """Put together those pairs that are near."""
        apart = self.clusters.find(rows) != self.clusters.find(others)
        rows, others = rows[apart], others[apart]
        for start in range(0, len(rows), PAIRS):
            mine, theirs = rows[start : start + PAIRS], others[start : start + PAIRS]
            asked, back = np.unique(np.concatenate([mine, theirs]), return_inverse=True)
            records = self._take(asked, 2)
            near = self._near(records[back[: len(mine)]], records[back[len(mine) :]])
            self.clusters.unite(mine[near], theirs[near])

    def _twins(self) -> None:
        """Leave out rows that have the content of an earlier one, now that only such have been put together."""
        found = np.ones(self.rows, np.bool_)
        done = 0
        self._offsets = []
        for block, (numbers, _, _) in self._stored():
            rows = numbers.astype(np.int64) + block.start
            found[done : done + block.rows] = self.clusters.find(rows) == rows
            self._offsets.append(done)
            done += block.rows
        self._first = found
        self.distinct = int(np.count_nonzero(found))

    def _stored(self) -> Iterator[tuple[_Block, tuple[Any, Any, Any]]]:
        for number, block in enumerate(self._blocks):
            yield block, self._maps(number)

    def _pieces(self, rows: Numbers) -> Iterator[tuple[int, int, int]]:
        """Ascending rows by block: its number, and from where to where they are."""
        edges = np.searchsorted(rows, np.append(self._starts, np.iinfo(np.int64).max))
        for number in np.flatnonzero(np.diff(edges)).tolist():
            yield number, int(edges[number]), int(edges[number + 1])

    def _index(self, rows: Numbers) -> Numbers:
        """The place of each row among those that are compared."""
        order = np.argsort(rows)
        ordered, found = rows[order], np.empty(len(rows), np.int64)
        for number, first, last in self._pieces(ordered):
            local = _places(self._maps(number)[0], ordered[first:last] - self._starts[number])
            found[order[first:last]] = local + self._offsets[number]
        return found

    def _take(self, rows: Numbers, which: int) -> Any:
        """Hashes (1) or records (2) of ascending rows."""
        shape = self._blocks[0].shape
        found: NDArray[Any] = (
            np.empty(len(rows), np.uint64) if which == 1 else np.empty((len(rows), shape.record), np.uint8)
        )
        for number, first, last in self._pieces(rows):
            maps = self._maps(number)
            local = _places(maps[0], rows[first:last] - self._starts[number])
            found[first:last] = maps[which][local]
        return found


def _places(numbers: Any, asked: Numbers) -> Numbers:
    """Where numbers of rows are among those of a block."""
    # In their own type: else numpy turns the whole block into another one first.
    return np.searchsorted(numbers, asked.astype(np.uint32))
