"""The check of columns, types and values."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.checks import CHECKS, base
from mldata.checks.base import Finding
from mldata.checks.columns import type_name
from mldata.formats.columns import parse_type
from mldata.specvalues import TYPES
from mldata.testing.checks import check_pieces


def check(table: pa.Table, parts: Any = None, extra: str = "allow", **columns: Any) -> list[Finding]:
    found = check_pieces(
        CHECKS["schema"], {"columns": columns, "extra": extra, "unseen": None}, [table], parts=parts
    )
    assert not isinstance(found, str), found
    return found


def bad(values: Any, kind: pa.DataType | None = None, **settings: Any) -> list[int]:
    """Rows of the only finding about a column of ``values``; none: there is no finding."""
    column = values if isinstance(values, pa.Array) else pa.array(values, kind)
    found = check(pa.table({"c": column}), c=settings)
    assert len(found) <= 1 and all(it.severity == "error" and it.column == "c" for it in found), found
    return [place.row for finding in found for place in finding.places]


def unfit(values: Any, kind: pa.DataType | None = None, **settings: Any) -> str:
    """What is said of settings that do not go with a column's type."""
    [finding] = check(pa.table({"c": pa.array(values, kind)}), c=settings)
    assert finding.code == "unfit" and "types: {c: TYPE}" in finding.suggestion
    return finding.message


DAY = datetime.date(2024, 1, 2)
NOON = datetime.datetime(2024, 1, 2, 12)


@pytest.mark.parametrize(
    ("values", "kind", "low", "high", "expected"),
    [
        ([1, 2, None, 4], pa.int8(), 2, 3, [0, 3]),
        ([1, 2, 3], pa.int64(), 1.5, 2.5, [0, 2]),
        ([1, 2], pa.uint8(), -5, 1000, []),
        ([1, None], pa.int8(), 1000, None, [0]),
        ([1, None], pa.uint64(), None, -1, [0]),
        ([2**64 - 1, 0], pa.uint64(), 1, None, [1]),
        ([2**53 + 1, 2**53], pa.int64(), None, 2**53, [0]),
        ([0.5, 1.0, 1.5, None], pa.float64(), 1, 1, [0, 2]),
        ([0.1, 0.2], pa.float32(), 0.1, 0.2, []),
        (np.array([0.1, 0.3], np.float16), None, 0.1, 0.2, [1]),
        ([float("nan"), float("inf"), 0.0], pa.float64(), None, 1, [0, 1]),
        ([float("nan"), 0.0], pa.float64(), -1, None, [0]),
        ([Decimal("1.20"), Decimal("1.21")], None, None, 1.2, [1]),
        ([DAY, datetime.date(2024, 1, 3)], None, "2024-01-02T00:00:00", "2024-01-02T00:00:00", [1]),
        ([DAY, datetime.date(2024, 1, 3)], None, "2024-01-02T12:00:00", None, [0]),
        ([DAY, datetime.date(2024, 1, 3)], None, None, "2024-01-02T12:00:00", [1]),
        ([DAY], pa.date64(), "2024-01-03T00:00:00", None, [0]),
        ([NOON, NOON + datetime.timedelta(microseconds=1)], pa.timestamp("us"), None, "2024-01-02T12:00:00", [1]),
        ([NOON], pa.timestamp("s"), None, "2024-01-02T11:59:59.500000", [0]),
        (pa.array([1, 0], pa.timestamp("ns")), None, None, "1970-01-01T00:00:00", [0]),
        ([NOON], pa.timestamp("ms", "Europe/Berlin"), "2024-01-02T13:00:00", "2024-01-02T12:00:00+00:00", []),
    ],
)  # fmt: skip
def test_ranges(values: Any, kind: Any, low: Any, high: Any, expected: list[int]) -> None:
    """Both ends belong to a range; null is in any, NaN in none; a bound need not be a value of the column's type."""
    settings = {name: bound for name, bound in (("min", low), ("max", high)) if bound is not None}
    column = values if isinstance(values, pa.Array) else pa.array(values, kind)
    assert bad(column, **settings) == expected


@pytest.mark.parametrize(
    ("values", "kind", "allowed", "expected"),
    [
        (["a", "b", None, ""], None, ["a", ""], [1]),
        ([1, 2, None], None, ["1"], [1]),
        ([1.5, 2.0], None, ["1.5"], [1]),
        ([True, False, None], None, ["true"], [1]),
        ([DAY, None], None, ["2024-01-03"], [0]),
        ([Decimal("1.20")], None, ["1.2"], []),
        (pa.array(["a", None, "b"]).dictionary_encode(), None, ["a"], [2]),
        (["a", "b"], pa.large_string(), ["b"], [0]),
    ],
)
def test_allowed_values(values: Any, kind: Any, allowed: list[str], expected: list[int]) -> None:
    """Values as they are written in the spec are read as the column's type."""
    assert bad(values, kind, allowed=allowed) == expected


def test_patterns_are_of_the_whole_text() -> None:
    """A pattern describes the text from its first to its last character, a line end included, and not a part of it."""
    assert bad(["ab", "abc", "xab", "ab\n", None, ""], pattern="ab") == [1, 2, 3, 5]
    assert bad(["a", "b", "ab"], pattern="a|b") == [2]
    assert bad(["é", "ee"], pattern=".") == [1]
    assert bad(pa.array(["x1", None, "y"]).dictionary_encode(), pattern="x[0-9]") == [2]


def test_lengths() -> None:
    """Text counts in characters, bytes in bytes, lists in elements."""
    assert bad(["é", "éé", None, ""], min_length=1, max_length=1) == [1, 3]
    assert bad([b"\xc3\xa9", b""], max_length=1) == [0]
    assert bad([[1], [], None], min_length=1) == [1]


def test_nullable() -> None:
    """A column that may not be null has its nulls named; a column of nothing else, too."""
    assert bad([1, None, 3], nullable=False) == [1]
    assert bad(pa.nulls(2), nullable=False) == [0, 1]
    assert bad([1, None], nullable=True) == []
    assert bad(pa.nulls(2), min=1, pattern="x", allowed=["a"]) == []


def test_unique() -> None:
    """A value that repeats an earlier one, wherever that is, is named with it; null repeats nothing."""
    table = pa.table({"id": ["a", None, "b", None, "a", "a"]})
    [finding] = check(table, parts={"train": [0, 1, 2], "test": [3, 4, 5]}, id={"unique": True})
    assert finding.message == "'id' repeats an earlier value in 2 rows"
    told = [(it.row, it.part, it.value, it.like and (it.like.row, it.like.part)) for it in finding.places]
    assert told == [(4, "test", "'a'", (0, "train")), (5, "test", "'a'", (0, "train"))]
    assert not check(table, id={"unique": None})


def test_types() -> None:
    """A type is told in the words of the spec, whose other names for it are as good."""
    table = pa.table(
        {
            "f": pa.array([1.0]),
            "d": pa.array([DAY]),
            "s": pa.array(["a"], pa.large_string()),
            "c": pa.array(["a"]).dictionary_encode(),
            "z": pa.array([NOON], pa.timestamp("us", "UTC")),
            "i": pa.array([1], pa.int8()),
        }
    )
    right = {"f": "float64", "d": "date32", "s": "string", "c": "category", "z": "timestamp[us, tz=UTC]"}
    assert not check(table, **{name: {"type": kind} for name, kind in right.items()})
    [finding] = check(table, i={"type": "int16"})
    assert finding.message == "'i' is int8, declared is int16"
    assert "normalize: {types: {i: int16}}" in finding.suggestion


@pytest.mark.parametrize("kind", [*TYPES, "decimal128(10, 2)", "timestamp[us, tz=UTC]"])
def test_every_type_of_the_spec(kind: str) -> None:
    """A column of a type that the spec has a name for is of that type."""
    assert type_name(parse_type(kind)) == kind


def test_columns() -> None:
    """A declared column that is not there is an error; one that is not declared only if the spec says so."""
    table = pa.table({"name": [1], "age": [2]})
    [finding] = check(table, nmae={"min": 1})
    assert finding.message == "expected a column 'nmae', found none" and "name" in finding.suggestion
    assert [(it.code, it.column) for it in check(table, extra="error", name={})] == [("extra", "age")]


def test_settings_that_do_not_fit_the_type() -> None:
    """One bad value may have made text of a column of numbers: that is found, and what the settings want is said."""
    assert (
        unfit(["1", "x"], min=1)
        == "'c': 'min' and 'max' are for numbers, dates and timestamps, and it is string"
    )
    assert unfit([1], pattern="[0-9]") == "'c': 'pattern' is for text, and it is int64"
    assert unfit([1], max_length=3).endswith("are for text, bytes and lists, and it is int64")
    assert unfit([1], allowed=["1", "x"]) == "'c': not all values of 'allowed' are int64, as it is"
    assert "expected a number to compare float64 with" in unfit([1.5], max="2024-01-31T00:00:00")
    assert "expected a number that a decimal can be" in unfit([Decimal("1.2")], min=1e300)
    assert unfit([DAY], max=3) == "'c': expected a date such as 2024-01-31, found 3"
    assert unfit([DAY], min=3) == "'c': expected a date such as 2024-01-31, found 3"
    assert "expected a number to compare int64 with" in unfit([1], min="2024-01-31T00:00:00")
    assert unfit([True], allowed=["1"]) == "'c': not all values of 'allowed' are bool, as it is"
    assert "cannot be seen" in unfit(["x"], pa.string_view(), unique=True)


def test_values_are_told_shortened() -> None:
    """The first values that break a rule are shown, cut if they are long; the first row's number counts from 0."""
    [finding] = check(pa.table({"c": ["ok", "x" * 500, "y"]}), c={"pattern": "ok"})
    assert [len(place.value or "") for place in finding.places] == [60, 3]
    [finding] = check(pa.table({"c": pa.array([1], pa.timestamp("ns"))}), c={"min": "2024-01-01T00:00:00"})
    assert finding.places[0].value == "1970-01-01 00:00:00.000000001"


def test_nothing_declared() -> None:
    """Without a declared column there is nothing to check, which is said."""
    params: Any = {"columns": {}, "extra": "allow"}
    assert check_pieces(CHECKS["schema"], params, [pa.table({"a": [1]})]) == "no columns are declared"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ({"a": [1, None], "b": "x"}, None, "{a: [1, null], b: 'x'}"),
        ([("k", 1)], pa.map_(pa.string(), pa.int8()), "[{key: 'k', value: 1}]"),
        (b"\x00", None, r"b'\x00'"),
        (1, pa.timestamp("s", "UTC"), "1970-01-01 00:00:01Z"),
        ([1], pa.list_(pa.duration("ns")), "[1]"),
        (True, None, "True"),
    ],
)
def test_values_in_words(value: Any, kind: Any, text: str) -> None:
    """Values of every kind are told on one line."""
    from mldata.checks.base import shown

    assert shown(pa.array([value], kind)[0]) == text


# -- equal across parts


def unseen(pieces: list[pa.Table], parts: Any, limit: Any = None) -> list[Finding]:
    params = {"columns": {}, "extra": "allow", "unseen": limit}
    found = check_pieces(CHECKS["schema"], params, pieces, parts=parts)
    assert not isinstance(found, str), found
    return found


PARTS = {"train": range(60), "val": range(60, 80), "test": range(80, 99)}
CITIES = pa.table({"city": ["a", "b"] * 30 + ["a"] * 19 + ["c"] + [None] * 9 + ["d", "c"] * 5 + ["e"]})


def test_categories_that_the_training_part_lacks() -> None:
    """A value of few, in val or test and never in train, is a warning with its rows; null, and a row in no part, is none."""
    [finding] = unseen([CITIES], PARTS)
    assert (finding.severity, finding.code, finding.column) == ("warning", "unseen", "city")
    assert (
        finding.message == "'city' has 2 values that part 'train' lacks, in 11 rows of other parts: 'c', 'd'"
    )
    assert finding.rows == 11 and finding.parts == {"val": 1, "test": 10}
    assert [(it.row, it.part, it.value) for it in finding.places] == [(79, "val", "'c'"), (89, "test", "'d'")]
    assert unseen([CITIES], PARTS, limit=11) == []
    assert [it.severity for it in unseen([CITIES], PARTS, limit=10)] == ["error"]


def test_what_is_not_compared() -> None:
    """Texts of many values, long ones, numbers, and parts of which none is called train, are not compared."""
    assert unseen([pa.table({"c": [f"v{n}" for n in range(99)]})], PARTS) == []
    assert unseen([pa.table({"c": ["x" * 201] * 60 + ["y"] * 39})], PARTS) == []
    params = {"columns": {}, "extra": "allow", "unseen": None}
    for table, parts in (
        (CITIES, {"one": range(60), "two": range(60, 99)}),
        (CITIES, None),
        (pa.table({"n": range(99)}), PARTS),
    ):
        assert check_pieces(CHECKS["schema"], params, [table], parts=parts) == "no columns are declared"


@pytest.mark.parametrize("cut", [1, 7, 50])
def test_cuts_do_not_matter_to_categories(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where fragments and blocks end is nothing to what is found."""
    whole = unseen([CITIES], PARTS)
    monkeypatch.setattr(base, "BLOCK_ROWS", 4)
    assert unseen([CITIES.slice(at, cut) for at in range(0, 100, cut)], PARTS) == whole
