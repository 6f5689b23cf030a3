"""The first row and column in which two tables differ."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.rowdiff import RowDifference, rows_difference, schema_difference
from tests.exports.columns import ALL, table


def difference(old: pa.Table, new: pa.Table, rows: int = 7, others: int = 5) -> RowDifference | None:
    return rows_difference(old.to_batches(max_chunksize=rows), new.to_batches(max_chunksize=others))


@pytest.mark.parametrize("name", [name for name in ALL if name != "null"])
def test_every_type_is_compared(name: str) -> None:
    """Equal columns of any type are equal, however they are cut; one changed value is found."""
    data = table({name: ALL[name]}, 20)
    assert difference(data, data) is None
    other = pa.concat_tables([data.slice(0, 31), data.slice(30, 1), data.slice(32)])
    found = difference(data, other)
    assert found is not None and (found.row, found.column) == (31, name)
    assert (found.expected, found.got)[0] == "null"


def test_the_first_row_counts_then_the_first_column() -> None:
    """Of several differences the one in the first row is told, and in it the leftmost."""
    old = pa.table({"a": [1, 2, 3, 4], "b": ["x", "y", "z", None]})
    new = pa.table({"a": [1, 2, 9, 9], "b": ["x", "Y", "z", "w"]})
    assert difference(old, new) == RowDifference(1, "b", "'y'", "'Y'")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ([0.0, float("nan")], [0.0, float("nan")], True),
        ([0.0], [-0.0], False),
        ([None], [float("nan")], False),
        ([[float("nan")]], [[float("nan")]], True),
        ([[1.0], None], [[1.0], []], False),
        ([{"a": 1.5}], [{"a": 1.25}], False),
    ],
)
def test_values_are_what_they_are(old: list[Any], new: list[Any], same: bool) -> None:
    """NaN is NaN, null is not, nor is -0.0 what 0.0 is; also inside lists."""
    kind = pa.infer_type([value for value in (*old, *new) if value is not None])
    one, two = pa.array(old, kind, from_pandas=False), pa.array(new, kind, from_pandas=False)
    assert (difference(pa.table({"x": one}), pa.table({"x": two})) is None) is same


def test_a_side_that_ends_first() -> None:
    """Rows that only one has are told, by the number of the first."""
    old = pa.table({"a": [1, 2, 3]})
    assert difference(old, old.slice(0, 2)) == RowDifference(2, None, "a row 2", "only 2 rows")
    assert difference(old.slice(0, 0), old) == RowDifference(0, None, "only 0 rows", "a row 0")


def test_long_values_are_cut() -> None:
    """A message holds the start of a value of any size."""
    found = difference(pa.table({"a": ["x" * 1000]}), pa.table({"a": ["y"]}))
    assert found is not None and len(found.expected) == 80 and found.expected.endswith("…")


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=50), st.data())
def test_the_first_changed_row_is_found(values: list[float | None], data: st.DataObject) -> None:
    """Among any numbers, whichever row is changed."""
    row = data.draw(st.integers(0, len(values) - 1))
    other = [*values[:row], 1.0 if values[row] is None else None, *values[row + 1 :]]
    kind = pa.float64()
    old, new = (pa.table({"x": pa.array(it, kind, from_pandas=False)}) for it in (values, other))
    found = difference(old, new)
    assert found is not None and found.row == row


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({"a": pa.int32(), "b": pa.string()}, ("a", "a: int64", "a: int32")),
        ({"a": pa.int64(), "c": pa.string()}, ("b", "b: string", "c: string")),
        ({"a": pa.int64()}, ("b", "b: string", "no such column")),
        ({"a": pa.int64(), "b": pa.string(), "c": pa.int8()}, ("c", "no such column", "c: int8")),
        ({"a": pa.int64(), "b": pa.string()}, None),
    ],
)
def test_schemas(new: dict[str, pa.DataType], expected: tuple[str, str, str] | None) -> None:
    """The first column that is another one, in name, place or type."""
    old = pa.schema({"a": pa.int64(), "b": pa.string()})
    assert schema_difference(old, pa.schema(new)) == expected
