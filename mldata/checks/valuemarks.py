"""What is odd about a number or a time by itself: no number, infinite, a date that stands for none.

Invariant: whether a value has a mark depends on the value alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["STAND_INS", "is_time", "number_marks", "time_marks"]

STAND_INS = (
    "1753-01-01",  # the first day of SQL Server's datetime
    "1899-12-30",  # day 0 of spreadsheets
    "1899-12-31",
    "1900-01-01",
    "1970-01-01",  # 0 of Unix time
    "2038-01-19T03:14:07",  # the last second of 32 bits
)
"""Moments that programs write where they have none."""
EARLIEST, LATEST = "1000-01-01", "2200-01-01"
"""Before the first, and from the second on, a date is one of year 1 or 9999, or a slip of the pen."""


def is_time(kind: pa.DataType) -> bool:
    """Whether a column has dates or points in time."""
    return bool(pt.is_date(kind) or pt.is_timestamp(kind))


def number_marks(column: pa.Array) -> Iterator[tuple[str, Mask]]:
    """``infinite`` and ``nan`` values of a column of floating-point numbers."""
    if pt.is_float16(column.type):
        column = column.cast(pa.float32())
    yield "infinite", _mask(pc.is_inf(column))
    yield "nan", _mask(pc.is_nan(column))


def time_marks(column: pa.Array) -> Iterator[tuple[str, Mask]]:
    """``stand-in`` and ``far-date`` values of a column of times, by its stored clock (UTC where it has a zone)."""
    kind = column.type
    unit = "D" if pt.is_date32(kind) else "ms" if pt.is_date64(kind) else kind.unit
    numbers = np.asarray(pc.fill_null(column.view(pa.int32() if kind.bit_width == 32 else pa.int64()), 0))
    valid = np.asarray(column.is_valid())
    stand_in = np.zeros(len(column), np.bool_)
    for moment in STAND_INS:
        at = np.datetime64(moment, "s")
        if unit == "D" and at.astype("M8[D]").astype("M8[s]") != at:
            continue
        stand_in |= numbers == _stored(moment, unit)
    yield "stand-in", stand_in & valid
    yield "far-date", ((numbers < _stored(EARLIEST, unit)) | (numbers >= _stored(LATEST, unit))) & valid


def _stored(moment: str, unit: str) -> int:
    """A moment in a column's unit; one that nanoseconds cannot tell is the end of their range."""
    seconds = int(np.datetime64(moment, "s").astype(np.int64))
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    number = seconds // 86_400 if unit == "D" else seconds * ticks[unit]
    return max(-(2**63), min(number, 2**63 - 1))


def _mask(found: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(found, False))
