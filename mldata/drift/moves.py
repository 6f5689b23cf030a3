"""What has moved, in words: of each column that drifted the few changes that explain most of it.

Numbers are told by mean and standard deviation; where outliers have the mean outside of the middle half of the values, by median and interquartile range, which they do
not move. Of categories and words those are told whose share adds most to the PSI.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mldata.drift.bins import MISSING, NAN, OTHER, UNSEEN
from mldata.drift.times import clock_of, write_ticks
from mldata.drift.wording import change, shares, sizes
from mldata.errors import brief
from mldata.profile.summary import TIME

if TYPE_CHECKING:
    from mldata.drift.report import Bin, ColumnDrift
    from mldata.profile.summary import ColumnSummary, Numbers

__all__ = ["moves"]

SPECIAL = (MISSING, NAN, UNSEEN)
"""Bins of what is no value; told by their names."""
MOST = 3
"""Bins that are told."""
VISIBLE = 0.005
"""A change of a share that is worth a word."""
LABEL = 40
"""Characters of a value that is told."""
SHIFT, WIDER = 0.1, (0.8, 1.25)
"""A change of the middle, in spreads of the baseline, and of the spread, as a factor, that is worth a word."""
PART = 0.05
"""Of what the bin adds to the PSI that adds most, what one has to add to be told."""
MEASURED = {"numeric": "", "list": "length: ", "binary": "size: "}
"""Kinds that are told by numbers, and of what these are."""
DAYS = 3
"""Instants that are further apart than that are told by their days."""


def moves(column: ColumnDrift, before: ColumnSummary, after: ColumnSummary) -> Iterator[str]:
    """What has moved in one column, what tells most first; nothing of what cannot be compared."""
    if column.facets:
        yield from _text(column, before, after)
    elif before.numbers is not None and after.numbers is not None and column.kind in MEASURED:
        yield from _told(column.bins, _numbers(before.numbers, after.numbers, MEASURED[column.kind]))
    elif before.numbers is not None and after.numbers is not None and column.kind == TIME:
        yield from _told(column.bins, _times(before, after))
    else:
        yield from _told(column.bins)


def _text(column: ColumnDrift, before: ColumnSummary, after: ColumnSummary) -> Iterator[str]:
    lengths = column.facets.get("length")
    if lengths is not None and lengths.drift_detected and before.texts and after.texts:
        yield from _told(lengths.bins, _numbers(before.texts.lengths, after.texts.lengths, "length: "))
    for name in ("values", "words"):
        if (facet := column.facets.get(name)) is not None and facet.drift_detected:
            yield from _told(facet.bins, of=name)


def _told(bins: Sequence[Bin], measured: str = "", *, of: str = "") -> Iterator[str]:
    """What no value is and adds as much as all values first.

    Args:
        measured: what is told of values instead of their bins.
        of: what the bins of a text are of, ``values`` or ``words``.
    """
    told = _shares(bins)
    special = _visible([it for it in bins if it.label in SPECIAL], bins)
    # That fewer rows have a value moves none of the values.
    present = [it for it in bins if it.label not in (MISSING, NAN)]
    values = _visible([it for it in present if it.label != UNSEEN], present)
    others = sum(it.psi for it in values)
    # Rounded, so that which of two equals comes first is told by their labels.
    first = [it for it in special if round(it.psi - others, 9) >= 0]
    yield from (f"{it.label[1:-1]} {shares(*told[it])}" for it in first)
    if measured:
        yield measured
    else:
        least = PART * max((it.psi for it in bins), default=0.0)
        ranked = sorted(
            (it for it in values if it.psi >= least), key=lambda it: (-round(it.psi, 9), it.label)
        )
        for it in ranked[:MOST]:
            label = brief(it.label, LABEL)
            if of:
                label = f"other {of}" if it.label == OTHER else repr(label)
            yield f"{label}: {shares(*told[it])}"
    yield from (f"{it.label[1:-1]} {shares(*told[it])}" for it in special if it not in first)


def _shares(bins: Sequence[Bin]) -> dict[Bin, tuple[float, float]]:
    """Of each bin its share of both sides."""
    before, after = sizes(bins)
    return {it: (it.baseline / before, it.current / after) for it in bins}


def _visible(some: Sequence[Bin], among: Sequence[Bin]) -> list[Bin]:
    """The bins whose share among others has changed so far that it is worth a word; none where a side has no others."""
    if not all(any(counts) for counts in zip(*((it.baseline, it.current) for it in among), strict=True)):
        return []
    told = _shares(among)
    return [it for it in some if abs(told[it][1] - told[it][0]) >= VISIBLE]


def _numbers(before: Numbers, after: Numbers, what: str) -> str:
    """How middle and spread have moved; nothing where they have not."""
    if before.mean is None or after.mean is None:
        return ""
    (low, median, high), (later_low, later_median, later_high) = _quartiles(before), _quartiles(after)
    name, middle = "mean", (before.mean, after.mean)
    spread, wide = "std", (before.std or 0.0, after.std or 0.0)
    within = low <= before.mean <= high and later_low <= after.mean <= later_high
    if not (within and all(map(math.isfinite, wide))):
        name, middle = "median", (median, later_median)
        spread, wide = "IQR", (high - low, later_high - later_low)
    told = []
    least = SHIFT * wide[0] if math.isfinite(wide[0]) else 0.0
    if abs(middle[1] - middle[0]) > least:
        told.append(f"{name} {change(*middle)}")
    if all(map(math.isfinite, wide)) and not WIDER[0] * wide[0] <= wide[1] <= WIDER[1] * wide[0]:
        told.append(f"{spread} {change(*wide)}")
    return what + ", ".join(told) if told else ""


def _times(before: ColumnSummary, after: ColumnSummary) -> str:
    """How the median of times has moved; nothing where it has not."""
    clocks = [clock_of(side.dtype) for side in (before, after)]
    if (
        before.numbers is None
        or after.numbers is None
        or not before.numbers.finite
        or not after.numbers.finite
    ):
        return ""
    days, told = [], []
    for clock, numbers in zip(clocks, (before.numbers, after.numbers), strict=True):
        if clock is None:
            return ""
        low, middle, high = _quartiles(numbers)
        days.append((middle / clock.per_day, (high - low) / clock.per_day))
        told.append(write_ticks(clock)([middle])[0])
    moved = abs(days[1][0] - days[0][0])
    if moved <= SHIFT * days[0][1]:
        return ""
    if moved > DAYS:
        told = [text.partition("T")[0] for text in told]
    return f"median {told[0]} → {told[1]}"


def _quartiles(numbers: Numbers) -> tuple[float, float, float]:
    low, middle, high = (numbers.quantile(share) for share in (0.25, 0.5, 0.75))
    assert low is not None and middle is not None and high is not None  # it has a mean, so a number
    return low, middle, high
