"""How many distinct values there are: their hashes as long as there are few (in an exact table: all of them), then HyperLogLog registers.

Invariant: whether the number is exact depends on the values alone: of tables that are not exact it is as long as there are at most :data:`FEW` distinct ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.profile.counted import count_sorted
from mldata.profile.hyperloglog import ERROR, estimate, registers_of
from mldata.profile.summary import Distinct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

__all__ = ["FEW", "DistinctSketch", "distinct_of", "distinct_of_sorted", "fold_distinct"]

FEW = 10_000
"""Distinct values of a column that are kept one by one, whatever the number of rows."""


@dataclass(frozen=True, eq=False)
class DistinctSketch:
    """One of two forms."""

    hashes: Hashes | None
    """Ascending and distinct."""
    registers: NDArray[np.uint8] | None = None

    def told(self) -> Distinct:
        if self.hashes is not None:
            return Distinct(len(self.hashes))
        assert self.registers is not None
        return Distinct(estimate(self.registers), ERROR)

    def to_plain(self) -> Any:
        """For a section."""
        if self.hashes is not None:
            return {"hashes": self.hashes}
        assert self.registers is not None
        return {"registers": self.registers}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> DistinctSketch:
        """What :meth:`to_plain` gave."""
        return cls(plain.get("hashes"), plain.get("registers"))


def distinct_of(hashes: Hashes, *, exact: bool) -> DistinctSketch:
    """Of hashes in any order, which may be sorted in place."""
    if not exact and len(hashes) > FEW:
        registers, least = registers_of(hashes)
        if least > FEW:
            return DistinctSketch(None, registers)
    hashes.sort()
    return distinct_of_sorted(count_sorted(hashes)[0], exact=exact)


def distinct_of_sorted(hashes: Hashes, *, exact: bool) -> DistinctSketch:
    """Of distinct hashes in ascending order."""
    if exact or len(hashes) <= FEW:
        return DistinctSketch(hashes)
    return DistinctSketch(None, registers_of(hashes)[0])


def fold_distinct(sketches: Sequence[DistinctSketch], *, exact: bool) -> DistinctSketch:
    """Of all together (at least one)."""
    if len(sketches) == 1:
        return sketches[0]
    sets = [sketch.hashes for sketch in sketches if sketch.hashes is not None]
    found = np.concatenate(sets) if sets else np.empty(0, np.uint64)
    registers = [sketch.registers for sketch in sketches if sketch.registers is not None]
    if not registers:
        return distinct_of(found, exact=exact)
    merged = registers_of(found)[0]
    for each in registers:
        merged = np.maximum(merged, each)
    return DistinctSketch(None, merged)
