"""A row's 64-bit hash: a function of its values only, so that a row keeps its part whatever is added around it.

Definition, version 1 (changing it moves rows between parts: raise the split stage's version). ``mix`` is the finalizer
of splitmix64 (:mod:`mldata.splitmix`), ``G`` its constant 0x9E3779B97F4A7C15, arithmetic is modulo 2**64, words are
little-endian.

- null: ``mix(1)``, in a column of any type.
- boolean, integer, date, time, timestamp, duration: ``mix(2 * G + v)``, ``v`` the stored integer, sign-extended.
- floating point: ``mix(3 * G + bits)`` of the value as a double; -0.0 counts as 0.0, every NaN as 0x7FF8000000000000.
- string, binary of n <= 256 bytes: ``h = mix(4 * G + n)``, then ``h = mix(h ^ word)`` for each 8 bytes, the last word
  padded with zeros. Longer: ``mix(5 * G + w)``, ``w`` the first 8 bytes of the BLAKE3 of the bytes.
- decimal, and any other fixed number of bytes: as binary.
- list, map: ``mix(6 * G + n + sum of mix(h[i] + (i + 1) * G))`` over its n elements. A struct the same over its fields,
  a map's element being a struct of key and value. A dictionary-encoded value, and an extension type, as what it stands for.
- a row: the struct of its columns in the order given.

The hash spreads rows evenly; it does not resist somebody who chooses values to steer them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from blake3 import blake3

from mldata.splitmix import GAMMA, mix64, mix64_int

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

__all__ = ["hash_column", "hash_rows"]

_LONG = 256
_NAN = 0x7FF8000000000000
_MASK = (1 << 64) - 1
_NULL = np.uint64(mix64_int(1))
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


def _tag(number: int) -> np.uint64:
    return np.uint64((number * GAMMA) & _MASK)


def hash_rows(columns: Sequence[pa.Array]) -> Hashes:
    """Hash of each row made of ``columns`` (at least one, all of one length), in that order."""
    return _combine([hash_column(column) for column in columns], len(columns[0]))


def hash_column(column: pa.Array) -> Hashes:
    """Hash of each value. Raises ``TypeError`` for a type that the module's definition leaves out (unions, views)."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pt.is_dictionary(kind):
        hashes = _dictionary(column)
    elif pt.is_null(kind):
        return np.full(len(column), _NULL)
    elif pt.is_boolean(kind):
        hashes = _integers(column.cast(pa.uint8()))
    elif pt.is_integer(kind):
        hashes = _integers(column)
    elif pt.is_temporal(kind) and kind.bit_width <= 64:
        hashes = _integers(column.view(pa.int32() if kind.bit_width == 32 else pa.int64()))
    elif pt.is_floating(kind):
        hashes = _floats(column)
    elif pt.is_string(kind) or pt.is_binary(kind) or pt.is_large_string(kind) or pt.is_large_binary(kind):
        hashes = _texts(column)
    elif pt.is_fixed_size_binary(kind) or pt.is_decimal(kind):
        hashes = _fixed_bytes(column)
    elif pt.is_struct(kind):
        hashes = _combine([hash_column(field) for field in column.flatten()], len(column))
    elif pt.is_list(kind) or pt.is_large_list(kind) or pt.is_map(kind):
        hashes = _lists(column)
    elif pt.is_fixed_size_list(kind):
        hashes = _lists(column.cast(pa.list_(kind.value_field)))
    else:
        raise TypeError(f"values of type {kind} cannot be hashed")
    if column.null_count:
        hashes[np.asarray(column.is_null())] = _NULL
    return hashes


def _integers(column: pa.Array) -> Hashes:
    values = _primitive(column)
    wide = values.astype(np.uint64) if values.dtype.kind == "u" else values.astype(np.int64).view(np.uint64)
    return mix64(wide + _tag(2))


def _floats(column: pa.Array) -> Hashes:
    values = _primitive(column).astype(np.float64)
    with np.errstate(invalid="ignore"):  # of signalling NaN
        values += 0.0  # turns -0.0 into 0.0 (IEEE 754, round to nearest)
    bits = values.view(np.uint64)
    bits[np.isnan(values)] = np.uint64(_NAN)
    return mix64(bits + _tag(3))


def _primitive(column: pa.Array) -> NDArray[Any]:
    """The values as a numpy array without a copy; what stands under a null is anything."""
    buffer = column.buffers()[1]
    dtype = np.dtype(column.type.to_pandas_dtype())
    if buffer is None:
        return np.zeros(len(column), dtype)
    return np.frombuffer(buffer, dtype, len(column), column.offset * dtype.itemsize)


def _dictionary(column: Any) -> Hashes:
    if not len(column.dictionary):
        return np.full(len(column), _NULL)
    values = hash_column(column.dictionary)
    return cast("Hashes", values[np.asarray(column.indices.fill_null(0))])


def _texts(column: pa.Array) -> Hashes:
    large = pt.is_large_string(column.type) or pt.is_large_binary(column.type)
    dtype = np.dtype(np.int64 if large else np.int32)
    _, offset_buffer, data = column.buffers()
    if offset_buffer is None:
        return np.full(len(column), _NULL)
    offsets = np.frombuffer(offset_buffer, dtype, len(column) + 1, column.offset * dtype.itemsize)
    return _bytes(offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64), data)


def _fixed_bytes(column: pa.Array) -> Hashes:
    width = column.type.bit_width // 8 if pt.is_decimal(column.type) else column.type.byte_width
    starts = (np.arange(len(column), dtype=np.int64) + column.offset) * width
    return _bytes(starts, np.full(len(column), width, np.int64), column.buffers()[1])


def _bytes(starts: NDArray[np.int64], sizes: NDArray[np.int64], data: pa.Buffer | None) -> Hashes:
    """Hashes of the byte strings ``data[start : start + size]``, eight bytes of all of them at a time."""
    hashes = mix64(sizes.view(np.uint64) + _tag(4))
    if data is None or not len(starts) or not int(sizes.max()):
        return hashes
    first, last = int(starts.min()), int((starts + sizes).max())
    padded = np.zeros(last - first + 8, np.uint8)
    padded[:-8] = np.frombuffer(data, np.uint8, last - first, first)
    # Every eight neighbouring bytes as a word: overlapping, unaligned views, gathered below.
    words = cast("Hashes", np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,)))
    rows: NDArray[np.int64] | slice = slice(None)
    for word in range(_LONG // 8):
        left = sizes[rows] - 8 * word
        alive = left > 0
        if not alive.all():
            rows = np.flatnonzero(alive) if isinstance(rows, slice) else rows[alive]
            left = left[alive]
        if not len(left):
            break
        values = words[starts[rows] - first + 8 * word]
        values &= _FIRST_BYTES[np.minimum(left, 8)]
        hashes[rows] = mix64(hashes[rows] ^ values)
    for row in np.flatnonzero(sizes > _LONG):
        start = int(starts[row]) - first
        digest = blake3(padded[start : start + int(sizes[row])].tobytes()).digest()
        hashes[row] = mix64_int(int(_tag(5)) + int.from_bytes(digest[:8], "little"))
    return hashes


def _lists(column: Any) -> Hashes:
    if pt.is_map(column.type):
        column = column.cast(pa.list_(pa.struct([column.type.key_field, column.type.item_field])))
    sizes = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int64)
    elements = hash_column(column.flatten())  # leaves out what stands under a null list
    ends = np.cumsum(sizes)
    starts = ends - sizes
    places = np.arange(len(elements), dtype=np.int64) - np.repeat(starts, sizes)
    places += 1
    elements += places.view(np.uint64) * np.uint64(GAMMA)
    sums = np.zeros(len(elements) + 1, np.uint64)
    np.cumsum(mix64(elements), out=sums[1:])  # wraps around, and so does the difference
    return mix64(sums[ends] - sums[starts] + sizes.view(np.uint64) + _tag(6))


def _combine(fields: Sequence[Hashes], rows: int) -> Hashes:
    total = np.full(rows, _tag(6) + np.uint64(len(fields)))
    for place, hashes in enumerate(fields, 1):
        total += mix64(hashes + _tag(place))
    return mix64(total)
