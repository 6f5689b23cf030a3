"""What the segments of a JPEG picture say that matters to its coded pixels (ITU-T T.81, B.2.2 to B.2.4)."""

from __future__ import annotations

from mldata.integrity.jpegscan import Component, Frame, Scan

__all__ = ["CODINGS", "BadSegment", "first_codes", "read_frame", "read_interval", "read_scan"]

CODINGS = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Frames of pixels by DCT, in one go: baseline, extended, progressive; the last two with arithmetic coding."""
PROGRESSIVE = frozenset({0xC2, 0xCA})


class BadSegment(Exception):
    """What was expected of a segment, and what was found."""


def read_frame(body: bytes, marker: int) -> Frame:
    """The frame header (SOF)."""
    if len(body) < 9 or len(body) != 6 + 3 * body[5]:
        raise BadSegment(f"expected a frame header, found {len(body)} bytes that are none")
    components = tuple(Component(body[n], body[n + 1] >> 4, body[n + 1] & 15) for n in range(6, len(body), 3))
    if not all(1 <= it.across <= 4 and 1 <= it.down <= 4 for it in components):
        factors = ", ".join(f"{it.across} x {it.down}" for it in components[:4])
        raise BadSegment(f"expected sampling factors of 1 to 4, found {factors}")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    return Frame(marker, body[0], width, height, components)


def read_interval(body: bytes) -> int:
    """MCUs between restart markers (DRI); 0 for none."""
    if len(body) != 2:
        raise BadSegment(f"expected a restart interval of 2 bytes, found {len(body)}")
    return int.from_bytes(body, "big")


def first_codes(body: bytes) -> dict[tuple[int, int], tuple[int, int]]:
    """Of each Huffman table (DHT), by class and number, the bits of its first code, which are all zero, and its symbol (C.2)."""
    tables = {}
    place = 0
    while place < len(body):
        lengths = body[place + 1 : place + 17]
        count = sum(lengths)
        if len(lengths) < 16 or count > 256 or place + 17 + count > len(body):
            found = f"one of {count:,} codes in {len(body) - place:,} bytes"
            raise BadSegment(f"expected a Huffman table, found {found}")
        if count:
            first = next(bits for bits, number in enumerate(lengths, 1) if number)
            tables[body[place] >> 4, body[place] & 15] = (first, body[place + 17])
        place += 17 + count
    return tables


def read_scan(body: bytes, frame: Frame) -> Scan:
    """The scan header (SOS)."""
    known = {it.number: it for it in frame.components}
    count = body[0] if body else 0
    if not 1 <= count <= 4 or len(body) < 4 + 2 * count:
        raise BadSegment(f"expected a scan header, found {len(body)} bytes that are none")
    if not all(it in known for it in body[1 : 1 + 2 * count : 2]):
        raise BadSegment("expected a scan of components of the frame, found one of another")
    chosen = tuple((known[body[n]], body[n + 1] >> 4, body[n + 1] & 15) for n in range(1, 1 + 2 * count, 2))
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    if frame.marker not in PROGRESSIVE:
        first, last, bits = 0, 63, 0  # which some cameras do not write, and decoders do not read
    elif first > last or last > 63:
        raise BadSegment(f"expected some of the coefficients 0 to 63, found {first} to {last}")
    return Scan(chosen, first, last, bits >> 4, bits & 15)
