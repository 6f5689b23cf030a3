"""Casts are those of Arrow, and right where there is nothing but nulls inside."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.casting import cast

NULLS = pa.list_(pa.null())
INNER = pa.struct([("x", pa.int64())])


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ([{"z": None, "n": [None, None]}], pa.struct([("z", pa.null()), ("n", NULLS)]), pa.struct([("z", pa.int64()), ("n", NULLS)])),
        ([[None, None], None, []], NULLS, pa.list_(INNER)),
        ([{"n": [[None], []]}, None], pa.struct([("n", pa.list_(NULLS))]), pa.struct([("n", pa.list_(pa.list_(INNER)))])),
        ([[{"a": None, "b": 1}]], pa.list_(pa.struct([("a", pa.null()), ("b", pa.int8())])), pa.list_(pa.struct([("a", NULLS), ("b", pa.int64())]))),
        ([[None, None]], pa.large_list(pa.null()), pa.large_list(pa.string())),
    ],
)  # fmt: skip
def test_nulls_inside(values: list[Any], old: pa.DataType, new: pa.DataType) -> None:
    """Values stay, the array is sound, slices and chunks too."""
    array = pa.array([*values, None, *values], old)
    for column in (array, array.slice(1), pa.chunked_array([array, array.slice(len(values))])):
        found = cast(column, new)
        found.validate(full=True)
        assert found.type == new and found.to_pylist() == column.to_pylist()


def test_a_new_field_is_null() -> None:
    """As Arrow has it."""
    found = cast(
        pa.array([{"a": [None]}], pa.struct([("a", NULLS)])), pa.struct([("b", pa.int8()), ("a", NULLS)])
    )
    found.validate(full=True)
    assert found.to_pylist() == [{"b": None, "a": [None]}]


def test_what_does_not_fit_is_refused() -> None:
    """By what Arrow raises."""
    with pytest.raises((pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError)):
        cast(pa.array([{"a": None, "b": "x"}], pa.struct([("a", pa.null()), ("b", pa.string())])),
             pa.struct([("a", pa.null()), ("b", pa.int64())]))  # fmt: skip


@given(st.lists(st.none() | st.lists(st.none() | st.integers(-100, 100), max_size=3), max_size=6))
def test_without_them_it_is_arrow(values: list[Any]) -> None:
    """Nothing else is cast in another way."""
    array = pa.array(values, pa.list_(pa.int8()))
    assert cast(array, pa.list_(pa.float64())).equals(array.cast(pa.list_(pa.float64())))
