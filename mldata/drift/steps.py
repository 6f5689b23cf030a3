"""The distribution of numbers as steps: what their order and their distances tell, infinities included in the order.

Invariant: the bins of a comparison, the Kolmogorov-Smirnov statistic and the Wasserstein distance are told by the points of a summary alone; whatever the
numbers, from subnormal to the greatest, nothing overflows.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mldata.drift.special import kolmogorov_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mldata.profile.summary import Numbers

__all__ = ["MOST_POINTS", "Pair", "Steps", "kolmogorov_smirnov", "wasserstein"]

MOST_POINTS = 1 << 14
"""Of more distinct numbers some are taken at equal ranks: the distances below change by at most one in so many."""


class Steps:
    """How many numbers are at or below each number.

    Args:
        scale: what the numbers are multiplied with first, such as ticks of one unit in one of another.
    """

    def __init__(self, numbers: Numbers, scale: int = 1) -> None:
        self.numbers = numbers
        self.points = numbers.points * scale if scale != 1 else numbers.points
        self.ends = numbers.ends
        """How many are below each point, then how many there are."""
        self.scale = scale

    @property
    def ordered(self) -> int:
        """Numbers that have a place in the order: all but NaN."""
        return self.numbers.finite + self.numbers.positive_infinities + self.numbers.negative_infinities

    def up_to(self, edges: Sequence[float] | NDArray[np.float64]) -> NDArray[np.int64]:
        """How many are at or below each of ``edges``."""
        places = np.searchsorted(self.points, np.asarray(edges, np.float64), side="right")
        found: NDArray[np.int64] = self.ends[places] + self.numbers.negative_infinities
        return found

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """See :meth:`mldata.profile.summary.Numbers.quantile`; of at least one finite number."""
        places = np.asarray(shares) * (self.numbers.finite - 1)
        low = np.floor(places).astype(np.int64)
        inside = places - low
        first = self.points[np.searchsorted(self.ends, low, side="right") - 1]
        above = np.minimum(low + 1, self.numbers.finite - 1)
        second = self.points[np.searchsorted(self.ends, above, side="right") - 1]
        between = first * (1 - inside) + second * inside
        return np.where((inside == 0) | (first == second), first, between).tolist()  # type: ignore[no-any-return]

    @cached_property
    def few(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """At most :data:`MOST_POINTS` of the finite points, and how many finite numbers are below the first, below the second, ... and in all."""
        if len(self.points) <= MOST_POINTS:
            return self.points, self.ends
        # In whole numbers: of others NumPy would make doubles of all ends first.
        wanted = -(-np.arange(1, MOST_POINTS + 1) * self.numbers.finite // MOST_POINTS)
        places = np.searchsorted(self.ends[1:], wanted)
        kept = places[np.append(True, np.diff(places) > 0)]
        return self.points[kept], self.ends[np.append(0, kept + 1)]


class Pair:
    """Two samples at all points of both."""

    def __init__(self, baseline: Steps, current: Steps) -> None:
        self.baseline, self.current = baseline, current
        self.points = np.sort(np.concatenate([baseline.few[0], current.few[0]]))
        self.below = _below(baseline, self.points), _below(current, self.points)
        """How many finite numbers of each are at or below each point."""


def _below(steps: Steps, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    points, ends = steps.few
    found: NDArray[np.int64] = ends[np.searchsorted(points, edges, side="right")]
    return found


def kolmogorov_smirnov(pair: Pair) -> tuple[float, float] | None:
    """The statistic of two samples, and its p-value; None where one has no number in order."""
    sides = pair.baseline, pair.current
    n, m = (side.ordered for side in sides)
    if not n or not m:
        return None
    # Infinities are before all points and behind them.
    shares = [
        (below + side.numbers.negative_infinities).astype(np.float64) / side.ordered
        for side, below in zip(sides, pair.below, strict=True)
    ]
    baseline, current = (side.numbers for side in sides)
    first = abs(baseline.negative_infinities / n - current.negative_infinities / m)
    last = abs(baseline.positive_infinities / n - current.positive_infinities / m)
    statistic = max(float(np.abs(shares[0] - shares[1]).max(initial=0.0)), first, last)
    size = math.sqrt(n / (n + m) * m)
    return statistic, kolmogorov_tail((size + 0.12 + 0.11 / size) * statistic)


def wasserstein(pair: Pair) -> float | None:
    """The distance of the finite numbers in standard deviations of the baseline.

    None where one side has none, and where the baseline has no spread to measure by while numbers have moved.
    """
    baseline, current = pair.baseline, pair.current
    if not len(baseline.points) or not len(current.points):
        return None
    greatest = max(abs(float(pair.points[0])), abs(float(pair.points[-1])))
    # A power of two is taken out, which rounds nothing; a sixteenth leaves room for sums.
    power = -math.frexp(greatest)[1] - 4
    below, other_below = (
        counts[:-1] / side.numbers.finite
        for side, counts in zip((baseline, current), pair.below, strict=True)
    )
    distance = float(np.sum(np.abs(below - other_below) * np.diff(np.ldexp(pair.points, power))))
    if distance == 0:
        return 0.0
    spread = _std(baseline, np.ldexp(baseline.few[0], power), power)
    normed = distance / spread if spread > 0 else math.inf
    return normed if math.isfinite(normed) else None


def _std(steps: Steps, points: NDArray[np.float64], power: int) -> float:
    """The standard deviation of a sample whose points were multiplied by a power of two."""
    known = steps.numbers.std
    if known is not None and 1e-150 < known < 1e150:  # its square has neither run over nor vanished
        return math.ldexp(known * steps.scale, power)
    count = steps.numbers.finite
    weights = np.diff(steps.few[1]) / count
    mean = float(np.sum(points * weights))
    variance = float(np.sum((points - mean) ** 2 * weights))
    return math.sqrt(variance * count / (count - 1)) if count > 1 else 0.0
