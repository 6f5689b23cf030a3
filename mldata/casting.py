"""Casts of Arrow, right also where a type has nothing but nulls somewhere inside.

Arrow (26.0.1) makes one value of however many there are where a list of nulls is cast to a list of nulls, as it does with the parts of a struct
that stay as they are: the lists then refer to values that are not there. So such types are taken apart here, and put together again.
"""

from __future__ import annotations

from typing import TypeVar

import pyarrow as pa
import pyarrow.types as pt

from mldata.arrays import number_array

__all__ = ["cast"]

Column = TypeVar("Column", pa.Array, pa.ChunkedArray)


def cast(column: Column, kind: pa.DataType) -> Column:
    """``column.cast(kind)``. Raises what that does."""
    if column.type == kind:
        return column
    if not column.type.num_fields or not _has_nulls(column.type):
        return column.cast(kind)
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([_cast(chunk, kind) for chunk in column.chunks], kind)
    return _cast(column, kind)


def _has_nulls(kind: pa.DataType) -> bool:
    """Whether there is a type of nothing but nulls in a type."""
    return bool(
        pt.is_null(kind) or any(_has_nulls(kind.field(index).type) for index in range(kind.num_fields))
    )


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if pt.is_null(array.type):
        return pa.nulls(len(array), kind)
    if pt.is_struct(array.type) and pt.is_struct(kind):
        names = [field.name for field in array.type]
        if len(set(names)) == len(names) and set(names) <= {field.name for field in kind}:
            return _cast_struct(array, kind)
    if (pt.is_list(array.type) and pt.is_list(kind)) or (
        pt.is_large_list(array.type) and pt.is_large_list(kind)
    ):
        return _cast_lists(array, kind)
    return array.cast(kind)


def _cast_struct(array: pa.StructArray, kind: pa.StructType) -> pa.StructArray:
    """Field by field, by name; those that are new are null."""
    children = []
    for field in kind:
        index = array.type.get_field_index(field.name)
        child = array.field(index) if index >= 0 else pa.nulls(len(array), field.type)
        children.append(_cast(child, field.type))
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())


def _cast_lists(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The lists as they are cut, around other values."""
    starts = array.offsets.to_numpy()
    values = array.values.slice(int(starts[0]), int(starts[-1] - starts[0])) if len(starts) else array.values
    offsets = number_array(starts - (starts[0] if len(starts) else starts.dtype.type(0)))
    lists = pa.LargeListArray if pt.is_large_list(kind) else pa.ListArray
    return lists.from_arrays(offsets, _cast(values, kind.value_type), type=kind, mask=array.is_null())
