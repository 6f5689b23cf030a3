"""Ticks of times as people read them: ISO 8601 for dates, times and timestamps, seconds for durations.

A tick is what Arrow stores: a count of the type's unit since 1970-01-01T00:00:00Z, since midnight, or of a duration. Invariant: different ticks of one type have
different texts, the same whatever the time zone or locale; timestamps of a time zone are told in UTC, with a ``Z``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

__all__ = ["told_ticks"]

_PARTS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_NOT_A_TIME = -(1 << 63)
"""What NumPy takes for no time at all."""


def told_ticks(ticks: Sequence[int], kind: pa.DataType) -> list[str]:
    """Texts of ticks of an Arrow type that is temporal and no interval."""
    if pt.is_duration(kind):
        return [f"{_seconds(tick, kind.unit)} s" for tick in ticks]
    if pt.is_time(kind):
        return [_clock(tick, kind.unit) for tick in ticks]
    unit = "D" if pt.is_date32(kind) else "ms" if pt.is_date64(kind) else kind.unit
    words = np.datetime_as_string(np.array(ticks, np.int64).view(f"M8[{unit}]")).tolist()
    zone = "Z" if pt.is_timestamp(kind) and kind.tz is not None else ""
    return [
        f"{_short(word, pt.is_date(kind))}{zone}" if tick != _NOT_A_TIME else f"{tick} {unit}"
        for tick, word in zip(ticks, words, strict=True)
    ]


def _short(word: str, date: bool) -> str:
    """Without zeros at the end of the seconds; of a date without midnight."""
    if "." in word:
        word = word.rstrip("0").rstrip(".")
    return word.removesuffix("T00:00:00") if date else word


def _seconds(tick: int, unit: str) -> str:
    parts = _PARTS[unit]
    whole, rest = divmod(abs(tick), parts)
    fraction = f".{rest:0{len(str(parts)) - 1}d}".rstrip("0").rstrip(".") if rest else ""
    return f"{'-' if tick < 0 else ''}{whole}{fraction}"


def _clock(tick: int, unit: str) -> str:
    """``HH:MM:SS``, and the fraction of a second if there is one."""
    parts = _PARTS[unit]
    minutes, _ = divmod(tick // parts, 60)
    hours, minute = divmod(minutes, 60)
    second = _seconds(tick - minutes * 60 * parts, unit)
    return f"{hours:02d}:{minute:02d}:{'0' if len(second.partition('.')[0]) < 2 else ''}{second}"
