"""How rows in TFRecords are parsed: the feature of each column, its dtype, and what stands for one that is missing.

What the export format ``tfrecord`` writes, seen from the reader's side: a feature is called as its column; whole numbers, booleans and
durations are ``int64``, floats are ``float32``, all else is bytes; lists of these are as long as they are; other nested values are JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as pt

if TYPE_CHECKING:
    from mldata.frameworks.base import Column, Described

__all__ = ["FLOAT", "INT64", "STRING", "Parsed", "as_parsed", "parsed"]

FLOAT, INT64, STRING = "float32", "int64", "string"
LEAST, MOST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Parsed:
    """How a column is parsed."""

    column: Column
    dtype: str
    many: bool = False
    """Any number of values."""
    absent: Any = None
    """What a missing value is parsed as; None: none is missing. No other row has it, but for empty text and NaN."""


def parsed(described: Described) -> list[Parsed]:
    """How each column is parsed, in order; columns of nulls have no feature."""
    return [it for column in described.columns for it in _parsed(column)]


def _parsed(column: Column) -> Iterator[Parsed]:
    kind = plain(column.type)
    if pt.is_null(kind):
        return
    if is_list(kind) and (pt.is_nested(plain(kind.value_type)) or pt.is_null(plain(kind.value_type))):
        yield Parsed(column, STRING, absent="" if column.nulls else None)
    elif is_list(kind):
        yield Parsed(column, _dtype(plain(kind.value_type)), many=True)
    else:
        dtype = _dtype(kind)
        yield Parsed(column, dtype, absent=_absent(column, kind, dtype) if column.nulls else None)


def _dtype(kind: pa.DataType) -> str:
    if pt.is_floating(kind):
        return FLOAT
    return INT64 if pt.is_boolean(kind) or pt.is_integer(kind) or pt.is_duration(kind) else STRING


def _absent(column: Column, kind: pa.DataType, dtype: str) -> Any:
    if dtype == STRING:
        if pt.is_decimal(kind):
            return "nan"
        taken = {it for it in column.classes if isinstance(it, str)}
        return next(text for text in ("\0" * count for count in range(len(taken) + 1)) if text not in taken)
    if dtype == FLOAT or pt.is_boolean(kind):
        return -1 if dtype == INT64 else "nan"
    if pt.is_duration(kind):
        return LEAST
    least, most = column.span or (0, 0)
    if pt.is_uint64(kind):  # the file has its 64 bits as a signed number
        free = most + 1 if most < 2**64 - 1 else max(least - 1, 0)
        return free - 2**64 if free > MOST else free
    return least - 1 if least > LEAST else min(most + 1, MOST)


def as_parsed(described: Described) -> Described:
    """The dataset as the records have it: doubles as floats, dates and other nested values as text."""
    return replace(described, columns=[_as_parsed(it.column, it) for it in parsed(described)])


def _as_parsed(column: Column, how: Parsed) -> Column:
    if how.many or column.role == "category":
        return column
    if column.role == "number" and how.dtype == FLOAT and pt.is_float64(plain(column.type)):
        return replace(column, type=pa.float32())
    if how.dtype == STRING and column.role in ("time", "nested"):
        return replace(column, type=pa.string(), role="text")
    return column


def is_list(kind: pa.DataType) -> bool:
    """Whether it is a list of any kind."""
    return bool(pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind))


def plain(kind: pa.DataType) -> pa.DataType:
    """The type without dictionary encoding and extension."""
    if isinstance(kind, pa.ExtensionType):
        return plain(kind.storage_type)
    return plain(kind.value_type) if pt.is_dictionary(kind) else kind
