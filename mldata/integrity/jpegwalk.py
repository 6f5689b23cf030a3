"""The structure of a JPEG picture (ITU-T T.81, annex B): markers, segments and scans from SOI to EOI.

Coded pixels are searched for markers, never walked over byte by byte. What stands inside a segment, such as the thumbnail of Exif data with markers of its own, is
passed over by the segment's length.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass, field

from mldata.integrity.base import ERROR, WARNING, Problem
from mldata.integrity.jpegscan import Frame, Scan, Tables, impossible_zeros, restarts
from mldata.integrity.jpegsegments import (
    CODINGS,
    BadSegment,
    first_codes,
    read_frame,
    read_interval,
    read_scan,
)

__all__ = ["Picture", "walk"]

SOI, EOI, SOS, DHT, DRI, DNL, DHP, EXP = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD, 0xDC, 0xDE, 0xDF
APP1, APP2 = 0xE1, 0xE2
FRAMES = frozenset({*range(0xC0, 0xD0)} - {DHT, 0xC8, 0xCC})
"""Start of frame (SOF): all codings."""
KNOWN = frozenset({*FRAMES, DHT, 0xCC, *range(0xD8, 0xE0), *range(0xE0, 0xF0), 0xF7, 0xFE})
"""Markers that can stand behind a scan; 0xF7 is that of JPEG-LS."""
LONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a segment: TEM, and restart markers where they are lost."""
MARKER = re.compile(rb"\xff[\x01-\xfe]")
ZEROS = re.compile(rb"\x00+")
STRAY = 64
"""Bytes between segments that some writers leave there; where more are, a header is lost."""
GAPS = 100
STILL = 16
"""Bytes of zero at the end of a cut file that are told as filling."""
REFILLED = 4096
"""Bytes of 0xFF in a row, between coded pixels, that are no fill bytes."""
TRAILERS = (b"MPF\0", b"MicroVideo", b"Container:Directory", b"MotionPhoto", b"hdrgm:")
"""What says in APP1 or APP2 that more follows the picture: CIPA DC-007 (multi-picture format), Google's motion photo, Ultra HDR."""

UNSENT = -1

Data = bytes | mmap.mmap


@dataclass
class Picture:
    """One picture from SOI to EOI."""

    start: int
    end: int = 0
    """Behind EOI; where nothing more could be told, if :attr:`broken`."""
    frame: Frame | None = None
    scans: int = 0
    coded: int = 0
    """Where the last scan's coded pixels begin."""
    lossless: bool = False
    """Hierarchical, lossless or JPEG-LS."""
    later_height: bool = False
    """The height stands behind the first scan (DNL)."""
    more: bool = False
    """Whether it says that something belonging to it follows."""
    broken: bool = False
    """Whether EOI was not reached."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Bytes between segments that belong to none."""
    problems: list[Problem] = field(default_factory=list)

    interval: int = 0
    """MCUs between restart markers; 0 for none."""
    tables: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    left: dict[int, list[int]] = field(default_factory=dict)
    """Of each component, and each of its 64 coefficients, how many bits are still to come; or :data:`UNSENT`."""


class _End(Exception):
    """Nothing more can be told of this picture."""


def walk(data: Data, start: int = 0, tables: Tables | None = None) -> Picture:
    """The picture whose SOI is at ``start``. ``tables``: those that an abbreviated one has elsewhere (B.4)."""
    picture = Picture(start, tables=dict(tables or {}))
    try:
        at = start + 2
        while True:
            at, marker = _marker(data, at, picture)
            if marker == EOI:
                picture.end = at
                break
            if marker in LONE:
                continue
            at = _segment(data, at, marker, picture)
    except _End:
        picture.broken = True
    else:
        _complete(picture)
    return picture


def _fail(picture: Picture, at: int, code: str, message: str) -> _End:
    picture.end = at
    picture.problems.append(Problem(code, message, offset=at))
    return _End()


def _marker(data: Data, at: int, picture: Picture) -> tuple[int, int]:
    """The next marker, and where its segment begins."""
    if data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"", b"\xff", b"\x00"):
        return at + 2, data[at + 1]  # all but always
    match = MARKER.search(data, at)
    if match is None:
        raise _no_end(data, at, picture)
    gap = match.start()
    while gap > at and data[gap - 1] == 0xFF:
        gap -= 1  # fill bytes (B.1.1.2)
    if gap > at:
        found = f"{gap - at:,} bytes that belong to no segment"
        severity = WARNING if gap - at <= STRAY else ERROR
        picture.problems.append(Problem("garbage", f"expected a marker, found {found}", severity, at))
        picture.gaps.append((at, gap))
        if len(picture.gaps) > GAPS:
            raise _fail(
                picture, at, "bad-marker", f"expected segments, found more than {GAPS} with bytes between"
            )
    return match.end(), data[match.end() - 1]


def _no_end(data: Data, at: int, picture: Picture) -> _End:
    """The file ends in the picture."""
    size = len(data)
    zeros = _zeros_at_end(data, at)
    if size - zeros >= STILL:
        message = f"expected coded pixels, found only zeros to the end of the file ({size - zeros:,} bytes)"
        picture.problems.append(Problem("zero-filled", message, offset=zeros))
    return _fail(picture, size, "missing-eoi", "expected the end marker (FFD9), found the end of the file")


def _zeros_at_end(data: Data, at: int) -> int:
    end = len(data)
    while end > at:
        piece = data[max(at, end - (1 << 16)) : end]
        kept = piece.rstrip(b"\0")
        end -= len(piece) - len(kept)
        if kept:
            break
    return end


def _segment(data: Data, at: int, marker: int, picture: Picture) -> int:
    """Read a segment, and the coded pixels behind SOS; where the next marker is looked for."""
    if marker not in KNOWN or marker == SOI:
        raise _fail(
            picture, at - 2, "bad-marker", f"expected a segment of a picture, found marker FF{marker:02X}"
        )
    length = int.from_bytes(data[at : at + 2], "big")
    end = at + length
    if length < 2 or end > len(data):
        left = len(data) - at
        if left < 2 or end > len(data):
            found = f"a segment of {length:,} bytes (FF{marker:02X}) where {left:,} are left"
            raise _fail(picture, at, "truncated", f"expected a segment within the file, found {found}")
        raise _fail(picture, at, "bad-segment", f"expected a length of at least 2, found {length}")
    body = data[at + 2 : end]
    try:
        if marker in FRAMES:
            _take_frame(read_frame(body, marker), picture)
        elif marker == DHT:
            picture.tables |= first_codes(body)
        elif marker == DRI:
            picture.interval = read_interval(body)
        elif marker == SOS:
            return _scan(data, end, body, picture)
    except BadSegment as error:
        raise _fail(picture, at, "bad-segment", str(error)) from None
    if marker in (APP1, APP2):
        picture.more = picture.more or any(it in body for it in TRAILERS)
    elif marker in (DHP, EXP, 0xF7):
        picture.lossless = True
    elif marker == DNL:
        picture.later_height = True
    return end


def _take_frame(frame: Frame, picture: Picture) -> None:
    if picture.frame is not None and not picture.lossless:
        raise BadSegment(f"expected one frame header, found a second one (FF{frame.marker:02X})")
    picture.frame = frame
    picture.lossless = picture.lossless or frame.marker not in CODINGS


def _scan(data: Data, start: int, body: bytes, picture: Picture) -> int:
    """The coded pixels; where the marker behind them is."""
    frame = picture.frame
    if frame is None:
        raise BadSegment("expected a frame header in front of the first scan, found none")
    scan = read_scan(body, frame)
    for it, _, _ in scan.components:
        left = picture.left.setdefault(it.number, [UNSENT] * 64)
        left[scan.first : scan.last + 1] = [scan.low] * (scan.last + 1 - scan.first)
    picture.scans += 1
    picture.coded = start
    seen = 0
    wrong = None
    end = start
    for match in MARKER.finditer(data, start):
        end = match.start()
        marker = data[end + 1]
        if not 0xD0 <= marker <= 0xD7:
            break
        if wrong is None and marker != 0xD0 + seen % 8:
            wrong = Problem(
                "bad-restart", f"expected restart marker {seen % 8}, found {marker - 0xD0}", offset=end
            )
        seen += 1
    else:
        raise _no_end(data, start, picture)
    while end > start and data[end - 1] == 0xFF:
        end -= 1
    _holes(data, start, end, scan, picture)
    if marker not in KNOWN or marker == SOI:
        what = "the beginning of another picture" if marker == SOI else "one that no scan ends with"
        raise _fail(picture, end, "bad-marker", f"expected coded pixels, found marker FF{marker:02X}, {what}")
    if wrong is not None:
        picture.problems.append(wrong)
    elif picture.interval and frame.height and not picture.lossless:
        expected = restarts(frame, scan, picture.interval)
        if seen < expected:
            message = f"expected {expected:,} restart markers in the scan, found {seen:,}"
            picture.problems.append(Problem("bad-restart", message, offset=end))
    return end


def _holes(data: Data, start: int, end: int, scan: Scan, picture: Picture) -> None:
    """Runs of one value that no encoder writes."""
    assert picture.frame is not None
    limit = impossible_zeros(picture.frame, scan, picture.tables)
    at = data.find(bytes(limit), start, end) if limit is not None else -1
    if at >= 0:
        run = ZEROS.match(data, at)
        assert run is not None
        message = f"expected coded pixels, found {run.end() - at:,} bytes of zero"
        picture.problems.append(Problem("zero-filled", message, offset=at))
    at = data.find(b"\xff" * REFILLED, start, end)
    if at >= 0:
        message = f"expected coded pixels, found at least {REFILLED:,} bytes of 0xFF"
        picture.problems.append(Problem("one-value", message, offset=at))


def _complete(picture: Picture) -> None:
    """Whether a picture that ends as it should has all that it promises."""
    at = picture.end - 2
    if picture.frame is None or not picture.scans:
        picture.problems.append(
            Problem("missing-scan", "expected coded pixels, found the end marker", offset=at)
        )
        return
    if picture.lossless:
        return
    for number, it in enumerate(picture.frame.components):
        left = picture.left.get(it.number, [UNSENT])
        if left[0] == UNSENT:
            message = f"expected coded pixels of every component, found none of component {number}"
            picture.problems.append(Problem("missing-scan", message, offset=at))
        elif max(left) > 0:
            message = (
                f"expected all bits of the coefficients, found no scan with the last of component {number}"
            )
            picture.problems.append(Problem("coarse", message, WARNING, at))
