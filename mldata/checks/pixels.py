"""What a picture looks like, in a few bytes, from which it can be told whether two are of the same thing.

A picture is turned upright (EXIF), put on white where it is transparent, made grey and scaled to 32 x 32. Its hash (:mod:`mldata.checks.coshash`) is of that; a thumbnail
of 16 x 16 goes with it, to confirm what hashes say: their chance neighbours are many among plain pictures.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from mldata.checks.coshash import SIDE, perceptual_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FLAT", "THUMBNAIL", "Looks", "Unseen", "look_at"]

# A picture is refused by its size before it is decoded; and what is damaged in metadata does not matter here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\..*")

THUMBNAIL = 16
FLAT = 2.0
"""Standard deviation of a thumbnail's greys, of 255, below which a picture is of one colour: what its hash tells is noise."""
MOST_PIXELS = 1 << 26
"""Of a picture that is decoded: some 270 MB. JPEG is decoded at a fraction of its size."""
_DRAFT = 2 * SIDE
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


class Unseen(Exception):
    """A picture that cannot be decoded here. Whether it is damaged is for the check ``files`` to say."""


class Looks(NamedTuple):
    """What a picture looks like."""

    bits: int
    thumbnail: NDArray[np.uint8]

    @property
    def record(self) -> NDArray[np.uint8]:
        """The thumbnail, row by row."""
        return self.thumbnail.ravel()

    @property
    def flat(self) -> bool:
        """Whether it is of one colour."""
        return float(self.thumbnail.std()) < FLAT


def look_at(path: Path) -> Looks:
    """What the picture in a file looks like; of several the first. Raises :class:`Unseen`."""
    try:
        with Image.open(path) as image:
            image.draft("L", (_DRAFT, _DRAFT))
            if image.width * image.height > MOST_PIXELS:
                raise Unseen(f"it has more than {MOST_PIXELS:,} pixels")
            grey = _grey(ImageOps.exif_transpose(image))
            small = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0))
    except Exception as error:  # decoders raise anything for damaged bytes
        raise Unseen(f"it cannot be decoded: {type(error).__name__}") from error
    step = SIDE // THUMBNAIL
    blocks = small.reshape(THUMBNAIL, step, THUMBNAIL, step).astype(np.int64)
    return Looks(perceptual_hash(small), (blocks.sum((1, 3)) // step**2).astype(np.uint8))


def _grey(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP:
        values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0, neginf=0)
        low, high = float(values.min()), float(values.max())
        scale = 255 / (high - low) if high > low else 0.0
        return Image.fromarray(((values - low) * scale).astype(np.uint8))
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        image = Image.new("RGBA", clear.size, "white")
        image.alpha_composite(clear)
    return image.convert("L")
