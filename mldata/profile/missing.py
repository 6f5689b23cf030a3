"""Which columns are null together, and in how many rows.

A row's pattern is known by the sum of a random number for each of its nulls, modulo 2**64; the columns of a pattern are read from one row that has it.
Invariant: patterns are counted block by block, so the result does not depend on batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mldata.profile.counted import count_sorted
from mldata.profile.frequent import locate
from mldata.splitmix import mix64_int

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MissingBlock", "fold_missing", "highest_patterns", "told_missing"]

KEPT = 256
"""Patterns of a leaf."""
TOLD = 100
"""Patterns of a summary."""

Patterns = Mapping[bytes, int]
"""Rows by pattern: a bit for each column, the first in the lowest bit of the first byte. No bytes: rows of patterns that are not kept."""

REST = b""


class MissingBlock:
    """The nulls of a block of rows."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._nulls: dict[int, list[tuple[int, NDArray[np.bool_]]]] = {}

    def add(self, column: int, start: int, nulls: NDArray[np.bool_]) -> None:
        """Which rows of a column are null, from row ``start`` of the block on."""
        self._nulls.setdefault(column, []).append((start, nulls))

    def patterns(self, rows: int) -> Patterns:
        """Of the block's rows."""
        sums = np.zeros(rows, np.uint64)
        for column, pieces in self._nulls.items():
            key = np.uint64(mix64_int(column + 1))
            for start, nulls in pieces:
                sums[start : start + len(nulls)][nulls] += key
        found = sums[sums != 0]
        found.sort()
        keys, counts = count_sorted(found)
        if len(keys) > KEPT:
            order = np.lexsort((keys, -counts))[:KEPT]
            keys, counts = keys[np.sort(order)], counts[np.sort(order)]
        rest = len(found) - int(counts.sum())
        packed = np.packbits(self._at(locate(sums, keys)), axis=1, bitorder="little")
        made = {row.tobytes(): count for row, count in zip(packed, counts.tolist(), strict=True)}
        return {**made, REST: rest} if rest else made

    def _at(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Nulls of some rows, by row and column."""
        made = np.zeros((len(rows), self._columns), np.bool_)
        for column, pieces in self._nulls.items():
            for start, nulls in pieces:
                inside = np.flatnonzero((rows >= start) & (rows < start + len(nulls)))
                made[inside, column] = nulls[rows[inside] - start]
        return made


def fold_missing(some: Iterable[Patterns]) -> Counter[bytes]:
    """Of all together."""
    made: Counter[bytes] = Counter()
    for patterns in some:
        made.update(patterns)
    return made


def highest_patterns(patterns: Patterns, most: int = KEPT) -> Patterns:
    """The most frequent."""
    order = sorted((it for it in patterns.items() if it[0] != REST), key=lambda it: (-it[1], it[0]))
    rest = patterns.get(REST, 0) + sum(count for _, count in order[most:])
    made = dict(order[:most])
    return {**made, REST: rest} if rest else made


def told_missing(
    patterns: Patterns, names: Sequence[str]
) -> tuple[tuple[tuple[tuple[str, ...], int], ...], int]:
    """:attr:`mldata.profile.summary.TableSummary.missing` and ``missing_rest``."""
    kept = dict(highest_patterns(patterns, TOLD))
    rest = kept.pop(REST, 0)
    told = []
    for packed, count in kept.items():
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=len(names), bitorder="little")
        told.append((tuple(names[place] for place in np.flatnonzero(bits).tolist()), count))
    return tuple(sorted(told, key=lambda it: (-it[1], it[0]))), rest
