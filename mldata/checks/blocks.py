"""A fragment's rows in blocks, and sets of rows of a block.

A set is stored as one letter and then the rows: ``n`` none, ``a`` all, ``r`` row numbers (4 bytes each, little-endian), ``b`` a bitmap, the
first row in the lowest bit; whichever is shortest, so equal sets have equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mldata.checks import base

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["NO_ROWS", "blocks", "pack_rows", "unpack_rows"]

NO_ROWS = b"n"
"""The set that has none."""


def blocks(batches: Iterator[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """Batches, none empty, cut so that each block but the last has exactly ``BLOCK_ROWS`` rows.

    A block has to be used up before the next one is asked for.
    """
    size = base.BLOCK_ROWS
    held: list[pa.RecordBatch] = []

    def fill() -> bool:
        while not held:
            batch = next(batches, None)
            if batch is None:
                return False
            if batch.num_rows:
                held.append(batch)
        return True

    def block() -> Iterator[pa.RecordBatch]:
        done = 0
        while done < size and fill():
            batch = held.pop()
            part = batch.slice(0, size - done)
            if part.num_rows < batch.num_rows:
                held.append(batch.slice(part.num_rows))
            yield part
            done += part.num_rows

    while fill():
        yield block()


def pack_rows(mask: Mask) -> bytes:
    """The rows that are true in ``mask``, which tells of a whole block."""
    count = int(np.count_nonzero(mask))
    if count in (0, len(mask)):
        return NO_ROWS if not count else b"a"
    if 32 * count < len(mask):
        return b"r" + np.flatnonzero(mask).astype("<u4").tobytes()
    return b"b" + np.packbits(mask, bitorder="little").tobytes()


def unpack_rows(data: bytes, rows: int) -> NDArray[np.int64]:
    """What :func:`pack_rows` packed of a block of ``rows`` rows, as ascending row numbers."""
    kind, body = data[:1], data[1:]
    if kind == NO_ROWS:
        return np.empty(0, np.int64)
    if kind == b"a":
        return np.arange(rows, dtype=np.int64)
    if kind == b"r":
        return np.frombuffer(body, "<u4").astype(np.int64)
    bits = np.unpackbits(np.frombuffer(body, np.uint8), count=rows, bitorder="little")
    return np.flatnonzero(bits).astype(np.int64)
