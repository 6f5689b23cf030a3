"""The first difference between two tables that come as batches: of schema, or the first row and column whose values differ.

Memory is that of one batch of each. Values are compared as they are: null is no value, NaN equals NaN, 0.0 and -0.0 differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

import pyarrow as pa

__all__ = ["RowDifference", "rows_difference", "schema_difference"]

SHOWN = 80
"""Characters of a value that a message has."""


@dataclass(frozen=True)
class RowDifference:
    """A value that differs."""

    row: int
    """Counted from 0."""
    column: str | None
    """None: one of the two has fewer rows, and this is the first that it lacks."""
    expected: str
    got: str


def schema_difference(expected: pa.Schema, got: pa.Schema) -> tuple[str, str, str] | None:
    """The first column that differs in name, place, type or nullability, as (column, expected, got); None when there is none."""
    for old, new in zip_longest(expected, got):
        if old is None or new is None:
            return (new or old).name, _field(old), _field(new)
        if not old.equals(new):
            return old.name, _field(old), _field(new)
    return None


def _field(field: pa.Field | None) -> str:
    if field is None:
        return "no such column"
    return f"{field.name}: {field.type}{'' if field.nullable else ' not null'}"


def rows_difference(
    expected: Iterable[pa.RecordBatch], got: Iterable[pa.RecordBatch]
) -> RowDifference | None:
    """The first row that differs, and of its columns the first; None when all rows are equal.

    Both have the same columns. They may be cut into batches in different ways.
    """
    done = 0
    for old, new in _aligned(expected, got):
        if old is None or new is None:
            has, lacks = f"a row {done}", f"only {done:,} rows"
            return RowDifference(done, None, *((has, lacks) if new is None else (lacks, has)))
        places = [
            (row, number)
            for number in range(old.num_columns)
            if (row := _first(old.column(number), new.column(number))) is not None
        ]
        if places:
            row, number = min(places)
            return RowDifference(
                done + row,
                old.schema.names[number],
                _shown(old.column(number), row),
                _shown(new.column(number), row),
            )
        done += old.num_rows
    return None


def _aligned(
    one: Iterable[pa.RecordBatch], two: Iterable[pa.RecordBatch]
) -> Iterator[tuple[pa.RecordBatch | None, pa.RecordBatch | None]]:
    """Batches of equal length; None where one side has ended before the other."""
    sides = [(batch for batch in side if batch.num_rows) for side in (one, two)]
    left, right = (next(side, None) for side in sides)
    while left is not None and right is not None:
        rows = min(left.num_rows, right.num_rows)
        yield left.slice(0, rows), right.slice(0, rows)
        left = left.slice(rows) if left.num_rows > rows else next(sides[0], None)
        right = right.slice(rows) if right.num_rows > rows else next(sides[1], None)
    if left is not None or right is not None:
        yield left, right


def _first(old: pa.Array, new: pa.Array) -> int | None:
    """The first row in which two arrays of equal length differ."""
    if _same(old, new):
        return None
    start, rows = 0, len(old)
    while rows > 1:  # halve, for as long as one half differs
        half = rows // 2
        if _same(old.slice(start, half), new.slice(start, half)):
            start, rows = start + half, rows - half
        else:
            rows = half
    return start


def _same(old: pa.Array, new: pa.Array) -> bool:
    """Whether two arrays have the same values. To Arrow's own comparison NaN differs from NaN, and 0.0 is -0.0."""
    if not old.type.equals(new.type) or len(old) != len(new):
        return False
    return bool(_comparable(old).equals(_comparable(new)))


def _comparable(array: pa.Array) -> pa.Array:
    """The array with floating-point numbers as their bits, at any depth."""
    kind = array.type
    if pa.types.is_floating(kind):
        whole = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[kind.bit_width]
        return _canonical(array).view(whole)
    if pa.types.is_struct(kind):
        fields = [_comparable(field) for field in array.flatten()]
        names = [str(number) for number in range(len(fields))]
        valid = array.is_valid()
        return pa.StructArray.from_arrays([valid, *fields], ["valid", *names])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        return _lists(array)
    if pa.types.is_fixed_size_list(kind):
        return _lists(array.cast(pa.list_(kind.value_type)))
    if pa.types.is_dictionary(kind):
        return _comparable(array.dictionary_decode())
    return array


def _lists(array: pa.Array) -> pa.Array:
    """Lists of values that are :func:`_comparable`."""
    import pyarrow.compute as pc

    if pa.types.is_map(array.type):
        pair = pa.struct([array.type.key_field, array.type.item_field])
        array = array.cast(pa.list_(pair))
    lengths = pc.list_value_length(array).cast(pa.int64())
    ends = pc.cumulative_sum(lengths.fill_null(0))
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    lists = pa.LargeListArray.from_arrays(offsets, _comparable(pc.list_flatten(array)))
    return pa.StructArray.from_arrays([lengths, lists], ["length", "values"])  # the length of a null is null


def _canonical(array: pa.Array) -> pa.Array:
    """NaNs, which come with many bit patterns, as one."""
    import pyarrow.compute as pc

    return pc.if_else(pc.is_nan(array), pa.scalar(float("nan"), array.type), array)


def _shown(array: pa.Array, row: int) -> str:
    """A value as a person reads it, cut to :data:`SHOWN` characters."""
    value = array[row]
    try:
        text = "null" if not value.is_valid else repr(value.as_py())
    except (ValueError, OverflowError, pa.ArrowException):  # a time that Python's own types cannot hold
        text = str(array.slice(row, 1).cast(pa.string())[0].as_py())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
