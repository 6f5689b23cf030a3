"""Alerts of numbers and times: what an average would hide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mldata.checks.wording import percent
from mldata.plural import counted
from mldata.profile import summary as forms
from mldata.profile.roles import LEAST, is_integer
from mldata.profile.rules import raised
from mldata.profile.spreads import outside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.profile.profile import Alert, ColumnProfile, Spread
    from mldata.profile.summary import ColumnSummary, Numbers

__all__ = ["CLASSES", "alerts_of", "special_alerts"]

CLASSES = 10
"""Integers of so many different values are as often names of classes as numbers: their tails mean nothing."""
FAR = 10.0
"""Interquartile ranges from the quartiles to values that are extreme: of normal numbers 14 standard deviations."""
RARE = 0.01
EVEN = 0.2
"""Of the two sides of the median, up to the percentiles 5 and 95, whose difference is at most so great a part of their sum."""
SOME = 5
"""Outliers that it takes to speak of a share of them."""
DATES = (1900_01_01, 2100_12_31)
EPOCH = (631_152_000, 4_102_444_800)
"""Seconds since 1970 of the years 1990 and 2100."""
UNITS = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
PLACEHOLDERS = (-999999, -99999, -9999, -999, -99, 999, 9999, 99999, 999999)
_TIME_NAME = re.compile(r"time|date|epoch|created|updated|(^|_)ts$|_at$", re.IGNORECASE)
_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)


def alerts_of(column: ColumnSummary, told: ColumnProfile) -> Iterator[Alert]:
    """What to know of a column of numbers or times that is not constant."""
    numbers, spread = column.numbers, told.spread
    yield from special_alerts(column, told)
    if numbers is None or spread is None or numbers.finite < LEAST or told.role == "id":
        return
    if column.kind == forms.NUMERIC:
        yield from _numeric(column, told, numbers, spread)
    else:
        yield from _extreme(numbers, column.name)


def special_alerts(column: ColumnSummary, told: ColumnProfile) -> Iterator[Alert]:
    """Of values that are NaN or infinite."""
    spread, name, values = told.spread, column.name, column.values
    if spread is not None:
        nan, infinite = spread.nan, spread.infinite
        be = "is" if infinite == 1 else "are"
        yield from raised("nan", nan / values, f"{percent(nan, values)} of the values are NaN", name)
        yield from raised(
            "infinite", infinite, f"{counted(infinite, 'value')} of {values:,} {be} infinite", name
        )


def _numeric(column: ColumnSummary, told: ColumnProfile, numbers: Numbers, spread: Spread) -> Iterator[Alert]:
    """Of tails only what nothing else explains: values that stand for missing ones, zeros, a few that are far off."""
    name, count, whole = column.name, numbers.finite, is_integer(column.dtype)
    if whole:
        yield from _dates(column, numbers)
    found = (*_placeholders(column, numbers),)
    if not found and told.distinct is not None and told.distinct > (CLASSES if whole else 2):
        share = percent(spread.zeros, count)
        found = raised("zeros", spread.zeros / count, f"{share} of the numbers are zero", name)
        found = (
            found
            or _skewed(numbers, spread, name)
            or (*_extreme(numbers, name),)
            or _outliers(numbers, spread, name)
        )
    yield from found


def _skewed(numbers: Numbers, spread: Spread, name: str) -> tuple[Alert, ...]:
    """Not where a few values alone make it so, and the middle 90 % are even."""
    skew = spread.skewness or 0.0
    low, middle, high = (numbers.quantile(it) or 0.0 for it in (0.05, 0.5, 0.95))
    upper, lower = high / 2 - middle / 2, middle / 2 - low / 2
    if abs(upper - lower) < EVEN * (upper + lower) and (*_extreme(numbers, name),):
        return ()
    longer = "above" if skew > 0 else "below"
    return raised("skewed", abs(skew), f"the tail {longer} is much longer: skewness {skew:.1f}", name)


def _outliers(numbers: Numbers, spread: Spread, name: str) -> tuple[Alert, ...]:
    if spread.outliers is None or spread.outliers < SOME:
        return ()
    share = percent(spread.outliers, numbers.finite)
    told = f"{share} of the numbers are more than 1.5 interquartile ranges outside of the quartiles"
    return raised("outliers", spread.outliers / numbers.finite, told, name)


def _extreme(numbers: Numbers, name: str) -> Iterator[Alert]:
    far = outside(numbers, FAR, (numbers.quantile(0.25), numbers.quantile(0.75)))
    if far and far <= RARE * numbers.finite:
        which = f"{counted(far, 'value')} of {numbers.finite:,} {'is' if far == 1 else 'are'}"
        if numbers.rank_error:  # a point at an end may stand for its neighbours
            far, which = max(1, far - round(numbers.rank_error * numbers.finite)), "a few values are"
        told = f"{which} very far off: more than {FAR:g} interquartile ranges outside of the quartiles"
        yield from raised("extreme", far, told, name)


def _placeholders(column: ColumnSummary, numbers: Numbers) -> Iterator[Alert]:
    """-999 and the like at an end, ten times as far out as any other number, and more than once."""
    if len(numbers.points) < 3:
        return
    for end, rest in ((0, numbers.points[1:]), (-1, numbers.points[:-1])):
        value, count = float(numbers.points[end]), int(numbers.weights[end])
        others = max(abs(float(rest[0])), abs(float(rest[-1])))
        if value in PLACEHOLDERS and count > 1 and others * 10 <= abs(value):
            told = f"{value:.0f} ({counted(count, 'time')}) may stand for a missing value"
            yield from raised("placeholders", count, told, column.name)


def _dates(column: ColumnSummary, numbers: Numbers) -> Iterator[Alert]:
    points = numbers.points
    if len(points) < 5:
        return
    if points[0] >= DATES[0] and points[-1] <= DATES[1]:
        share = float(numbers.weights[_written(points)].sum() / numbers.finite)
        told = f"the numbers look like dates, such as {int(points[len(points) // 2])}"
        yield from raised("dates-in-numbers", min(share, 1.0), told, column.name)
    for scale, unit in UNITS.items():
        if (
            points[0] >= EPOCH[0] * scale
            and points[-1] <= EPOCH[1] * scale
            and _TIME_NAME.search(column.name)
        ):
            yield from raised(
                "dates-in-numbers", 1.0, f"the numbers look like {unit} since 1970", column.name
            )


def _written(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which numbers are dates written as YYYYMMDD."""
    whole = points.astype(np.int64)
    months, days = whole // 100 % 100, whole % 100
    made: NDArray[np.bool_] = (months >= 1) & (months <= 12) & (days >= 1)
    made &= days <= _DAYS[np.where(made, months, 0)]
    return made
