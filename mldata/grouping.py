"""Which group goes to which part, so that parts come near their sizes while every group stays whole.

Groups are placed one by one, each in the part that lacks the most rows. Those that are larger than the smallest part come
first, the largest first, as they fit in few places; all others in the order of their keys, which has nothing to do with
their size, so that no part is one of large groups and another one of small ones. Filling folds, where all parts are of one
size, all go by size ("longest processing time first": Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl.
Math. 17(2), 1969).

Bound: while a group is left some part lacks rows, so a part never gets more than its size by as much as the last group that
it was given: no part exceeds its size by the rows of the largest group. A part that is left empty is given the smallest group of the part
that is fullest for its size and has two or more.

Pure, and a function of sizes and keys: neither the order of rows nor how groups are numbered matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["place_groups"]


def place_groups(
    sizes: NDArray[np.int64], keys: NDArray[np.uint64], wanted: Sequence[int], *, by_size: bool = False
) -> NDArray[np.uint8]:
    """The part of each group.

    Args:
        sizes: rows of each group, 1 or more.
        keys: a number for each group, all different, that decides what sizes leave open.
        wanted: rows that each part is to have; they sum to the rows of all groups.
        by_size: place all groups by size.
    """
    smallest = 0 if by_size else min((rows for rows in wanted if rows), default=0)
    order = np.lexsort((keys, -np.where(sizes > smallest, sizes, 0)))
    lacks = list(wanted)
    parts = np.zeros(len(sizes), np.uint8)
    for group, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        part = lacks.index(max(lacks))
        lacks[part] -= size
        parts[group] = part
    _fill_empty(parts, sizes, keys, wanted)
    return parts


def _fill_empty(
    parts: NDArray[np.uint8], sizes: NDArray[np.int64], keys: NDArray[np.uint64], wanted: Sequence[int]
) -> None:
    groups = np.bincount(parts, minlength=len(wanted))
    rows = np.bincount(parts, sizes, len(wanted)).astype(np.int64)
    for part, asked in enumerate(wanted):
        givers = [other for other in range(len(wanted)) if groups[other] > 1]
        if not asked or groups[part] or not givers:
            continue
        giver = max(givers, key=lambda other: (int(rows[other]) / wanted[other], -other))
        own = np.flatnonzero(parts == giver)
        group = own[np.lexsort((keys[own], sizes[own]))[0]]
        parts[group] = part
        for side, sign in ((giver, -1), (part, 1)):
            groups[side] += sign
            rows[side] += sign * sizes[group]
