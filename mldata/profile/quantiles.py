"""Quantiles of many numbers by few points: equi-depth summaries with a bound on ranks that always holds.

Points p with weights tell of every x how many numbers are at or below it: R(x), the sum of the weights of points up to x. Let r(x) be the true
number, and E a bound of \\|R(x) - r(x)\\| over all x.

- Distinct numbers with their counts: E = 0.
- Union: R and r are sums, so E is at most the sum of the bounds.
- :func:`compact` of points of total weight n to about m: let h = ceil(n / m). Kept are the first and the last point, and every point whose weight covers a
  multiple of h in rank. Between two that are kept, a and b, there are points of a weight of g <= h - 1 (more would cover a multiple). a gets the
  weight of floor(g / 2) of it, b the rest. From a up to b the old R grows from R(a) to R(a) + g, the new one is R(a) + floor(g / 2) all the time, so
  they differ by at most ceil(g / 2) <= floor(h / 2), and E grows by no more than that.

So of one block of n rows kept by m points E / n is at most 1 / (2 m) (+ 1 / (2 n) of rounding), whatever the numbers, and of blocks put together no more than the greatest
of theirs. Nothing is drawn by lot: the same numbers give the same points. (Sketches with random choices, as KLL, bound the error for most
choices; equi-depth samples of sorted runs are as old as Munro and Paterson, "Selection and sorting with limited storage", 1980.)

What numbers have at whole percents of their ranks (both neighbours of each) is kept besides, so that percentiles lose nothing by the last compaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

__all__ = ["compact"]


def compact(values: NDArray[Any], counts: Counts, most: int) -> tuple[NDArray[Any], Counts, int]:
    """Points of about ``most`` (and the percentiles') that tell the same, and by how many ranks they are off at most.

    Args:
        values: distinct, ascending.
        counts: how many numbers each stands for.
    """
    if len(values) <= most:
        return values, counts, 0
    total = int(counts.sum())
    ends = (
        np.cumsum(counts) if total > len(values) else None
    )  # None: each is there once, and ends at its own rank
    step = -(-total // most)
    places = np.arange(101, dtype=np.int64) * (total - 1) // 100  # ranks from 0
    neighbours = np.minimum(places + 1, total - 1)
    # Of a rank from 1, the first point that ends there or after it covers it.
    ranks = np.concatenate([np.arange(step, total + 1, step), places + 1, neighbours + 1])
    marks = np.zeros(len(values), np.bool_)
    marks[ranks - 1 if ends is None else np.searchsorted(ends, ranks)] = True
    marks[[0, -1]] = True
    kept = np.flatnonzero(marks)
    kept_ends = kept + 1 if ends is None else ends[kept]
    gaps = kept_ends[1:] - counts[kept[1:]] - kept_ends[:-1]
    kept_ends[:-1] += gaps // 2
    weights = np.diff(kept_ends, prepend=0)
    return values[kept], weights, int(((gaps + 1) // 2).max())
