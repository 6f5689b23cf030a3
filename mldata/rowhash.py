"""A row's 64-bit hash: a function of its values only, so that a row keeps its part whatever is added around it.

Definition, version 2 (changing it moves rows between parts: raise the split stage's version). ``mix`` is the finalizer
of splitmix64 (:mod:`mldata.splitmix`), ``G`` its constant 0x9E3779B97F4A7C15, arithmetic is modulo 2**64, words are
little-endian.

- null: ``mix(1)``, in a column of any type.
- boolean, integer, date, time, timestamp, duration: ``mix(2 * G + v)``, ``v`` the stored integer, sign-extended.
- floating point: ``mix(3 * G + bits)`` of the value as a double; -0.0 counts as 0.0, every NaN as 0x7FF8000000000000.
- string, binary of n <= 256 bytes: ``h = mix(4 * G + n)``, then ``h = mix(h ^ word)`` for each 8 bytes, the last word
  padded with zeros. Longer: ``mix(5 * G + w)``, ``w`` the first 8 bytes of the BLAKE3 of the bytes.
- decimal, and any other fixed number of bytes: as binary.
- list, map: ``mix(6 * G + n + sum of h[i] * k(i))`` over its n elements, i from 1, ``k(i) = mix(i * G) | 1``. A struct the same
  over its fields, a map's element being a struct of key and value. A dictionary-encoded value, and an extension type, as
  what it stands for.
- a row: the struct of its columns in the order given.

The sum is a multilinear hash (Lemire, Kaser: "Strongly universal string hashing is fast", The Computer Journal 57(11), 2014)
of hashes that are mixed already; its factors are odd, so that one element that changes always changes the sum.

The hash spreads rows evenly; it does not resist somebody who chooses values to steer them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from blake3 import blake3

from mldata.splitmix import GAMMA, mix64, mix64_int

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Offsets = NDArray[np.int64]

__all__ = ["hash_column", "hash_rows"]

CHUNK = 1 << 14
"""Rows a step: a column's values, hashes and temporaries stay in a core's own cache."""
_LONG = 256
_NAN = 0x7FF8000000000000
_MASK = (1 << 64) - 1
_NULL = np.uint64(mix64_int(1))
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


def _tag(number: int) -> np.uint64:
    return np.uint64((number * GAMMA) & _MASK)


def hash_rows(columns: Sequence[pa.Array]) -> Hashes:
    """Hash of each row made of ``columns`` (at least one, all of one length), in that order."""
    rows = len(columns[0])
    total = np.full(rows, _tag(6) + np.uint64(len(columns)))
    for place, column in enumerate(columns, 1):
        # A dictionary's values are hashed once for all rows.
        step = max(rows, 1) if pt.is_dictionary(column.type) else CHUNK
        for start in range(0, rows, step):
            hashes = hash_column(column.slice(start, step))
            hashes *= _factor(place)
            total[start : start + step] += hashes
    return mix64(total)


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
        hashes = mix64(_bits(column.buffers()[1], column.offset, len(column)) + _tag(2))
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
        hashes = _struct(column)
    elif pt.is_list(kind) or pt.is_large_list(kind) or pt.is_map(kind):
        hashes = _lists(column)
    elif pt.is_fixed_size_list(kind):
        hashes = _lists(column.cast(pa.list_(kind.value_field)))
    else:
        raise TypeError(f"values of type {kind} cannot be hashed")
    if column.null_count:
        hashes[_bits(column.buffers()[0], column.offset, len(column)) == 0] = _NULL
    return hashes


def _bits(buffer: pa.Buffer, start: int, count: int) -> NDArray[np.uint8]:
    """Bits ``start`` to ``start + count`` of an Arrow bitmap, one a byte. (Arrow's own kernels cost the import of ``pyarrow.compute``.)"""
    if not count:
        return np.empty(0, np.uint8)
    skip = start % 8
    packed = np.frombuffer(buffer, np.uint8, (skip + count + 7) // 8, start // 8)
    return np.unpackbits(packed, count=skip + count, bitorder="little")[skip:]


def _integers(column: pa.Array) -> Hashes:
    values = _primitive(column)
    wide = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64, copy=False).view(np.uint64)
    return mix64(wide + _tag(2))


def _floats(column: pa.Array) -> Hashes:
    with np.errstate(invalid="ignore"):  # of signalling NaN
        values = np.add(
            _primitive(column), 0.0, dtype=np.float64
        )  # turns -0.0 into 0.0 (IEEE 754, round to nearest)
    bits = values.view(np.uint64)
    bits[np.isnan(values)] = np.uint64(_NAN)
    bits += _tag(3)
    return mix64(bits)


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
    # Clipped: what stands under a null is anything.
    return hash_column(column.dictionary).take(_primitive(column.indices), mode="clip")


def _texts(column: pa.Array) -> Hashes:
    large = pt.is_large_string(column.type) or pt.is_large_binary(column.type)
    dtype = np.dtype(np.int64 if large else np.int32)
    _, offset_buffer, data = column.buffers()
    if offset_buffer is None:
        return np.full(len(column), _NULL)
    offsets = np.frombuffer(offset_buffer, dtype, len(column) + 1, column.offset * dtype.itemsize)
    return _bytes(offsets.astype(np.int64), data)


def _fixed_bytes(column: pa.Array) -> Hashes:
    width = column.type.bit_width // 8 if pt.is_decimal(column.type) else column.type.byte_width
    offsets = (np.arange(len(column) + 1, dtype=np.int64) + column.offset) * width
    return _bytes(offsets, column.buffers()[1])


def _bytes(offsets: Offsets, data: pa.Buffer | None) -> Hashes:
    """Hashes of the byte strings ``data[offsets[i] : offsets[i + 1]]``, eight bytes of all of them at a time."""
    sizes = np.diff(offsets)
    hashes = mix64(sizes.view(np.uint64) + _tag(4))
    first, last = int(offsets[0]), int(offsets[-1])
    if data is None or first == last:
        return hashes
    # As words, from a word's boundary on, and with more of them than the last read touches.
    words = np.zeros((last - first) // 8 + 2, "<u8")
    words.view(np.uint8)[: last - first] = np.frombuffer(data, np.uint8, last - first, first)
    starts = offsets[:-1] - first
    size = int(sizes[0])
    if size <= _LONG and bool((sizes == size).all()):
        _mix_even(hashes, words, size)
        return hashes
    long = np.flatnonzero(sizes > _LONG)
    _mix_uneven(hashes, words, starts, sizes if not len(long) else np.where(sizes > _LONG, 0, sizes))
    for row in long:
        digest = blake3(words.view(np.uint8)[starts[row] : starts[row] + sizes[row]].data).digest()
        hashes[row] = mix64_int(int(_tag(5)) + int.from_bytes(digest[:8], "little"))
    return hashes


def _mix_even(hashes: Hashes, words: Hashes, size: int) -> None:
    """Mix in strings that all have ``size`` bytes: codes, digests, dates. A word of each is one strided view."""
    for start in range(0, size, 8):
        values: Hashes = np.ndarray(hashes.shape, "<u8", words, start, (size,))
        if size - start < 8:
            values = values & _FIRST_BYTES[size - start]
        hashes ^= values
        mix64(hashes)


def _mix_uneven(hashes: Hashes, words: Hashes, starts: Offsets, sizes: Offsets) -> None:
    """Mix in strings of ``sizes`` bytes at ``starts``: each word is put together from the two aligned ones that it overlaps."""
    rows = np.flatnonzero(sizes)
    left, places = sizes[rows], starts[rows]
    right = ((places & 7) << 3).view(np.uint64)
    places >>= 3
    low = words.take(places)
    while len(rows):
        places += 1
        high = words.take(places)
        values = (low >> right) | (high << (np.uint64(64) - right))  # numpy shifts by 64 to nothing
        values &= _FIRST_BYTES.take(left, mode="clip")
        values ^= hashes[rows]
        hashes[rows] = mix64(values)
        left -= 8
        more = left > 0
        rows, left, places, right, low = rows[more], left[more], places[more], right[more], high[more]


def _lists(column: Any) -> Hashes:
    import pyarrow.compute as pc

    if pt.is_map(column.type):
        column = column.cast(pa.list_(pa.struct([column.type.key_field, column.type.item_field])))
    sizes = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int64)
    elements = hash_column(column.flatten())  # leaves out what stands under a null list
    ends = np.cumsum(sizes)
    starts = ends - sizes
    places = np.arange(1, len(elements) + 1, dtype=np.int64)
    places -= np.repeat(starts, sizes)
    factors = mix64(places.view(np.uint64) * np.uint64(GAMMA))
    factors |= np.uint64(1)
    elements *= factors
    sums = np.zeros(len(elements) + 1, np.uint64)
    np.cumsum(elements, out=sums[1:])  # wraps around, and so does the difference
    return mix64(sums[ends] - sums[starts] + sizes.view(np.uint64) + _tag(6))


def _struct(column: Any) -> Hashes:
    total = np.full(len(column), _tag(6) + np.uint64(column.type.num_fields))
    for place, field in enumerate(column.flatten(), 1):
        total += hash_column(field) * _factor(place)
    return mix64(total)


def _factor(place: int) -> np.uint64:
    """What the hash of element ``place`` (from 1) is multiplied by in the sum over a list, a struct or a row."""
    return np.uint64(mix64_int(place * GAMMA) | 1)
