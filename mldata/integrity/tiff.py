"""TIFF and BigTIFF: directories and where pixels are, then every page by Pillow.

The format allows for far more than any one decoder reads. Where the structure is whole and Pillow has no decoder for the pixels, nothing is said against them.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image
from PIL.TiffImagePlugin import COMPRESSION_INFO

from mldata.integrity.base import Found, Unsupported
from mldata.integrity.pixels import DECODER, UNKNOWN_PICTURE, decode, found
from mldata.integrity.tiffwalk import walk

if TYPE_CHECKING:
    from mldata.integrity.content import Content

__all__ = ["Tiff"]

OPTIONAL = frozenset({34712, 34925, 50000, 50001})
"""JPEG 2000, LZMA, Zstandard and WebP, which libtiff may have been built without."""
_NO_DECODER = rf"{UNKNOWN_PICTURE}|unknown pixel mode|not supported|cannot decode"


class Tiff:
    """Checks TIFF files."""

    def check(self, content: Content) -> Found:
        """Structure and pixels."""
        seen = walk(content.data)
        if seen.broken:
            facts = {}
            if seen.pages:
                facts = {"width": seen.pages[0].width, "height": seen.pages[0].height}
            return found(seen.problems, facts)
        for page in seen.pages:
            if page.compression not in COMPRESSION_INFO or not _configured(page.compression):
                raise Unsupported(f"{DECODER} does not decode TIFF with compression {page.compression}")
        return decode(content, "TIFF", unsupported=_NO_DECODER).found(seen.problems)


@cache
def _configured(compression: int) -> bool:
    """Whether libtiff has this compression: told by what it writes, since reading fails alike for bad bytes."""
    if compression not in OPTIONAL:
        return True
    try:
        Image.new("RGB", (16, 16)).save(io.BytesIO(), "TIFF", compression=COMPRESSION_INFO[compression])
    except (OSError, ValueError, RuntimeError):
        return False
    return True
