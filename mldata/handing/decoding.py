"""Media files as arrays: the pixels of a picture, the samples of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["picture", "recording"]

_MODES = {"1": "L", "LA": "RGBA", "PA": "RGBA", "I;16": "I", "I;16B": "I", "I;16L": "I"}
"""What modes of Pillow are converted to where they are not taken as they are; all others become RGB."""
_KEPT = ("L", "RGB", "RGBA", "I", "F")


def picture(path: Path) -> NDArray[Any]:
    """Pixels as (channels, height, width), turned as EXIF says: ``uint8`` of grey, RGB or RGBA; ``int32`` of 16 and 32 bits, ``float32`` of mode F."""
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        wanted = image.mode if image.mode in _KEPT else _MODES.get(image.mode, "RGB")
        pixels = np.array(image if image.mode == wanted else image.convert(wanted))
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def recording(path: Path) -> NDArray[np.float32]:
    """Samples from -1 to 1 as (channels, frames)."""
    import soundfile

    with open(path, "rb") as file:  # an object of the store has no suffix to go by
        samples, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.T)
