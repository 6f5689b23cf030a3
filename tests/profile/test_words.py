"""What is said in a few words is right, short, and harmless."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.profile.profile import ColumnProfile, Duplicates
from mldata.profile.statistics import make_profile
from mldata.profile.summarize import summarize
from mldata.profile.summary import Value
from mldata.profile.words import (
    bars,
    described,
    distinct_text,
    duplicates_text,
    glimpse,
    name_text,
    number,
    percent,
    short_type,
    spark,
    teller,
    value_text,
)
from mldata.profiling import Summaries


def column(values: pa.Array) -> ColumnProfile:
    """The profile of one column."""
    table = pa.table({"x": values})
    return make_profile("t", "tabular", Summaries(summarize(table)), schema=table.schema).columns[0]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (0.0004, "<0.1%"), (0.5, "50%"), (0.1234, "12.3%"), (0.99999, "99.9%"), (1.0, "100%")],
)
def test_percent(share: float, text: str) -> None:
    """A share is never told as nothing or all unless it is."""
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2007, "2007"),
        (1_234_567, "1,234,567"),
        (10**30, "1e+30"),
        (-1_234_567_890_123, "-1.235e+12"),
        (43.92193, "43.92"),
        (12345.678, "12,346"),
        (1e-9, "1e-09"),
        (0.0, "0"),
        (True, "true"),
        (None, ""),
        ("2020-01-01T00:00:00", "2020-01-01"),
        ("2020-01-01T12:30:00", "2020-01-01 12:30:00"),
        ("2020-01-01 00:00:00.000000", "2020-01-01"),
        ("3.5 s", "3.5 s"),
    ],
)
def test_number(value: Value | None, text: str) -> None:
    """Four digits are enough, whole numbers are whole, and a midnight is a day."""
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", '""'),
        (" a", '" a"'),
        ("a\nb", "a b"),
        ("x" * 99, "x" * 21 + "..."),
        ("\x1b[2J", "\ufffd[2J"),
        (5, "5"),
        (1_600_000_001, "1,600,000,001"),
        (10**30, "1e+30"),
    ],
)
def test_value_text(value: Value, text: str) -> None:
    """A value is on one line, and where it ends can be seen."""
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.5, 2.0], ["1.5", "2"]),
        ([1_600_000_000, 1_600_059_000], ["1,600,000,000", "1,600,059,000"]),
        ([1.6e9, 1.6e9 + 0.25], ["1,600,000,000", "1,600,000,000.25"]),
        ([0.100001, 0.100002], ["0.100001", "0.100002"]),
        ([2**63 - 2, 2**63 - 1], ["9,223,372,036,854,775,806", "9,223,372,036,854,775,807"]),
        ([7, 7, None], ["7", "7", ""]),
        (["2024-01-01T00:00:00", "2024-01-02T00:00:00"], ["2024-01-01", "2024-01-02"]),
    ],
)
def test_different_numbers_look_different(values: list[Value | None], told: list[str]) -> None:
    """Where four digits are too few to tell numbers apart there are more of them, and else not."""
    assert list(map(teller(values), values)) == told


@settings(max_examples=60)
@given(st.sets(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**40), 10**40), max_size=9))
def test_no_two_numbers_look_alike(values: set[float]) -> None:
    """That goes for all numbers that a column can have."""
    assert len(set(map(teller(values), values))) == len(values)


def test_names_that_would_not_be_seen() -> None:
    """A name without a letter, or with spaces around it, is in quotes."""
    assert [name_text(name) for name in ("", " a", "a b", "a\nb")] == ['""', '" a"', "a b", "a b"]


@pytest.mark.parametrize(
    ("dtype", "short"),
    [("timestamp[us, tz=UTC]", "timestamp"), ("list<item: int64>", "list"), ("int64", "int64")],
)
def test_short_type(dtype: str, short: str) -> None:
    """A type without its parameters."""
    assert short_type(dtype) == short


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (pa.array([1.5, 2.5, 10.0]), "mean 4.667, median 2.5, 1.5 to 10"),
        (pa.array(["a", "b", "a", "a"] * 10), "a 75%, b 25%"),
        (pa.array([None, None], pa.int64()), "no values but nulls"),
        (pa.array([], pa.string()), "no values"),
        (pa.array(["same"] * 5), "always same"),
        (pa.array([0] * 5, pa.timestamp("us")), "always 1970-01-01"),
        (
            pa.array([1_600_000_000, 1_600_059_000]),
            "mean 1,600,029,500, median 1,600,029,500, 1,600,000,000 to 1,600,059,000",
        ),
        (pa.array([1_600_000_001] * 5), "always 1,600,000,001"),
        (pa.array([True, False, True, True]), "true 75%, false 25%"),
        (pa.array([[1], [1, 2, 3]]), "1 to 3 elements, mean 2"),
        (pa.array([[1], [2]]), "1 element"),
        (pa.array([b"ab", b"abcd"]), "2 to 4 bytes, mean 3"),
        (pa.array([float("inf"), float("nan")]), "no finite number"),
        (
            pa.array([0, 86_400 * 10**6 * 40], pa.timestamp("us")),
            "1970-01-01 to 1970-02-10, median 1970-01-21",
        ),
    ],
)
def test_described(values: pa.Array, told: str) -> None:
    """Each kind of column is told by what matters of it."""
    assert described(column(values))[0] == told


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Duplicates(0, 0.0), "no duplicate rows"),
        (Duplicates(1, 0.25), "1 duplicate row (25%)"),
        (Duplicates(0, 0.0, 0.01), "0 to 3% duplicate rows"),
        (Duplicates(20_000, 0.01, 0.01), "0 to 4% duplicate rows"),
        (Duplicates(596_560, 0.497, 0.008), "~597,000 duplicate rows (49.7%)"),
        (Duplicates(500_000, 0.25, 0.01), "~500,000 duplicate rows (25%)"),
    ],
)
def test_duplicates(found: Duplicates, text: str) -> None:
    """An estimate is never told as if rows had been counted, nor as some rows where there may be none."""
    assert duplicates_text(found) == text


def test_distinct_values() -> None:
    """They are counted to the last where that is known, and told with three digits where it is not."""
    found = column(pa.array([1, 2, 3]))
    assert distinct_text(found) == "3"
    assert distinct_text(replace(found, distinct=863_439, distinct_error=0.01)) == "~863,000"
    assert distinct_text(replace(found, distinct=863_439)) == "863,439"
    assert distinct_text(replace(found, distinct=12_345_678)) == "12.3M"
    assert distinct_text(replace(found, distinct=None)) == ""


def test_counts_that_may_be_too_low() -> None:
    """A share of a count that is not exact is marked."""
    found = replace(column(pa.array(["a", "b"] * 10)), top_over=1)
    assert described(found)[0] == "a ~50%, b ~50%"


def test_parts_are_told_alike() -> None:
    """Categories of a part are those that are frequent in the whole, also where it has none of them."""
    whole, part = column(pa.array(["a", "b"] * 20)), column(pa.array(["b"] * 10))
    assert glimpse(part, whole)[0] == "a 0%, b 100%"
    assert glimpse(whole, whole)[-1] == "a 50%"


@settings(max_examples=60)
@given(st.lists(st.integers(0, 10**12), max_size=40), st.integers(1, 20), st.booleans())
def test_sparks(counts: list[int], most: int, ascii_only: bool) -> None:
    """There is a bar for each count as far as there is room, the highest is full, and only what is empty looks empty."""
    told = spark(counts, most, ascii_only=ascii_only)
    assert len(told) == min(len(counts), most)
    assert not ascii_only or told.isascii()
    if any(counts):
        assert max(told, key=("  .:-=+*#@" if ascii_only else " ▁▂▃▄▅▆▇█").index) == (
            "@" if ascii_only else "█"
        )
    if len(counts) <= most:
        assert [bar == " " for bar in told] == [count == 0 for count in counts]


def test_bars_of_a_number_keep_its_shape() -> None:
    """Two humps stay two humps in eight bars."""
    values = pa.array([float(n % 10) for n in range(500)] + [float(90 + n % 10) for n in range(500)])
    told = spark(bars(column(values), 8), 8)
    assert told[0] == told[-1] == "█" and set(told[1:-1]) == {" "}
