"""WebP (RFC 9649): RIFF chunks against the file's length and against each other, then every frame by Pillow.

Neither VP8 nor VP8L has a checksum. What is left to see of a hole in the coded pixels is a run of zeros. VP8 spends more than a bit on any block, and never only zeros (RFC 6386, 11.2:
fixed probabilities of the modes), so that there it is an error; of VP8L it is a warning, for a simple encoder may write an even area so.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field

from mldata.integrity.base import ERROR, WARNING, Found, Problem
from mldata.integrity.content import Content
from mldata.integrity.pixels import decode, found, size_problem

__all__ = ["WebP"]

HEAD = 12
"""Bytes of ``RIFF``, size, ``WEBP``."""
FRAME = 16
"""Bytes of an ANMF chunk in front of the frame's own chunks."""
STILL = 512
"""Bytes of zero in coded pixels that are told."""
PIXELS = (b"VP8 ", b"VP8L")
KNOWN = frozenset({*PIXELS, b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})

Data = bytes | mmap.mmap


@dataclass
class _Walk:
    problems: list[Problem] = field(default_factory=list)
    width: int = 0
    height: int = 0
    frames: int = 0
    stills: int = 0

    def tell(self, code: str, message: str, at: int, severity: str = ERROR) -> None:
        self.problems.append(Problem(code, message, severity, at, frame=self.frames or None))

    @property
    def broken(self) -> bool:
        return any(it.severity == ERROR for it in self.problems)


class WebP:
    """Checks WebP files."""

    def check(self, content: Content) -> Found:
        """Structure and pixels."""
        seen = _walk(content.data)
        facts = {"width": seen.width, "height": seen.height} if seen.width else {}
        if seen.broken:
            return found(seen.problems, facts)
        decoded = decode(content, "WEBP")
        if seen.frames and decoded.facts and decoded.facts["frames"] < seen.frames and not decoded.problems:
            message = f"expected {seen.frames:,} frames, found {decoded.facts['frames']:,}"
            decoded.problems.append(Problem("missing-frames", message))
        return decoded.found(seen.problems)


def _walk(data: Data) -> _Walk:
    it = _Walk()
    size = len(data)
    if size < HEAD + 8:
        it.tell("truncated", f"expected a header of RIFF and a chunk, found {size} bytes", size)
        return it
    end = 8 + _number(data, 4, 4)
    if end > size:
        it.tell("truncated", f"expected {end:,} bytes, as RIFF says, found {size:,}", size)
        return it
    if end + end % 2 < size:
        it.tell(
            "trailing-data", f"expected the end of the file, found {size - end:,} bytes more", end, WARNING
        )
    first = True
    for at, name, length in _chunks(data, HEAD, end, it):
        if first and name not in (*PIXELS, b"VP8X"):
            it.tell("bad-order", f"expected VP8, VP8L or VP8X first, found {_shown(name)}", at)
        first = False
        _chunk(data, at, name, length, it)
        if it.broken:
            return it
    if not it.broken and not it.stills and not it.frames:
        it.tell("missing-pixels", "expected a picture, found none", end)
    return it


def _chunks(data: Data, at: int, end: int, it: _Walk) -> Iterator[tuple[int, bytes, int]]:
    """Where each chunk begins, its name, and its bytes."""
    while at < end:
        if end - at < 8:
            if data[at:end].strip(b"\0"):
                it.tell("bad-chunk", f"expected a chunk, found {end - at} bytes", at)
            return
        name, length = bytes(data[at : at + 4]), _number(data, at + 4, 4)
        if length > end - at - 8:
            found = f"{_shown(name)} of {length:,} bytes where {end - at - 8:,} are left"
            it.tell("truncated", f"expected a chunk within its place, found {found}", at)
            return
        yield at, name, length
        at += 8 + length + length % 2


def _chunk(data: Data, at: int, name: bytes, length: int, it: _Walk) -> None:
    body = at + 8
    if name == b"VP8X":
        if length < 10:
            it.tell("bad-chunk", f"expected VP8X of 10 bytes, found {length}", at)
        else:
            _size(1 + _number(data, body + 4, 3), 1 + _number(data, body + 7, 3), at, it, whole=True)
    elif name == b"ANMF":
        if length < FRAME + 8:
            it.tell("bad-chunk", f"expected ANMF of at least {FRAME + 8} bytes, found {length}", at)
            return
        x, y, width, height = (_number(data, body + n, 3) for n in (0, 3, 6, 9))
        if 2 * x + 1 + width > it.width or 2 * y + 1 + height > it.height:
            found = f"{1 + width} x {1 + height} at {2 * x}, {2 * y}"
            it.tell("bad-dimensions", f"expected a frame within {it.width} x {it.height}, found {found}", at)
            return
        stills = it.stills
        for inner, its_name, its_length in _chunks(data, body + FRAME, body + length, it):
            if its_name in PIXELS:
                _pixels(data, inner, its_name, its_length, it, (1 + width, 1 + height))
        if it.stills == stills and not it.broken:
            it.tell("missing-pixels", "expected the pixels of a frame, found none", at)
        it.stills = stills
        it.frames += 1
    elif name in PIXELS:
        _pixels(data, at, name, length, it, (it.width, it.height) if it.width else None)
    elif name not in KNOWN and not (name.isascii() and name.decode().isprintable()):
        it.tell("bad-chunk", f"expected a chunk of WebP, found {_shown(name)}", at)


def _pixels(
    data: Data, at: int, name: bytes, length: int, it: _Walk, expected: tuple[int, int] | None
) -> None:
    """Coded pixels: their header, and how far the first partition goes."""
    body = at + 8
    it.stills += 1
    if name == b"VP8L":  # RFC 9649, 3.4
        if length < 5 or data[body] != 0x2F:
            it.tell("bad-pixels", "expected a picture of VP8L, found another beginning", body)
            return
        bits = _number(data, body + 1, 4)
        size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:  # RFC 6386, 9.1
        tag = _number(data, body, 3)
        if length < 10 or tag & 1 or data[body + 3 : body + 6] != b"\x9d\x01\x2a":
            it.tell("bad-pixels", "expected a key frame of VP8, found another beginning", body)
            return
        size = _number(data, body + 6, 2) & 0x3FFF, _number(data, body + 8, 2) & 0x3FFF
        if tag >> 5 > length - 10:
            found = f"{tag >> 5:,} where {length - 10:,} are left"
            it.tell(
                "truncated", f"expected a first partition within the chunk, found one of {found} bytes", body
            )
            return
    if expected is not None and size != expected:
        shown = f"{expected[0]} x {expected[1]}"
        it.tell("bad-dimensions", f"expected a picture of {shown}, found one of {size[0]} x {size[1]}", body)
        return
    _size(*size, body, it, whole=expected is None)
    hole = data.find(bytes(STILL), body, body + length)
    if hole >= 0:
        message = f"expected coded pixels, found at least {STILL} bytes of zero"
        it.tell("zero-filled", message, hole, ERROR if name == b"VP8 " else WARNING)


def _size(width: int, height: int, at: int, it: _Walk, *, whole: bool) -> None:
    if (problem := size_problem(width, height, offset=at)) is not None:
        it.problems.append(problem)
    if whole:
        it.width, it.height = width, height


def _number(data: Data, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _shown(name: bytes) -> str:
    return name.decode() if name.isascii() and name.decode().isprintable() else name.hex(" ")
