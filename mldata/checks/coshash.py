"""The perceptual hash of Zauner ("Implementation and benchmarking of perceptual image hash functions", 2010): which of the 64 lowest frequencies of the cosine
transform are above their median. In whole numbers throughout, so that a picture with symmetries has the same hash on every machine.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIDE", "perceptual_hash"]

SIDE = 32
HASHED = 8


@cache
def _cosines(first: int) -> NDArray[np.int64]:
    """Rows of the cosine transform of type 2, from the lowest but ``first`` on, times 2**14."""
    places = np.pi * (2 * np.arange(SIDE // 2) + 1) / (2 * SIDE)
    rows = np.arange(first, first + HASHED)
    half = np.rint(np.cos(rows[:, None] * places) * (1 << 14)).astype(np.int64)
    # The right half mirrors the left one, exactly.
    signs = np.where(rows % 2, -1, 1)[:, None]
    return np.concatenate([half, half[:, ::-1] * signs], axis=1)


def perceptual_hash(grey: NDArray[Any], first: int = 0) -> int:
    """64 bits of a grey picture of 32 x 32, row by row from the highest bit on.

    Args:
        first: frequencies from top to bottom that are left out, from the lowest on; 1: what is constant from top to bottom does not matter.
    """
    found = (_cosines(first) @ grey.astype(np.int64) @ _cosines(0).T).ravel()
    middle = np.sort(found)[found.size // 2 - 1 : found.size // 2 + 1].sum()
    return int.from_bytes(np.packbits(2 * found > middle).tobytes(), "big")
