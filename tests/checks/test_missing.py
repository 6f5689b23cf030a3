"""The check of missing values."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.checks import CHECKS, base
from mldata.checks.base import Finding
from mldata.errors import SpecError
from mldata.spec import InvalidSpec, parse_dataset
from mldata.testing.checks import check_pieces

PARAMS: dict[str, Any] = {"max": None, "columns": {}, "row": None, "sentinels": None}


def check(table: pa.Table, parts: Any = None, **params: Any) -> list[Finding]:
    found = check_pieces(CHECKS["missing"], PARAMS | params, [table], parts=parts)
    assert not isinstance(found, str), found
    return found


def by_column(*args: Any, **params: Any) -> list[Finding]:
    """Findings of nulls in columns."""
    return [
        it for it in check(*args, **params) if it.code in ("missing", "mostly-missing", "missing-in-part")
    ]


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
    found = by_column(table, max=0, columns={"b": 2})
    assert [(it.column, it.message) for it in found] == [
        ("a", "'a' has no value in 1 of 3 rows (33.3%), where none may be missing")
    ]
    assert by_column(table, max="50%", columns={"a": 0})[0].column == "a"


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
    assert [(it.column, it.rows) for it in by_column(table, max=0)] == [("category", 1), ("null", 2)]


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
    found = by_column(table, parts={"train": [0, 1, 2], "test": [3], "none": []}, max=3, columns={"b": 4})
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
    params = PARAMS | {"max": 0}
    assert (
        check_pieces(CHECKS["missing"], params, [pa.table({"a": [1]}).select([])])
        == "the table has no columns"
    )


# -- rows


def test_rows_that_lack_values() -> None:
    """A row without any value is a warning, one that lacks more than half a note; at half it is neither."""
    full = [1] * 10
    table = pa.table(
        {
            "a": [*full, None, None, None, 1],
            "b": [*full, None, None, None, None],
            "c": [*full, None, 1, 1, None],
            "d": [*full, None, None, 1, None],
        }
    )
    found = [
        it for it in check(table, {"train": range(11), "test": range(11, 14)}) if it.code.startswith("row")
    ]
    assert [(it.severity, it.code, it.rows, it.parts) for it in found] == [
        ("warning", "row-empty", 1, {"train": 1}),
        ("info", "row-mostly-missing", 2, {"test": 2}),
    ]
    assert [place.row for place in found[1].places] == [11, 13]
    assert found[0].message == "1 row has no value in any column"
    assert found[1].message == "2 rows have no value in more than half of the 4 columns"


def test_a_limit_of_rows_is_held_to() -> None:
    """A row may lack that share of the columns, and no more."""
    table = pa.table(
        {"a": [1, None, None, None], "b": [1, 1, None, None], "c": [1, 1, 1, None], "d": [1, 1, 1, 1]}
    )
    for row, rows in ((0.0, 3), (0.25, 2), (0.5, 1), (0.75, 0)):
        found = [it for it in check(table, row=row, max="100%") if it.code == "row-missing"]
        assert sum(it.rows for it in found) == rows and all(it.severity == "error" for it in found)
    hundred = pa.table({f"c{n}": pa.array([None if n < 29 else 1], pa.int8()) for n in range(100)})
    assert not [it for it in check(hundred, row=0.29, max=1) if it.code == "row-missing"]
    [finding] = [it for it in check(table, row=0.25) if it.code == "row-missing"]
    assert finding.message == "2 rows have no value in more than 25% of the 4 columns"
    with pytest.raises(InvalidSpec, match="expected a number from 0 to 1, found 2"):
        parse_dataset("d", {"source": "x", "validate": {"missing": {"row": 2}}})


def test_sparse_tables_are_told_by_their_columns() -> None:
    """Where most rows lack most columns, and in a table of one column, rows are not told beside the columns."""
    sparse = pa.table({"a": [1, None, None, None], "b": [None, 1, None, None], "c": [None, None, 1, None]})
    assert [it.code for it in check(sparse)] == ["row-empty", *["mostly-missing"] * 3]
    assert [it.code for it in check(pa.table({"a": [1, 1, None]}))] == []
    assert [it.code for it in check(pa.table({"a": pa.nulls(2), "b": pa.nulls(2)}))] == ["mostly-missing"] * 2


# -- values that may stand for a missing one


def stands(values: Any, kind: Any = None, **params: Any) -> list[tuple[str, int, str]]:
    """Severity, rows and what is said of values that stand for none."""
    column = values if isinstance(values, pa.Array) else pa.array(values, kind)
    found = [it for it in check(pa.table({"c": column}), **params) if it.code == "stands-for-missing"]
    return [(it.severity, it.rows, it.message.removeprefix("'c' has ").split(", which")[0]) for it in found]


def test_texts_that_stand_for_none() -> None:
    """What programs write is a note, with spaces around or not, however the column is stored; words that hold it are not."""
    texts = ["N/A", " N/A", "", "  ", "x", None, "NAN", "none", "-5", "?!", "b"]
    for column in (pa.array(texts), pa.array(texts, pa.large_string()), pa.array(texts).dictionary_encode()):
        assert stands(column) == [("info", 4, "blank text in 2 rows (18.2%) and 'N/A' in 2 rows (18.2%)")]
    for text in ("NA", "null", "NULL", "None", "nan", "NaN", "-", "--", "?", "#N/A", "<NA>", "n/a"):
        assert stands([text, "x"]) == [("info", 1, f"{text!r} in 1 row (50%)")]


AGES = [20 + n % 60 for n in range(200)]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([*AGES, -999, -999], "-999 in 2 rows (1%)"), ([*AGES, 999, 999], "999 in 2 rows (1%)"), ([*AGES, -1, -1, -1], "-1 in 3 rows (1.5%)"),
        ([*AGES, -999], None), ([*AGES, -1], None), ([*AGES, -1, -1, -1, -5], None), ([*AGES, 99, 99], None), ([1, 2, 3, 99, 99], "99 in 2 rows (40%)"),
        ([1, -1] * 50, None), ([1, 0, -1] * 50, None), ([0, 1, 2, 3, -1] * 9, None), ([*AGES, 200, 999, 999], None), ([-999] * 5, None),
        ([-50.5, 3.0, -999.0, -999.0], "-999 in 2 rows (50%)"), ([-500.5, 3.0, -999.0, -999.0], None), ([*range(95, 1200), 999, 999], None),
        ([float("nan"), float("inf"), 1.0, 9999.0, 9999.0], "9999 in 2 rows (40%)"),
    ],
)  # fmt: skip
def test_numbers_that_stand_for_none(values: list[float], told: str | None) -> None:
    """A number is told only if the others speak for it: signs, clusters, temperatures and longitudes are left alone."""
    assert stands(values) == ([("warning", int(told.split(" in ")[1].split()[0]), told)] if told else [])


def test_given_sentinels() -> None:
    """What the spec calls so is a warning wherever it is, and nothing else is looked for; an empty list is none."""
    assert stands([*AGES, 0, -1, -1, -1], sentinels=["0"]) == [("warning", 1, "'0' in 1 row (0.5%)")]
    assert stands(["unknown", "N/A", "x"], sentinels=["unknown", "0"]) == [
        ("warning", 1, "'unknown' in 1 row (33.3%)")
    ]
    assert stands(["N/A", "x"], sentinels=[]) == []
    odd = pa.table({"b:c": ["a", "x"], "c": ["x", "a:b"]})
    told = [it.message for it in check(odd, sentinels=["a", "a:b"])]
    assert [it.split(" (")[0] for it in told] == ["'b:c' has 'a' in 1 row", "'c' has 'a:b' in 1 row"]
    plain = parse_dataset("d", {"source": "x", "validate": {"missing": {"sentinels": [-999, "?"]}}})
    assert plain["validate"]["missing"]["sentinels"] == ["-999", "?"]


def test_sentinels_by_part() -> None:
    """Rows and parts of all that a column has are told together."""
    table = pa.table({"c": ["NA", "x", "-", None, "NA"]})
    [finding] = check(table, {"train": [0, 1], "test": [2, 3, 4]})
    assert finding.parts == {"train": 1, "test": 2} and [it.row for it in finding.places] == [0, 2, 4]


@settings(deadline=None, max_examples=12)
@given(
    rows=st.lists(st.tuples(*[st.sampled_from([None, "", "NA", "x"])] * 3), min_size=1, max_size=30),
    cut=st.integers(1, 30),
    block=st.sampled_from([3, 1000]),
)
def test_cuts_do_not_matter(rows: list[tuple[str | None, ...]], cut: int, block: int) -> None:
    """Rows that lack values and values that stand for none are counted as they are, however rows are cut."""
    table = pa.table(
        {
            name: pa.array(values, pa.string())
            for name, values in zip("abc", zip(*rows, strict=True), strict=True)
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "BLOCK_ROWS", block)
        params = PARAMS | {"row": 0.0}
        pieces = [table.slice(at, cut) for at in range(0, len(rows), cut)]
        found = check_pieces(CHECKS["missing"], params, pieces)
    assert found == check(table, row=0.0)
    lacking = [it for it in found if isinstance(it, Finding) and it.code == "row-missing"]
    assert sum(it.rows for it in lacking) == sum(None in row for row in rows)
    for name, values in zip("abc", zip(*rows, strict=True), strict=True):
        told = [it for it in check(table) if it.code == "stands-for-missing" and it.column == name]
        assert sum(it.rows for it in told) == sum(it in ("", "NA") for it in values)
