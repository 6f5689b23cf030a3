"""BMP (Microsoft's BITMAPFILEHEADER with any of its DIB headers, and those of OS/2): sizes and offsets, then the pixels by Pillow.

The length that a file states of itself is often wrong, and no decoder reads it: at most a warning.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field

from mldata.integrity.base import ERROR, WARNING, Found, Problem, Unsupported
from mldata.integrity.content import Content
from mldata.integrity.pixels import decode, found, size_problem

__all__ = ["Bmp"]

FILE_HEADER = 14
CORE = 12
"""Bytes of the oldest header, with 16-bit sizes."""
OS2 = 64
"""Bytes of the longest header of OS/2, where compression 3 and 4 mean other things."""
V5 = 124
"""Bytes of the header that may name a colour profile."""
HEADERS = frozenset({CORE, 40, 52, 56, OS2, 108, V5})
RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHA_BITFIELDS = range(7)
DEPTHS = {
    RGB: (1, 2, 4, 8, 16, 24, 32),
    RLE8: (8,),
    RLE4: (4,),
    BITFIELDS: (16, 32),
    ALPHA_BITFIELDS: (16, 32),
}
FOREIGN = {JPEG: "JPEG", PNG: "PNG", 11: "CMYK", 12: "CMYK", 13: "CMYK"}
PADDING = 3

Data = bytes | mmap.mmap


@dataclass
class _Walk:
    problems: list[Problem] = field(default_factory=list)
    width: int = 0
    height: int = 0

    def tell(self, code: str, message: str, at: int, severity: str = ERROR) -> None:
        self.problems.append(Problem(code, message, severity, at))


class Bmp:
    """Checks BMP files."""

    def check(self, content: Content) -> Found:
        """Structure and pixels."""
        seen = _walk(content.data)
        if any(it.severity == ERROR for it in seen.problems):
            facts = {"width": seen.width, "height": seen.height} if seen.width > 0 else {}
            return found(seen.problems, facts)
        return decode(content, "BMP", unsupported=r"Unsupported BMP|invalid palette size").found(
            seen.problems
        )


def _walk(data: Data) -> _Walk:
    it = _Walk()
    size = len(data)
    if size < FILE_HEADER + CORE:
        it.tell("truncated", f"expected headers of at least {FILE_HEADER + CORE} bytes, found {size}", size)
        return it
    (stated,) = struct.unpack_from("<I", data, 2)
    start, header = struct.unpack_from("<II", data, 10)
    if header not in HEADERS and not 16 <= header < OS2:
        it.tell("bad-header", f"expected a header of 12 to 124 bytes, found one of {header:,}", FILE_HEADER)
        return it
    if FILE_HEADER + header > size:
        it.tell("truncated", f"expected a header of {header} bytes, found {size - FILE_HEADER}", size)
        return it
    if header == CORE:
        it.width, it.height, planes, depth = struct.unpack_from("<HHHH", data, 18)
        compression = colours = 0
    else:
        it.width, height, planes, depth = struct.unpack_from("<iiHH", data, 18)
        it.height = abs(height)  # from the top if negative
        compression = struct.unpack_from("<I", data, 30)[0] if header >= 20 else 0
        colours = struct.unpack_from("<I", data, 46)[0] if header >= 36 else 0
    if (problem := size_problem(it.width, it.height, offset=18)) is not None:
        it.problems.append(problem)
        return it
    if planes != 1:
        it.tell("bad-header", f"expected 1 plane, found {planes}", 26, WARNING)
    if compression in FOREIGN or (header == OS2 and compression > RLE4):
        raise Unsupported(
            f"its pixels are compressed as {FOREIGN.get(compression, 'OS/2 does it')}; Pillow does not decode that in BMP"
        )
    if depth not in DEPTHS.get(compression, ()):
        it.tell(
            "bad-header",
            f"expected a depth and compression of BMP, found {depth} bits, compression {compression}",
            28,
        )
        return it
    if depth <= 8 and FILE_HEADER + header + colours * (3 if header == CORE else 4) > size:
        it.tell("bad-palette", f"expected a palette within the file, found one of {colours:,} colours", 46)
        return it
    if not FILE_HEADER + header <= start <= size:
        it.tell(
            "bad-offset",
            f"expected pixels between byte {FILE_HEADER + header} and {size:,}, found byte {start:,}",
            10,
        )
        return it
    end = (
        _runs(data, start, compression, it) if compression in (RLE8, RLE4) else _rows(start, size, depth, it)
    )
    if end is not None:
        _behind(data, end, stated, header, it)
    return it


def _rows(start: int, size: int, depth: int, it: _Walk) -> int | None:
    """Where uncompressed pixels end: rows of whole 32-bit words, the last of which need not be full."""
    stride = -(-it.width * depth // 32) * 4
    end = start + stride * (it.height - 1) + -(-it.width * depth // 8)
    if end > size:
        it.tell("truncated", f"expected pixels to byte {end:,}, found the end of the file", size)
        return None
    if start + stride * it.height > size:
        it.tell(
            "missing-padding", "expected a last row of whole words, found the end of the file", size, WARNING
        )
    return min(start + stride * it.height, size)


def _runs(data: Data, start: int, compression: int, it: _Walk) -> int | None:
    """Where run-length coded pixels end. Pixels that are skipped are of the first colour."""
    at, size = start, len(data)
    x = y = 0
    while at + 1 < size:
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            x += count
        elif value == 0:
            x, y = 0, y + 1
        elif value == 1:
            return at
        elif value == 2:
            if at + 1 >= size:
                break
            x, y = x + data[at], y + data[at + 1]
            at += 2
        else:
            x += value
            taken = value if compression == RLE8 else (value + 1) // 2
            at += taken + taken % 2
        if x > it.width + 1 or y > it.height:
            message = (
                f"expected pixels within {it.width} x {it.height}, found runs to column {x:,} of row {y:,}"
            )
            it.tell("bad-pixels", message, at)
            return None
    if at <= size and (y >= it.height or (y == it.height - 1 and x >= it.width)):
        it.tell(
            "missing-end", "expected the mark behind the last pixel, found the end of the file", size, WARNING
        )
        return size
    it.tell(
        "truncated", f"expected {it.height:,} rows of pixels, found the end of the file in row {y:,}", size
    )
    return None


def _behind(data: Data, end: int, stated: int, header: int, it: _Walk) -> None:
    size = len(data)
    if header == V5:
        offset, length = struct.unpack_from("<II", data, FILE_HEADER + 112)
        if offset and length:
            end = max(end, FILE_HEADER + offset + length)
            if end > size:
                it.tell(
                    "bad-profile",
                    "expected a colour profile within the file, found one beyond",
                    size,
                    WARNING,
                )
    if stated > size:
        it.tell("size-mismatch", f"expected {stated:,} bytes, as the header says, found {size:,}", 2, WARNING)
    elif size > max(end, stated) + PADDING:
        rest = size - max(end, stated)
        it.tell(
            "trailing-data", f"expected the end of the file, found {rest:,} bytes more", size - rest, WARNING
        )
