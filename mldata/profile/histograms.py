"""Histograms: which bins, and how many numbers are in each.

1. The range is that of all finite numbers. Where it is more than :data:`TAIL` times as wide as the middle 98 % of them, it ends half of
   that width beyond them: the few numbers further out, which would press the others into one bar, are counted as below or above.
2. Numbers on a lattice (integers, dates, multiples of 25, decimals of at most three places) get bins of whole steps, so that no bin covers one step
   more than its neighbours; few of them get a bin a step.
3. Otherwise bins are as wide as Freedman and Diaconis have it ("On the histogram as a density estimator", 1981), at least as many as Sturges
   has ("The choice of a class interval", 1926), at most :data:`BINS`.

Invariant: edges rise strictly; below, the counts and above add up to all finite numbers.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mldata.profile.counted import count_sorted
from mldata.profile.profile import Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mldata.profile.clocks import Clock
    from mldata.profile.summary import Numbers

__all__ = ["BINS", "TAIL", "histogram_of", "recount"]

BINS = 32
"""At most."""
TAIL = 2.5
FEW = 12
"""Steps of a lattice that get a bin each, however many of them are empty."""
SCALES = (1, 10, 100, 1000)
WHOLE = 2.0**53
"""Doubles below are exact integers."""


def histogram_of(
    numbers: Numbers, percentiles: Mapping[int, float | None], clock: Clock | None = None
) -> Histogram | None:
    """The histogram of some numbers; None: there are none, or all are equal.

    Args:
        percentiles: 1, 25, 75 and 99 of them at least.
        clock: tells the edges of times.
    """
    at = {it: value for it, value in percentiles.items() if value is not None}
    if len(numbers.points) < 2 or len(at) < len(percentiles):
        return None
    low, high = _range(numbers, at)
    scale, bins = _scale(numbers.points), _bins(numbers, at, high / 2 - low / 2)
    if scale is None:
        edges, single = _even(low, high, bins), False
    else:
        edges, single = _lattice(numbers, low, high, scale, bins)
    if len(edges) < 2:
        return None
    labels: Sequence[str] = ()
    if clock is not None:
        labels = tuple(clock.tell(float(edge)) or "" for edge in edges)
    return recount(numbers, Histogram(tuple(map(float, edges)), (), labels, single=single))


def recount(numbers: Numbers, like: Histogram) -> Histogram:
    """How many of some numbers are in the bins of a histogram of others."""
    edges = np.asarray(like.edges, np.float64)
    places = np.searchsorted(numbers.points, edges, side="left")
    places[-1] = np.searchsorted(numbers.points, edges[-1], side="right")
    found = numbers.ends[places]
    counts = tuple(int(it) for it in np.diff(found))
    return replace(like, counts=counts, below=int(found[0]), above=int(numbers.ends[-1] - found[-1]))


def _range(numbers: Numbers, at: Mapping[int, float]) -> tuple[float, float]:
    """The ends, without long tails. Differences are of halves: whole ones may be beyond what a double holds."""
    low, high = float(numbers.points[0]), float(numbers.points[-1])
    reach = at[99] / 2 - at[1] / 2
    if reach == 0 or high / 2 - low / 2 <= TAIL * reach:
        return low, high
    return max(low, at[1] - reach), min(high, at[99] + reach)


def _bins(numbers: Numbers, at: Mapping[int, float], half: float) -> int:
    """How many, over a range of twice ``half``."""
    width = 2 * (at[75] / 2 - at[25] / 2) / numbers.finite ** (1 / 3)
    wanted = half / width if width > 0 else 0.0
    sturges = math.ceil(math.log2(numbers.finite)) + 1
    return BINS if wanted >= BINS else min(BINS, max(math.ceil(wanted), sturges))


def _even(low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Edges between both ends, whose difference may be beyond what a double holds."""
    shares = np.arange(bins + 1) / bins
    edges = low * (1 - shares) + high * shares
    edges[0], edges[-1] = low, high
    # What np.unique does, which loads numpy.ma, to see whether some are masked.
    return count_sorted(np.sort(edges))[0]


def _scale(points: NDArray[np.float64]) -> int | None:
    """The least power of ten that makes integers of all points; None: there is none of at most 1,000."""
    for scale in SCALES:
        if max(-points[0], points[-1]) * scale >= WHOLE / 2:
            return None
        if all(np.array_equal(np.rint(some * scale) / scale, some) for some in (points[:100], points)):
            return scale
    return None


def _lattice(
    numbers: Numbers, low: float, high: float, scale: int, bins: int
) -> tuple[NDArray[np.float64], bool]:
    """Edges on a lattice through the points, the last one behind the last point; and whether each bin holds one value."""
    places = np.rint(numbers.points * scale).astype(np.int64)
    step, start = int(np.gcd.reduce(np.diff(places))), int(places[0])
    first, last = math.floor((low * scale - start) / step), math.ceil((high * scale - start) / step)
    steps = last - first + 1
    single = steps <= FEW or (steps <= BINS and 2 * len(places) >= steps)
    width = 1 if single else -(-steps // min(bins, steps))
    edges = np.arange(-(-steps // width) + 1, dtype=np.int64) * width + first
    return (start + edges * step) / scale, single or width == 1
