"""Headers of MPEG audio frames (ISO 11172-3, 13818-3 and MPEG 2.5), as far as it takes to know such a file: two frames, one behind the other.

Eleven bits that are set begin a frame, which is too little to go by: many other files have them somewhere.
"""

from __future__ import annotations

__all__ = ["frame_size", "is_mpeg_audio", "past_id3"]

_FIRST = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
"""Kilobits a second of MPEG 1, by layer."""
_LATER = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of MPEG 2 and 2.5."""
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Samples a second by the bits of the version."""


def past_id3(head: bytes) -> int:
    """Where an ID3v2 tag at the beginning ends (id3.org, 2.4.0, section 3); 0 if there is none. It may be behind ``head``."""
    at = 0
    while head.startswith(b"ID3", at) and len(head) >= at + 10 and max(head[at + 6 : at + 10]) < 0x80:
        size = 0
        for byte in head[at + 6 : at + 10]:
            size = size << 7 | byte
        at += 10 + size + (10 if head[at + 5] & 0x10 else 0)
    return at


def frame_size(head: bytes, at: int) -> int | None:
    """Bytes of the frame whose header is at ``at``; None if none is, or it does not say (free format)."""
    if len(head) < at + 4 or head[at] != 0xFF or head[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = head[at + 1] >> 3 & 3, 4 - (head[at + 1] >> 1 & 3)
    rate, sampling, padding = head[at + 2] >> 4, head[at + 2] >> 2 & 3, head[at + 2] >> 1 & 1
    if version == 1 or layer == 4 or rate in (0, 15) or sampling == 3:
        return None
    bits = (_FIRST if version == 3 else _LATER)[layer][rate] * 1000
    hertz = _RATES[version][sampling]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding


def is_mpeg_audio(head: bytes, at: int, *, search: bool = False) -> bool:
    """Whether two frames stand at ``at``, the second of the same version, layer and rate; ``search``: there or behind it."""
    first = at
    while at >= 0:
        size = frame_size(head, at)
        if size is not None:
            behind = at + size
            if len(head) < behind + 4 and at == first and (search or len(head) == behind):
                return True  # a single frame, or a head that ends in it
            if frame_size(head, behind) is not None and head[at + 1] & 0xFE == head[behind + 1] & 0xFE:
                return True
        if not search:
            return False
        at = head.find(b"\xff", at + 1)
    return False
