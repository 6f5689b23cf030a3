"""Points in time at which one part ends and the next begins: as written in a spec, and as the stored numbers of a column.

A row at a cut is in the later part. Numbers are what Arrow stores: a whole number itself, days (date32), milliseconds
(date64), or units since 1970 in UTC (timestamp with zone) or by the wall clock (without).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Cut", "UnfitCut", "cut_number", "nearest_edges", "parse_cut"]

Cut = int | datetime
"""A datetime without an offset is by the clock of the column."""

_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_OFFSET = re.compile(r"([-+])([0-9]{2}):?([0-9]{2})")
_TICKS = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}
_DAY = 86_400 * 10**6
"""In microseconds."""


class UnfitCut(ValueError):
    """A cut that says nothing about a column's type. Its text says what would."""


def parse_cut(text: str) -> Cut | None:
    """A whole number, ``2024-01-31``, or ``2024-01-31T12:30`` with seconds and an offset if need be; None if it is neither."""
    if _NUMBER.fullmatch(text):
        return int(text)
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def cut_number(cut: Cut, kind: pa.DataType) -> int:
    """The least stored number of a column of type ``kind`` that is not before ``cut``. Raises :class:`UnfitCut`."""
    import pyarrow.types as pt

    if pt.is_integer(kind):
        if isinstance(cut, datetime):
            raise UnfitCut(f"expected a whole number, as the column has, found {cut.isoformat()}")
        return cut
    if not isinstance(cut, datetime):
        raise UnfitCut(f"expected a date such as 2024-01-31, found {cut}")
    zone = kind.tz if pt.is_timestamp(kind) else None
    if cut.tzinfo is not None and zone is None:
        raise UnfitCut(f"expected a time without an offset, as the column has, found {cut.isoformat()}")
    if zone is not None:
        local = cut if cut.tzinfo is not None else cut.replace(tzinfo=_zone(zone))
        try:
            cut = local.astimezone(UTC)
        except OverflowError:
            raise UnfitCut(f"expected a time that the column can have, found {cut.isoformat()}") from None
    micros = (cut.replace(tzinfo=None) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    if pt.is_date32(kind):
        return -(-micros // _DAY)
    if pt.is_date64(kind):  # whole days, in milliseconds
        return -(-micros // _DAY) * 86_400_000
    number = -(-micros * _TICKS[kind.unit] // 10**6)
    if not -(1 << 63) <= number < 1 << 63:
        raise UnfitCut(f"expected a time that the column can have, found {cut.isoformat()}")
    return number


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if found := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UnfitCut(
            f"expected a time with an offset: this machine does not know the zone {name}"
        ) from None


def nearest_edges(counts: NDArray[np.int64], edges: Sequence[int]) -> list[int]:
    """For each of ``edges`` (a number of rows) how many of the first times come before it, so that each time stays whole.

    The rows before are as near to the edge as can be, and so off by at most half the rows of the time that the edge falls
    into; the smaller number where two are as near.

    Args:
        counts: rows of each time, in order of time.
    """
    import numpy as np

    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    places = np.searchsorted(before, edges)
    return [
        int(place - 1 if place and edge - before[place - 1] <= before[place] - edge else place)
        for edge, place in zip(edges, places, strict=True)
    ]
