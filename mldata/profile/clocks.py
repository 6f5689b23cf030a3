"""How what is told of times is told: ticks, also parts of one, as :mod:`mldata.profile.times` has them. Types come as Arrow writes them, or as they are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from mldata.profile.times import told_ticks

__all__ = ["Clock", "clock_of"]

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAY = 86_400
MOST = (1 << 63) - 1
_TYPE = re.compile(
    r"(?:dictionary<values=)?(timestamp|date32|date64|time32|time64|duration)\[(day|s|ms|us|ns)(?:, tz=([^\]]*))?\]"
)


@dataclass(frozen=True)
class Clock:
    """Tells the ticks of a column of times."""

    kind: pa.DataType

    @property
    def seconds(self) -> float:
        """Of one tick."""
        if pt.is_date(self.kind):
            return DAY if pt.is_date32(self.kind) else 1 / PER_SECOND["ms"]
        return 1 / PER_SECOND[self.kind.unit]

    def tell(self, value: int | float) -> str | None:
        """A number of ticks. One that is no integer is rounded to a whole tick (to even), of dates to a whole day. None: it is not finite."""
        if isinstance(value, float):
            if not math.isfinite(value):
                return None
            step = DAY * PER_SECOND["ms"] if pt.is_date64(self.kind) else 1
            value = round(value / step) * step
        return told_ticks([max(-MOST, min(MOST, value))], self.kind)[0]


def clock_of(dtype: str) -> Clock | None:
    """Of a type as Arrow writes it, also of a dictionary of one. None: it is no time."""
    found = _TYPE.match(dtype)
    if found is None:
        return None
    name, unit, zone = found.groups()
    if name == "timestamp":
        return Clock(pa.timestamp(unit, zone))
    return Clock(getattr(pa, name)() if name.startswith("date") else getattr(pa, name)(unit))
