"""Alerts are raised for what is odd, and for nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.profile.alerts import correlated
from mldata.profile.profile import Correlation, Profile
from mldata.profile.rules import RULES
from mldata.profile.statistics import make_profile
from mldata.profile.summarize import summarize
from mldata.profile.summary import ColumnSummary, Distinct, Frequent, Numbers, RowSample, TableSummary, Texts
from mldata.profiling import Summaries

RNG = np.random.default_rng(11)
NORMAL = RNG.normal(50, 10, 2000)


def profile_of(table: pa.Table, kind: str = "tabular") -> Profile:
    """Of a whole table."""
    return make_profile("it", kind, Summaries(summarize(table)), schema=table.schema)


def codes(values: Any, name: str = "x", kind: pa.DataType | None = None) -> dict[str, str]:
    """Messages by code, of a table with one column."""
    column = pa.array(values, kind)
    # A second column, so that rows are not duplicates.
    return {it.code: it.message for it in profile_of(pa.table({name: column})).alerts if it.column == name}


EXPECTED: dict[str, tuple[Any, set[str]]] = {
    "normal numbers": (NORMAL, set()),
    "uniform integers": (RNG.integers(0, 1000, 2000), set()),
    "classes as integers": (RNG.integers(0, 3, 600), set()),
    "a rare flag as an integer": ([1] * 6 + [0] * 594, {"imbalance"}),
    "a rare class": (["ham"] * 990 + ["spam"] * 10, {"imbalance"}),
    "a boolean that is not so rare": ([True] * 100 + [False] * 500, set()),
    "one value": ([3] * 50, {"constant"}),
    "one value or none": (["a", None] * 50, {"constant", "missing"}),
    "a single row": ([3], set()),
    "nulls alone": (pa.nulls(50, pa.int8()), {"empty"}),
    "few nulls": ([None, *NORMAL], set()),
    "some nulls": ([None] * 200 + list(NORMAL), {"missing"}),
    "not a number": ([math.nan] * 3 + list(NORMAL), {"nan"}),
    "nothing but NaN": ([math.nan] * 30, {"nan"}),
    "infinities": ([math.inf, -math.inf, *NORMAL], {"infinite"}),
    "mostly zeros": ([0.0] * 3000 + list(NORMAL), {"zeros"}),
    "a long tail": (np.exp(RNG.normal(0, 1, 5000)), {"skewed"}),
    "heavy tails on both sides": (RNG.standard_t(3, 400) + np.arange(400) % 7 / 1e9, {"outliers"}),
    "one wild value": ([1e9, *NORMAL], {"extreme"}),
    "numbers of rows": (np.arange(500), {"likely-id"}),
    "texts that name rows": ([f"AB-{it}" for it in range(500)], {"likely-id"}),
    "texts that differ": ([f"Model {it}" for it in range(500)], {"all-distinct"}),
    "long texts that differ": ([f"It was said {it} times. " * 5 for it in range(500)], set()),
    "dates as text": ([f"2024-05-{it % 28 + 1:02}" for it in range(60)], {"dates-in-text"}),
    "numbers as text": ([f"{it % 400}.5" for it in range(2000)], {"numbers-in-text"}),
    "many names": ([f"town {it % 90}" for it in range(1800)], {"high-cardinality"}),
    "white space around categories": (["a", "a ", "b"] * 50, {"padded", "case-variants"}),
    "categories in other cases": (["Red", "red", "Blue"] * 50, {"case-variants"}),
    "placeholders": (["red", "blue", "N/A"] * 50, {"placeholders"}),
    "placeholders among numbers": ([-999.0] * 40 + list(NORMAL), {"placeholders"}),
    "blank texts": (["red", "blue", "green", ""] * 50, {"blank"}),
    "dates as integers": ([20240100 + it % 28 + 1 for it in range(300)], {"dates-in-numbers"}),
    "eight digits": (RNG.integers(19_000_000, 21_000_000, 300), set()),
    "codes of one length": ([f"C{it % 1500 + 8000}" for it in range(2000)], {"constant-length"}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_columns_raise_what_a_reader_agrees_with(name: str) -> None:
    """Each oddity has its alert; what is not odd has none."""
    values, expected = EXPECTED[name]
    assert set(codes(values)) == expected


def test_numbers_are_times_by_their_name() -> None:
    """Seconds since 1970 are told from other large numbers by what the column is called."""
    values = np.random.default_rng(12).integers(1_600_000_000, 1_700_000_000, 100)
    assert codes(values, "created_at")["dates-in-numbers"] == "the numbers look like seconds since 1970"
    assert "dates-in-numbers" not in codes(values, "population")
    assert "milliseconds" in codes(values * 1000, "timestamp")["dates-in-numbers"]


@pytest.mark.parametrize(
    ("look", "code"),
    [
        ("date", "dates-in-text"),
        ("datetime", "dates-in-text"),
        ("number", "numbers-in-text"),
        ("boolean", "booleans-in-text"),
    ],
)
def test_texts_that_look_like_something_else(look: str, code: str) -> None:
    """From 95 of a hundred texts on it is said what they look like; and then nothing of their lengths."""
    assert [it.code for it in _texts_that_look({look: 95})] == [code]
    assert code not in [it.code for it in _texts_that_look({look: 94})]


def _texts_that_look(looks: dict[str, int]) -> Any:
    lengths = Numbers(100, minimum=8, maximum=8, mean=8.0, points=np.array([8.0]), weights=np.array([100]))
    texts = Texts(lengths, looked=100, looks=looks, characters={"digits": 800})
    frequent = Frequent([(f"v{it}", 2) for it in range(50)])
    column = ColumnSummary("x", "string", "text", True, 100, 0, Distinct(50), frequent, None, texts)
    return make_profile("it", "tabular", Summaries(TableSummary(100, [column]))).alerts


def test_estimates_are_not_taken_for_facts() -> None:
    """Where distinct values and rows are estimated, what lies within three standard errors is no alert; ids are found all the same."""
    texts = Texts(Numbers(), characters={"letters": 5})
    column = ColumnSummary(
        "x", "string", "text", True, 10**7, 0, Distinct(9_900_000, 0.008), None, None, texts
    )
    made = make_profile("it", "tabular", Summaries(TableSummary(10**7, [column], Distinct(9_900_000, 0.008))))
    assert [it.code for it in made.alerts] == ["likely-id"]
    assert made.duplicates is not None and made.duplicates.rows == 100_000 and made.duplicates.error == 0.008


def test_extreme_values_that_points_stand_for_are_not_counted() -> None:
    """Where a point at an end stands for its neighbours, too, it is said that there are extreme values, and not how many."""
    points, weights = np.array([*range(20), 1e6]), np.array([*[1000] * 20, 50])
    numbers = Numbers(
        20_050, minimum=0, maximum=1e6, mean=9.5, points=points, weights=weights, rank_error=0.01
    )
    column = ColumnSummary("x", "double", "numeric", True, 20_050, 0, Distinct(21), None, numbers)
    alert = make_profile("it", "tabular", Summaries(TableSummary(20_050, [column]))).alerts[0]
    assert (alert.code, alert.value) == ("extreme", 1.0)
    assert alert.message.startswith("a few values are very far off: ")


def test_points_without_extreme_values_raise_nothing() -> None:
    """Numbers of a table too large for exact quantiles are not called extreme where none of them is."""
    points, weights = np.arange(1000.0), np.full(1000, 1100)
    numbers = Numbers(
        1_100_000, minimum=0, maximum=999, mean=499.5, points=points, weights=weights, rank_error=0.0005
    )
    column = ColumnSummary("x", "double", "numeric", True, 1_100_000, 0, Distinct(1000), None, numbers)
    assert not make_profile("it", "tabular", Summaries(TableSummary(1_100_000, [column]))).alerts


def test_equal_rows_are_told() -> None:
    """How many rows equal an earlier one, and which share of all that is."""
    made = profile_of(pa.table({"a": [1, 2, 2, 2], "b": ["x", "y", "y", "z"]}))
    assert [(it.code, it.message) for it in made.alerts] == [
        ("duplicates", "1 row (25%) equals an earlier one in every column")
    ]
    assert made.duplicates is not None and (made.duplicates.rows, made.duplicates.share) == (1, 0.25)


def test_estimates_of_equal_rows_are_told_as_such() -> None:
    """Of a table too large to count them, it is said about how many rows equal an earlier one."""
    made = make_profile("it", "tabular", Summaries(_of_many_rows(603_440)))
    assert [it.message for it in made.alerts] == [
        "about 597,000 rows (49.7%) equal an earlier one in every column"
    ]


def _of_many_rows(distinct: int) -> TableSummary:
    numbers = Numbers(1_200_000, minimum=0, maximum=1, mean=0.5, points=np.array([0.0, 1.0]))
    numbers = replace(numbers, weights=np.array([600_000, 600_000]))
    column = ColumnSummary("x", "double", "numeric", True, 1_200_000, 0, Distinct(2), None, numbers)
    return TableSummary(1_200_000, [column], Distinct(distinct, 0.008))


def test_tables_without_anything() -> None:
    """Of an empty table it is told once that it is empty, not of each column."""
    for table, message in (
        (pa.table({"a": pa.nulls(0)}), "it has no rows"),
        (pa.table({}), "it has no columns"),
    ):
        assert [(it.code, it.message) for it in profile_of(table).alerts] == [("empty", message)]


def test_columns_of_one_name_are_told() -> None:
    """They can hardly be meant."""
    table = pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4])], ["a", "a"])
    assert [it.message for it in profile_of(table).alerts] == ["2 columns are called 'a'"]


def test_columns_that_go_together_are_told_once() -> None:
    """One alert a column, on the later of both, with the closest one and the number of others."""
    random = np.random.default_rng(13)
    base = random.normal(size=200)
    near = base + random.normal(size=200) * 0.2
    made = profile_of(pa.table({"a": base, "b": -2 * base, "near": near, "other": random.normal(size=200)}))
    told = {it.column: it.message for it in made.alerts if it.code == "correlated"}
    assert told["b"] == "it goes with 'a' (Pearson -1.000)"
    assert told["near"].endswith("and with 1 other column")
    assert set(told) == {"b", "near"}


def test_the_closest_column_does_not_hang_on_rounding() -> None:
    """Of columns that are as close to all digits that are told, the first is named."""
    matrix = [[1.0, 0.5, 0.95], [0.5, 1.0, 0.95 + 1e-12], [0.95, 0.95 + 1e-12, 1.0]]
    sample = RowSample(500, 500, {name: np.arange(500.0) for name in "abc"})
    (alert,) = correlated([Correlation("pearson", ["a", "b", "c"], matrix, 500)], sample)["c"]
    assert alert.message == "it goes with 'a' (Pearson 0.950), and with 1 other column"


@pytest.mark.parametrize(("both", "told"), [(19, False), (20, True)])
def test_columns_that_are_hardly_ever_there_together(both: int, told: bool) -> None:
    """A few rows in which both columns have a value do not make them go together, however close they are in these."""
    numbers = np.arange(1000.0)
    first, second = numbers < 500 + both, numbers >= 500
    table = pa.table({"a": pa.array(numbers, mask=~first), "b": pa.array(-numbers, mask=~second)})
    assert ("correlated" in {it.code for it in profile_of(table).alerts}) == told
    words = pa.array(["yes", "no"] * 500)
    table = pa.table(
        {"a": pa.array(words.to_pylist(), mask=~first), "b": pa.array(words.to_pylist(), mask=~second)}
    )
    assert ("correlated" in {it.code for it in profile_of(table).alerts}) == told


def test_what_else_differs_in_case_alone_is_counted() -> None:
    """One other value does, two do."""
    assert codes(["Red", "red", "RED"] * 20)["case-variants"] == (
        "'RED' and 'Red' differ in case or white space alone, as does 1 other value"
    )
    assert codes(["Red", "red", "RED", "rED"] * 20)["case-variants"].endswith("as do 2 other values")


def test_a_sample_without_rows_is_no_empty_table() -> None:
    """Where none of a table's rows is in the sample, that is said of the sample."""
    made = make_profile("it", "tabular", Summaries(summarize(pa.table({"a": pa.nulls(0)}))), share=0.01)
    assert [it.message for it in made.alerts] == ["the sample has no rows"]


def test_files_are_told_of_as_files() -> None:
    """Different paths of media, and sizes that go with durations, are as they should be; equal files and mixed formats are not."""
    table = pa.table(
        {
            "path": [f"{it}.wav" for it in range(40)],
            "digest": ["d0", "d0", *(f"d{it}" for it in range(2, 40))],
            "size": [1000 + it for it in range(40)],
            "duration": [0.5 + it / 8 for it in range(40)],
            "sample_rate": [8000] * 30 + [16000] * 10,
            "channels": [1] * 40,
        }
    )
    made = profile_of(table, "audio")
    assert {it.code: it.message for it in made.alerts} == {
        "duplicate-files": "1 file has the bytes of another",
        "mixed-format": "files differ in it: 8000 (30), 16000 (10)",
    }


def test_every_alert_has_a_rule() -> None:
    """Each rule of the table is raised somewhere in these tests; a boolean's class is told as it is written."""
    assert codes([True] * 599 + [False])["imbalance"] == "99.8% of the values are true, one of 2"
    raised = {code for _, expected in EXPECTED.values() for code in expected}
    elsewhere = {"duplicates", "same-name", "correlated", "booleans-in-text"}
    assert raised | elsewhere | {"duplicate-files", "mixed-format"} == set(RULES)
