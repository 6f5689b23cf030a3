"""Ticks as people read them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from mldata.drift.times import clock_of, write_ticks


@pytest.mark.parametrize(
    ("kind", "tick", "text"),
    [
        (pa.date32(), 19_723.0, "2024-01-01"),
        (pa.date32(), 19_723.4, "2024-01-01"),
        (pa.date32(), 19_723.9, "2024-01-01"),
        (pa.date32(), -0.1, "1969-12-31"),
        (pa.timestamp("s"), 1_704_067_200.0, "2024-01-01"),
        (pa.timestamp("ms", "UTC"), 1_704_112_200_250.0, "2024-01-01T12:30:00.25"),
        (pa.timestamp("us"), -1.0, "1969-12-31T23:59:59.999999"),
        (pa.timestamp("s"), 1e30, "1e+30"),
        (pa.time32("s"), 45_000.0, "12:30"),
        (pa.time64("ns"), 0.0, "00:00"),
        (pa.duration("ms"), 3500.0, "3.5 s"),
        (pa.duration("s"), -86_400.0, "-86400 s"),
        (pa.duration("ns"), 86_400_000_000_009.0, "86400.000000009 s"),
        (pa.dictionary(pa.int8(), pa.date32()), 0.0, "1970-01-01"),
    ],
)
def test_ticks_are_written(kind: pa.DataType, tick: float, text: str) -> None:
    """A tick is told as the date, the time or the seconds that it is, without zeros that say nothing."""
    clock = clock_of(str(kind))
    assert clock is not None
    assert write_ticks(clock)([tick]) == [text]


def test_what_is_no_time_has_no_clock() -> None:
    """Other types have none."""
    assert clock_of("int64") is None
