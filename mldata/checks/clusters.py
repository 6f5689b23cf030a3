"""Rows that belong together, pair by pair: union and find over any number of rows, and what there is to tell of the clusters.

The first row of a cluster is its root, whatever the order in which pairs come (Tarjan: "Efficiency of a good but not linear set union algorithm",
Journal of the ACM 22(2), 1975; here of whole arrays of pairs). What is known of rows is kept in arrays that are files when they are large, so that memory
does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks.base import KEPT, Place, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

__all__ = ["Clusters", "Told"]

CHUNK_ROWS = 1 << 20
"""Rows that are looked at at a time. Tests shrink it; what is found does not depend on it."""
IN_MEMORY = 1 << 26
"""Bytes of an array that is no file yet."""
LARGEST = 3
"""How many clusters are told by themselves."""
NO_PART = 255


def _array(length: int, kind: Any) -> NDArray[Any]:
    """Zeros."""
    if length * np.dtype(kind).itemsize <= IN_MEMORY:
        return np.zeros(length, kind)
    # The map outlives the file's name and its handle.
    with TemporaryFile(prefix="mldata-") as file:
        return np.memmap(file, kind, "w+", 0, (length,))


def _chunks(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, CHUNK_ROWS):
        yield start, min(start + CHUNK_ROWS, length)


@dataclass
class Told:
    """What there is to tell of clusters. A row counts if it is in a part, and equals the row that it is like in something, not in everything."""

    within: Numbers
    """By part: rows that belong to an earlier row of the part."""
    across: NDArray[np.int64]
    """[first, later]: rows of the part ``later`` that belong to a row of an earlier part, of which ``first`` is the first."""
    first_within: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By part, the first such rows, each with the first row of the part that it belongs to."""
    first_across: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By the later part, the first such rows, each with the first row of the first part that it belongs to."""
    clusters: int = 0
    """How many of them have rows that belong to an earlier one of their part."""
    largest: list[tuple[int, int]] = field(default_factory=list)
    """Size and first row of the largest of these."""

    def to_json(self, rows: Rows, columns: list[str]) -> dict[str, Any]:
        """By the names of parts, with values of the rows that are named."""
        names = list(rows.parts)

        def places(pairs: list[tuple[int, int]]) -> list[Any]:
            return [_place(rows, pair, columns).to_json() for pair in pairs]

        return {
            "within": {
                part: {"rows": int(self.within[number]), "places": places(self.first_within[number])}
                for number, part in enumerate(names)
                if self.within[number]
            },
            "across": {
                part: {
                    "parts": {names[first]: int(n) for first, n in enumerate(self.across[:, number]) if n},
                    "places": places(self.first_across[number]),
                }
                for number, part in enumerate(names)
                if self.across[:, number].any()
            },
            "clusters": self.clusters,
            "largest": [[size, row] for size, row in self.largest],
        }


def _place(rows: Rows, pair: tuple[int, int], columns: list[str]) -> Place:
    names = list(rows.parts)
    parts = [
        names[it] if it < len(names) else None for it in rows.parts_at(np.array(pair, np.int64)).tolist()
    ]
    row, like = pair
    return Place(row, parts[0], rows.text(row, columns), Place(like, parts[1], rows.text(like, columns)))


class Clusters:
    """The clusters of a table of ``length`` rows: at first each row is one."""

    def __init__(self, length: int) -> None:
        self._root = _array(length, np.int64)
        for start, stop in _chunks(length):
            self._root[start:stop] = np.arange(start, stop)

    def find(self, rows: Numbers) -> Numbers:
        """The root of each row's cluster."""
        roots: Numbers = self._root[rows]
        while True:
            above = self._root[roots]
            if np.array_equal(above, roots):
                break
            roots = above
        self._root[rows] = roots
        return roots

    def unite(self, rows: Numbers, others: Numbers) -> None:
        """Put the clusters of pairs of rows together."""
        while True:
            rows, others = self.find(rows), self.find(others)
            apart = rows != others
            if not apart.any():
                return
            rows, others = rows[apart], others[apart]
            low, high = np.minimum(rows, others), np.maximum(rows, others)
            np.minimum.at(self._root, high, low)
            # Long chains of new roots are made short at once: the next look takes as many steps as they have links.
            below = np.unique(high)
            while True:
                near = self._root[below]
                far = self._root[near]
                if np.array_equal(near, far):
                    break
                self._root[below] = far

    def tell(self, rows: Rows, whole: Callable[[Numbers], Hashes]) -> Told:
        """What there is to tell.

        Args:
            whole: from numbers of rows in ascending order, hashes of whole rows: a row that is a copy in full of the one it is like does not count.
        """
        parts, length = len(rows.parts), len(self._root)
        told = Told(np.zeros(parts, np.int64), np.zeros((parts, parts), np.int64))
        headed = _array(length, np.bool_)
        for start, stop in _chunks(length):
            own = np.arange(start, stop)
            roots = self.find(own)
            headed[roots[roots != own]] = True
        heads = _array(int(np.count_nonzero(headed)), np.int64)
        done = 0
        for start, stop in _chunks(length):
            found = np.flatnonzero(headed[start:stop]) + start
            heads[done : done + len(found)] = found
            done += len(found)
        if not done:
            return told
        none = length
        first = _array(done * parts, np.int64)
        first[:] = none
        sizes, has = _array(done, np.int64), _array(done, np.bool_)
        for mine, cluster, part in self._members(rows, heads, headed):
            np.minimum.at(first, cluster * parts + part, mine)
            np.add.at(sizes, cluster, 1)
        for mine, cluster, part in self._members(rows, heads, headed):
            own_first = first[cluster * parts + part]
            self._count(told.within, None, told.first_within, has, whole, (mine, own_first, cluster, part))
            like, like_part = np.full(len(mine), none), np.zeros(len(mine), np.int64)
            for number in range(parts - 1):
                at = first[cluster * parts + number]
                chosen = (like == none) & (at != none) & (part > number)
                like[chosen], like_part[chosen] = at[chosen], number
            later = like != none
            self._count(
                told.across,
                like_part[later],
                told.first_across,
                None,
                whole,
                (mine[later], like[later], cluster[later], part[later]),
            )
        told.clusters = int(np.count_nonzero(has))
        best: list[tuple[int, int]] = []
        for start, stop in _chunks(done):
            numbers = np.flatnonzero(has[start:stop]) + start
            order = np.argsort(-sizes[numbers], kind="stable")[:LARGEST]
            new = zip(sizes[numbers[order]].tolist(), heads[numbers[order]].tolist(), strict=True)
            best = sorted([*best, *new], key=lambda it: (-it[0], it[1]))[:LARGEST]
        told.largest = best
        return told

    def _members(
        self, rows: Rows, heads: Numbers, headed: NDArray[np.bool_]
    ) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        """Rows of clusters that are in parts, with the numbers of clusters and parts."""
        for start, stop in _chunks(len(headed)):
            own = np.arange(start, stop)
            roots = self._root[start:stop]
            chosen = np.flatnonzero(headed[start:stop] | (roots != own))
            part = rows.part_of(start, stop)[chosen].astype(np.int64)
            inside = part != NO_PART
            chosen, part = chosen[inside], part[inside]
            if len(chosen):
                yield own[chosen], np.searchsorted(heads, roots[chosen]), part

    @staticmethod
    def _count(
        counts: NDArray[np.int64],
        like_part: Numbers | None,
        kept: dict[int, list[tuple[int, int]]],
        has: NDArray[np.bool_] | None,
        whole: Callable[[Numbers], Hashes],
        members: tuple[Numbers, Numbers, Numbers, Numbers],
    ) -> None:
        rows, like, cluster, part = members
        other = rows != like
        asked, back = np.unique(np.concatenate([rows[other], like[other]]), return_inverse=True)
        hashes = whole(asked)[back]
        half = len(hashes) // 2
        chosen = np.flatnonzero(other)[hashes[:half] != hashes[half:]]
        if like_part is None:
            np.add.at(counts, part[chosen], 1)
        else:
            np.add.at(counts, (like_part[chosen], part[chosen]), 1)
        if has is not None:
            has[cluster[chosen]] = True
        for number in np.unique(part[chosen]).tolist():
            mine = chosen[part[chosen] == number][:KEPT]
            new = zip(rows[mine].tolist(), like[mine].tolist(), strict=True)
            kept[number] = [*kept.get(number, []), *new][:KEPT]
