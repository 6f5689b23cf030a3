"""Rows as serialized ``tf.train.Example`` messages, a column at a time.

Source of the format: TensorFlow's ``example.proto`` and ``feature.proto``: an ``Example`` has ``Features`` (field 1), a map (field 1) of
keys to ``Feature``, which is a ``BytesList`` (1), ``FloatList`` (2, packed) or ``Int64List`` (3, packed).

Invariant: features are in ascending order of their keys' bytes and nothing else depends on chance, so that equal rows are equal bytes.
See :mod:`mldata.exports.tffeatures` for the mapping of types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import as_numpy, filled, number_array, text_array
from mldata.exports.cells import plain, scalar_cells
from mldata.exports.jsonl import json_cells
from mldata.exports.protobuf import Ragged, binary_sizes, byte_rows, joined, sliced, varint, varint_sizes
from mldata.exports.tffeatures import BYTES, FLOAT, Feature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Encoded", "encode"]

_TAGS = {BYTES: b"\x0a", FLOAT: b"\x12"}
_INT64_TAG = b"\x1a"
_ITEM = b"\x0a"
"""Field 1, length-delimited: an element of a list of bytes, or all elements of a packed one."""


class Encoded:
    """The pieces that the messages of some rows are joined from, and what was lost."""

    def __init__(self, pieces: list[pa.Array], nonfinite: int, overflows: int) -> None:
        self.pieces = pieces
        self.nonfinite = nonfinite
        """Values that are not finite and are null in JSON text."""
        self.overflows = overflows
        """Finite doubles that are infinite as ``float32``."""


def encode(rows: pa.RecordBatch, features: Sequence[Feature]) -> Encoded:
    """The fields of ``Features`` of each row: what :func:`mldata.exports.protobuf.joined` makes of the pieces.

    ``features`` come in the order of their keys.
    """
    made, nonfinite, overflows = [], 0, 0
    for feature in features:
        column = plain(rows.column(feature.column))
        if feature.how == "missing":
            made += _missing(column, feature.key)
            continue
        if feature.how == "index":
            assert feature.classes is not None
            column = pc.index_in(column.cast(pa.string()), text_array(feature.classes)).cast(pa.int64())
            # `index_in` finds null nowhere, as it finds a value that is no class.
        present = None if not column.null_count else as_numpy(column.is_valid())
        if feature.how == "json":
            column, lost = json_cells(column, feature.column)
            nonfinite += lost
            column = column if present is None else pc.if_else(number_array(present), column, None)
        counts = None
        if feature.many:
            counts = filled(pc.list_value_length(column), 0)
            column = plain(column.flatten())
        values, lost = _values(column, feature)
        overflows += lost
        made += _list(feature, values, counts, present)
    return Encoded(made, nonfinite, overflows)


def _values(column: Any, feature: Feature) -> tuple[Any, int]:
    """The values as NumPy's ``int64`` or ``float32``, or as an Arrow array of bytes; nulls are 0, NaN or empty there."""
    kind = column.type
    if feature.dtype == BYTES:
        if feature.how == "double":
            data = as_numpy(_filled(column, float("nan"))).astype("<f8", copy=False)
            # A null has no feature and so no bytes; in a list it has its place.
            present = None if feature.many or not column.null_count else as_numpy(column.is_valid())
            return Ragged(len(data), present).fixed(byte_rows(data)).done(), 0
        if feature.how == "text":
            column = scalar_cells(column, feature.column)
        column = column.cast(pa.binary())
        return (pc.fill_null(column, b"") if column.null_count else column), 0
    if feature.dtype == FLOAT:
        column = column.cast(pa.float32()) if pt.is_float16(kind) else column
        wide = as_numpy(_filled(column, float("nan")))
        with np.errstate(over="ignore"):
            narrow = wide.astype("<f4")
        lost = int((np.isinf(narrow) & ~np.isinf(wide)).sum()) if kind == pa.float64() else 0
        return narrow, lost
    if pt.is_null(kind):
        return np.zeros(len(column), np.int64), 0
    if pt.is_duration(kind):
        column = column.view(pa.int64())
    return as_numpy(_filled(column, 0)).astype(np.int64), 0  # uint64: the same 64 bits


def _filled(column: pa.Array, value: float) -> pa.Array:
    if not column.null_count:
        return column
    return pc.fill_null(column, number_array(np.array([value])).cast(column.type)[0])


def _list(
    feature: Feature, values: Any, counts: NDArray[np.int64] | None, present: NDArray[np.bool_] | None
) -> list[pa.Array]:
    """The map entry of a feature in each row that has it: pieces."""
    if feature.dtype == BYTES:
        sizes = binary_sizes(values)
        if counts is None:
            head = _head(feature, 1 + varint_sizes(sizes) + sizes, present).same(_ITEM).varints(sizes)
            return [head.done(), values]
        items = joined([Ragged(len(values)).same(_ITEM).varints(sizes).done(), values])
        data = sliced(items, counts)
        return [_head(feature, binary_sizes(data), present).done(), data]
    sizes = np.full(len(values), 4, np.int64) if feature.dtype == FLOAT else varint_sizes(values)
    if counts is None:
        head = _head(feature, 2 + sizes, present).same(_ITEM).varints(sizes)
        return [(head.fixed(byte_rows(values)) if feature.dtype == FLOAT else head.varints(values)).done()]
    cells = Ragged(len(values))
    data = sliced(
        (cells.fixed(byte_rows(values)) if feature.dtype == FLOAT else cells.varints(values)).done(), counts
    )
    sizes = binary_sizes(data)
    some = sizes > 0
    head = _head(feature, np.where(some, 1 + varint_sizes(sizes) + sizes, 0), present).done()
    return [head, Ragged(len(sizes), some).same(_ITEM).varints(sizes).done(), data]


def _head(feature: Feature, sizes: NDArray[np.int64], present: NDArray[np.bool_] | None) -> Ragged:
    """All of the map entry before the content of its list, which is of ``sizes`` bytes."""
    key = feature.key.encode()
    named = _ITEM + varint(len(key)) + key + b"\x12"
    value = 1 + varint_sizes(sizes) + sizes
    entry = len(named) + varint_sizes(value) + value
    tag = _TAGS.get(feature.dtype, _INT64_TAG)
    return (
        Ragged(len(sizes), present)
        .same(_ITEM)
        .varints(entry)
        .same(named)
        .varints(value)
        .same(tag)
        .varints(sizes)
    )


def _missing(column: Any, key: str) -> list[pa.Array]:
    """The places of the nulls in each list that has any."""
    elements = column.flatten()
    counts = filled(pc.list_value_length(column), 0)
    starts = np.cumsum(counts) - counts
    at = np.flatnonzero(as_numpy(elements.is_null())) if elements.null_count else np.zeros(0, np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)[at]
    nulls = np.bincount(owner, minlength=len(counts)).astype(np.int64)
    if not len(at):
        return []
    feature = Feature(key, "", "int64", "missing", many=True)
    return _list(feature, at - starts[owner], nulls, nulls > 0)
