"""Keys in order, one array of them a block, read a range at a time out of all blocks.

A key is 8 bytes, little-endian: 44 bits of hash, and below them 20 bits of the row's number in its block. Keys of a block are stored in order, so all
rows of a range of hashes are one slice of each block: ranges are cut to hold a bounded number of rows, and memory does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]

__all__ = ["ROW", "ROW_BITS", "Keys", "key_ranges"]

ROW_BITS = 20
ROW = np.uint64((1 << ROW_BITS) - 1)
"""The bits of a key that are the row's number in the block."""


class Keys(NamedTuple):
    """The keys of one block."""

    path: Path
    start: int
    """Number in the table of the block's first row."""
    rows: int
    offset: int = 0
    """Where in the file they begin, in bytes."""

    def place(self, edge: int) -> int:
        """How many keys are below ``edge``."""
        if edge <= 0 or edge >= 1 << 64 or not self.rows:
            return self.rows if edge else 0
        keys = np.memmap(self.path, "<u8", "r", self.offset, (self.rows,))
        return int(np.searchsorted(keys, np.uint64(edge)))

    def read(self, first: int, last: int) -> tuple[Hashes, Numbers]:
        """Hashes and the rows' numbers in the table, from one place to another."""
        keys = np.fromfile(self.path, "<u8", last - first, offset=self.offset + 8 * first)
        return keys >> np.uint64(ROW_BITS), (keys & ROW).astype(np.int64) + self.start


def key_ranges(blocks: Sequence[Keys], most: int) -> Iterator[list[tuple[int, int, int]]]:
    """Slices (number of the block, from, to) that have all rows of a range of hashes: ``most`` or so, of too many only if it is one hash."""
    total = sum(block.rows for block in blocks)
    count = max(1, -(-total // most))
    # In steps of one hash, which is cut no further.
    edges = [((number << 64 - ROW_BITS) // count) << ROW_BITS for number in range(count + 1)]
    todo = [*pairwise(edges)][::-1]
    while todo:
        low, high = todo.pop()
        places = [(number, block.place(low), block.place(high)) for number, block in enumerate(blocks)]
        slices = [it for it in places if it[1] < it[2]]
        if sum(last - first for _, first, last in slices) > 2 * most and high - low > 1 << ROW_BITS:
            middle = (low + high) >> ROW_BITS + 1 << ROW_BITS
            todo += [(middle, high), (low, middle)]
        elif slices:
            yield slices
