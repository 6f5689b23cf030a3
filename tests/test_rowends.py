"""What two versions of a table have in common at their ends."""

from __future__ import annotations

import math
import struct
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.rowends import equal_ends

Row = tuple[float | None, str | None, bool]
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, 0.0, -0.0, 1.5, math.nan]), st.sampled_from([None, "", "a"]), st.booleans()
    ),
    max_size=9,
)


def table(rows: list[Row], *, cut: int = 0) -> pa.Table:
    """The rows in two chunks."""
    schema = pa.schema({"x": pa.float64(), "t": pa.string(), "b": pa.bool_()})
    made = pa.table([list(column) for column in zip(*rows, strict=True)] or [[], [], []], schema=schema)
    return pa.concat_tables([made.slice(0, cut), made.slice(cut)])


def bits(row: Row) -> tuple[object, ...]:
    return (None if row[0] is None else struct.pack("d", row[0]), *row[1:])


@given(ROWS, ROWS, st.integers(0, 9))
def test_ends_are_those_found_row_by_row(old: list[Row], new: list[Row], cut: int) -> None:
    """The longest common beginning, then the longest common end of what is left, however the tables are cut; -0.0 is not 0.0."""
    a, b = [bits(row) for row in old], [bits(row) for row in new]
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    assert equal_ends(table(old, cut=cut), table(new)) == (head, tail)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.struct({"x": pa.float64()}), pa.dictionary(pa.int8(), pa.string())]
)
def test_columns_with_others_inside_have_nothing_in_common(kind: pa.DataType) -> None:
    """Their values are not compared: nothing is said to be equal that was not looked at to the bit."""
    same = pa.table({"x": pa.nulls(3, kind)})
    assert equal_ends(same, same) == (0, 0)


VALUES = [
    pa.array([1.5], pa.float16()), pa.array([1.5], pa.float32()), pa.array([1], pa.int8()), pa.array([1], pa.uint64()),
    pa.array([7], pa.int32()).cast(pa.date32()), pa.array([7], pa.timestamp("ns", "UTC")), pa.array([7], pa.duration("s")),
    pa.array([7], pa.time64("us")), pa.array([Decimal("1.50")], pa.decimal128(9, 2)), pa.array([True]), pa.array(["a"], pa.large_string()),
    pa.array([b"a"]), pa.array([b"a"], pa.large_binary()), pa.array([b"ab"], pa.binary(2)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value.type))
def test_every_plain_type_is_compared(value: pa.Array) -> None:
    """Equal columns have all their rows in common; a value that is missing in one of them is seen where it is."""
    none = pa.nulls(1, value.type)
    one, other = (
        pa.table({"x": pa.concat_arrays(parts)})
        for parts in ([value, none, value, value], [value, none, none, value])
    )
    assert equal_ends(one, one) == (4, 0)
    assert equal_ends(one, other) == (2, 1)
