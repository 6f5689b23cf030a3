"""Which rows of two tables go together, by 64-bit hashes of their keys and values (:mod:`mldata.rowhash`).

Among n rows two different ones have one hash with a chance of n**2 / 2**65: three in a million for ten million rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

__all__ = ["Matched", "match_contents", "match_keys", "repeated"]


@dataclass(frozen=True, eq=False)
class Matched:
    """Places of rows, ascending (of changed ones by the old place)."""

    removed: Places
    added: Places
    changed_old: Places
    changed_new: Places
    """Row by row the same as :attr:`changed_old`."""
    unchanged: int


def match_contents(old: Hashes, new: Hashes) -> Matched:
    """Rows by their content. Of equal rows that one side has more of, the last are the ones too many."""
    none = np.empty(0, np.int64)
    removed, added = _surplus(old, new), _surplus(new, old)
    return Matched(removed, added, none, none, len(old) - len(removed))


def _surplus(mine: Hashes, theirs: Hashes) -> Places:
    """Places of those of ``mine`` that ``theirs`` have not, or have fewer of."""
    order = np.argsort(mine, kind="stable")
    ordered, others = mine[order], np.sort(theirs)
    rank = np.arange(len(mine)) - np.searchsorted(ordered, ordered)
    have = np.searchsorted(others, ordered, side="right") - np.searchsorted(others, ordered)
    return np.sort(order[rank >= have])


def repeated(keys: Hashes) -> Places:
    """Places of rows whose key an earlier row has."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    return np.sort(order[1:][ordered[1:] == ordered[:-1]])


def match_keys(old_keys: Hashes, old: Hashes, new_keys: Hashes, new: Hashes) -> Matched:
    """Rows by their keys, which are distinct on each side.

    Args:
        old_keys: of each old row.
        old: of its other values.
        new_keys: of each new row.
        new: of its other values.
    """
    order = np.argsort(new_keys)
    places = np.searchsorted(new_keys, old_keys, sorter=order)
    if len(order):
        partner = order[np.minimum(places, len(order) - 1)]
        found = new_keys[partner] == old_keys
    else:
        partner, found = np.zeros(len(old_keys), np.int64), np.zeros(len(old_keys), bool)
    taken = np.zeros(len(new_keys), bool)
    taken[partner[found]] = True
    same = np.zeros(len(old_keys), bool)
    same[found] = old[found] == new[partner[found]]
    changed = np.flatnonzero(found & ~same)
    return Matched(np.flatnonzero(~found), np.flatnonzero(~taken), changed, partner[changed], int(same.sum()))
