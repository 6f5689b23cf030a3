"""Of which kind columns of an Arrow type are, and their values as NumPy has them.

Invariant: an extension type is what it is stored as, a dictionary what it stands for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mldata.profile import summary as forms
from mldata.rowhash import hash_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["doubles", "hashable", "kind_of", "native", "nulls_of", "plain_type", "stored", "undictionaried"]


def kind_of(kind: pa.DataType) -> str:
    """Of which of :data:`mldata.profile.summary.KINDS` columns of an Arrow type are."""
    kind = plain_type(kind)
    found = _KINDS.get(kind.id)
    return found if found is not None else _KINDS.get(plain_type(kind).id, forms.OTHER)


_EXAMPLES = {
    forms.NULL: [pa.null()],
    forms.BOOLEAN: [pa.bool_()],
    forms.NUMERIC: [
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64()),
        *(pa.decimal32(1), pa.decimal64(1), pa.decimal128(1), pa.decimal256(1)),
    ],
    forms.TIME: [
        *(pa.date32(), pa.date64(), pa.time32("s"), pa.time64("us"), pa.timestamp("s"), pa.duration("s")),
    ],
    forms.TEXT: [pa.string(), pa.large_string()],
    forms.BINARY: [pa.binary(), pa.large_binary(), pa.binary(1)],
    forms.LIST: [
        *(pa.list_(pa.null()), pa.large_list(pa.null()), pa.list_(pa.null(), 1)),
        pa.map_(pa.string(), pa.null()),
    ],
    forms.STRUCT: [pa.struct([])],
}
_KINDS = {example.id: name for name, examples in _EXAMPLES.items() for example in examples}


def plain_type(kind: pa.DataType) -> pa.DataType:
    """What values of a type are, without extensions and dictionaries around them."""
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pt.is_dictionary(kind):
            kind = kind.value_type
        else:
            return kind


def hashable(kind: pa.DataType) -> bool:
    """Whether values of a type can be told apart by :mod:`mldata.rowhash`."""
    found = kind_of(kind)
    if found not in (forms.LIST, forms.STRUCT):
        return found != forms.OTHER
    try:
        hash_column(pa.nulls(0, plain_type(kind)))
    except (TypeError, NotImplementedError):  # somewhere inside is a union or a view
        return False
    return True


def stored(column: pa.Array) -> pa.Array:
    """A column without an extension type around it."""
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column


def undictionaried(column: Any) -> pa.Array:
    """The values of a column that may be a dictionary array."""
    while pt.is_dictionary(column.type):
        column = stored(column.dictionary.take(column.indices))
    return column


def nulls_of(column: pa.Array) -> NDArray[np.bool_] | None:
    """Which values are null; None: none is."""
    if not column.null_count:
        return None
    if pt.is_null(column.type):
        return np.ones(len(column), np.bool_)
    return ~_bits(column.buffers()[0], column.offset, len(column))


def _bits(buffer: pa.Buffer, start: int, count: int) -> NDArray[np.bool_]:
    skip = start % 8
    packed = np.frombuffer(buffer, np.uint8, (skip + count + 7) // 8, start // 8)
    return np.unpackbits(packed, count=skip + count, bitorder="little")[skip:].view(np.bool_)


def native(column: pa.Array) -> NDArray[Any]:
    """Booleans, integers, times (their ticks) and floats as 64-bit numbers; what stands under a null is anything."""
    kind, count = column.type, len(column)
    if pt.is_boolean(kind):
        return _bits(column.buffers()[1], column.offset, count).astype(np.int64)
    letter = "f" if pt.is_floating(kind) else "u" if pt.is_unsigned_integer(kind) else "i"
    size = kind.bit_width // 8
    data = column.buffers()[1]
    if data is None:
        return np.zeros(count, f"{letter}8")
    values = np.frombuffer(data, f"<{letter}{size}", count, column.offset * size)
    with np.errstate(invalid="ignore"):  # of signalling NaN
        return values.astype(f"{letter}8", copy=False)


def doubles(column: pa.Array) -> NDArray[np.float64]:
    """Values as doubles; NaN for null, and for what is not finite."""
    values = native(column).astype(np.float64) + 0.0  # -0.0 becomes 0.0
    unknown = nulls_of(column)
    if unknown is not None:
        values[unknown] = math.nan
    if pt.is_floating(column.type):
        values[~np.isfinite(values)] = math.nan
    return values
