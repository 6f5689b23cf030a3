"""Tags that programs put around compressed sound: ID3v2 in front, ID3v1, APEv2 and Lyrics3 behind.

Formats: id3.org's "ID3 tag version 2.4.0 - Main Structure" (and 2.2, 2.3), "ID3v1", "Lyrics3 v2.00"; the "APEv2 specification" of Hydrogenaudio's wiki.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mldata.integrity.content import Content

__all__ = ["Trailer", "id3v2_size", "leading", "tag_at", "trailing"]

_ID3V1 = 128
_APE_FOOTER = 32
_MOST_TAGS = 64
"""Tags one behind the other; more are no tags."""


class Trailer(NamedTuple):
    """Where the sound ends, and what is behind it."""

    start: int
    names: tuple[str, ...]


def id3v2_size(head: bytes) -> int:
    """The bytes of the ID3v2 tag that begins with these ten; 0 if none does."""
    if len(head) < 10 or head[:3] != b"ID3" or 0xFF in head[3:5] or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def leading(content: Content) -> int:
    """Where the sound begins: behind all tags in front of it. Beyond the end of the file where a tag is cut short."""
    at = 0
    for _ in range(_MOST_TAGS):
        size = tag_at(content, at)
        if not size:
            break
        at += size
    return at


def tag_at(content: Content, at: int) -> int:
    """The bytes of the tag that begins here; 0 if none does."""
    head = bytes(content.data[at : at + _APE_FOOTER])
    if size := id3v2_size(head):
        return size
    if head[:8] == b"APETAGEX" and len(head) == _APE_FOOTER and head[23] & 0x20:  # its header
        return _APE_FOOTER + int.from_bytes(head[12:16], "little")
    if head[:11] == b"LYRICSBEGIN":
        found = re.search(rb"LYRICS200|LYRICSEND", bytes(content.data[at : at + (1 << 20)]))
        return found.end() if found else 0
    if head[:3] == b"TAG" and head[:4] != b"TAG+" and at + _ID3V1 <= content.size:
        return _ID3V1
    return 0


def trailing(content: Content) -> Trailer:
    """The tags at the end."""
    data, end, names = content.data, content.size, []
    for _ in range(_MOST_TAGS):
        if end >= _ID3V1 and data[end - _ID3V1 : end - _ID3V1 + 3] == b"TAG":
            size, name = _ID3V1, "ID3v1"
        elif end >= _APE_FOOTER and data[end - _APE_FOOTER : end - _APE_FOOTER + 8] == b"APETAGEX":
            footer = bytes(data[end - _APE_FOOTER : end])
            header = _APE_FOOTER if footer[23] & 0x80 else 0
            size, name = int.from_bytes(footer[12:16], "little") + header, "APE"
        elif end >= 15 and data[end - 9 : end] == b"LYRICS200" and data[end - 15 : end - 9].isdigit():
            size, name = int(data[end - 15 : end - 9]) + 15, "Lyrics3"
        elif (
            end >= 10
            and data[end - 10 : end - 7] == b"3DI"
            and (inner := id3v2_size(b"ID3" + bytes(data[end - 7 : end])))
        ):
            size, name = inner, "ID3v2"
        else:
            break
        if not 0 < size <= end:
            break
        end -= size
        names.append(name)
    return Trailer(end, tuple(reversed(names)))
