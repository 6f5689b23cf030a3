"""The check of missing values."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mldata.checks import CHECKS
from mldata.checks.base import Finding
from mldata.errors import SpecError
from mldata.testing.checks import check_pieces


def check(table: pa.Table, parts: Any = None, **params: Any) -> list[Finding]:
    found = check_pieces(CHECKS["missing"], {"max": None, "columns": {}} | params, [table], parts=parts)
    assert not isinstance(found, str), found
    return found


def column(missing: int, total: int = 100) -> pa.Table:
    return pa.table({"a": pa.array([None] * missing + [1.0] * (total - missing))})


@pytest.mark.parametrize(
    ("limit", "missing", "code"),
    [
        (0, 0, None), (0, 1, "missing"), (5, 5, None), (5, 6, "missing"),
        ("5%", 5, None), ("5%", 6, "missing"), ("0%", 1, "missing"), ("100%", 100, None),
        (None, 50, None), (None, 51, "mostly-missing"),
    ],
)  # fmt: skip
def test_limits(limit: int | str | None, missing: int, code: str | None) -> None:
    """What is at the limit passes, one more is an error; without a limit, more than half missing is a warning."""
    found = check(column(missing), max=limit)
    assert [it.code for it in found] == ([code] if code else [])
    for finding in found:
        assert finding.severity == ("error" if limit is not None else "warning")
        assert finding.rows == missing


def test_a_share_is_exact() -> None:
    """A share is of all rows, without rounding: 0.1% of 999 rows is none."""
    assert check(column(1, 999), max="0.1%")
    assert not check(column(1, 1000), max="0.1%")


def test_a_column_has_its_own_limit() -> None:
    """The limit of a column stands before that of all."""
    table = pa.table({"a": [None, 1, 2], "b": [None, None, 2]})
    found = check(table, max=0, columns={"b": 2})
    assert [(it.column, it.message) for it in found] == [
        ("a", "'a' has no value in 1 of 3 rows (33.3%), where none may be missing")
    ]
    assert check(table, max="50%", columns={"a": 0})[0].column == "a"


def test_what_is_missing() -> None:
    """Null is; NaN, an empty text, an empty list and a struct of nulls are not."""
    table = pa.table(
        {
            "nan": [float("nan"), 1.0],
            "empty": ["", "x"],
            "list": [[], [1]],
            "struct": pa.array([{"a": None}, {"a": 1}]),
            "category": pa.array([None, "x"]).dictionary_encode(),
            "null": pa.nulls(2),
        }
    )
    assert [(it.column, it.rows) for it in check(table, max=0)] == [("category", 1), ("null", 2)]


def test_rows_and_parts_are_told() -> None:
    """A finding names the first rows with their parts, and counts by part in the order of the parts."""
    table = pa.table({"a": [1, None, None, 4, None, None, None, None, 9]})
    [finding] = check(table, parts={"train": [0, 1, 2, 3], "test": [5, 4, 6, 8]}, max=1)
    assert [(it.row, it.part) for it in finding.places] == [
        (1, "train"), (2, "train"), (4, "test"), (5, "test"), (6, "test"),
    ]  # fmt: skip
    assert finding.rows == 6  # row 7 is in no part, and counted
    assert list(finding.parts.items()) == [("train", 2), ("test", 3)]


def test_a_part_without_a_value_is_suspicious() -> None:
    """A column that has no value in a whole part, though it has elsewhere, is a warning whatever the limit."""
    table = pa.table({"a": [1, 2, 3, None], "b": pa.nulls(4)})
    found = check(table, parts={"train": [0, 1, 2], "test": [3], "none": []}, max=3, columns={"b": 4})
    assert [(it.severity, it.code, it.column, it.part) for it in found] == [
        ("warning", "missing-in-part", "a", "test")
    ]


def test_an_unknown_column() -> None:
    """A limit for a column that is not there is refused with the nearest name."""
    with pytest.raises(SpecError, match="expected a column of the table, found 'specis'") as error:
        check(pa.table({"species": [1]}), columns={"specis": 0})
    assert "did you mean 'species'?" in str(error.value)


def test_no_columns() -> None:
    """A table without columns has nothing to check."""
    params = {"max": 0, "columns": {}}
    assert (
        check_pieces(CHECKS["missing"], params, [pa.table({"a": [1]}).select([])])
        == "the table has no columns"
    )
