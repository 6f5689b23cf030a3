"""The check of duplicates."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mldata.checks import CHECKS
from mldata.checks.base import Finding
from mldata.errors import SpecError
from mldata.testing.checks import check_pieces

PARTS = {"train": [0, 1, 2, 3, 4], "val": [5, 6], "test": [7, 8, 9]}


def check(table: pa.Table, parts: Any = PARTS, kind: str = "tabular", **params: Any) -> list[Finding]:
    plain = {"within": None, "across": 0, "columns": []} | params
    found = check_pieces(CHECKS["duplicates"], plain, [table], parts=parts, kind=kind)
    assert not isinstance(found, str), found
    return found


def table(numbers: list[int | None]) -> pa.Table:
    return pa.table({"n": numbers, "t": [f"text {n}" for n in numbers]})


def test_the_same_row_in_train_and_test() -> None:
    """It is an error that says how many rows of the later part, and which rows they are."""
    [finding] = check(table([0, 1, 2, 3, 4, 5, 6, 2, 8, 5]))
    assert (finding.severity, finding.part, finding.rows) == ("error", "test", 2)
    assert finding.message == "2 rows of part 'test' (66.7%) are in 'train' and 'val' too"
    assert finding.parts == {"train": 1, "val": 1}
    told = [(it.row, it.part, it.like.row, it.like.part) for it in finding.places if it.like is not None]
    assert told == [(7, "test", 2, "train"), (9, "test", 5, "val")]
    assert finding.places[0].value == "2, 'text 2'"


def test_equal_rows_within_a_part() -> None:
    """They are a warning where the spec says nothing, else an error if there are more than it allows."""
    twice = table([0, 1, 0, 0, 4, 5, 6, 7, 8, 9])
    [finding] = check(twice)
    assert (finding.severity, finding.part, finding.rows) == ("warning", "train", 2)
    assert [(it.row, it.like and it.like.row) for it in finding.places] == [(2, 0), (3, 0)]
    assert [it.severity for it in check(twice, within=1)] == ["error"]
    assert not check(twice, within=2)
    assert not check(twice, within="40%")
    assert check(twice, within="39.9%")


def test_across_may_be_allowed() -> None:
    """A limit of rows, or a share of the part that is looked at."""
    shared = table([0, 1, 2, 3, 4, 5, 6, 0, 1, 9])
    assert check(shared) and check(shared, across=1) and check(shared, across="66%")
    assert not check(shared, across=2)
    assert not check(shared, across="67%")


def test_without_a_split() -> None:
    """A table that is not split has equal rows, and no parts to tell of."""
    [finding] = check(table([1, 2, 1]), parts=None)
    assert finding.message == "1 row (33.3%) equals an earlier one"
    assert not finding.parts


def test_by_columns() -> None:
    """Rows with the same key are equal, whatever else is in them."""
    keyed = pa.table({"id": [1, 2, 1], "x": [1, 2, 3]})
    assert not check(keyed, parts=None)
    [finding] = check(keyed, parts=None, columns=["id"], within=0)
    assert finding.message == "1 row (33.3%) equals an earlier one, by 'id'"
    assert "`transform: [{dedupe: [id]}]`" in finding.suggestion


def test_what_is_equal() -> None:
    """Null equals null, NaN equals NaN, and -0.0 equals 0.0; 1 and 1.0 have one type in one column anyway."""
    values = pa.table({"x": pa.array([None, None, float("nan"), float("nan"), 0.0, -0.0])})
    [finding] = check(values, parts=None)
    assert finding.rows == 3


def test_media_are_compared_by_content() -> None:
    """Of images and recordings, files with the same bytes are equal, whatever they are called."""
    files = pa.table({"path": ["a/1.png", "b/2.png"], "digest": ["d", "d"]})
    [finding] = check(files, parts={"train": [0], "test": [1]}, kind="images")
    assert finding.rows == 1
    without = files.select(["path"])
    plain = {"within": None, "across": 0, "columns": []}
    skipped = check_pieces(CHECKS["duplicates"], plain, [without], kind="images")
    assert skipped == "the table has no column 'digest', by which media files are compared"


def test_columns_that_do_not_fit() -> None:
    """A name that is no column, and a type that cannot be compared, are refused."""
    with pytest.raises(SpecError, match="found 'idd'") as error:
        check(pa.table({"id": [1]}), parts=None, columns=["idd"])
    assert "did you mean 'id'?" in str(error.value)
    with pytest.raises(SpecError, match="rows cannot be compared"):
        check(pa.table({"u": pa.nulls(1, pa.string_view())}), parts=None)
