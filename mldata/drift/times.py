"""Times of two columns on one clock: ticks of the finer unit of both, and ticks as people read them.

The unit stands in the name of an Arrow type: ``date32[day]``, ``timestamp[us, tz=UTC]``, ``time64[ns]``, ``duration[s]``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

__all__ = ["Clock", "clock_of", "write_ticks"]

_TICKS = {"day": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
"""In a day."""
_TYPE = re.compile(r"(date(?:32|64)|timestamp|time(?:32|64)|duration)\[(day|s|ms|us|ns)(?:, tz=([^]]*))?\]")


class Clock(NamedTuple):
    """How the ticks of a column are read."""

    kind: str
    """``instant`` (dates and timestamps), ``time`` of day or ``duration``: only the same are comparable."""
    unit: str
    zoned: bool
    """Ticks of UTC; else of whichever place the clock was at."""

    @property
    def per_day(self) -> int:
        """Ticks in a day."""
        return _TICKS[self.unit]


def clock_of(dtype: str) -> Clock | None:
    """The clock of an Arrow type, or of what a dictionary of such stands for; None: it is none of these."""
    found = _TYPE.search(dtype)
    if found is None:
        return None
    name, unit, zone = found.groups()
    kind = "instant" if name in ("date32", "date64", "timestamp") else name.rstrip("0123456789")
    return Clock(kind, unit, zone is not None)


def write_ticks(clock: Clock) -> Callable[[list[float]], list[str]]:
    """How ticks of a clock are written: instants as ISO 8601, times of day as ``12:30``, durations as ``3.5 s``.

    What is between two ticks is told as the first of them: as far as that a bin holds values that ends there. Ticks that a 64-bit clock does not have are
    told as a number.
    """
    texts = {"instant": _instant, "time": _time, "duration": _duration}
    write = texts[clock.kind]
    return lambda ticks: [
        write(math.floor(tick), clock) if abs(tick) < 2**63 else f"{tick:.6g}" for tick in ticks
    ]


def _duration(tick: int, clock: Clock) -> str:
    seconds = Decimal(tick) / (clock.per_day // _TICKS["s"])
    return f"{seconds:f} s"


def _time(tick: int, clock: Clock) -> str:
    return _instant(tick, clock).partition("T")[2] or "00:00"


def _instant(tick: int, clock: Clock) -> str:
    """Without what is 0 at its end."""
    import numpy as np

    unit = "D" if clock.unit == "day" else clock.unit
    day, _, time = str(np.array(tick, f"M8[{unit}]")).partition("T")
    if "." in time:
        time = time.rstrip("0").rstrip(".")
    time = time.removesuffix(":00")
    return day if time in ("", "00:00") else f"{day}T{time}"
