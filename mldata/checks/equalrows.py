"""Rows with equal values, found over any number of fragments in bounded memory.

A row is known by 108 bits: the upper 44 of its hash (:mod:`mldata.rowhash`) and a second, independent hash. Among a thousand million different rows
the odds that any two are taken for equal are 1 in 10**15. Null equals null, NaN equals NaN, -0.0 equals 0.0.

A sketch is a *run* a block: two arrays of 8 bytes a row, little-endian, one after the other. The first holds keys in order: 44 bits of hash, 20 of the row's
number in the block. The second holds the second hashes of the same rows. Merging takes a range of hashes at a time out of all runs: as ranges are
cut to hold at most ``GATHER_ROWS`` rows or so, memory does not grow with the table. Only a range that is one hash can hold more, all equal:
of these a few rows a part stand for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mldata.checks import base
from mldata.checks.base import KEPT, Blob, Place, Rows, Sketch
from mldata.checks.runs import ROW, ROW_BITS, Keys, key_ranges
from mldata.rowhash import hash_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]

__all__ = ["EqualRows", "RunBlock"]

KIND = "run"
GATHER_ROWS = 1 << 20
"""Rows that are compared at a time, or twice as many: some 100 bytes each. Tests shrink it; what is found does not depend on it."""
NO_PART = 255
_SEED = 1
"""Of the second hash."""
_BYTES = 16
"""Of a run, a row."""


class RunBlock:
    """The rows of one block that are to be compared."""

    def __init__(self) -> None:
        self._rows = 0
        self._keys: list[Hashes] = []
        self._second: list[Hashes] = []

    def add(self, columns: Sequence[pa.Array], present: NDArray[np.bool_] | None = None) -> None:
        """Add the next rows, which are equal if all ``columns`` are; those that are not ``present`` equal none."""
        rows = len(columns[0])
        keys = hash_rows(columns)
        keys &= ~ROW
        keys |= np.arange(self._rows, self._rows + rows, dtype=np.uint64)
        self._keys.append(keys if present is None else keys[present])
        self._second.append(hash_rows(columns, _SEED))
        self._rows += rows
        assert self._rows <= 1 << ROW_BITS

    def blob(self, kind: str = KIND) -> Blob:
        """Their run."""
        keys = np.concatenate(self._keys)
        keys.sort()  # no two are equal, so there is one order
        second = np.concatenate(self._second)[keys & ROW]
        return Blob(kind, keys.astype("<u8").tobytes() + second.astype("<u8").tobytes())


class _Run(NamedTuple):
    keys: Keys

    def read(self, first: int, last: int) -> tuple[Hashes, Hashes, Numbers]:
        """Hashes, second hashes and row numbers from one place to another."""
        hashes, rows = self.keys.read(first, last)
        second = np.fromfile(self.keys.path, "<u8", last - first, offset=8 * (self.keys.rows + first))
        return hashes, second, rows


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
            _Run(Keys(path, start, path.stat().st_size // _BYTES))
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
        for slices in key_ranges([run.keys for run in self._runs], GATHER_ROWS):
            yield [(self._runs[number], first, last) for number, first, last in slices]

    def _numbers(self, rows: Numbers) -> NDArray[np.uint8]:
        return self._rows.parts_at(rows) if self._apart else np.zeros(len(rows), np.uint8)

    def _one_hash(self, slices: Sequence[tuple[_Run, int, int]]) -> tuple[Hashes, Hashes, Numbers, Numbers]:
        """The first few rows of each part and second hash; the last of them stands for all others."""
        seen: dict[tuple[int, int], tuple[int, list[int]]] = {}
        for run, first, last in slices:
            _, second, rows = run.read(first, last)
            parts = self._numbers(rows)
            for value in np.unique(second).tolist():
                for part in np.unique(parts[second == value]).tolist():
                    mine = rows[(second == value) & (parts == part)]
                    count, kept = seen.get((value, part), (0, []))
                    kept += mine[: KEPT + 1 - len(kept)].tolist()
                    seen[value, part] = count + len(mine), kept
        hashes, found, weights = [], [], []
        for (second_hash, _), (count, kept) in sorted(seen.items()):
            hashes += [second_hash] * len(kept)
            found += kept
            weights += [1] * (len(kept) - 1) + [count - len(kept) + 1]
        same = np.zeros(len(found), np.uint64)
        return same, np.array(hashes, np.uint64), np.array(found, np.int64), np.array(weights, np.int64)

    def _add(self, hashes: Hashes, second: Hashes, rows: Numbers, weights: Numbers) -> None:
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

    def told(self, shown: Sequence[str], *, both: bool = False) -> dict[str, Any]:
        """Counts and first rows by the names of parts, with values of the columns ``shown``; of ``both`` rows, where they may differ."""
        names = list(self._rows.parts)
        return {
            "within": {
                part: {
                    "rows": int(count),
                    "places": self.places(self.first_within.get(number, []), shown, both=both),
                }
                for number, (part, count) in enumerate(zip(names, self.within, strict=True))
                if count
            },
            "across": {
                part: {
                    "parts": {
                        names[first]: int(count)
                        for first, count in enumerate(self.across[:, number])
                        if count
                    },
                    "places": self.places(self.first_across.get(number, []), shown, both=both),
                }
                for number, part in enumerate(names)
                if self.across[:, number].any()
            },
        }

    def places(
        self, found: Sequence[tuple[int, int]], columns: Sequence[str], *, both: bool = False
    ) -> list[dict[str, Any]]:
        """Rows, each with the row that it equals, as JSON."""
        if not found:
            return []
        names = [*self._rows.parts]
        pairs = np.array(found, np.int64)
        numbers = self._rows.parts_at(pairs.ravel()).reshape(pairs.shape)
        made = []
        for (row, like), of_pair in zip(found, numbers, strict=True):
            part, like_part = (names[it] if it < len(names) else None for it in of_pair.tolist())
            other = Place(like, like_part, self._rows.text(like, columns) if both else None)
            made.append(Place(row, part, self._rows.text(row, columns), other).to_json())
        return made


def _candidates(
    slices: Sequence[tuple[_Run, int, int]],
) -> tuple[Hashes, Hashes, Numbers, Numbers]:
    """Those rows of a range whose first hash another row has, too."""
    read = [run.read(first, last) for run, first, last in slices]
    hashes, second, rows = (np.concatenate(arrays) for arrays in zip(*read, strict=True))
    ordered = np.sort(hashes)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(shared):
        chosen = np.empty(0, np.int64)
    else:
        chosen = np.flatnonzero(shared[np.searchsorted(shared, hashes) % len(shared)] == hashes)
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
