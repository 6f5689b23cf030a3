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
    """Rows by their content. Of equal rows that one side has more of, those that stand elsewhere are the ones too many, and of these the last."""
    none = np.empty(0, np.int64)
    left = _elsewhere(old, new)
    removed, added = _surplus(old, left[0], new, left[1])
    return Matched(removed, added, none, none, len(old) - len(removed))


def repeated(keys: Hashes) -> Places:
    """Places of rows whose key an earlier row has."""
    ordered = np.sort(keys)  # several times as fast as finding an order
    if not (ordered[1:] == ordered[:-1]).any():
        return np.empty(0, np.int64)
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
    left_old, left_new = _elsewhere(old_keys, new_keys)
    moved_old, moved_new = _same_keys(old_keys, left_old, new_keys, left_new)
    before = np.concatenate([_others(left_old, len(old)), moved_old])
    after = np.concatenate([_others(left_new, len(new)), moved_new])
    differ = old[before] != new[after]
    changed_old, changed_new = before[differ], after[differ]
    order = np.argsort(changed_old)
    return Matched(
        np.setdiff1d(left_old, moved_old, assume_unique=True),
        np.setdiff1d(left_new, moved_new, assume_unique=True),
        changed_old[order],
        changed_new[order],
        len(before) - len(changed_old),
    )


def _elsewhere(old: Hashes, new: Hashes) -> tuple[Places, Places]:
    """Places of the rows that are left when each old row is paired with the new one at its place, if they are equal.

    Places are counted from the beginning up to the first difference, behind it from the end: most tables that are compared have most rows where they
    were, and pairs need no sorting.
    """
    many = min(len(old), len(new))
    unlike = old[:many] != new[:many]
    first = int(unlike.argmax()) if unlike.any() else many
    unlike = old[len(old) - many + first :] != new[len(new) - many + first :]
    left = np.flatnonzero(unlike)
    found = []
    for side in (old, new):
        start = len(side) - len(unlike)
        found.append(np.concatenate([np.arange(first, start), left + start]))
    return found[0], found[1]


def _others(places: Places, many: int) -> Places:
    """The places below ``many`` that are not among ``places``."""
    chosen = np.ones(many, bool)
    chosen[places] = False
    return np.flatnonzero(chosen)


def _same_keys(old_keys: Hashes, old: Places, new_keys: Hashes, new: Places) -> tuple[Places, Places]:
    """Of rows at some places those that have one key, side by side."""
    old, new = old[np.argsort(old_keys[old])], new[np.argsort(new_keys[new])]
    # Both in order: to look up keys as they come takes ten times as long, most of it waiting for memory.
    wanted, there = old_keys[old], new_keys[new]
    at = np.searchsorted(there, wanted)
    found = at < len(there)
    found[found] = there[at[found]] == wanted[found]
    return old[found], new[at[found]]


def _surplus(old: Hashes, old_places: Places, new: Hashes, new_places: Places) -> tuple[Places, Places]:
    """Places of rows that the other side has not, or has fewer of."""
    order = old_places[np.argsort(old[old_places], kind="stable")]
    new_order = new_places[np.argsort(new[new_places], kind="stable")]
    ordered, new_ordered = old[order], new[new_order]
    return np.sort(order[_too_many(ordered, new_ordered)]), np.sort(
        new_order[_too_many(new_ordered, ordered)]
    )


def _too_many(mine: Hashes, theirs: Hashes) -> NDArray[np.bool_]:
    """Of each of ``mine``, which are in order like ``theirs``, whether as many equal ones come before it as there are of ``theirs``."""
    rank = np.arange(len(mine)) - np.searchsorted(mine, mine)
    have = np.searchsorted(theirs, mine, side="right") - np.searchsorted(theirs, mine)
    return rank >= have
