"""A zip with one file in it, unpacked while it comes (APPNOTE.TXT 6.3.10).

What comes out is believed only when the directory at the end agrees with it and nothing else is in the zip. Memory is bounded whatever it
unpacks to.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["LOCAL", "Damaged", "is_zip_of", "unzip"]

PIECE = 256 * 1024
"""Bytes that one step gives out at most."""
LOCAL = struct.Struct("<4sHHHHHLLLHH")
_ENTRY = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_END64 = struct.Struct("<4sQ")
LOCATOR = 20
"""Bytes between the end that large archives have and the usual one."""
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_SIZE_BEHIND = 0x8
_LARGE = 0xFFFFFFFF
"""In place of a size that does not fit: the size is elsewhere (ZIP64)."""
MOST_BEHIND = 256 * 1024
"""Bytes behind the member's data: its entry in the directory, with a name and a comment of at most 64 KiB each, and the end of the archive."""
FREE, RATIO = 100 << 20, 200
"""Where nobody states a size: bytes that may come out of anything, and out of each byte once there are more."""
DESCRIPTORS = (0, 12, 16, 20, 24)
"""Bytes that may stand between the data and the directory (APPNOTE.TXT 6.3.10, 4.3.9)."""


class Damaged(Exception):
    """What is wrong with a zip, for people."""


def is_zip_of(name: bytes, head: bytes) -> bool:
    """Whether what begins with ``head`` is a zip whose first file is called ``name``; it takes ``LOCAL.size + len(name)`` bytes to tell."""
    if len(head) < LOCAL.size or head[:4] != b"PK\3\4":
        return False
    return bool(LOCAL.unpack_from(head)[9] == len(name) and head[LOCAL.size :].startswith(name))


def unzip(data: Iterable[bytes], size: int | None, digests: Mapping[str, str]) -> Iterator[bytes]:
    """The one file in a zip.

    Args:
        data: the zip, in pieces.
        size: of the file, if that is known.
        digests: of the zip: kinds of :data:`mldata.download.base.DIGESTS`.

    Raises:
        Damaged: wherever that shows.
    """
    raw = _Raw(data, digests)
    fields = LOCAL.unpack(raw.take(LOCAL.size))
    raw.take(fields[9] + fields[10])
    came, crc = 0, 0
    try:
        for piece in _content(raw, flags=fields[2], method=fields[3], stored=fields[7:9]):
            came, crc = came + len(piece), zlib.crc32(piece, crc)
            if size is not None and came > size:
                raise Damaged(f"expected {size:,} bytes in it, found more")
            if size is None and came > FREE and came > RATIO * raw.used:
                raise Damaged(f"expected at most {RATIO} bytes out of each byte, found {came // raw.used:,}")
            yield piece
    except zlib.error as error:
        raise Damaged(str(error)) from None
    _check_end(raw.rest(MOST_BEHIND), came, crc)
    for kind, found in raw.hashes.items():
        if found.hexdigest() != digests[kind]:
            raise Damaged(f"expected the {kind} {digests[kind]}, found {found.hexdigest()}")


def _content(raw: _Raw, flags: int, method: int, stored: tuple[int, int]) -> Iterator[bytes]:
    if flags & _ENCRYPTED:
        raise Damaged("expected no password on it")
    if method == _DEFLATED:
        return raw.inflated()
    if method == _STORED and not flags & _SIZE_BEHIND and _LARGE not in stored:
        return raw.pieces(stored[0])
    raise Damaged(f"expected it deflated, found the method {method}")


def _check_end(behind: bytes, size: int, crc: int) -> None:
    """The directory has one entry, which agrees with what came out."""
    at = next((at for at in DESCRIPTORS if behind[at : at + 4] == b"PK\1\2"), None)
    if at is None or len(behind) < at + _ENTRY.size:
        raise Damaged("expected its directory behind the file" if behind else "it ends early")
    entry = _ENTRY.unpack_from(behind, at)
    end = at + _ENTRY.size + entry[10] + entry[11] + entry[12]
    if behind[end : end + 4] == b"PK\6\6" and len(behind) >= end + _END64.size:
        end += _END64.unpack_from(behind, end)[1] + _END64.size + LOCATOR
    if behind[end : end + 4] != b"PK\5\6":
        raise Damaged("expected the end behind one file, found more, or that it ends early")
    if len(behind) < end + _END.size or len(behind) != end + _END.size + _END.unpack_from(behind, end)[-1]:
        raise Damaged("expected nothing behind its end, found more, or that it ends early")
    if entry[7] != crc or entry[9] not in (size, _LARGE):
        stated, found = f"{entry[9]:,} bytes of the checksum {entry[7]:08x}", f"{size:,} of {crc:08x}"
        raise Damaged(f"expected {stated}, found {found}")


class _Raw:
    """The bytes of a zip, in the order in which they come."""

    def __init__(self, data: Iterable[bytes], digests: Mapping[str, str]) -> None:
        self._data = iter(data)
        self._left = b""
        self.used = 0
        self.hashes = {
            kind: hashlib.new(kind, usedforsecurity=False) for kind in digests if kind in ("sha256", "sha1", "md5")
        }  # fmt: skip

    def _next(self) -> bytes:
        """More bytes, any number; none at the end."""
        data, self._left = self._left or next(filter(None, self._data), b""), b""
        return data

    def _used(self, data: bytes, left: bytes = b"") -> bytes:
        """Take note of bytes that were of use, and keep what was not."""
        for each in self.hashes.values():
            each.update(data)
        self.used += len(data)
        self._left = left
        return data

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes; fewer at the end."""
        data = b""
        while len(data) < count and (more := self._next()):
            data += more
        return self._used(data[:count], data[count:])

    def pieces(self, count: int) -> Iterator[bytes]:
        """The next ``count`` bytes, piece by piece."""
        while count and (data := self.take(min(count, PIECE))):
            count -= len(data)
            yield data

    def inflated(self) -> Iterator[bytes]:
        """What the next bytes unpack to. Raises ``zlib.error``; ends early if they do."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        while not inflate.eof and (data := self._next()):
            while data and not inflate.eof:
                piece = inflate.decompress(data, PIECE)
                left = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                self._used(data[: len(data) - len(left)], left if inflate.eof else b"")
                data = left
                if piece:
                    yield piece
        if not inflate.eof:
            raise zlib.error("it ends early")

    def rest(self, most: int) -> bytes:
        """All that is left; not much more than ``most`` bytes of it."""
        data = b""
        while len(data) <= most and (more := self._next()):
            data += self._used(more)
        return data
