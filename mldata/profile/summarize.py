"""The summary of a table in memory."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.profile import summary as forms
from mldata.profile.summary import ColumnSummary, Distinct, Frequent, Numbers, RowSample, TableSummary, Texts
from mldata.rowhash import hash_column, hash_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["kind_of", "summarize"]


def kind_of(kind: pa.DataType) -> str:
    """Of which of :data:`mldata.profile.summary.KINDS` columns of an Arrow type are."""
    if isinstance(kind, pa.BaseExtensionType):
        return kind_of(kind.storage_type)
    if pt.is_dictionary(kind):
        return kind_of(kind.value_type)
    tests: tuple[tuple[str, Any], ...] = (
        (forms.NULL, pt.is_null),
        (forms.BOOLEAN, pt.is_boolean),
        (forms.NUMERIC, lambda it: pt.is_integer(it) or pt.is_floating(it) or pt.is_decimal(it)),
        (forms.TIME, lambda it: pt.is_temporal(it) and not pt.is_interval(it)),
        (forms.TEXT, lambda it: pt.is_string(it) or pt.is_large_string(it)),
        (forms.BINARY, lambda it: pt.is_binary(it) or pt.is_large_binary(it) or pt.is_fixed_size_binary(it)),
        (
            forms.LIST,
            lambda it: pt.is_list(it) or pt.is_large_list(it) or pt.is_fixed_size_list(it) or pt.is_map(it),
        ),
        (forms.STRUCT, pt.is_struct),
    )
    return next((name for name, test in tests if test(kind)), forms.OTHER)


def summarize(table: pa.Table) -> TableSummary:
    """What :mod:`mldata.profile.summary` knows of the rows of ``table``."""
    columns = [table.column(number).combine_chunks() for number in range(table.num_columns)]
    made = [_column(field, column) for field, column in zip(table.schema, columns, strict=True)]
    plain = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns]
    distinct = Distinct(len(np.unique(hash_rows(plain)))) if plain and table.num_rows else Distinct(0)
    patterns: Counter[tuple[str, ...]] = Counter()
    if columns and table.num_rows:
        nulls = np.stack([np.asarray(pc.is_null(column)) for column in plain], axis=1)
        for row in nulls[nulls.any(axis=1)]:
            patterns[tuple(np.array(table.column_names, object)[row])] += 1
    missing = tuple(sorted(patterns.items(), key=lambda it: (-it[1], it[0])))
    numbers = {
        it.name: _doubles(array)
        for it, array in zip(made, plain, strict=True)
        if it.kind in (forms.NUMERIC, forms.BOOLEAN, forms.TIME)
    }
    codes = {
        it.name: _codes(array)
        for it, array in zip(made, plain, strict=True)
        if it.kind in (forms.TEXT, forms.BOOLEAN)
    }
    sample = RowSample(table.num_rows, table.num_rows, numbers, codes)
    return TableSummary(table.num_rows, tuple(made), distinct, missing, 0, sample)


def _codes(column: pa.Array) -> NDArray[np.uint64]:
    hashes = hash_column(column)
    hashes[np.asarray(pc.is_null(column))] = 0
    return hashes


def _doubles(column: pa.Array) -> NDArray[np.float64]:
    if pt.is_temporal(column.type):
        column = column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())
    if pt.is_float16(column.type):
        column = column.cast(pa.float32())
    if pt.is_boolean(column.type):
        column = column.cast(pa.uint8())
    made = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), math.nan), np.float64).copy()
    made[~np.isfinite(made)] = math.nan
    return made


def _numbers(column: pa.Array) -> Numbers:
    if pt.is_temporal(column.type):
        column = column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())
    if pt.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if pt.is_float16(column.type):
        column = column.cast(pa.float32())
    values = np.asarray(column.drop_null().cast(pa.float64(), safe=False), np.float64)
    finite = values[np.isfinite(values)] + 0.0
    points, weights = np.unique(finite, return_counts=True)
    mean = float(finite.mean()) if len(finite) else None
    far = finite - (mean or 0.0)
    whole = pt.is_integer(column.type) and len(finite)
    ends: Any = (
        (pc.min(column).as_py(), pc.max(column).as_py())
        if whole
        else ((float(points[0]), float(points[-1])) if len(points) else (None, None))
    )
    return Numbers(
        len(finite),
        int(np.isnan(values).sum()),
        int(np.isposinf(values).sum()),
        int(np.isneginf(values).sum()),
        int((finite == 0).sum()),
        int((finite < 0).sum()),
        ends[0],
        ends[1],
        mean,
        (float((far**2).sum()), float((far**3).sum()), float((far**4).sum())),
        points,
        weights.astype(np.int64),
    )


def _frequent(column: pa.Array) -> Frequent:
    values = column.drop_null()
    if pt.is_temporal(values.type):
        values = values.cast(pa.string())
    if pt.is_floating(values.type):
        values = values.filter(pc.is_finite(values))
    counts = Counter(f"0x{it.hex()}" if isinstance(it, bytes) else it for it in values.to_pylist())
    told = sorted(counts.items(), key=lambda it: (-it[1], str(it[0])))
    return Frequent(
        tuple(
            (value if isinstance(value, str | int | float | bool) else str(value), count)
            for value, count in told
        )
    )


def _texts(column: pa.Array) -> Texts:
    values = [str(it) for it in column.drop_null().to_pylist()]
    words = Counter(word for value in values for word in re.findall(r"\w+", value.lower()))
    told = tuple(sorted(words.items(), key=lambda it: (-it[1], it[0])))
    return Texts(
        _numbers(pa.array([len(it) for it in values], pa.int64())),
        sum(not it for it in values),
        sum(bool(it) and not it.strip() for it in values),
        sum(bool(it.strip()) and it != it.strip() for it in values),
        {"letters": sum(c.isascii() and c.isalpha() for it in values for c in it)},
        len(values),
        {},
        Frequent(told),
    )


def _column(field: pa.Field, column: pa.Array) -> ColumnSummary:
    kind = kind_of(field.type)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pt.is_dictionary(column.type):
        column = column.dictionary_decode()
    common = (field.name, str(field.type), kind, field.nullable, len(column), column.null_count)
    distinct = Distinct(len(np.unique(hash_column(column.drop_null()))) if len(column.drop_null()) else 0)
    numbers = None
    if kind in (forms.NUMERIC, forms.TIME, forms.BOOLEAN):
        numbers = _numbers(column)
    elif kind == forms.LIST:
        numbers = _numbers(pc.list_value_length(column))
    elif kind == forms.BINARY:
        numbers = _numbers(pc.binary_length(column))
    counted = kind in (forms.NUMERIC, forms.BOOLEAN, forms.TIME, forms.TEXT, forms.BINARY)
    return ColumnSummary(
        *common,
        distinct,
        _frequent(column) if counted else None,
        numbers,
        _texts(column) if kind == forms.TEXT else None,
    )
