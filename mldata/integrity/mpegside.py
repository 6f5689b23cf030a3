"""The side information of layer III, of all frames at the same time: checksums, and whether the sound of each frame is where it says.

Format: ISO/IEC 11172-3 and 13818-3, 2.4.1.7 and 2.4.3.4. The sound of a frame may begin in the frames before it (the bit reservoir), and must end before that of the next one
begins: where frames were lost, or come from elsewhere, it does not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mldata.integrity.content import Content
from mldata.integrity.crc import CRC16_TABLE
from mldata.integrity.mpegframes import Shape, shape_of

__all__ = ["Side", "look_at_side"]

Numbers = npt.NDArray[np.int64]

_HEAD, _CRC = 4, 2


class Side(NamedTuple):
    """What is wrong in the side information. Frames by number."""

    bad_checksums: list[int]
    overlapping: list[int]
    """Frames whose sound goes on behind where that of the next one begins."""
    lacking: int
    """Bytes that the first frame needs of frames before it."""


def look_at_side(
    content: Content, starts: list[int], sizes: list[int], headers: list[int], contiguous: bool
) -> Side | None:
    """Look at all frames; None where they are not of one form of layer III.

    What applies to more than half of the frames is the way of the program that wrote them, and not told.
    """
    shapes = {shape_of(header) for header in headers}
    forms = {(shape.version, shape.layer, shape.channels) for shape in shapes if shape}
    shape = next((shape for shape in shapes if shape and shape.layer == 3), None)
    if len(forms) != 1 or shape is None:
        return None
    protected = np.array([not header >> 16 & 1 for header in headers])
    side = _side(content, starts, protected, shape)
    overlapping, lacking = _reservoir(side, np.array(sizes), protected, shape) if contiguous else ([], 0)
    bad = _checksums(content, starts, protected, shape)
    half = len(starts) // 2
    return Side(
        bad if len(bad) <= int(protected.sum()) // 2 else [],
        overlapping if len(overlapping) <= half else [],
        lacking,
    )


def _rows(content: Content, starts: list[int], size: int) -> npt.NDArray[np.uint8]:
    data = content.data
    return np.frombuffer(
        b"".join(data[at : at + size].ljust(size, b"\0") for at in starts), np.uint8
    ).reshape(-1, size)


def _side(content: Content, starts: list[int], protected: npt.NDArray[Any], shape: Shape) -> Numbers:
    rows = _rows(content, starts, _HEAD + _CRC + shape.side).astype(np.int64)
    return np.where(protected[:, None], rows[:, _HEAD + _CRC :], rows[:, _HEAD:-_CRC])


def _bits(rows: Numbers, at: int, count: int) -> Numbers:
    """A number of up to 16 bits in each row."""
    byte, skipped = divmod(at, 8)
    word = np.zeros(len(rows), np.int64)
    for index in range(byte, byte + 3):
        word = word << 8 | (rows[:, index] if index < rows.shape[1] else 0)
    return word >> (24 - skipped - count) & ((1 << count) - 1)


def _reservoir(
    side: Numbers, sizes: Numbers, protected: npt.NDArray[Any], shape: Shape
) -> tuple[list[int], int]:
    if shape.version == 3:
        back = _bits(side, 0, 9)
        first = 9 + (5 if shape.channels == 1 else 3) + 4 * shape.channels
        places = [first + 59 * part for part in range(2 * shape.channels)]
    else:
        back = _bits(side, 0, 8)
        first = 8 + (1 if shape.channels == 1 else 2)
        places = [first + 63 * part for part in range(shape.channels)]
    lengths = sum((_bits(side, place, 12) for place in places), np.zeros(len(side), np.int64))
    held = sizes - _HEAD - _CRC * protected - shape.side
    begins = np.concatenate(([0], np.cumsum(held)[:-1])) - back
    over = begins[:-1] * 8 + lengths[:-1] > begins[1:] * 8
    # What begins in frames before the first one is missing anyway.
    over &= begins[:-1] >= 0
    return [int(index) for index in np.flatnonzero(over)], int(max(0, -begins[0]))


def _checksums(content: Content, starts: list[int], protected: npt.NDArray[Any], shape: Shape) -> list[int]:
    """Frames whose checksum does not hold: it is of the last two bytes of the header and of the side information."""
    which = np.flatnonzero(protected)
    if not len(which):
        return []
    rows = _rows(content, [starts[int(index)] for index in which], _HEAD + _CRC + shape.side)
    table = np.array(CRC16_TABLE, np.uint16)
    value = np.full(len(rows), 0xFFFF, np.uint16)
    for column in (2, 3, *range(_HEAD + _CRC, rows.shape[1])):
        value = (value << np.uint16(8)) ^ table[(value >> np.uint16(8)) ^ rows[:, column]]
    stored = rows[:, 4].astype(np.uint16) << np.uint16(8) | rows[:, 5]
    return [int(index) for index in which[value != stored]]
