"""The structure of a TIFF file (TIFF 6.0; BigTIFF as libtiff defines it): directories, and where the pixels of each page are.

Offsets go anywhere in the file, so each is followed once at most, and none beyond the end.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mldata.integrity.base import ERROR, WARNING, Problem, Unsupported
from mldata.integrity.pixels import size_problem
from mldata.integrity.tiffpixels import Pieces, coded_problem

__all__ = ["Page", "Walk", "walk"]

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIPS, SAMPLES, ROWS, STRIP_BYTES, PLANAR = 273, 277, 278, 279, 284
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 322, 323, 324, 325
JPEG_TABLES, OLD_JPEG = 347, 513
NEEDED = frozenset(
    {
        WIDTH,
        HEIGHT,
        BITS,
        COMPRESSION,
        STRIPS,
        SAMPLES,
        ROWS,
        STRIP_BYTES,
        PLANAR,
        TILE_WIDTH,
        TILE_HEIGHT,
        TILES,
        TILE_BYTES,
        JPEG_TABLES,
    }
)
"""Tags without which pixels cannot be read."""
READ = NEEDED | {PHOTOMETRIC, OLD_JPEG}
SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of a value by its type."""
NUMBERS = {1: "B", 7: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
UNCOMPRESSED = 1
YCBCR = 6
PAGES = 1 << 16
"""Pages of one file that are looked at."""

Data = bytes | mmap.mmap


@dataclass(frozen=True)
class Page:
    """What a directory says of its picture."""

    width: int
    height: int
    compression: int


@dataclass
class Walk:
    """What a walk over the directories has found."""

    problems: list[Problem] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    def tell(self, code: str, message: str, at: int | None, severity: str = ERROR) -> None:
        self.problems.append(Problem(code, message, severity, at, frame=len(self.pages)))

    @property
    def broken(self) -> bool:
        return any(it.severity == ERROR for it in self.problems)


@dataclass(frozen=True)
class _Layout:
    """Of TIFF or BigTIFF: bytes of an offset and of the number of entries, and how they are read."""

    order: str
    word: int

    @property
    def head(self) -> int:
        return 2 if self.word == 4 else 8

    @property
    def entry(self) -> int:
        return 4 + 2 * self.word

    def number(self, data: Data, at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], "little" if self.order == "<" else "big")


def walk(data: Data) -> Walk:
    """The directories of all pages, one behind the other."""
    it = Walk()
    size = len(data)
    order = "<" if data[:2] == b"II" else ">"
    layout = _Layout(order, 8 if data[2:4] in (b"+\0", b"\0+") else 4)
    if size < 4 + layout.word + (4 if layout.word == 8 else 0):
        it.tell("truncated", f"expected a header, found {size} bytes", size)
        return it
    at = layout.number(data, 4 if layout.word == 4 else 8, layout.word)
    if not at:
        it.tell("missing-pixels", "expected a directory, found none", 4)
    seen: set[int] = set()
    came_from = 4
    while at and not it.broken:
        if at in seen:
            it.tell(
                "loop", f"expected directories in a row, found one that leads back to byte {at:,}", came_from
            )
            break
        if len(seen) >= PAGES:
            raise Unsupported(f"it has more than {PAGES:,} pages")
        seen.add(at)
        count = layout.number(data, at, layout.head) if at + layout.head <= size else 0
        end = at + layout.head + count * layout.entry
        if at + layout.head > size or end > size:
            found = f"one of {count:,} entries at byte {at:,}" if count else f"one at byte {at:,}"
            it.tell("truncated", f"expected a directory within {size:,} bytes, found {found}", came_from)
            break
        if not count:
            it.tell("bad-directory", "expected a directory of at least one entry, found none", at)
            break
        _page(data, at, _tags(data, at + layout.head, count, layout, it), layout, it)
        if end + layout.word > size:
            it.tell("truncated", "expected the offset of the next directory, found the end of the file", size)
        came_from, at = end, layout.number(data, end, layout.word)
    return it


def _tags(data: Data, at: int, count: int, layout: _Layout, it: Walk) -> dict[int, Sequence[int]]:
    """The values of the tags that pixels need. Other tags only have to be within the file."""
    tags: dict[int, Sequence[int]] = {}
    for place in range(at, at + count * layout.entry, layout.entry):
        tag, kind = layout.number(data, place, 2), layout.number(data, place + 2, 2)
        number = layout.number(data, place + 4, layout.word)
        value = place + 4 + layout.word
        if kind not in SIZES:
            if tag in NEEDED:
                it.tell("bad-tag", f"expected tag {tag} of a known type, found type {kind}", place)
            continue
        if SIZES[kind] * number > layout.word:
            value = layout.number(data, value, layout.word)
        if value + SIZES[kind] * number > len(data):
            found = f"{number:,} values at byte {value:,}"
            severity = ERROR if tag in NEEDED else WARNING
            it.tell("bad-tag", f"expected tag {tag} within the file, found {found}", place, severity)
        elif kind in NUMBERS and tag in READ and tag not in tags:
            tags[tag] = struct.unpack_from(f"{layout.order}{number}{NUMBERS[kind]}", data, value)
    return tags


def _page(data: Data, at: int, tags: dict[int, Sequence[int]], layout: _Layout, it: Walk) -> None:
    if it.broken:
        return
    width, height = _one(tags, WIDTH, 0), _one(tags, HEIGHT, 0)
    if (problem := size_problem(width, height, offset=at, frame=len(it.pages))) is not None:
        it.problems.append(problem)
        return
    offsets = tags.get(TILES, tags.get(STRIPS, ()))
    counts = tags.get(TILE_BYTES, tags.get(STRIP_BYTES, ()))
    page = Page(width, height, _one(tags, COMPRESSION, UNCOMPRESSED))
    if not offsets:
        if OLD_JPEG not in tags:
            it.tell("missing-pixels", "expected the offsets of strips or tiles, found none", at)
        it.pages.append(page)
        return
    if any(not offset and not count for offset, count in zip(offsets, counts, strict=False)):
        raise Unsupported("some of its strips or tiles are left out (a sparse file of GDAL)")
    pieces, needed = _pieces(page, tags)
    what = "tiles" if TILES in tags else "strips"
    if len(offsets) < pieces:
        it.tell("missing-pixels", f"expected {pieces:,} {what}, found {len(offsets):,}", at)
        return
    if counts and len(counts) < len(offsets):
        it.tell(
            "missing-pixels", f"expected the lengths of {len(offsets):,} {what}, found {len(counts):,}", at
        )
        return
    known = page.compression == UNCOMPRESSED and _one(tags, PHOTOMETRIC, 0) != YCBCR
    offsets, counts = offsets[:pieces], counts[:pieces]
    _extents(data, offsets, counts, needed if known else lambda number: 0, what, it)
    if counts and not it.broken:
        tables = bytes(tags.get(JPEG_TABLES, ()))
        pieces_of = Pieces(page.compression, offsets, counts, needed, what, tables)
        if (problem := coded_problem(data, pieces_of, len(it.pages))) is not None:
            it.problems.append(problem)
    it.pages.append(page)


def _extents(
    data: Data,
    offsets: Sequence[int],
    counts: Sequence[int],
    needed_by: Callable[[int], int],
    what: str,
    it: Walk,
) -> None:
    """Whether strips or tiles are within the file, and long enough where that is known."""
    for number, offset in enumerate(offsets):
        count = counts[number] if counts else 1
        needed = needed_by(number)
        if not offset:
            it.tell("bad-offset", f"expected {what} behind the header, found one at byte 0", None)
            return
        if offset + max(count, needed) > len(data):
            if needed and offset + needed <= len(data):
                found = f"one of {count:,} bytes at byte {offset:,}"
                it.tell("size-mismatch", f"expected {what} of {needed:,} bytes, found {found}", None, WARNING)
                return
            found = f"one at byte {offset:,} of {max(count, needed):,} bytes"
            it.tell("truncated", f"expected {what} within {len(data):,} bytes, found {found}", offset)
            return
        if counts and count < needed:
            it.tell(
                "size-mismatch",
                f"expected {what} of {needed:,} bytes, found one of {count:,}",
                offset,
                WARNING,
            )
            return
        if counts and not count:
            it.tell(
                "missing-pixels", f"expected pixels in all {what}, found none in number {number:,}", offset
            )
            return


def _pieces(page: Page, tags: dict[int, Sequence[int]]) -> tuple[int, Callable[[int], int]]:
    """How many strips or tiles there are, and how many bytes of pixels each has."""
    samples, planar = _one(tags, SAMPLES, 1), _one(tags, PLANAR, 1) == 2
    bits = tags.get(BITS) or (1,)
    of_pixel = bits[0] if planar else (sum(bits) if len(bits) == samples else bits[0] * samples)
    tiled = TILES in tags
    across = max(1, _one(tags, TILE_WIDTH, page.width)) if tiled else page.width
    down = max(
        1, _one(tags, TILE_HEIGHT, page.height) if tiled else min(_one(tags, ROWS, page.height), page.height)
    )
    rows = -(-page.height // down)
    of_plane = -(-page.width // across) * rows

    def needed(number: int) -> int:
        """Tiles are whole; the last strip has the rows that are left."""
        height = down if tiled else min(down, page.height - number % rows * down)
        return height * -(-across * of_pixel // 8)

    return of_plane * (samples if planar else 1), needed


def _one(tags: dict[int, Sequence[int]], tag: int, default: int) -> int:
    values = tags.get(tag, ())
    return values[0] if values else default
