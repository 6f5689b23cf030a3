"""Ticks are told as ISO 8601, in any unit and however far from today."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from mldata.profile.clocks import clock_of

TOLD = [
    (pa.date32(), 19849, "2024-05-06"),
    (pa.date32(), 19849.4, "2024-05-06"),
    (pa.date32(), -719528, "0000-01-01"),
    (pa.date32(), 10_000_000, "29349-01-26"),
    (pa.date64(), 19849 * 86_400_000, "2024-05-06"),
    (pa.timestamp("s"), 1714979289, "2024-05-06T07:08:09"),
    (pa.timestamp("ms"), -1, "1969-12-31T23:59:59.999"),
    (pa.timestamp("ns", "Europe/Berlin"), 1714979289_500_000_000, "2024-05-06T07:08:09.5Z"),
    (pa.timestamp("ns"), 2**63 - 1, "2262-04-11T23:47:16.854775807"),
    (pa.timestamp("us"), 1.5, "1970-01-01T00:00:00.000002"),
    (pa.time32("s"), 25689, "07:08:09"),
    (pa.time64("ns"), 1, "00:00:00.000000001"),
    (pa.time64("us"), 86_400_000_000, "24:00:00"),
    (pa.duration("ms"), 3500, "3.5 s"),
    (pa.duration("us"), -1, "-0.000001 s"),
    (pa.duration("s"), 10, "10 s"),
    (pa.dictionary(pa.int8(), pa.timestamp("s", "UTC")), 0, "1970-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("kind", "ticks", "told"), TOLD)
def test_ticks_are_told(kind: pa.DataType, ticks: float, told: str) -> None:
    """Dates, timestamps in UTC, times of day and durations; fractions of a tick are rounded."""
    clock = clock_of(str(kind))
    assert clock is not None and clock.tell(ticks) == told


def test_what_is_no_time_has_no_clock() -> None:
    """Numbers are told as they are, and no time is what is not finite."""
    assert clock_of("int64") is None and clock_of("list<item: timestamp[s]>") is None
    clock = clock_of("timestamp[s]")
    assert clock is not None and clock.tell(math.nan) is None and clock.tell(math.inf) is None


def test_seconds_of_a_tick() -> None:
    """Standard deviations of times are in seconds."""
    for kind, seconds in ((pa.date32(), 86_400), (pa.date64(), 0.001), (pa.duration("us"), 1e-6)):
        clock = clock_of(str(kind))
        assert clock is not None and clock.seconds == pytest.approx(seconds)
