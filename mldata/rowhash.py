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

With a seed other than 0, ``mix(seed)`` is added to the argument of the first ``mix`` of each value and to the tag of each row, and ``w`` is the
second 8 bytes: another hash, independent of the first, for whoever needs more than 64 bits.

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

CHUNK = 1 << 16
"""Rows a step. numpy gives up the interpreter's lock in every operation, and threads that do so more often spend their time
taking it back: two with steps of 2**14 rows are slower than one. Of more rows the values leave the processor's caches."""
_LONG = 256
_NAN = 0x7FF8000000000000
_MASK = (1 << 64) - 1
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


def _tag(number: int, salt: int) -> np.uint64:
    return np.uint64((number * GAMMA + salt) & _MASK)


def _null(salt: int) -> np.uint64:
    return np.uint64(mix64_int(1 + salt))


def _salt(seed: int) -> int:
    return mix64_int(seed) if seed else 0


def hash_rows(columns: Sequence[pa.Array], seed: int = 0) -> Hashes:
    """Hash of each row made of ``columns`` (at least one, all of one length), in that order."""
    rows, salt = len(columns[0]), _salt(seed)
    total = np.full(rows, _tag(6, salt) + np.uint64(len(columns)))
    # Made once: what a new array of this size costs is more than an operation on it.
    hashes, spare = np.empty_like(total), np.empty_like(total)
    for place, column in enumerate(columns, 1):
        # A dictionary's values are hashed once for all rows.
        step = max(rows, 1) if pt.is_dictionary(column.type) else CHUNK
        for start in range(0, rows, step):
            part = slice(start, min(start + step, rows))
            _hash_into(column.slice(start, step), hashes[part], spare[part], salt)
        hashes *= _factor(place)
        total += hashes
    return mix64(total, spare)


def hash_column(column: pa.Array, seed: int = 0) -> Hashes:
    """Hash of each value. Raises ``TypeError`` for a type that the module's definition leaves out (unions, views)."""
    return _hashed(column, _salt(seed))


def _hashed(column: pa.Array, salt: int) -> Hashes:
    hashes = np.empty(len(column), np.uint64)
    _hash_into(column, hashes, np.empty_like(hashes), salt)
    return hashes


def _hash_into(column: pa.Array, out: Hashes, spare: Hashes, salt: int) -> None:
    """:func:`hash_column` into ``out``; ``spare`` is an array of the same length to work in."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pt.is_null(kind):
        out.fill(_null(salt))
        return
    if pt.is_dictionary(kind):
        _dictionary(column, out, spare, salt)
    elif pt.is_boolean(kind):
        _booleans(column, out, salt)
    elif pt.is_integer(kind):
        _integers(column, out, spare, salt)
    elif pt.is_temporal(kind) and kind.bit_width <= 64:
        _integers(column.view(pa.int32() if kind.bit_width == 32 else pa.int64()), out, spare, salt)
    elif pt.is_floating(kind):
        _floats(column, out, spare, salt)
    elif pt.is_string(kind) or pt.is_binary(kind) or pt.is_large_string(kind) or pt.is_large_binary(kind):
        _texts(column, out, spare, salt)
    elif pt.is_fixed_size_binary(kind) or pt.is_decimal(kind):
        _fixed_bytes(column, out, spare, salt)
    elif pt.is_struct(kind):
        _struct(column, out, spare, salt)
    elif pt.is_list(kind) or pt.is_large_list(kind) or pt.is_map(kind):
        _lists(column, out, spare, salt)
    elif pt.is_fixed_size_list(kind):
        _lists(column.cast(pa.list_(kind.value_field)), out, spare, salt)
    else:
        raise TypeError(f"values of type {kind} cannot be hashed")
    if column.null_count:
        out[_bits(column.buffers()[0], column.offset, len(column)) == 0] = _null(salt)


def _bits(buffer: pa.Buffer, start: int, count: int) -> NDArray[np.uint8]:
    """Bits ``start`` to ``start + count`` of an Arrow bitmap, one a byte. (Arrow's own kernels cost the import of ``pyarrow.compute``.)"""
    if not count:
        return np.empty(0, np.uint8)
    skip = start % 8
    packed = np.frombuffer(buffer, np.uint8, (skip + count + 7) // 8, start // 8)
    return np.unpackbits(packed, count=skip + count, bitorder="little")[skip:]


def _booleans(column: pa.Array, out: Hashes, salt: int) -> None:
    false, true = (np.uint64(mix64_int(2 * GAMMA + value + salt)) for value in (0, 1))
    # A sum, not a choice: a processor cannot guess which way random bits go.
    np.copyto(out, _bits(column.buffers()[1], column.offset, len(column)))
    out *= np.uint64((int(true) - int(false)) & _MASK)
    out += false


def _integers(column: pa.Array, out: Hashes, spare: Hashes, salt: int) -> None:
    values = _primitive(column)
    np.copyto(out if values.dtype.kind == "u" else out.view(np.int64), values)
    out += _tag(2, salt)
    mix64(out, spare)


def _floats(column: pa.Array, out: Hashes, spare: Hashes, salt: int) -> None:
    values = out.view(np.float64)
    with np.errstate(invalid="ignore"):  # of signalling NaN
        # Turns -0.0 into 0.0 (IEEE 754, round to nearest).
        np.add(_primitive(column), 0.0, out=values, dtype=np.float64)
    out[np.isnan(values)] = np.uint64(_NAN)
    out += _tag(3, salt)
    mix64(out, spare)


def _primitive(column: pa.Array) -> NDArray[Any]:
    """The values as a numpy array without a copy; what stands under a null is anything."""
    buffer = column.buffers()[1]
    dtype = np.dtype(column.type.to_pandas_dtype())
    if buffer is None:
        return np.zeros(len(column), dtype)
    return np.frombuffer(buffer, dtype, len(column), column.offset * dtype.itemsize)


def _dictionary(column: Any, out: Hashes, spare: Hashes, salt: int) -> None:
    if not len(column.dictionary):
        out.fill(_null(salt))
        return
    places = spare.view(np.int64)  # the type that ``take`` wants: it copies others, slowly
    np.copyto(places, _primitive(column.indices), casting="unsafe")
    # Clipped: what stands under a null is anything.
    _hashed(column.dictionary, salt).take(places, mode="clip", out=out)


def _texts(column: pa.Array, out: Hashes, spare: Hashes, salt: int) -> None:
    large = pt.is_large_string(column.type) or pt.is_large_binary(column.type)
    dtype = np.dtype(np.int64 if large else np.int32)
    _, offset_buffer, data = column.buffers()
    if offset_buffer is None:
        out.fill(_null(salt))
        return
    offsets = np.frombuffer(offset_buffer, dtype, len(column) + 1, column.offset * dtype.itemsize)
    _bytes(offsets, data, out, spare, salt)


def _fixed_bytes(column: pa.Array, out: Hashes, spare: Hashes, salt: int) -> None:
    width = column.type.bit_width // 8 if pt.is_decimal(column.type) else column.type.byte_width
    _bytes((np.arange(len(column) + 1) + column.offset) * width, column.buffers()[1], out, spare, salt)


def _bytes(offsets: NDArray[Any], data: pa.Buffer | None, out: Hashes, spare: Hashes, salt: int) -> None:
    """Hashes of the byte strings ``data[offsets[i] : offsets[i + 1]]``."""
    sizes = np.diff(offsets)
    size = int(sizes[0]) if len(sizes) else 0
    if size <= _LONG and bool((sizes == size).all()):
        _even_bytes(data, int(offsets[0]), size, out, spare, salt)
    else:
        _uneven_bytes(data, offsets.astype(np.int64), sizes.astype(np.int64), out, spare, salt)


def _even_bytes(data: pa.Buffer | None, first: int, size: int, out: Hashes, spare: Hashes, salt: int) -> None:
    """Hashes of strings of ``size`` bytes each, one after the other from ``data[first]`` on: codes, digests, decimals.

    Each word is one strided view. It is read as the eight bytes that end where it ends, so that none is read past the last string.
    """
    out.fill(np.uint64(mix64_int(4 * GAMMA + size + salt)))
    if data is None or not size:
        return
    if size < 8:
        data, first = bytes(8) + memoryview(data)[first : first + len(out) * size], 8
    for start in range(0, size, 8):
        count = min(size - start, 8)
        end = first + start + count
        np.copyto(spare, np.ndarray(out.shape, "<u8", data, end - 8, (size,)))
        if count < 8:
            spare >>= np.uint64(64 - 8 * count)
        out ^= spare
        mix64(out, spare)


def _uneven_bytes(
    data: pa.Buffer | None, offsets: Offsets, sizes: Offsets, out: Hashes, spare: Hashes, salt: int
) -> None:
    np.copyto(out, sizes.view(np.uint64))
    out += _tag(4, salt)
    mix64(out, spare)
    first, last = int(offsets[0]), int(offsets[-1])
    if data is None or first == last:
        return
    # As words, from a word's boundary on, and with more of them than the last read touches.
    words = np.zeros((last - first) // 8 + 2, "<u8")
    words.view(np.uint8)[: last - first] = np.frombuffer(data, np.uint8, last - first, first)
    starts = offsets[:-1] - first
    long = np.flatnonzero(sizes > _LONG)
    _mix_uneven(out, words, starts, sizes if not len(long) else np.where(sizes > _LONG, 0, sizes))
    word = slice(8, 16) if salt else slice(0, 8)
    for row in long:
        digest = blake3(words.view(np.uint8)[starts[row] : starts[row] + sizes[row]].data).digest()
        out[row] = mix64_int(int(_tag(5, salt)) + int.from_bytes(digest[word], "little"))


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


def _lists(column: Any, out: Hashes, spare: Hashes, salt: int) -> None:
    import pyarrow.compute as pc

    if pt.is_map(column.type):
        column = column.cast(pa.list_(pa.struct([column.type.key_field, column.type.item_field])))
    sizes = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int64)
    elements = _hashed(column.flatten(), salt)  # leaves out what stands under a null list
    ends = np.cumsum(sizes)
    starts = ends - sizes
    places = np.arange(1, len(elements) + 1, dtype=np.int64)
    places -= np.repeat(starts, sizes)
    factors = mix64(places.view(np.uint64) * np.uint64(GAMMA))
    factors |= np.uint64(1)
    elements *= factors
    sums = np.zeros(len(elements) + 1, np.uint64)
    np.cumsum(elements, out=sums[1:])  # wraps around, and so does the difference
    np.subtract(sums[ends], sums[starts], out=out)
    out += sizes.view(np.uint64)
    out += _tag(6, salt)
    mix64(out, spare)


def _struct(column: Any, out: Hashes, spare: Hashes, salt: int) -> None:
    out.fill(_tag(6, salt) + np.uint64(column.type.num_fields))
    for place, field in enumerate(column.flatten(), 1):
        hashes = _hashed(field, salt)
        hashes *= _factor(place)
        out += hashes
    mix64(out, spare)


def _factor(place: int) -> np.uint64:
    """What the hash of element ``place`` (from 1) is multiplied by in the sum over a list, a struct or a row."""
    return np.uint64(mix64_int(place * GAMMA) | 1)
