"""Which values are frequent: counts of all values as long as there are few, then of those of the highest counts, with what may be missing from them.

Invariant: the true count of a value is its count or up to ``floor`` more, and a value that is not there has at most ``floor``. Sums of counts and of floors
keep that. Of equal counts at the edge none is kept, so nothing depends on an order; of values that are all different none is kept.

Values are known by 64-bit keys: a number's bits, or the hash of a text; texts (as they are told) stand beside their keys. J. Misra, D. Gries, "Finding
repeated elements", 1982, and what followed, find frequent items where memory is short; here each block is counted exactly, and only then cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.profile.counted import union
from mldata.profile.distinct import FEW
from mldata.profile.packed import PackedTexts, packed
from mldata.profile.sections import plain_counts, read_counts
from mldata.profile.summary import Frequent, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Counts = NDArray[np.int64]

__all__ = ["FrequentSketch", "fold_frequent", "frequent_of", "locate"]

TOP = 1_000
"""Values that are kept of more than :data:`~mldata.profile.distinct.FEW` distinct ones."""


@dataclass(frozen=True, eq=False)
class FrequentSketch:
    """Values with counts."""

    keys: Keys
    """Distinct; of texts ascending, of numbers in their order, of blocks together ascending."""
    counts: Counts
    floor: int
    """0: all values are there."""
    texts: Sequence[str] | None = None
    """By key; None: keys are the bits of numbers."""

    def cut(self, most: int) -> FrequentSketch:
        """At most so many values."""
        if len(self.keys) <= most:
            return self
        chosen, floor = _highest(self.counts, min(most, TOP))
        texts = [self.texts[place] for place in chosen.tolist()] if self.texts is not None else None
        return FrequentSketch(self.keys[chosen], self.counts[chosen], self.floor + floor, texts)

    def told(self, values: Sequence[Value], order: NDArray[np.int64], total: int) -> Frequent:
        """The values that the keys stand for, in an order that is one of counts, out of so many."""
        counts = self.counts.tolist()
        return Frequent(
            tuple((values[it], counts[it]) for it in order.tolist()),
            total - sum(counts),
            self.floor,
            self.floor == 0,
        )

    def to_plain(self) -> dict[str, Any]:
        """For a section."""
        return {
            "keys": self.keys,
            "counts": plain_counts(self.counts),
            "floor": self.floor,
            "texts": packed(self.texts).to_plain() if self.texts is not None else None,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> FrequentSketch:
        """What :meth:`to_plain` gave."""
        keys = plain["keys"]
        texts = PackedTexts.from_plain(plain["texts"]) if plain["texts"] is not None else None
        return cls(keys, read_counts(plain["counts"], len(keys)), plain["floor"], texts)


def frequent_of(keys: Keys, counts: Counts) -> FrequentSketch:
    """Of all keys, which are distinct."""
    if len(keys) <= FEW:
        return FrequentSketch(keys, counts, 0)
    chosen, floor = _highest(counts, TOP)
    return FrequentSketch(keys[chosen], counts[chosen], floor)


def _highest(counts: Counts, most: int) -> tuple[NDArray[np.int64], int]:
    """Where the highest counts are, at most so many, and the highest of the others."""
    if int(counts.max()) == 1:
        return np.empty(0, np.int64), 1
    floor = int(np.partition(counts, len(counts) - most - 1)[len(counts) - most - 1])
    return np.flatnonzero(counts > floor), floor


def fold_frequent(sketches: Sequence[FrequentSketch]) -> FrequentSketch:
    """Of all together (at least one)."""
    if len(sketches) == 1:
        return sketches[0]
    keys, counts = union([(each.keys, each.counts) for each in sketches])
    floor = sum(each.floor for each in sketches)
    if len(keys) > FEW:
        chosen, cut = _highest(counts, FEW)
        keys, counts, floor = keys[chosen], counts[chosen], floor + cut
    if sketches[0].texts is None:
        return FrequentSketch(keys, counts, floor)
    texts = [""] * len(keys)
    unknown = np.ones(len(keys), np.bool_)
    for each in sketches:
        assert each.texts is not None
        places, at = _matches(each.keys, keys)
        new = unknown[at]
        unknown[at] = False
        for place, number in zip(places[new].tolist(), at[new].tolist(), strict=True):
            texts[number] = each.texts[place]
    return FrequentSketch(keys, counts, floor, texts)


def _matches(keys: Keys, wanted: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where keys are that are wanted, and which of the wanted ones these are. ``wanted`` is ascending."""
    if not len(wanted):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    places = np.flatnonzero(wanted[at] == keys)
    return places, at[places]


def locate(hashes: Keys, wanted: Keys) -> NDArray[np.int64]:
    """Where each of some hashes (ascending, all there) is first in an array of any length and order."""
    found = np.zeros(len(wanted), np.int64)
    if not len(wanted):
        return found
    marks = np.zeros(1 << 16, np.bool_)  # so that few have to be searched for
    marks[wanted.astype(np.uint16)] = True
    places = np.flatnonzero(marks[hashes.astype(np.uint16)])
    mine, at = _matches(hashes[places], wanted)
    # Of places that are assigned several times the last stays.
    found[at[::-1]] = places[mine[::-1]]
    return found
