"""Rows with equal values, found over any number of fragments in bounded memory.

A row is known by 96 bits: its hash (:mod:`mldata.rowhash`) and 32 bits of a second, independent one. Among a thousand million different rows
the odds that any two are taken for equal are 1 in 10**11. Null equals null, NaN equals NaN, -0.0 equals 0.0.

A sketch is a *run* a block: three arrays, little-endian, one after the other, rows in the order of their first hash: that hash (8 bytes a row), the
second (4), the row's number in the block (4). Merging takes a range of hashes at a time out of all runs: as ranges are cut to hold at most
``GATHER_ROWS`` rows or so, memory does not grow with the table. Only a range that is one hash can hold more, all equal: of these a
few rows a part stand for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mldata.checks import base
from mldata.checks.base import KEPT, Blob, Place, Rows, Sketch
from mldata.rowhash import hash_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]

__all__ = ["EqualRows", "RunBlock"]

KIND = "run"
GATHER_ROWS = 1 << 21
"""Rows that are compared at a time: some 100 bytes each. Tests shrink it; what is found does not depend on it."""
NO_PART = 255
_SEED = 1
"""Of the second hash."""
_BYTES = 16
"""Of a run, a row."""


class RunBlock:
    """The rows of one block that are to be compared."""

    def __init__(self) -> None:
        self._rows = 0
        self._hashes: list[Hashes] = []
        self._second: list[NDArray[np.uint32]] = []
        self._numbers: list[Numbers] = []

    def add(self, columns: Sequence[pa.Array], present: NDArray[np.bool_] | None = None) -> None:
        """Add the next rows, which are equal if all ``columns`` are; those that are not ``present`` equal none."""
        rows = len(columns[0])
        hashes, second = hash_rows(columns), hash_rows(columns, _SEED).astype("<u4")  # of that the lower half
        numbers = np.arange(self._rows, self._rows + rows)
        if present is not None:
            hashes, second, numbers = hashes[present], second[present], numbers[present]
        self._hashes.append(hashes)
        self._second.append(second)
        self._numbers.append(numbers)
        self._rows += rows

    def blob(self, kind: str = KIND) -> Blob:
        """Their run."""
        hashes = np.concatenate(self._hashes)
        order = np.argsort(hashes, kind="stable")
        second, numbers = np.concatenate(self._second)[order], np.concatenate(self._numbers)[order]
        data = hashes[order].astype("<u8").tobytes() + second.tobytes() + numbers.astype("<u4").tobytes()
        return Blob(kind, data)


class _Run(NamedTuple):
    path: Path
    start: int
    """Number in the table of the block's first row."""
    rows: int

    def place(self, edge: int) -> int:
        """How many hashes are below ``edge``."""
        if edge <= 0 or edge >= 1 << 64 or not self.rows:
            return self.rows if edge else 0
        hashes = np.memmap(self.path, "<u8", "r", 0, (self.rows,))
        return int(np.searchsorted(hashes, np.uint64(edge)))

    def read(self, first: int, last: int) -> tuple[Hashes, NDArray[np.uint32], Numbers]:
        """Hashes, second hashes and row numbers from one place to another."""
        count = last - first
        hashes = np.fromfile(self.path, "<u8", count, offset=8 * first)
        second = np.fromfile(self.path, "<u4", count, offset=8 * self.rows + 4 * first)
        rows = np.fromfile(self.path, "<u4", count, offset=12 * self.rows + 4 * first)
        return hashes, second, rows.astype(np.int64) + self.start


class EqualRows:
    """Merges runs: how many rows equal an earlier one, within a part and across parts, and the first few of them.

    Args:
        rows: the table's rows; rows that are in no part are left out.
        apart: whether parts count; if not, the table is one part, which is number 0.
        kind: of the blobs.
    """

    def __init__(
        self, sketches: Sequence[Sketch], rows: Rows, *, apart: bool = True, kind: str = KIND
    ) -> None:
        self._rows, self._apart = rows, apart
        self.parts = len(rows.parts) if apart else 1
        self._runs = [
            _Run(path, start, path.stat().st_size // _BYTES)
            for sketch in sketches
            for start, _, path in sketch.blocks(kind, base.BLOCK_ROWS)
        ]
        self.within = np.zeros(self.parts, np.int64)
        """By part: rows that equal an earlier row of the part."""
        self.across = np.zeros((self.parts, self.parts), np.int64)
        """[first, later]: rows of the part ``later`` that equal a row of an earlier part, of which ``first`` is the first."""
        self.first_within: dict[int, list[tuple[int, int]]] = {}
        """By part, the first such rows, each with the first of the part that it equals."""
        self.first_across: dict[int, list[tuple[int, int]]] = {}
        """By the later part, the first such rows, each with the first row of the first part that it equals."""
        for slices in self._ranges():
            if sum(last - first for _, first, last in slices) > 2 * GATHER_ROWS:
                self._add(*self._one_hash(slices))
            else:
                self._add(*_candidates(slices))

    def _ranges(self) -> Iterator[list[tuple[_Run, int, int]]]:
        """Slices of the runs that have all rows of a range of hashes; of too many rows only if it is one hash."""
        total = sum(run.rows for run in self._runs)
        count = max(1, -(-total // GATHER_ROWS))
        edges = [(number << 64) // count for number in range(count + 1)]
        todo = [*pairwise(edges)][::-1]
        while todo:
            low, high = todo.pop()
            places = [(run, run.place(low), run.place(high)) for run in self._runs]
            slices = [it for it in places if it[1] < it[2]]
            if sum(last - first for _, first, last in slices) > 2 * GATHER_ROWS and high - low > 1:
                middle = (low + high) // 2
                todo += [(middle, high), (low, middle)]
            elif slices:
                yield slices

    def _numbers(self, rows: Numbers) -> NDArray[np.uint8]:
        return self._rows.parts_at(rows) if self._apart else np.zeros(len(rows), np.uint8)

    def _one_hash(
        self, slices: Sequence[tuple[_Run, int, int]]
    ) -> tuple[Hashes, NDArray[np.uint32], Numbers, Numbers]:
        """The first few rows of each part and second hash; the last of them stands for all others."""
        seen: dict[tuple[int, int], tuple[int, list[int]]] = {}
        for run, first, last in slices:
            _, second, rows = run.read(first, last)
            keys = second.astype(np.int64) << 8 | self._numbers(rows)
            for key in np.unique(keys).tolist():
                mine = rows[keys == key]
                count, kept = seen.get((key >> 8, key & 255), (0, []))
                kept += np.sort(mine)[: KEPT + 1 - len(kept)].tolist()
                seen[key >> 8, key & 255] = count + len(mine), kept
        hashes, found, weights = [], [], []
        for (second_hash, _), (count, kept) in sorted(seen.items()):
            hashes += [second_hash] * len(kept)
            found += kept
            weights += [1] * (len(kept) - 1) + [count - len(kept) + 1]
        same = np.zeros(len(found), np.uint64)
        return same, np.array(hashes, np.uint32), np.array(found, np.int64), np.array(weights, np.int64)

    def _add(self, hashes: Hashes, second: NDArray[np.uint32], rows: Numbers, weights: Numbers) -> None:
        """Count rows that may be equal."""
        parts = self._numbers(rows)
        order = np.lexsort((rows, parts, second, hashes))
        order = order[parts[order] != NO_PART]
        if len(order) < 2:
            return
        hashes, second, rows, weights, parts = (
            array[order] for array in (hashes, second, rows, weights, parts)
        )
        group = np.ones(len(rows), np.bool_)
        group[1:] = (hashes[1:] != hashes[:-1]) | (second[1:] != second[:-1])
        run = group.copy()
        run[1:] |= parts[1:] != parts[:-1]
        group_first = np.maximum.accumulate(np.where(group, np.arange(len(rows)), 0))
        run_first = np.maximum.accumulate(np.where(run, np.arange(len(rows)), 0))
        again = ~run
        self.within += _summed(parts[again], weights[again], self.parts)
        later = parts > parts[group_first]
        pairs = parts[group_first][later].astype(np.int64) * self.parts + parts[later]
        self.across += _summed(pairs, weights[later], self.parts**2).reshape(self.across.shape)
        _keep(self.first_within, again, parts, rows, rows[run_first])
        _keep(self.first_across, later, parts, rows, rows[group_first])

    def places(self, found: Sequence[tuple[int, int]], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Rows, each with the row that it equals, as JSON."""
        if not found:
            return []
        names = [*self._rows.parts]
        pairs = np.array(found, np.int64)
        numbers = self._rows.parts_at(pairs.ravel()).reshape(pairs.shape)
        made = []
        for (row, like), both in zip(found, numbers, strict=True):
            part, like_part = (names[it] if it < len(names) else None for it in both.tolist())
            made.append(Place(row, part, self._rows.text(row, columns), Place(like, like_part)).to_json())
        return made


def _candidates(
    slices: Sequence[tuple[_Run, int, int]],
) -> tuple[Hashes, NDArray[np.uint32], Numbers, Numbers]:
    """Those rows of a range whose first hash another row has, too."""
    read = [run.read(first, last) for run, first, last in slices]
    hashes, second, rows = (np.concatenate(arrays) for arrays in zip(*read, strict=True))
    order = np.argsort(hashes)
    ordered = hashes[order]
    equal = ordered[1:] == ordered[:-1]
    some = np.zeros(len(order), np.bool_)
    some[1:] |= equal
    some[:-1] |= equal
    chosen = order[some]
    return hashes[chosen], second[chosen], rows[chosen], np.ones(len(chosen), np.int64)


def _summed(keys: NDArray[Any], weights: Numbers, length: int) -> Numbers:
    return np.bincount(keys, weights, length).astype(np.int64)  # exact up to 2**53 rows


def _keep(
    kept: dict[int, list[tuple[int, int]]],
    chosen: NDArray[np.bool_],
    parts: NDArray[np.uint8],
    rows: Numbers,
    like: Numbers,
) -> None:
    """Of the chosen rows keep the first few of each part, beside those that are kept already."""
    for part in np.unique(parts[chosen]).tolist():
        mine = np.flatnonzero(chosen & (parts == part))
        mine = mine[np.argsort(rows[mine])[:KEPT]]
        new = zip(rows[mine].tolist(), like[mine].tolist(), strict=True)
        kept[part] = sorted([*kept.get(part, []), *new])[:KEPT]
