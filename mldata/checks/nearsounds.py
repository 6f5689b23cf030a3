"""When two recordings are alike: their hashes (:mod:`mldata.checks.sounds`) differ in no more bits than the spec says, what is heard of them is of nearly the same
length, and their pictures agree: in how loud each band is at each time, where there is something to hear, but for the level (``APART``), and in how that goes up and down
(``TOGETHER``). Pictures alone, as of images, would not do: whatever dies away goes down together.

Constants by 50 recordings of single words in eight other files each, and by melodies: of the same recording the worst were 2.4 dB, 0.97, and a length 3.6% apart, and all but
two differed in 8 bits or less (10 and 12, by MP3 at 8,000 samples a second); the nearest of different words 16 bits, 10 dB and 0.73; of plucked pure tones a
semitone apart 4 bits, 3.1 dB and 0.99, which is why no criterion stands alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mldata.checks.coshash import SIDE
from mldata.checks.nearmedia import HASH, Medium, near_hashes
from mldata.checks.sounds import LENGTH, RECORD, STEP, Looks, Unseen, look_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SOUNDS", "alike"]

LENGTHS = 0.04
"""Share of the longer one by which the shorter may be shorter."""
APART = 2.5
"""Decibels, root mean square."""
TOGETHER = 0.95
"""Correlation, of what is left without each band's mean."""


def alike(records: NDArray[np.uint8], others: NDArray[np.uint8], *, bits: int) -> NDArray[np.bool_]:
    """Which pairs of recordings sound alike."""
    near = near_hashes(records, others, bits)
    chosen = np.flatnonzero(near)
    x, y = records[chosen], others[chosen]
    near[chosen] = _same_length(x, y) & _same_course(x, y)
    return near


def _same_length(records: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    x, y = (
        np.ascontiguousarray(it[:, HASH : HASH + LENGTH]).view("<u4")[:, 0].astype(np.int64)
        for it in (records, others)
    )
    same: NDArray[np.bool_] = np.abs(x - y) <= LENGTHS * np.maximum(x, y)
    return same


def _same_course(records: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    # Sums of whole numbers below 2**53: the same on every machine.
    x, y = (it[:, HASH + LENGTH :].astype(np.float64) for it in (records, others))
    loud = np.maximum(x, y) ** 2
    apart = x - y
    total = loud.sum(1)
    squares = total * (loud * apart**2).sum(1) - (loud * apart).sum(1) ** 2
    # How each band moves around its mean, both times SIDE.
    x, y = (
        SIDE * cells - cells.sum(1, keepdims=True) for cells in (it.reshape(-1, SIDE, SIDE) for it in (x, y))
    )
    both, mine, theirs = ((one * other).sum((1, 2)) for one, other in ((x, y), (x, x), (y, y)))
    same: NDArray[np.bool_] = (squares <= (APART / STEP * total) ** 2) & (
        both >= TOGETHER * np.sqrt(mine * theirs)
    )
    return same


def _look(path: Path) -> Looks | None:
    try:
        return look_at(path)
    except Unseen:
        return None


SOUNDS = Medium("near-audio", ("soundfile", "numpy"), RECORD, _look, alike)
