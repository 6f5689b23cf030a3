"""The join of column types: order never matters, nothing is lost."""

from __future__ import annotations

from itertools import permutations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.formats.base import Piece
from mldata.formats.unify import Column, Conflict, join, join_types, unify

TYPES = [
    pa.null(), pa.bool_(), pa.int8(), pa.uint8(), pa.int32(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(),
    pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.string(), pa.large_string(), pa.binary(),
    pa.decimal128(38, 0), pa.decimal128(5, 2), pa.list_(pa.int64()), pa.list_(pa.float64()), pa.struct([("x", pa.int64())]), pa.struct([("x", pa.float64())]),
]  # fmt: skip
TEXT = [
    Column(pa.null(), "f", True),
    *(Column(pa.bool_(), "f", True, spelling=word) for word in ("true", "True")),
    Column(pa.int64(), "f", True),
    Column(pa.int64(), "f", True, wide=True),
    *(Column(kind, "f", True) for kind in (pa.float64(), pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.string())),
]  # fmt: skip
TYPED = [Column(kind, "f", wide=wide) for kind in TYPES for wide in (False, True)]


def joined(columns: tuple[Column, ...]) -> object:
    """Type, or None for a conflict."""
    result = columns[0]
    for column in columns[1:]:
        try:
            result = join(result, column)
        except Conflict:
            return None
    return result.type


@given(st.lists(st.sampled_from(TEXT), min_size=2, max_size=4))
def test_text_always_joins_in_any_order(columns: list[Column]) -> None:
    """Columns of text have one join, whatever the order; at worst it is a string."""
    results = {joined(order) for order in permutations(columns)}
    assert len(results) == 1 and None not in results


@given(st.lists(st.sampled_from(TEXT + TYPED), min_size=2, max_size=3))
def test_the_order_does_not_matter(columns: list[Column]) -> None:
    """So it is among typed columns and among both, conflicts included."""
    assert len({joined(order) for order in permutations(columns)}) == 1


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_type_joins_with_itself_and_null(kind: pa.DataType) -> None:
    """``null`` is below everything and every type is its own join."""
    assert join_types(kind, kind) == join_types(kind, pa.null()) == join_types(pa.null(), kind) == kind


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (pa.duration("s"), pa.duration("ms"), pa.duration("ms")),
        (pa.date32(), pa.date64(), pa.date64()),
        (pa.list_(pa.int8()), pa.large_list(pa.int8()), pa.large_list(pa.int8())),
        (pa.list_(pa.int8()), pa.list_(pa.string()), None),
        (pa.int64(), pa.uint64(), None),
        (pa.uint64(), pa.decimal128(38, 0), None),
        (pa.int64(), pa.decimal128(38, 0), pa.decimal128(38, 0)),
        (pa.int8(), pa.decimal128(4, 2), pa.decimal128(5, 2)),
        (pa.float64(), pa.decimal128(4, 2), None),
        (pa.decimal128(38, 0), pa.decimal128(38, 30), pa.decimal256(68, 30)),
        (pa.decimal256(76, 0), pa.decimal256(76, 30), None),
        (pa.binary(), pa.large_binary(), pa.large_binary()),
        (pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string()), pa.string()),
        (pa.dictionary(pa.int8(), pa.string()), pa.large_string(), pa.large_string()),
        (pa.struct([("x", pa.int8())]), pa.struct([("x", pa.string())]), None),
        (pa.map_(pa.string(), pa.int8()), pa.map_(pa.string(), pa.int16()), None),
    ],
    ids=str,
)
def test_joins_that_are_rare(a: pa.DataType, b: pa.DataType, expected: pa.DataType | None) -> None:
    """Wider units, offsets and precisions where they exist, else no join."""
    assert join_types(a, b) == join_types(b, a) == expected


def test_columns_of_a_table() -> None:
    """Columns come in the first file's order, then as they appear; one that a file lacks may be null."""
    required = pa.schema([pa.field("b", pa.int8(), nullable=False), pa.field("a", pa.int8(), nullable=False)])
    one, two = (
        Piece(1, (0, 1), required, ()),
        Piece(1, (0, 1), pa.schema([("c", pa.string()), required.field(1)]), ()),
    )
    schema = unify([("1", False, one), ("2", False, two)])
    assert schema.names == ["b", "a", "c"]
    assert [field.nullable for field in schema] == [True, False, True]


def test_a_conflict_names_the_file_that_has_the_type() -> None:
    """Among many files, the two that are named are those that do not go together."""
    kinds = [pa.null(), pa.int8(), pa.int64(), pa.string()]
    pieces = [(f"{kind}.parquet", False, Piece(1, (0, 1), pa.schema([("c", kind)]), ())) for kind in kinds]
    with pytest.raises(DataError, match=r"int64 in int64\.parquet and string in string\.parquet"):
        unify(pieces)
