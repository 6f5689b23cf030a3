"""The orientation that a picture's EXIF data gives, and nothing else of it.

EXIF data is a TIFF header and a directory of tags (CIPA DC-008-2019, 4.5; TIFF 6.0, section 2). Only the first directory is looked at, where
the orientation is. Whatever is damaged, or no orientation that the standard knows, counts as none: pixels are sound without it.
"""

from __future__ import annotations

import struct

__all__ = ["ORIENTATION", "known", "orientation"]

ORIENTATION = 0x0112
SHORT = 3
"""Type number of a 16-bit number."""
ENTRY = 12
"""Bytes of an entry of the directory: tag, type, count, value."""
PREFIX = b"Exif\0\0"
"""What JPEG puts in front, and some writers of other formats."""


def orientation(data: bytes) -> int | None:
    """1 (upright) to 8, or None.

    Args:
        data: EXIF data, from its first byte.
    """
    data = data.removeprefix(PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for entry in range(start + 2, start + 2 + count * ENTRY, ENTRY):
            tag, kind, number, value = struct.unpack_from(order + "HHIH", data, entry)
            if tag == ORIENTATION:
                return known(value) if (kind, number) == (SHORT, 1) else None
    except struct.error:  # an offset or a count beyond the end
        pass
    return None


def known(value: object) -> int | None:
    """``value`` if it is an orientation."""
    return value if isinstance(value, int) and 1 <= value <= 8 else None
