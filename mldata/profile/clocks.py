"""Times as people read them: ticks of an Arrow type told as ISO 8601, whatever their unit and however far from today.

================  =====================================================================================================
type              text
================  =====================================================================================================
date              ``2024-05-06``
timestamp         ``2024-05-06T07:08:09.5``, without zeros at the end of a fraction
with a zone       the instant in UTC (``2024-05-06T07:08:09Z``): what is told does not depend on a time zone database
time of day       ``07:08:09.5``
duration          seconds as a decimal number: ``3.5 s``
================  =====================================================================================================

The calendar is the proleptic Gregorian one; the year before 0001 is 0000, and years beyond 9999 have as many digits as they need.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Clock", "clock_of", "told_ticks"]

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAY = 86_400
_TYPE = re.compile(
    r"(?:dictionary<values=)?(timestamp|date32|date64|time32|time64|duration)\[(day|s|ms|us|ns)(?:, tz=([^\]]*))?\]"
)


@dataclass(frozen=True)
class Clock:
    """How the ticks of a column of times are told."""

    type: str
    """``date``, ``timestamp``, ``time`` or ``duration``."""
    ticks: int
    """A second; of dates, which may have less than one: a day."""
    zoned: bool = False

    @property
    def seconds(self) -> float:
        """Of one tick."""
        return (DAY if self.type == "date" else 1) / self.ticks

    def tell(self, value: int | float) -> str | None:
        """A number of ticks since the epoch, since midnight, or as long; rounded to whole ones (to even), of dates to whole days.
        None: it is not finite."""
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if self.type == "date":
            return _date(round(value / self.ticks) if self.ticks > 1 else round(value))
        ticks = round(value)
        if self.type == "duration":
            whole, part = divmod(abs(ticks), self.ticks)
            return f"{'-' if ticks < 0 else ''}{whole}{_fraction(part, self.ticks)} s"
        seconds, part = divmod(ticks, self.ticks)
        days, second = divmod(seconds, DAY)
        time = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}{_fraction(part, self.ticks)}"
        if self.type == "time":
            return time if days == 0 else f"24:00:00{_fraction(part, self.ticks)}" if seconds == DAY else None
        return f"{_date(days)}T{time}{'Z' if self.zoned else ''}"


def clock_of(dtype: str) -> Clock | None:
    """Of a type as Arrow writes it, also of a dictionary of one. None: it is no time."""
    found = _TYPE.match(dtype)
    if found is None:
        return None
    kind, unit, zone = found.groups()
    if kind.startswith("date"):
        return Clock("date", 1 if unit == "day" else DAY * PER_SECOND[unit])
    return Clock(kind.rstrip("0123456789"), PER_SECOND[unit], bool(zone))


def told_ticks(ticks: Iterable[int], kind: pa.DataType) -> list[str]:
    """Texts of ticks of an Arrow type that is temporal: different ones have different texts.

    What is no value of its type (a date64 within a day, a time of day beyond its day) is told by its ticks.
    """
    clock = clock_of(str(kind))
    if clock is None:
        return [str(tick) for tick in ticks]
    told = []
    for tick in ticks:
        text = clock.tell(tick) if clock.type != "date" or tick % clock.ticks == 0 else None
        told.append(f"{tick} {kind}" if text is None else text)
    return told


def _fraction(part: int, ticks: int) -> str:
    """Of a second."""
    return f".{part:0{len(str(ticks)) - 1}}".rstrip("0") if part else ""


def _date(days: int) -> str:
    """Days since 1970-01-01."""
    return str(np.datetime64(days, "D"))
