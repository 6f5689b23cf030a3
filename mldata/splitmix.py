"""splitmix64: the one source of pseudo-random order in mldata.

A row's key depends on the seed and the row's number only, so it is the same on every machine, with every numpy, and
whatever the size of the batches. For one seed the keys of different rows differ (the function is a bijection), so an
order by key has no ties.

Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014; constants of Stafford's variant 13,
as in Vigna's ``splitmix64.c`` and ``java.util.SplittableRandom``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GAMMA", "mix64", "mix64_int", "row_keys"]

GAMMA = 0x9E3779B97F4A7C15
_M1 = 0xBF58476D1CE4E5B9
_M2 = 0x94D049BB133111EB
_MASK = (1 << 64) - 1


def mix64_int(value: int) -> int:
    """The finalizer of splitmix64 of one integer (taken modulo 2**64)."""
    z = value & _MASK
    z = ((z ^ (z >> 30)) * _M1) & _MASK
    z = ((z ^ (z >> 27)) * _M2) & _MASK
    return z ^ (z >> 31)


def mix64(values: NDArray[np.uint64], spare: NDArray[np.uint64] | None = None) -> NDArray[np.uint64]:
    """The finalizer of splitmix64, in place; returns ``values``.

    Args:
        spare: an array of the same shape to work in, for who calls often: a new one costs as much as a third of the work.
    """
    shifted = np.right_shift(values, np.uint64(30), out=spare)
    values ^= shifted
    values *= np.uint64(_M1)
    np.right_shift(values, np.uint64(27), out=shifted)
    values ^= shifted
    values *= np.uint64(_M2)
    np.right_shift(values, np.uint64(31), out=shifted)
    values ^= shifted
    return values


def row_keys(seed: int, start: int, stop: int) -> NDArray[np.uint64]:
    """Keys of rows ``start`` to ``stop``: outputs number start+1 to stop of splitmix64 started at ``mix64(seed)``.

    The seed is mixed first because the sequences of neighbouring raw seeds would overlap.
    """
    states = np.arange(start + 1, stop + 1, dtype=np.uint64)
    states *= np.uint64(GAMMA)
    states += np.uint64(mix64_int(seed))
    return mix64(states)
