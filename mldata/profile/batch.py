"""What the columns of a leaf share while rows are read: where a batch stands, which of its rows are drawn, the hashes of rows, the nulls."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from mldata.profile.missing import MissingBlock
from mldata.splitmix import GAMMA, mix64, mix64_int

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

__all__ = ["Batch", "Block", "RowHashes"]

_PIECE = 1 << 15


class RowHashes:
    """Hashes of the rows of a block, put together column by column, in any order, by any thread.

    The hash is a sum of the columns' hashes with factors that tell columns apart, mixed, as :func:`mldata.rowhash.hash_rows` has it (not the same: that starts
    with another constant).
    """

    def __init__(self) -> None:
        self._sums = np.zeros(0, np.uint64)
        self._lock = Lock()

    def reserve(self, rows: int) -> None:
        """Make room for so many rows in all, before they are added. A block that is never full takes no more than it needs."""
        if rows > len(self._sums):
            self._sums = np.concatenate(
                [self._sums, np.zeros(max(rows, 2 * len(self._sums)) - len(self._sums), np.uint64)]
            )

    def add(self, column: int, start: int, hashes: Hashes) -> None:
        """Hashes of a column's values, from row ``start`` of the block on."""
        factor = np.uint64(mix64_int((column + 1) * GAMMA) | 1)
        for first in range(0, len(hashes), _PIECE):
            product = hashes[first : first + _PIECE] * factor
            place = start + first
            with self._lock:
                self._sums[place : place + len(product)] += product

    def finish(self, rows: int) -> Hashes:
        """Of the first rows."""
        return mix64(self._sums[:rows])


@dataclass(frozen=True)
class Block:
    """The rows that are read now."""

    hashes: RowHashes
    missing: MissingBlock
    lock: Lock = field(default_factory=Lock)

    def null(self, column: int, start: int, nulls: NDArray[np.bool_]) -> None:
        """Which rows of a column are null."""
        with self.lock:
            self.missing.add(column, start, nulls)


@dataclass(frozen=True)
class Batch:
    """Rows of a block."""

    block: Block
    start: int
    """Number of the first in the block."""
    priorities: Hashes
    drawn: NDArray[np.int64] | None
    """Rows that are wanted for the sample; None: all."""
