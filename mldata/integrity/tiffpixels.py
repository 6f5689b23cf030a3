"""Compressed strips and tiles of a TIFF: what is wrong in them that libtiff decodes in silence.

Deflated pixels have a checksum behind them (RFC 1950), which libtiff does not look at. Those that are JPEG (TIFF Technical Note 2) are walked over like a JPEG file.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mldata.integrity.base import ERROR, Problem
from mldata.integrity.jpegwalk import walk

__all__ = ["Pieces", "coded_problem"]

JPEG = 7
DEFLATE = frozenset({8, 32946})
PIECE = 1 << 20

Data = bytes | mmap.mmap


@dataclass(frozen=True)
class Pieces:
    """The strips or tiles of a page."""

    compression: int
    offsets: Sequence[int]
    counts: Sequence[int]
    needed: Callable[[int], int]
    """Bytes of pixels in each, by its number."""
    what: str
    tables: bytes
    """What is common to all of them where they are JPEG; may be empty."""


def coded_problem(data: Data, pieces: Pieces, frame: int) -> Problem | None:
    """The first thing that is wrong."""
    if pieces.compression in DEFLATE:
        return _inflate(data, pieces, frame)
    if pieces.compression == JPEG:
        return _walk(data, pieces, frame)
    return None


def _inflate(data: Data, pieces: Pieces, frame: int) -> Problem | None:
    for number, (offset, count) in enumerate(zip(pieces.offsets, pieces.counts, strict=True)):
        stream, left = zlib.decompressobj(), pieces.needed(number) + PIECE
        with memoryview(data) as view, view[offset : offset + count] as coded:
            piece: bytes | memoryview = coded
            try:
                while left > 0 and not stream.eof:
                    made = len(stream.decompress(piece, PIECE))
                    left -= made
                    piece = stream.unconsumed_tail
                    if not made and not piece:
                        break  # it has no end, and may have all pixels: the decoder tells
            except zlib.error as error:
                found = f"in number {number:,}: {str(error).rpartition(': ')[2]}"
                message = f"expected {pieces.what} of compressed pixels, found {found}"
                return Problem("bad-pixels", message, offset=offset, frame=frame)
    return None


def _walk(data: Data, pieces: Pieces, frame: int) -> Problem | None:
    tables = walk(pieces.tables).tables if pieces.tables else {}
    for offset, count in zip(pieces.offsets, pieces.counts, strict=True):
        for problem in walk(data[offset : offset + count], tables=tables).problems:
            if problem.severity == ERROR:
                at = offset + problem.offset if problem.offset is not None else offset
                return replace(problem, offset=at, frame=frame)
    return None
