"""The frame in front of an MP3 that says how many there are: Xing's and LAME's (``Xing``, ``Info``), and Fraunhofer's (``VBRI``).

Formats: "MP3 Info Tag revision 1 specification" of the LAME project; the VBRI header as it is commonly described. LAME's extension has a checksum of the sound, and one of
itself: with that it is known that it is one.
"""

from __future__ import annotations

from typing import NamedTuple

from mldata.integrity.content import Content
from mldata.integrity.crc import arc
from mldata.integrity.mpegframes import Shape, shape_of

__all__ = ["Counts", "counted", "read_counts"]

_VBRI = 36
"""Where VBRI is, whatever the version."""
_FRAMES, _BYTES, _TOC, _QUALITY = 1, 2, 4, 8


class Counts(NamedTuple):
    """What it says."""

    frames: int | None
    """Frames of sound."""
    bytes: int | None
    """Of all frames; programs count the header's own frame, or not, or tags with it."""
    music: tuple[int, int] | None = None
    """Bytes from the header's frame to the end of the sound, and the CRC-16 of what is behind the header's frame."""
    trimmed: int = 0
    """Samples that a decoder leaves out in front and at the end."""


def read_counts(content: Content, at: int, size: int, shape: Shape) -> Counts | None:
    """What the frame here says; None if it is one of sound."""
    frame = bytes(content.data[at : at + size])
    for place in (4 + shape.side, 6 + shape.side):
        if frame[place : place + 4] in (b"Xing", b"Info"):
            return _xing(frame, place)
    if frame[_VBRI : _VBRI + 4] == b"VBRI" and len(frame) >= _VBRI + 18:
        return Counts(_word(frame, _VBRI + 14) or None, _word(frame, _VBRI + 10) or None)
    return None


def counted(header: int, frames: int) -> bytes | None:
    """A frame like that of this header which says how many frames follow; None if there is none of such a kind."""
    # Without a checksum, and of the highest bit rate: there is room for the counts.
    header = header & ~0xF200 | 0x10000 | 0xE000
    shape = shape_of(header)
    if shape is None or shape.layer != 3:
        return None
    told = b"Xing" + _FRAMES.to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (header.to_bytes(4, "big") + bytes(shape.side) + told).ljust(shape.size, b"\0")


def _xing(frame: bytes, place: int) -> Counts:
    flags, at = _word(frame, place + 4), place + 8
    counts: list[int | None] = []
    for flag in (_FRAMES, _BYTES):
        # 0 is what stands there until the end is known, and for ever in a pipe.
        counts.append((_word(frame, at) or None) if flags & flag and at + 4 <= len(frame) else None)
        at += 4 if flags & flag else 0
    at += (100 if flags & _TOC else 0) + (4 if flags & _QUALITY else 0)
    frames, size = counts
    if at + 36 > len(frame) or arc(frame, 0, at + 34) != int.from_bytes(frame[at + 34 : at + 36], "big"):
        return Counts(frames, size)
    delays = int.from_bytes(frame[at + 21 : at + 24], "big")
    music = (_word(frame, at + 28), int.from_bytes(frame[at + 32 : at + 34], "big"))
    return Counts(frames, size, music if music[0] else None, (delays >> 12) + (delays & 0xFFF))


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
