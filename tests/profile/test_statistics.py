"""Profiles say of columns what pandas says of them, and what people would."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.profile.profile import ColumnProfile, Profile, Spread
from mldata.profile.statistics import TOP, make_profile
from mldata.profile.summarize import summarize
from mldata.profile.summary import ColumnSummary, Distinct, Frequent, Numbers, RowSample, TableSummary
from mldata.profiling import Summaries


def profile_of(table: pa.Table, **parts: pa.Table) -> Profile:
    """Of a table, and of parts of it."""
    summaries = Summaries(summarize(table), {name: summarize(part) for name, part in parts.items()})
    return make_profile("t", "tabular", summaries, schema=table.schema)


def column_of(values: Any, kind: pa.DataType | None = None) -> ColumnProfile:
    """Of a table with one column."""
    return profile_of(pa.table({"x": pa.array(values, kind)})).columns[0]


def spread_of(values: Any, kind: pa.DataType | None = None) -> Spread:
    """Of a column of numbers or times."""
    spread = column_of(values, kind).spread
    assert spread is not None
    return spread


RNG = np.random.default_rng(2)
SAMPLES = {
    "normal": RNG.normal(3, 2, 1001),
    "lognormal": np.exp(RNG.normal(size=5000)),
    "integers": RNG.integers(-50, 1000, 777),
    "ties": RNG.integers(0, 4, 400).astype(float),
    "far from zero": 1e6 + RNG.random(500),
    "four": np.array([1.0, 2.0, 4.0, 9.0]),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_numbers_have_the_moments_and_percentiles_of_pandas(name: str) -> None:
    """Mean, std, percentiles, minimum and maximum to 12 digits; skewness and kurtosis, which lose digits far from zero, to 8."""
    told, want = spread_of(SAMPLES[name]), pd.Series(SAMPLES[name])
    assert (told.mean, told.std) == pytest.approx((want.mean(), want.std()), rel=1e-12)
    assert (told.skewness, told.kurtosis) == pytest.approx((want.skew(), want.kurt()), rel=1e-8, abs=1e-8)
    assert (told.min, told.max) == (want.min(), want.max())
    shares = [int(it) / 100 for it in told.percentiles]
    assert list(told.percentiles.values()) == pytest.approx(want.quantile(shares).to_list(), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "undefined"),
    [
        ([], {"mean", "std", "skewness", "kurtosis", "outliers"}),
        ([1.0], {"std", "skewness", "kurtosis", "outliers"}),
        ([1.0, 2.0], {"skewness", "kurtosis"}),
        ([1.0, 2.0, 4.0], {"kurtosis"}),
        ([0.1] * 9, {"skewness", "kurtosis", "outliers"}),
        ([1e308, -1e308, 1e308, 0.0], {"std", "skewness", "kurtosis"}),
        ([1e-308, 2e-308, 3e-308, 5e-324], {"std", "skewness", "kurtosis"}),
    ],
)
def test_what_is_not_defined_is_none(values: list[float], undefined: set[str]) -> None:
    """Moments of too few, equal, huge or tiny numbers, and outliers where quartiles are equal, are None and nothing else is."""
    told = spread_of(values, pa.float64())
    found = {it for it in ("mean", "std", "skewness", "kurtosis", "outliers") if getattr(told, it) is None}
    assert found == undefined


def test_special_numbers_are_counted() -> None:
    """NaN and infinities are counted, and in nothing else; integers beyond 64 bits of a double stay exact at the ends."""
    told = spread_of([np.nan, np.inf, -np.inf, -np.inf, 0.0, -0.0, -3.0, 4.0, None])
    assert (told.nan, told.infinite, told.zeros, told.negatives) == (1, 3, 2, 1)
    assert (told.min, told.max, told.mean) == (-3.0, 4.0, 0.25)
    large = spread_of([2**64 - 1, 2**64 - 3], pa.uint64())
    assert (large.min, large.max) == (2**64 - 3, 2**64 - 1)


def test_outliers_are_beyond_tukeys_fences() -> None:
    """Quartiles 3 and 7 put the fences at -3 and 13: what lies on them is no outlier."""
    values = [-4.0, -3.0, 3.0, 3.0, 3.0, 5.0, 7.0, 7.0, 7.0, 13.0, 13.5]
    assert (spread_of(values).percentiles["25"], spread_of(values).percentiles["75"]) == (3.0, 7.0)
    assert spread_of(values).outliers == 2


def test_times_are_told_as_times() -> None:
    """Ends, mean and percentiles as ISO 8601, the standard deviation in seconds; edges of the histogram have labels."""
    days = [dt.date(2024, 2, 28), dt.date(2024, 2, 29), dt.date(2024, 3, 2)]
    told = spread_of(days)
    assert (told.min, told.max, told.percentiles["50"]) == ("2024-02-28", "2024-03-02", "2024-02-29")
    assert told.mean == "2024-02-29"
    assert told.std == pytest.approx(np.std([0, 1, 3], ddof=1) * 86_400)
    assert told.histogram is not None and told.histogram.single
    assert told.histogram.counts == (1, 1, 0, 1)
    assert told.histogram.labels == ("2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02", "2024-03-03")
    lasts = spread_of([dt.timedelta(seconds=1), dt.timedelta(seconds=2.5)], pa.duration("ms"))
    assert (lasts.min, lasts.max, lasts.mean) == ("1 s", "2.5 s", "1.75 s")


def test_units_of_times_in_an_extension_type_come_from_the_schema() -> None:
    """Its name alone says nothing of what it wraps."""

    class Day(pa.ExtensionType):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(pa.date32(), "tests.day")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> Day:
            return cls()

    numbers = Numbers(1, minimum=1, maximum=1, mean=1.0, points=np.array([1.0]), weights=np.array([1]))
    column = ColumnSummary("x", str(Day()), "time", True, 1, 0, Distinct(1), None, numbers)
    summaries, schema = Summaries(TableSummary(1, [column])), pa.schema([("x", Day())])
    spread = make_profile("t", "tabular", summaries, schema=schema).columns[0].spread
    assert spread is not None and spread.max == "1970-01-02"


def test_a_part_is_told_over_the_bins_of_the_whole() -> None:
    """Histograms of parts have the edges of the whole, so that they can be laid over each other; parts have no correlations of their own."""
    table = pa.table(
        {"x": [1.5, 2.0, 7.25, 9.0, 11.0], "t": ["a", "bb", "ccc", "d", "e"], "l": [[1], [], [2, 3], [], [1]]}
    )
    made = profile_of(table, few=table.slice(3), none=table.slice(5))
    for part, rows in (("few", 2), ("none", 0)):
        assert made.parts[part].rows == rows and made.parts[part].correlations == ()
        for whole, told in zip(made.columns, made.parts[part].columns, strict=True):
            for one, other in ((whole.spread, told.spread), (whole.lengths, told.lengths)):
                if one is not None and other is not None:
                    assert one.histogram is not None and other.histogram is not None
                    assert other.histogram.edges == one.histogram.edges
                    assert sum(other.histogram.counts) == rows


def test_frequent_values_have_shares() -> None:
    """At most twenty, of the values that are not null; the rest is counted."""
    told = column_of(["a"] * 6 + ["b"] * 3 + [f"v{it}" for it in range(30)] + [None] * 11)
    assert len(told.top) == TOP
    assert (told.top[0].value, told.top[0].count, told.top[0].share) == ("a", 6, 6 / 39)
    assert told.top_rest + sum(it.count for it in told.top) == 39
    assert (told.distinct, told.nulls, told.missing, told.unique) == (32, 11, 11 / 50, 32 / 39)


def test_values_that_are_all_different_are_not_frequent() -> None:
    """Which twenty of them are told would mean nothing; of fewer all are told. Counts that may be as low as others are not told either."""
    assert column_of(list(range(21))).top == ()
    assert len(column_of(list(range(20))).top) == 20
    frequent = Frequent([("often", 900), ("perhaps", 7)], 93, 7, complete=False)
    column = ColumnSummary("x", "string", "text", True, 1000, 0, Distinct(90), frequent)
    told = make_profile("t", "tabular", Summaries(TableSummary(1000, [column]))).columns[0]
    assert [it.value for it in told.top] == ["often"]
    assert (told.top_rest, told.top_over) == (100, 7)


ROLES: dict[str, tuple[Any, str]] = {
    "empty": ([None, None], "empty"),
    "constant": (["a", "a", None], "constant"),
    "category": (["a", "b"] * 9, "category"),
    "text": ([f"word {it} of" for it in range(1000)] * 2, "text"),
    "id": ([f"u{it}" for it in range(25)], "id"),
    "few that differ": ([f"u{it}" for it in range(19)], "category"),
    "rows": (list(range(100, 130)), "id"),
    "spread integers": ([it * 7 for it in range(30)], "number"),
    "number": ([1.5, 2.5], "number"),
    "boolean": ([True, False], "boolean"),
    "time": ([dt.date(2024, 1, it) for it in range(1, 29)], "time"),
    "list": ([[1], [2]], "list"),
    "binary": ([b"a", b"b"], "binary"),
    "struct": ([{"a": 1}, {"a": 2}], "other"),
}


@pytest.mark.parametrize("name", ROLES)
def test_columns_have_roles(name: str) -> None:
    """By what their values are to a reader, not by their types alone."""
    values, role = ROLES[name]
    assert column_of(values).role == role


@pytest.mark.parametrize(
    ("name", "role"),
    [("user_id", "id"), ("userId", "id"), ("key", "id"), ("paid", "number"), ("grid", "number")],
)
def test_integers_are_ids_by_their_name(name: str, role: str) -> None:
    """Numbers that all differ, far apart: an id if they are called one."""
    table = pa.table({name: [it * 7919 for it in range(40)]})
    assert profile_of(table).columns[0].role == role


def test_what_is_missing_is_told_of_the_table() -> None:
    """The share of nulls among all values, and which columns are null together."""
    made = profile_of(pa.table({"a": [1, None, None, 4], "b": ["x", None, "y", "z"]}))
    assert made.missing == 3 / 8
    assert sorted(made.missing_patterns) == [(("a",), 1), (("a", "b"), 1)]


def test_texts_are_told_by_their_lengths_and_words() -> None:
    """Lengths in characters, empty, blank and padded ones, and the share that a word has of all words."""
    text = column_of(["", "  ", " a b", "größe a"]).text
    assert text is not None
    assert (text.empty, text.blank, text.padded) == (1, 1, 1)
    assert (text.lengths.min, text.lengths.max) == (0, 7)
    assert (text.words[0].value, text.words[0].count, text.words[0].share) == ("a", 2, 0.5)


@pytest.mark.no_cover
def test_two_thousand_columns_have_a_profile() -> None:
    """All are told, and fifty of them are correlated."""
    names, one = [f"c{it}" for it in range(2000)], summarize(pa.table({"x": [1.5, 2.0, 4.0, 4.5]}))
    rows = RowSample(4, 4, {name: np.array([1.5, 2.0, 4.0, 4.5]) for name in names})
    columns = [replace(one.columns[0], name=name) for name in names]
    made = make_profile("t", "tabular", Summaries(TableSummary(4, columns, sample=rows)))
    assert [it.name for it in made.columns] == names
    assert [(it.columns[-1], it.left_out) for it in made.correlations] == [("c49", 1950)] * 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False)
        | st.integers(-5, 40).map(float)
        | st.integers(-300, 300).map(lambda it: it / 10)
        | st.sampled_from([1e308, -1e308, 5e-324, 2.0**53, 2.0**53 + 2, 1e15, 0.1]),
        max_size=30,
    )
)
def test_histograms_count_every_number_once(values: list[float]) -> None:
    """Edges rise, at most 32 bins, each number is in one bin, below or above; single values are where they are said to be."""
    histogram = spread_of(values, pa.float64()).histogram
    if len(set(values)) < 2:
        assert histogram is None
        return
    assert histogram is not None
    edges, counts = np.array(histogram.edges), histogram.counts
    assert (np.diff(edges) > 0).all() and 1 <= len(counts) == len(edges) - 1 <= 32
    assert histogram.below + sum(counts) + histogram.above == len(values)
    for number, count in enumerate(counts):
        low, high = edges[number], edges[number + 1]
        last = number == len(counts) - 1
        assert count == sum(low <= it < high or (last and it == high) for it in values)
        assert not histogram.single or count == sum(it == low for it in values)


def test_histograms_of_known_numbers() -> None:
    """Few integers have a bin each; steps are kept whole; a long tail does not press the rest into one bar."""
    classes = spread_of([0, 1, 1, 3]).histogram
    assert classes is not None and (classes.edges, classes.counts) == (
        (0.0, 1.0, 2.0, 3.0, 4.0),
        (1, 2, 0, 1),
    )
    tenths = spread_of([it / 10 for it in range(1000)]).histogram
    assert tenths is not None and len(set(tenths.counts[:-1])) == 1 and tenths.edges[1] == 9.1
    even = spread_of(np.arange(1000) * 0.37).histogram
    assert even is not None and (even.below, even.above) == (0, 0)
    tail = spread_of([*np.random.default_rng(3).normal(size=999), 1e6]).histogram
    assert tail is not None and (tail.below, tail.above) == (0, 1) and max(tail.counts) < 250
