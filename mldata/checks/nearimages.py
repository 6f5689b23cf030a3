"""When two pictures are alike: their perceptual hashes (:mod:`mldata.checks.pixels`) differ in no more bits than the spec says, and their thumbnails go up and down
together (correlation of ``TOGETHER`` or more, whatever the brightness and contrast). Pictures of one colour are not compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mldata.checks.nearmedia import HASH, Medium, near_hashes
from mldata.checks.pixels import THUMBNAIL, Looks, Unseen, look_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["IMAGES", "alike"]

TOGETHER = 0.99


def alike(records: NDArray[np.uint8], others: NDArray[np.uint8], *, bits: int) -> NDArray[np.bool_]:
    """Which pairs of pictures look alike."""
    near = near_hashes(records, others, bits)
    chosen = np.flatnonzero(near)
    # Sums of whole numbers below 2**53: the same on every machine.
    x, y = (it[chosen, HASH:].astype(np.float64) for it in (records, others))
    count = x.shape[1]
    both = count * (x * y).sum(1) - x.sum(1) * y.sum(1)
    spread = (count * (x * x).sum(1) - x.sum(1) ** 2) * (count * (y * y).sum(1) - y.sum(1) ** 2)
    near[chosen] = both >= TOGETHER * np.sqrt(spread)
    return near


def _look(path: Path) -> Looks | None:
    try:
        return look_at(path)
    except Unseen:
        return None


IMAGES = Medium("near-images", ("pillow",), THUMBNAIL**2, _look, alike)
