"""GIF (CompuServe's 87a and 89a): blocks from the header to the trailer, then every frame by Pillow.

A GIF has no lengths beyond its sub-blocks and no checksums: where the trailer is missing, frames may be missing too.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field

from mldata.integrity.base import ERROR, WARNING, Found, Problem
from mldata.integrity.content import Content
from mldata.integrity.pixels import decode, found, size_problem

__all__ = ["Gif"]

IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
COLOURS = 0x80
"""Flag of a table of colours; the lowest three bits give its size."""
PADDING = 3
CODE_SIZES = range(1, 12)
"""Bits of the first codes: 2 to 8 in the specification; what others wrote, decoders read."""
CONTROL = {0xF9: "graphic control", 0x01: "plain text", 0xFE: "comment", 0xFF: "application"}

Data = bytes | mmap.mmap


@dataclass
class _Walk:
    width: int = 0
    height: int = 0
    frames: int = 0
    problems: list[Problem] = field(default_factory=list)

    def tell(self, code: str, message: str, at: int, severity: str = ERROR) -> None:
        frame = self.frames or None
        self.problems.append(Problem(code, message, severity, at, frame=frame))


class Gif:
    """Checks GIF files."""

    def check(self, content: Content) -> Found:
        """Structure and pixels."""
        seen = _walk(content.data)
        if any(it.severity == ERROR for it in seen.problems):
            facts = {"width": seen.width, "height": seen.height} if seen.width else {}
            return found(seen.problems, facts)
        decoded = decode(content, "GIF")
        if decoded.facts and decoded.facts["frames"] < seen.frames and not decoded.problems:
            message = f"expected {seen.frames:,} frames, found {decoded.facts['frames']:,}"
            decoded.problems.append(Problem("missing-frames", message))
        return decoded.found(seen.problems)


def _walk(data: Data) -> _Walk:
    it = _Walk()
    if len(data) < 13:
        it.tell("truncated", f"expected a header of 13 bytes, found {len(data)}", len(data))
        return it
    it.width, it.height = _pair(data, 6)
    if (problem := size_problem(it.width, it.height, offset=6)) is not None and problem.code == "too-large":
        it.problems.append(problem)
        return it
    at: int | None = 13 + _table(data[10])
    has_global = bool(data[10] & COLOURS)
    while at is not None:
        if at >= len(data):
            it.tell("missing-trailer", "expected the trailer (3B), found the end of the file", len(data))
            return it
        kind = data[at]
        if kind == TRAILER:
            _end(data, at + 1, it)
            return it
        if kind == EXTENSION:
            at = _extension(data, at, it)
        elif kind == IMAGE:
            at = _image(data, at, has_global, it)
        elif kind == 0:
            at += 1  # a terminator too many, which decoders pass over
        else:
            it.tell("bad-block", f"expected a block of GIF, found byte {kind:02X}", at)
            return it
    return it


def _end(data: Data, at: int, it: _Walk) -> None:
    if not it.frames:
        it.tell("missing-pixels", "expected a frame, found the trailer", at - 1)
    rest = len(data) - at
    if rest and (rest > PADDING or data[at:].strip(b"\0")):
        it.tell("trailing-data", f"expected the end of the file, found {rest:,} bytes more", at, WARNING)


def _extension(data: Data, at: int, it: _Walk) -> int | None:
    return _blocks(data, at + 2, at, it)[0]


def _image(data: Data, at: int, has_global: bool, it: _Walk) -> int | None:
    """An image descriptor and its pixels; where the next block is."""
    if at + 11 > len(data):
        it.tell("truncated", "expected an image descriptor, found the end of the file", at)
        return None
    (x, y), (width, height), flags = _pair(data, at + 1), _pair(data, at + 5), data[at + 9]
    screen = f"{it.width} x {it.height}"
    if not width or not height:
        it.tell("bad-dimensions", f"expected a frame of at least 1 x 1 pixels, found {width} x {height}", at)
        return None
    if (problem := size_problem(x + width, y + height, offset=at, frame=it.frames)) is not None:
        it.problems.append(problem)
        return None
    if x + width > it.width or y + height > it.height:
        found = f"{width} x {height} at {x}, {y}"
        it.tell("beyond-screen", f"expected a frame within {screen}, found {found}", at, WARNING)
    if not has_global and not flags & COLOURS:
        it.tell("missing-palette", "expected a table of colours, found none", at, WARNING)
    start = at + 10 + _table(flags)
    if start >= len(data):
        it.tell("truncated", "expected the pixels of a frame, found the end of the file", len(data))
        return None
    if data[start] not in CODE_SIZES:
        it.tell("bad-pixels", f"expected codes of 2 to 8 bits, found {data[start]}", start)
        return None
    end, count = _blocks(data, start + 1, at, it)
    if end is not None and not count:
        it.tell("premature-end", "expected the pixels of a frame, found none", start)
        return None
    it.frames += 1
    return end


def _blocks(data: Data, at: int, start: int, it: _Walk) -> tuple[int | None, int]:
    """Pass over sub-blocks; where the next block is, and how many bytes they have."""
    size, count = len(data), 0
    while at < size:
        length = data[at]
        at += 1 + length
        count += length
        if not length:
            return at, count
    what = (
        "a frame"
        if data[start] == IMAGE
        else f"a {CONTROL.get(data[start + 1], 'private')} extension"
        if start + 1 < size
        else "an extension"
    )
    it.tell(
        "truncated",
        f"expected the end of {what} that begins at byte {start:,}, found the end of the file",
        size,
    )
    return None, count


def _table(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 * (2 << (flags & 7)) if flags & COLOURS else 0


def _pair(data: Data, at: int) -> tuple[int, int]:
    return int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
