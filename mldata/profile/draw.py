"""Rows drawn evenly: those with the lowest priorities, which are hashes of a seed and the row's number.

A leaf keeps its lowest k and its *edge*, the priority of the first that is not kept (:data:`ALL`: there is none). Of leaves together, all rows below the
lowest edge are an even sample of all rows, whatever k was in each; of these the lowest are kept. Bottom-k sampling: E. Cohen, H. Kaplan, "Summarizing
data using bottom-k sketches", 2007. Invariant: what is drawn does not depend on batches, nor on the order of leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Priorities = NDArray[np.uint64]

__all__ = ["ALL", "Draw", "drawn_together"]

ALL = (1 << 64) - 1
T = TypeVar("T")


class Draw(Generic[T]):
    """Keeps the lowest priorities of a stream, and something for each of them.

    Args:
        most: how many it keeps while rows come; no more can be asked for at the end.
        join: puts together what was kept.
        take: some of it, by place.
    """

    def __init__(
        self, most: int, join: Callable[[Sequence[T]], T], take: Callable[[T, NDArray[np.int64]], T]
    ) -> None:
        self._most, self._join, self._take = most + 1, join, take
        self._kept: list[tuple[Priorities, T]] = []
        self._held = 0
        self._below = ALL

    def wanted(self, priorities: Priorities) -> NDArray[np.int64] | None:
        """Which of the next rows may be drawn; None: all of them."""
        if len(priorities) > self._most:
            self._below = min(self._below, int(np.partition(priorities, self._most - 1)[self._most - 1]))
        if self._below == ALL:
            return None
        return np.flatnonzero(priorities <= np.uint64(self._below))

    def add(self, priorities: Priorities, things: T) -> None:
        """Rows that are wanted, and what belongs to them."""
        if not len(priorities):
            return
        self._kept.append((priorities, things))
        self._held += len(priorities)
        if self._held > 2 * self._most:
            self._cut(self._most)
            self._below = min(self._below, int(self._kept[0][0].max()))

    def _cut(self, most: int) -> None:
        priorities, things = self._joined()
        lowest = np.argpartition(priorities, most - 1)[:most]
        self._kept = [(priorities[lowest], self._take(things, lowest))]
        self._held = most

    def _joined(self) -> tuple[Priorities, T]:
        if len(self._kept) != 1:
            arrays = [priorities for priorities, _ in self._kept]
            joined = np.concatenate(arrays) if arrays else np.empty(0, np.uint64)
            self._kept = [(joined, self._join([things for _, things in self._kept]))]
        return self._kept[0]

    def finish(self, most: int) -> tuple[Priorities, T, int]:
        """The lowest, at most so many, in ascending order, what belongs to them, and the edge."""
        priorities, things = self._joined()
        order = np.argsort(priorities)
        edge = int(priorities[order[most]]) if len(order) > most else ALL
        order = order[:most]
        return priorities[order], self._take(things, order), edge


def drawn_together(leaves: Sequence[tuple[Priorities, int]], most: int) -> list[int]:
    """How many of the first rows of each leaf are drawn from all of them, at most ``most`` together.

    Args:
        leaves: priorities in ascending order, and edges.
    """
    edge = min((edge for _, edge in leaves), default=ALL)
    counts = [_below(priorities, edge) for priorities, _ in leaves]
    if sum(counts) > most:
        joined = np.concatenate([each[:count] for (each, _), count in zip(leaves, counts, strict=True)])
        # Rows of the same priority stay or go together: which one comes first would be a matter of order.
        edge = int(np.partition(joined, most)[most])
        counts = [_below(priorities, edge) for priorities, _ in leaves]
    return counts


def _below(priorities: Priorities, edge: int) -> int:
    return len(priorities) if edge == ALL else int(np.searchsorted(priorities, np.uint64(edge)))
