"""How numbers are spread, for people: moments, percentiles, outliers and a histogram of what is known of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mldata.profile.histograms import histogram_of, recount
from mldata.profile.profile import Spread

if TYPE_CHECKING:
    from mldata.profile.clocks import Clock
    from mldata.profile.summary import Numbers, Value

__all__ = ["FENCE", "PERCENTILES", "kurtosis", "outside", "skewness", "spread_of"]

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
FENCE = 1.5
"""Interquartile ranges from the quartiles to Tukey's inner fences ("Exploratory Data Analysis", 1977)."""


def spread_of(numbers: Numbers, clock: Clock | None = None, like: Spread | None = None) -> Spread:
    """What is told of some numbers.

    Args:
        clock: tells ticks of times.
        like: its histogram's bins are taken instead of own ones.
    """
    percentiles = {it: numbers.quantile(it / 100) for it in PERCENTILES}
    if like is None:
        histogram = histogram_of(numbers, percentiles, clock)
    else:
        histogram = recount(numbers, like.histogram) if like.histogram is not None else None
    std = _std(numbers)
    return Spread(
        _told(numbers.minimum, clock),
        _told(numbers.maximum, clock),
        _told(numbers.mean, clock),
        std * clock.seconds if std is not None and clock is not None else std,
        skewness(numbers),
        kurtosis(numbers),
        {str(it): _told(value, clock) for it, value in percentiles.items()},
        numbers.percentile_error,
        numbers.zeros,
        numbers.negatives,
        numbers.nan,
        numbers.positive_infinities + numbers.negative_infinities,
        outside(numbers, FENCE, (percentiles[25], percentiles[75])),
        histogram,
        numbers.rank_error,
    )


def _std(numbers: Numbers) -> float | None:
    """Where the squares of distances are below what a double holds it is not known, and not 0."""
    lost = numbers.central[0] == 0 and numbers.minimum != numbers.maximum
    return _finite(numbers.std) if not lost else None


def skewness(numbers: Numbers) -> float | None:
    """G1 = sqrt(n(n-1)) / (n-2) * m3 / m2**1.5, as pandas has it. None: of fewer than three numbers, or of equal ones."""
    count, (second, third, _) = numbers.finite, numbers.central
    if count < 3 or not _spread_out(numbers):
        return None
    return _finite(_divided(third * count * math.sqrt(count - 1), (count - 2) * second, math.sqrt(second)))


def kurtosis(numbers: Numbers) -> float | None:
    """G2 = (n-1) / ((n-2)(n-3)) * ((n+1) * m4 / m2**2 - 3(n-1)), as pandas has it. None: of fewer than four numbers, or of equal ones."""
    count, (second, _, fourth) = numbers.finite, numbers.central
    if count < 4 or not _spread_out(numbers):
        return None
    moment = _finite(_divided(count * fourth, second, second))
    if moment is None:
        return None
    return _finite((count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * moment - 3 * (count - 1)))


def outside(numbers: Numbers, fence: float, quartiles: tuple[float | None, float | None]) -> int | None:
    """Numbers more than ``fence`` interquartile ranges below the first quartile or above the third. None: half of them and more are equal, so
    that there is no such range, or there are none."""
    first, third = quartiles
    if first is None or third is None or first == third:
        return None
    reach = fence * (third - first)
    inside = (
        np.searchsorted(numbers.points, first - reach),
        np.searchsorted(numbers.points, third + reach, "right"),
    )
    return int(numbers.finite - numbers.ends[inside[1]] + numbers.ends[inside[0]])


def _spread_out(numbers: Numbers) -> bool:
    """Whether numbers differ by more than what rounding makes of equal ones."""
    if numbers.minimum == numbers.maximum or numbers.mean is None or not math.isfinite(numbers.mean):
        return False
    rounding = abs(numbers.mean) * float(np.finfo(np.float64).eps)
    return math.isfinite(numbers.central[0]) and math.sqrt(numbers.central[0] / numbers.finite) > rounding


def _divided(number: float, *divisors: float) -> float | None:
    for divisor in divisors:
        if divisor == 0:
            return None
        number /= divisor
    return number


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _told(value: int | float | None, clock: Clock | None) -> Value | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if clock is None else clock.tell(value)
