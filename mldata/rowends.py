"""What two tables have in common at their beginnings and at their ends, as two versions of a file do in which some rows were edited."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pyarrow.types as pt

__all__ = ["equal_ends"]

_BITS = {pa.float16(): pa.int16(), pa.float32(): pa.int32(), pa.float64(): pa.int64()}
"""Integers of the same width: floats that are equal can differ in their bits (0.0 and -0.0), and some are not equal to themselves."""


def equal_ends(old: pa.Table, new: pa.Table) -> tuple[int, int]:
    """How many first rows of two tables of one schema are the same to the bit, and how many last ones of those behind them.

    None are where a column has a type whose values are not compared here: one with others inside.
    """
    if not all(_comparable(field.type) for field in old.schema):
        return 0, 0
    pairs = [(_bits(a), _bits(b)) for a, b in zip(old.columns, new.columns, strict=True)]
    head = min(old.num_rows, new.num_rows)
    for a, b in pairs:
        head = _most(head, partial(_same_head, a, b))
    tail = min(old.num_rows, new.num_rows) - head
    for a, b in pairs:
        tail = _most(tail, partial(_same_tail, a, b))
    return head, tail


def _same_head(a: pa.ChunkedArray, b: pa.ChunkedArray, rows: int) -> bool:
    return bool(a.slice(0, rows).equals(b.slice(0, rows)))


def _same_tail(a: pa.ChunkedArray, b: pa.ChunkedArray, rows: int) -> bool:
    return bool(a.slice(len(a) - rows).equals(b.slice(len(b) - rows)))


def _most(limit: int, same: Callable[[int], bool]) -> int:
    """The largest number up to ``limit`` of which ``same`` is true: of 0 it is, and of all that are less than one of which it is."""
    if same(limit):
        return limit
    low = 0
    while limit - low > 1:
        middle = (low + limit) // 2
        low, limit = (middle, limit) if same(middle) else (low, middle)
    return low


def _comparable(kind: pa.DataType) -> bool:
    return bool(
        pt.is_null(kind)
        or pt.is_boolean(kind)
        or pt.is_integer(kind)
        or pt.is_floating(kind)
        or pt.is_temporal(kind)
        or pt.is_decimal(kind)
        or pt.is_string(kind)
        or pt.is_large_string(kind)
        or pt.is_binary(kind)
        or pt.is_large_binary(kind)
        or pt.is_fixed_size_binary(kind)
    )


def _bits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = _BITS.get(column.type)
    if kind is None:
        return column
    return pa.chunked_array([chunk.view(kind) for chunk in column.chunks], kind)
