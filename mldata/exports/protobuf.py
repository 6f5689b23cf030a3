"""Protocol Buffers' wire format for whole columns: runs of bytes a row, made by NumPy and Arrow, without a loop over rows.

Source of the format: "Encoding" of the Protocol Buffers documentation (base-128 varints, least significant group first; a
length-delimited field is its tag, its length, its bytes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldata.arrays import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Sizes = NDArray[np.int64]

__all__ = ["Ragged", "binary_sizes", "byte_rows", "joined", "sliced", "varint", "varint_sizes"]

_LIMITS = [np.uint64(1) << np.uint64(7 * groups) for groups in range(1, 10)]


def varint(number: int) -> bytes:
    """A number of at least 0."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def varint_sizes(numbers: NDArray[Any]) -> Sizes:
    """Bytes of the varint of each number."""
    wide = numbers.astype(np.uint64)
    sizes = np.ones(len(wide), np.int64)
    top = wide.max(initial=np.uint64(0))
    for limit in _LIMITS:
        if top < limit:
            break
        sizes += wide >= limit
    return sizes


class Ragged:
    """Bytes of each of some rows, put together from pieces of up to so many bytes; made an Arrow array in the end."""

    def __init__(self, rows: int, present: NDArray[np.bool_] | None = None) -> None:
        """Rows that are not ``present`` are empty."""
        self._rows = rows
        self._present = present
        self._pieces: list[tuple[Any, Sizes | None]] = []

    def same(self, data: bytes) -> Ragged:
        """The same bytes in every row."""
        self._pieces.append((np.broadcast_to(np.frombuffer(data, np.uint8), (self._rows, len(data))), None))
        return self

    def fixed(self, data: Bytes) -> Ragged:
        """Bytes of one width: a row of ``data`` each."""
        self._pieces.append((data, None))
        return self

    def varints(self, numbers: NDArray[Any]) -> Ragged:
        """A number each; negative ones are of ten bytes, as two's complement of 64 bits."""
        wide = numbers.astype(np.uint64)
        sizes = varint_sizes(wide)
        width = int(sizes.max(initial=1))
        data = np.empty((self._rows, width), np.uint8)
        for place in range(width):
            group = (wide >> np.uint64(7 * place)).astype(np.uint8) & 0x7F
            data[:, place] = group | ((sizes > place + 1).astype(np.uint8) << 7)
        self._pieces.append((data, None if int(sizes.min(initial=width)) == width else sizes))
        return self

    def done(self) -> pa.BinaryArray:
        """The array, without nulls."""
        data = np.concatenate([data for data, _ in self._pieces], axis=1)
        width = data.shape[1]
        if self._present is None and all(sizes is None for _, sizes in self._pieces):
            return _array(
                np.arange(self._rows + 1, dtype=np.int64) * width, np.ascontiguousarray(data).ravel()
            )
        kept = [
            np.ones(piece.shape, np.bool_) if sizes is None else np.arange(piece.shape[1]) < sizes[:, None]
            for piece, sizes in self._pieces
        ]
        mask = np.concatenate(kept, axis=1)
        if self._present is not None:
            mask &= self._present[:, None]
        ends = np.zeros(self._rows + 1, np.int64)
        np.cumsum(mask.sum(axis=1), out=ends[1:])
        return _array(ends, data[mask])


def _array(offsets: Sizes, data: Bytes) -> pa.BinaryArray:
    """Raises ``pa.ArrowCapacityError`` past 2 GiB."""
    if int(offsets[-1]) > np.iinfo(np.int32).max:
        raise pa.ArrowCapacityError("more than 2 GiB in one array")
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    )


def binary_sizes(column: pa.Array) -> Sizes:
    """Bytes of each value; 0 for null."""
    if not len(column):
        return np.zeros(0, np.int64)
    offsets = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
    sizes = np.diff(offsets).astype(np.int64)
    if column.null_count:
        sizes[as_numpy(column.is_null())] = 0
    return sizes


def byte_rows(numbers: NDArray[Any]) -> Bytes:
    """A row of bytes for each number."""
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), numbers.itemsize)


def joined(pieces: list[pa.Array]) -> pa.Array:
    """The bytes of all pieces, row by row, from the start of the array's data; a null piece is empty."""
    if len(pieces) == 1 and not pieces[0].null_count:
        return pieces[0]
    nothing = _array(np.zeros(2, np.int64), np.empty(0, np.uint8))[0]
    filled = [pc.fill_null(piece, nothing) if piece.null_count else piece for piece in pieces]
    return pc.binary_join_element_wise(*filled, nothing)


def sliced(values: pa.Array, counts: Sizes) -> pa.BinaryArray:
    """The bytes of as many ``values`` in a row as ``counts`` says, run together: one array element a count."""
    places = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=places[1:])
    offsets = np.zeros(1, np.int32)
    if len(values):
        offsets = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, values.offset * 4)
    return pa.BinaryArray.from_buffers(
        pa.binary(),
        len(counts),
        [None, pa.py_buffer(offsets[places]), values.buffers()[2] or pa.py_buffer(b"")],
    )
