"""Keys in order, one array of them a block, read a range at a time out of all blocks.

A key is 8 bytes, little-endian: 44 bits of hash, and below them 20 bits of the row's number in its block. Keys of a block are stored in order, so all
rows of a range of hashes are one slice of each block: ranges are cut to hold a bounded number of rows, and memory does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
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
_OPEN = 256
"""Files that are held open: to open one takes longer than to look for a key in it."""


class Keys(NamedTuple):
    """The keys of one block."""

    path: Path
    start: int
    """Number in the table of the block's first row."""
    rows: int
    offset: int = 0
    """Where in the file they begin, in bytes."""

    def opened(self) -> NDArray[np.uint64]:
        """All keys, mapped and not read."""
        keys: NDArray[np.uint64] = np.memmap(self.path, "<u8", "r", self.offset, (self.rows,))
        return keys

    def read(self, first: int, last: int) -> tuple[Hashes, Numbers]:
        """Hashes and the rows' numbers in the table, from one place to another."""
        keys = np.fromfile(self.path, "<u8", last - first, offset=self.offset + 8 * first)
        return keys >> np.uint64(ROW_BITS), (keys & ROW).astype(np.int64) + self.start


def key_ranges(blocks: Sequence[Keys], most: int) -> Iterator[list[tuple[int, int, int]]]:
    """Slices (number of the block, from, to) that have all rows of a range of hashes: ``most`` or so, of too many only if it is one hash."""
    held = [number for number, block in enumerate(blocks) if block.rows]
    opened = lru_cache(_OPEN)(lambda number: blocks[number].opened())
    count = max(1, -(-sum(block.rows for block in blocks) // most))
    # In steps of one hash, which is cut no further.
    edges = [((number << 64 - ROW_BITS) // count) << ROW_BITS for number in range(count + 1)]
    inner = np.array(edges[1:-1], np.uint64)
    places = {
        number: [0, *np.searchsorted(opened(number), inner).tolist(), blocks[number].rows] for number in held
    }
    for at, (low, high) in enumerate(pairwise(edges)):
        todo = [(low, high, [(number, places[number][at], places[number][at + 1]) for number in held])]
        while todo:
            low, high, slices = todo.pop()
            slices = [it for it in slices if it[1] < it[2]]
            if sum(last - first for _, first, last in slices) > 2 * most and high - low > 1 << ROW_BITS:
                middle = (low + high) >> ROW_BITS + 1 << ROW_BITS
                edge = np.uint64(middle)
                cuts = [
                    first + int(np.searchsorted(opened(number)[first:last], edge))
                    for number, first, last in slices
                ]
                parts = [*zip(slices, cuts, strict=True)]
                todo.append((middle, high, [(number, cut, last) for (number, _, last), cut in parts]))
                todo.append((low, middle, [(number, first, cut) for (number, first, _), cut in parts]))
            elif slices:
                yield slices
