"""The structure of a PNG file (W3C PNG, third edition): chunks, their checksums and order, and the frames of an animation (APNG)."""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass, field

from mldata.integrity.base import WARNING, Problem
from mldata.integrity.pixels import size_problem
from mldata.integrity.pngstream import PIECE, Stream

__all__ = ["SIGNATURE", "Header", "Walk", "walk"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by colour type (table 11.1)."""
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of Adam7: first column, first row, columns apart, rows apart (8.1)."""
FRAME_CONTROL = 26
"""Bytes of an fcTL chunk."""
KNOWN = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"CgBI"})
"""Critical chunks, and that of Apple's phones."""
EARLY = frozenset({b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI"})
"""Chunks that say what colours mean, in front of the palette and the pixels (5.6)."""
BEFORE_PIXELS = EARLY | {b"bKGD", b"hIST", b"tRNS", b"pHYs", b"sPLT", b"acTL"}

Data = bytes | mmap.mmap


@dataclass(frozen=True)
class Header:
    """IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    def inflated(self, width: int, height: int) -> int:
        """Bytes of the filtered rows of a frame of this size."""
        bits = self.depth * SAMPLES[self.colour]
        if not self.interlaced:
            return height * (1 + -(-width * bits // 8))
        total = 0
        for x, y, across, down in PASSES:
            columns, rows = -(-(width - x) // across), -(-(height - y) // down)
            if columns > 0 and rows > 0:
                total += rows * (1 + -(-columns * bits // 8))
        return total


@dataclass
class Walk:
    """What a walk over the chunks has found."""

    problems: list[Problem] = field(default_factory=list)
    header: Header | None = None
    frames: int = 1
    apple: bool = False
    """Whether it is the PNG of Apple's phones (CgBI), which is no PNG."""
    palette: int = 0
    animated: int | None = None
    """Frames that the animation promises."""
    controls: int = 0
    sequence: int = 0
    area: tuple[int, int] | None = None
    """Width and height of the frame whose fcTL came last."""
    seen: set[bytes] = field(default_factory=set)
    stream: Stream | None = None
    of_stream: bytes = b""

    def error(self, code: str, message: str, at: int, severity: str = "error") -> None:
        self.problems.append(Problem(code, message, severity, at))


def walk(data: Data) -> Walk:
    """The chunks from the signature to IEND, and what comes behind."""
    it = Walk()
    at, size = len(SIGNATURE), len(data)
    if data[:at] != SIGNATURE:
        it.error("bad-signature", "expected the signature of PNG, found other bytes", 0)
        return it
    while True:
        if size - at < 12:
            found = "the end of the file" if at == size else f"{size - at} bytes"
            it.error("truncated", f"expected a chunk up to IEND, found {found}", at)
            return it
        length, name = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
        if not name.isalpha() or not name.isascii():
            it.error("bad-chunk", f"expected the name of a chunk, found {name.hex(' ')}", at + 4)
            return it
        label = name.decode()
        if length > size - at - 12:
            found = f"{label} of {length:,} bytes where {size - at - 12:,} are left"
            it.error("truncated", f"expected a chunk within the file, found {found}", at)
            return it
        if not _checksum(data, at, length, it, label):
            return it
        if not _chunk(data, at, name, length, it):
            return it
        at += 12 + length
        if name == b"IEND":
            break
    _finish(it, at)
    if at < size:
        it.error(
            "trailing-data", f"expected the end of the file, found {size - at:,} bytes more", at, WARNING
        )
    return it


def _checksum(data: Data, at: int, length: int, it: Walk, label: str) -> bool:
    """Whether the walk goes on."""
    with memoryview(data) as view, view[at + 4 : at + 8 + length] as covered:
        found = zlib.crc32(covered)
    expected = int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
    if found == expected:
        return True
    critical = label[0].isupper() or label in ("fcTL", "fdAT", "acTL")
    message = f"expected {label} with checksum {expected:08x}, found bytes of {found:08x}"
    it.error("bad-crc", message, at, "error" if critical else WARNING)
    return not critical


def _chunk(data: Data, at: int, name: bytes, length: int, it: Walk) -> bool:
    """Look at a chunk whose checksum is right; whether the walk goes on."""
    problems = len(it.problems)
    if name == b"CgBI":
        it.apple = True
    elif it.header is None:
        if name != b"IHDR":
            it.error("bad-order", f"expected IHDR first, found {name.decode()}", at)
        else:
            _header(data[at + 8 : at + 8 + length], at, it)
    elif name == b"IHDR":
        it.error("bad-order", "expected one IHDR, found a second one", at)
    elif name == b"PLTE":
        _palette(length, at, it)
    elif name == b"IDAT":
        _pixels(data, at, name, 0, length, it)
    elif name in (b"acTL", b"fcTL", b"fdAT"):
        _animation(data, at, name, length, it)
    elif name[0] < 0x60 and name not in KNOWN:
        it.error("unknown-chunk", f"expected critical chunks of PNG, found {name.decode()}", at, WARNING)
    elif name in BEFORE_PIXELS and b"IDAT" in it.seen:
        it.error(
            "bad-order", f"expected {name.decode()} in front of the pixels, found it behind", at, WARNING
        )
    elif name in EARLY and b"PLTE" in it.seen:
        it.error(
            "bad-order", f"expected {name.decode()} in front of the palette, found it behind", at, WARNING
        )
    if name not in (b"IDAT", b"fdAT") or it.of_stream != name:
        _close(it)
    it.seen.add(name)
    return all(problem.severity == WARNING for problem in it.problems[problems:])


def _header(body: bytes, at: int, it: Walk) -> None:
    if len(body) != 13:
        it.error("bad-chunk", f"expected IHDR of 13 bytes, found {len(body)}", at)
        return
    width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
    depth, colour, compression, filtering, interlace = body[8:]
    if depth not in DEPTHS.get(colour, ()):
        it.error(
            "bad-header", f"expected a colour type and depth of PNG, found type {colour} of {depth} bits", at
        )
    elif compression or filtering or interlace > 1:
        found = f"{compression}, {filtering} and {interlace}"
        it.error("bad-header", f"expected compression 0, filter 0 and interlace 0 or 1, found {found}", at)
    else:
        it.header = Header(width, height, depth, colour, bool(interlace))
        if (problem := size_problem(width, height, offset=at)) is not None:
            it.problems.append(problem)


def _palette(length: int, at: int, it: Walk) -> None:
    assert it.header is not None
    if b"IDAT" in it.seen or b"PLTE" in it.seen:
        it.error("bad-order", "expected one palette in front of the pixels, found another", at)
    elif length % 3 or not 3 <= length <= 768:
        it.error(
            "bad-chunk", f"expected a palette of 1 to 256 colours of 3 bytes, found {length:,} bytes", at
        )
    elif it.header.colour in (0, 4):
        it.error("bad-chunk", "expected no palette in a grey picture, found one", at, WARNING)
    it.palette = length // 3


def _pixels(data: Data, at: int, name: bytes, skip: int, length: int, it: Walk) -> None:
    """Compressed pixels; ``skip`` bytes of the chunk are none."""
    header = it.header
    assert header is not None
    if it.of_stream != name:
        if name in it.seen and name == b"IDAT":
            it.error("bad-order", "expected IDAT chunks one behind the other, found other chunks between", at)
            return
        _close(it)
        width, height = (it.area if name == b"fdAT" else None) or (header.width, header.height)
        frame = it.controls - 1 if name == b"fdAT" else None
        it.stream, it.of_stream = Stream(header.inflated(width, height), at, frame), name
    stream = it.stream
    assert stream is not None
    end = at + 8 + length
    for start in range(at + 8 + skip, end, PIECE):
        stream.feed(data[start : min(start + PIECE, end)], at)


def _animation(data: Data, at: int, name: bytes, length: int, it: Walk) -> None:
    """Chunks of an animation (clause 4.9 and 11.3.5). Their sequence numbers count fcTL and fdAT together."""
    header = it.header
    assert header is not None
    if name == b"acTL":
        if length != 8:
            it.error("bad-chunk", f"expected acTL of 8 bytes, found {length:,}", at)
        else:
            it.animated = int.from_bytes(data[at + 8 : at + 12], "big")
        return
    if it.animated is None:
        it.error("bad-order", f"expected acTL in front of {name.decode()}, found none", at, WARNING)
        return
    if length < 4 or (name == b"fcTL" and length != FRAME_CONTROL):
        it.error("bad-chunk", f"expected {name.decode()} of another length, found {length:,} bytes", at)
        return
    number = int.from_bytes(data[at + 8 : at + 12], "big")
    if number != it.sequence:
        it.error("bad-sequence", f"expected sequence number {it.sequence}, found {number}", at)
        return
    it.sequence += 1
    if name == b"fdAT":
        if it.area is None or b"IDAT" not in it.seen:
            it.error("bad-order", "expected fcTL and IDAT in front of fdAT, found none", at)
        else:
            _pixels(data, at, name, 4, length, it)
        return
    width, height, x, y = (int.from_bytes(data[at + n : at + n + 4], "big") for n in range(12, 28, 4))
    if not width or not height or x + width > header.width or y + height > header.height:
        canvas = f"{header.width} x {header.height}"
        it.error(
            "bad-dimensions", f"expected a frame within {canvas}, found {width} x {height} at {x}, {y}", at
        )
        return
    it.controls += 1
    it.area = (width, height)


def _close(it: Walk) -> None:
    """Pixels of a frame have come to their end."""
    if it.stream is not None and (problem := it.stream.end()) is not None:
        it.problems.append(problem)
    it.stream, it.of_stream = None, b""


def _finish(it: Walk, at: int) -> None:
    if b"IDAT" not in it.seen:
        it.error("missing-pixels", "expected IDAT, found none", at - 12)
    elif it.header is not None and it.header.colour == 3 and b"PLTE" not in it.seen:
        it.error("missing-palette", "expected a palette, found none", at - 12)
    if it.animated is not None and it.animated != it.controls:
        it.error("bad-sequence", f"expected {it.animated:,} frames, found {it.controls:,}", at - 12)
