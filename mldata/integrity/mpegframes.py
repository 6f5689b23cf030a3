"""The frames of MPEG audio (MP3 and its elder layers), one after the other, and what stands between them.

Format: ISO/IEC 11172-3 (MPEG 1), 13818-3 (MPEG 2); "MPEG 2.5" halves the rates once more. A frame says how long it is, by bit rate and sample rate; of free
format, all frames have the length of the first. A header is eleven bits of mark that sound has too, so that a place is taken for a frame only where others follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from mldata.integrity.content import Content
from mldata.integrity.soundtags import tag_at

__all__ = ["Between", "Shape", "Walk", "shape_of", "walk_mpeg"]

_KIND = 0xFFFE0C00
"""The bits of a header that do not change in a stream: mark, version, layer, sample rate."""
_FREE_KIND = _KIND | 0xF000
_MARK = re.compile(rb"\xff[\xe2-\xff]")
_STOPS = re.compile(rb"\xff[\xe2-\xff]|ID3[\x02-\x04]\x00|APETAGEX")
_TRIES = 100_000
"""Places that are looked at for a frame; a file of nothing else is not worth more time."""
_MOST_BETWEEN = 10_000
"""Tags and other bytes between frames that are told apart."""
_PIECE = 1 << 20
_LONGEST_FREE = 8192
"""Bytes up to which the second frame of free format is looked for."""
_CONFIRM = 2
"""Frames that have to follow one that begins in the middle of something."""

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""By the bits of the version: MPEG 1, 2, 2.5."""
_BITRATES = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By version (2 stands for 2.5 too) and the bits of the layer: 3 is layer I, 1 layer III. Layer III of MPEG 2 has those of layer II."""


class Shape(NamedTuple):
    """What a header says of its frame."""

    size: int
    """Bytes; of free format, those of padding."""
    free: bool
    version: int
    """3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5."""
    layer: int
    sample_rate: int
    samples: int
    """Of each channel."""
    channels: int
    protected: bool
    """Whether a checksum follows the header."""

    @property
    def side(self) -> int:
        """Bytes of side information, of layer III."""
        if self.version == 3:
            return 17 if self.channels == 1 else 32
        return 9 if self.channels == 1 else 17


def shape_of(header: int) -> Shape | None:
    """What a header says (32 bits); None where it is none."""
    return _shape(header >> 8 & 0xFFFFFF, header >> 6 & 3 == 3)


@cache
def _shape(first: int, mono: bool) -> Shape | None:
    version, layer = first >> 11 & 3, first >> 9 & 3
    bitrate, rate = first >> 4 & 15, first >> 2 & 3
    if first >> 13 != 0x7FF or version == 1 or not layer or bitrate == 15 or rate == 3:
        return None
    sample_rate = _RATES[version][rate]
    low = version != 3
    bits = _BITRATES[(2 if low else 3, 2 if low and layer == 1 else layer)][bitrate] * 1000
    padding = (first >> 1 & 1) * (4 if layer == 3 else 1)
    if layer == 3:
        size, samples = 12 * bits // sample_rate * 4, 384
    elif layer == 1 and low:
        size, samples = 72 * bits // sample_rate, 576
    else:
        size, samples = 144 * bits // sample_rate, 1152
    return Shape(
        size + padding,
        not bitrate,
        version,
        4 - layer,
        sample_rate,
        samples,
        1 if mono else 2,
        not first >> 8 & 1,
    )


class Between(NamedTuple):
    """Bytes that are no frame."""

    start: int
    end: int
    tag: bool
    """Whether it is a tag."""
    frame: int
    """The number of the frame behind it."""


@dataclass
class Walk:
    """The frames of a file."""

    starts: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)
    between: list[Between] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    """Frames with which version, layer or sample rate change."""
    partial: tuple[int, int] | None = None
    """Where a frame begins that the end cuts short, and how many bytes it should have (0: even the header is cut)."""
    end: int = 0
    """Where the last whole frame ends."""


def walk_mpeg(content: Content, start: int, end: int) -> Walk:
    """The frames between ``start`` and ``end``."""
    return _Walker(content, end).walk(start)


class _Walker:
    def __init__(self, content: Content, end: int) -> None:
        self._content = content
        self._data = content.data
        self._end = end
        self._kind: int | None = None
        self._free = 0
        """Bytes of a frame of free format, without padding."""
        self._tries = _TRIES

    def walk(self, at: int) -> Walk:
        walk, data, end = Walk(), self._data, self._end
        while at < end:
            header = int.from_bytes(data[at : at + 4], "big") if at + 4 <= end else 0
            if header & _KIND == self._kind:
                size = self._size(header, at)
            elif self._confirmed(at):
                if self._kind is not None:
                    walk.changes.append(len(walk.starts))
                self._kind, self._free = header & _KIND, 0
                size = self._size(header, at)
            else:
                size = 0
            if size and at + size <= end:
                walk.starts.append(at)
                walk.sizes.append(size)
                walk.headers.append(header)
                at += size
                walk.end = at
                continue
            if size or (walk.starts and end - at < 4 and data[at] == 0xFF):
                walk.partial = (at, size)
                # Most of a frame may be behind a header that is damaged, and others behind that.
                following = self._next(at + 1)
                if following >= end:
                    return walk
                walk.partial = None
            else:
                following = 0
            tag = tag_at(self._content, at)
            if len(walk.between) >= _MOST_BETWEEN:
                tag, following = 0, end
            following = min(at + tag, end) if tag else following or self._next(at + 1)
            walk.between.append(Between(at, following, bool(tag), len(walk.starts)))
            at = following
        return walk

    def _size(self, header: int, at: int) -> int:
        """Bytes of the frame; 0 where it is none."""
        shape = shape_of(header)
        if shape is None or not shape.free:
            return shape.size if shape else 0
        if not self._free:
            self._free = self._free_size(header, at, shape.size)
        return self._free + shape.size if self._free else 0

    def _free_size(self, header: int, at: int, padding: int) -> int:
        """The distance to the next frame of free format that has another one as far behind it."""
        data = self._data
        for match in _MARK.finditer(bytes(data[at + 24 : at + _LONGEST_FREE])):
            if not self._tries:
                return 0
            self._tries -= 1
            second = at + 24 + match.start()
            following = int.from_bytes(data[second : second + 4], "big")
            shape = shape_of(following)
            if (following ^ header) & _FREE_KIND or shape is None:
                continue
            base = second - at - padding
            third = second + base + shape.size
            if (
                third == self._end
                or not (int.from_bytes(data[third : third + 4], "big") ^ header) & _FREE_KIND
            ):
                return base
        return 0

    def _confirmed(self, at: int) -> bool:
        """Whether a frame begins here, and others of the same kind behind it, or the end."""
        header = int.from_bytes(self._data[at : at + 4], "big") if at + 4 <= self._end else 0
        kind, before = header & _KIND, self._free
        self._free = before if kind == self._kind else 0
        try:
            for more in range(_CONFIRM + 1):
                size = self._size(header, at)
                if not size:
                    return False
                at += size
                if at == self._end or (at > self._end and more):
                    return True
                header = int.from_bytes(self._data[at : at + 4], "big") if at + 4 <= self._end else 0
                if header & _KIND != kind:
                    # The last frame, and a tag in the middle of a file that was joined.
                    return bool(tag_at(self._content, at))
            return True
        finally:
            self._free = before

    def _next(self, at: int) -> int:
        """Where the next frame, or tag, begins; the end if there is none."""
        while at < self._end:
            piece = bytes(self._data[at : min(self._end, at + _PIECE + 1)])
            for match in _STOPS.finditer(piece):
                place = at + match.start()
                if not self._tries:
                    return self._end
                self._tries -= 1
                if piece[match.start()] == 0xFF:
                    if self._confirmed(place):
                        return place
                elif tag_at(self._content, place):
                    return place
            at += _PIECE
        return self._end
