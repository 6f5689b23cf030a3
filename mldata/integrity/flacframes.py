"""The frames of a FLAC stream: their headers, where each ends, and whether its checksum holds.

Format: RFC 9639, sections 8 and 9. A frame does not say how long it is: it ends where another header begins, at the first such place up to which its
checksum holds. Where it holds nowhere the frame is damaged, and the walk goes on at the next header that could follow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mldata.integrity.content import Content
from mldata.integrity.crc import crc8, joined, remainders

__all__ = ["Frame", "Header", "parse_header", "walk_frames"]

_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_PIECE = 1 << 22
"""Bytes that are searched for headers at a time."""
_AHEAD = 4
"""What looks like a header inside of a frame is an accident; so many are looked past for the end of a frame."""
_LONGEST = 16
"""Bytes of the longest header."""
_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_BITS = (0, 8, 12, -1, 16, 20, 24, 32)
"""By the code in a header; 0: as the stream has it, -1: reserved."""


class Header(NamedTuple):
    """The header of a frame."""

    start: int
    """Where it is in the file."""
    variable: bool
    """Whether blocks have different sizes: then :attr:`number` counts samples, else frames."""
    block: int
    """Samples of each channel."""
    sample_rate: int
    """0: as the stream has it; :attr:`bits` too."""
    channels: int
    bits: int
    number: int

    @property
    def following(self) -> int:
        """The number of the frame behind this one."""
        return self.number + (self.block if self.variable else 1)


@dataclass(frozen=True)
class Frame:
    """A frame, from one header to the next, or to the end."""

    header: Header
    end: int
    intact: bool
    """Whether it ends with its own checksum."""


def parse_header(data: bytes, start: int = 0) -> Header | None:
    """The header that these bytes begin with, if they are one and its checksum holds."""
    if len(data) < 6 or data[0] != 0xFF or data[1] & 0xFE != 0xF8:
        return None
    block_code, rate_code = data[2] >> 4, data[2] & 15
    channel_code, bits = data[3] >> 4, _BITS[data[3] >> 1 & 7]
    if not block_code or rate_code == 15 or channel_code > 10 or bits < 0 or data[3] & 1:
        return None
    number, at = _number(data)
    if at == 0:
        return None
    if block_code in (6, 7):
        size = block_code - 5
        block, at = int.from_bytes(data[at : at + size], "big") + 1, at + size
    else:
        block = 192 if block_code == 1 else 576 << block_code - 2 if block_code < 6 else 256 << block_code - 8
    if rate_code >= 12:
        size, unit = ((1, 1000), (2, 1), (2, 10))[rate_code - 12]
        rate, at = int.from_bytes(data[at : at + size], "big") * unit, at + size
    else:
        rate = _RATES[rate_code]
    if at >= len(data) or crc8(data[:at]) != data[at]:
        return None
    channels = channel_code + 1 if channel_code < 8 else 2
    return Header(start, bool(data[1] & 1), block, rate, channels, bits, number)


def _number(data: bytes) -> tuple[int, int]:
    """The number in a header, written as UTF-8 writes one of up to 36 bits, and where it ends; 0 if it is none."""
    first = data[4]
    if first < 0x80:
        return first, 5
    more = 7 - (first ^ 0xFF).bit_length()  # ones in front, without the first
    if not 1 <= more <= 6 or len(data) < 5 + more:
        return 0, 0
    number = first & (0x3F >> more)
    for byte in data[5 : 5 + more]:
        if byte & 0xC0 != 0x80:
            return 0, 0
        number = number << 6 | byte & 0x3F
    return number, 5 + more


def walk_frames(content: Content, start: int, end: int) -> Iterator[Frame]:
    """The frames between ``start``, where the first header is (nothing comes if there is none), and ``end``."""
    headers = _headers(content, start, end)
    if not headers:
        return
    ends = [header.start for header in headers[1:]] + [end]
    rests = remainders(content, [(header.start, to) for header, to in zip(headers, ends, strict=True)])
    at = 0
    while at < len(headers):
        last, intact = _extent(at, headers, ends, rests)
        yield Frame(headers[at], ends[last], intact)
        at = last + 1


def _extent(at: int, headers: list[Header], ends: list[int], rests: list[int]) -> tuple[int, bool]:
    """Up to which header (its index) the frame reaches that begins at header ``at``, and whether it is intact."""
    rest = rests[at]
    if not rest:
        return at, True
    for last in range(at + 1, min(at + _AHEAD, len(headers))):
        rest = joined(rest, rests[last], ends[last] - headers[last].start)
        if not rest:
            return last, True
    last = at
    while last + 1 < len(headers) and headers[last + 1].number <= headers[at].number:
        last += 1
    return last, False


def _headers(content: Content, start: int, end: int) -> list[Header]:
    """All that look like headers of this stream."""
    first = parse_header(bytes(content.data[start : min(end, start + _LONGEST)]), start)
    if first is None:
        return []
    found = [first]
    for at in range(start, end, _PIECE):
        piece = bytes(content.data[at : min(end, at + _PIECE + _LONGEST)])
        for match in _SYNC.finditer(piece):
            if match.start() >= _PIECE or at + match.start() == start:
                continue
            header = parse_header(piece[match.start() : match.start() + _LONGEST], at + match.start())
            if header is not None and _alike(header, first):
                found.append(header)
    return found


def _alike(header: Header, first: Header) -> bool:
    return (header.variable, header.channels) == (first.variable, first.channels) and (
        header.bits == first.bits and header.sample_rate == first.sample_rate
    )
