"""A file that its place sends now as it is, now as a zip of just that file: here it is always the file.

A zip is unpacked while it comes, in bounded memory, and believed only when its directory at the end agrees with what came out and nothing else is in
it. Invariant: what is told of a packed file (its size, its digests) is of the file, never of the zip. To go on in the middle of a packed file it is
unpacked from its beginning again, out of what a store has kept of the zip (``spool``); where nothing is kept, what is asked for from the middle comes
from the beginning, with the reason.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mldata.download.base import Body, Mismatch, Origin, Validator
from mldata.download.spool import Spooled, spooled

if TYPE_CHECKING:
    from store import Partials

__all__ = ["Unzipped"]

PIECE = 256 * 1024
"""Bytes that one step gives out at most."""
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
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
DESCRIPTORS = (0, 12, 16, 20, 24)
"""Bytes that may stand between the data and the directory (APPNOTE.TXT 6.3.10, 4.3.9)."""


class Unzipped:
    """A file of a place that may send it zipped; see :class:`mldata.download.base.Origin`.

    Args:
        origin: where the bytes come from.
        file: the file's own name, which a zip of it has inside.
        size: of the file, where the place states it.
    """

    def __init__(self, origin: Origin, file: str, size: int | None) -> None:
        self._origin, self._file, self._size = origin, file, size
        self.name, self.identity = origin.name, origin.identity
        self._packed: bool | None = None
        self._partials: Partials | None = None

    def keep_in(self, partials: Partials) -> None:
        """See :class:`mldata.download.base.Keeping`."""
        self._partials = partials

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> Body:
        """See :meth:`mldata.download.base.Origin.open`."""
        if self._packed is None and (start or stop is not None):
            # A part does not tell whether it is one of the file or one of a zip.
            with self._origin.open(0, _LOCAL.size + len(self._file.encode())) as body:
                self._look(_Begun(body, self._file))
        if self._packed is False:
            return self._origin.open(start, stop, match)
        known, partials = self._packed is not None, self._partials
        body = spooled(self._origin, partials) if known and partials is not None else self._origin.open()
        begun = _Begun(body, self._file)
        try:
            self._look(begun)
            if not self._packed:
                return begun
            if not known and partials is not None:
                begun = _Begun(spooled(self._origin, partials, begun), self._file)
            return _Unpacked(begun, self.name, self._size, start, stop, match)
        except BaseException:
            begun.close()
            raise

    def _look(self, begun: _Begun) -> None:
        """Find out whether the file is packed. One whose size is the stated one is what was meant, whatever it looks like."""
        self._packed = begun.looks_packed and (self._size is None or begun.validator.size != self._size)


class _Begun:
    """A body whose first bytes have been looked at."""

    def __init__(self, body: Body, file: str) -> None:
        self._body, self._rest = body, iter(body)
        self.start, self.ranges, self.reason = body.start, body.ranges, body.reason
        self.validator, self.digests = body.validator, body.digests
        name = file.encode()
        self._head = b""
        try:
            while len(self._head) < _LOCAL.size + len(name) and (more := next(self._rest, b"")):
                self._head += more
        except BaseException:
            body.close()
            raise
        head = self._head[: _LOCAL.size]
        self.looks_packed = (
            head[:4] == b"PK\3\4"
            and len(head) == _LOCAL.size
            and _LOCAL.unpack(head)[9] == len(name)
            and self._head[_LOCAL.size :].startswith(name)
        )

    def __iter__(self) -> Iterator[bytes]:
        if self._head:
            yield self._head
        self._head = b""
        yield from self._rest

    @property
    def spool(self) -> Spooled | None:
        """What keeps it, if something does."""
        return self._body if isinstance(self._body, Spooled) else None

    def interrupt(self) -> None:
        """Make whoever reads it fail soon; for another thread."""
        getattr(self._body, "interrupt", self._body.close)()

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> _Begun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Raw:
    """The bytes of a zip, in the order in which they come."""

    def __init__(self, body: Body) -> None:
        self._body = iter(body)
        self._left = b""
        self.hashes = {
            kind: hashlib.new(kind, usedforsecurity=False) for kind in body.digests if kind in ("sha256", "sha1", "md5")
        }  # fmt: skip

    def _next(self) -> bytes:
        """More bytes, any number; none at the end."""
        data, self._left = self._left or next(self._body, b""), b""
        return data

    def _used(self, data: bytes, left: bytes = b"") -> bytes:
        """Take note of bytes that were of use, and keep what was not."""
        for each in self.hashes.values():
            each.update(data)
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


class _Unpacked:
    """The file out of a zip, from the byte that was asked for if the zip is kept, else from its beginning."""

    ranges = False

    def __init__(
        self,
        packed: _Begun,
        where: str,
        size: int | None,
        start: int,
        stop: int | None,
        match: Validator | None,
    ) -> None:
        self._packed, self._where, self._size = packed, where, size
        self.validator = replace(packed.validator, size=size)
        self.digests: Mapping[str, str] = {}
        self.reason: str | None = None
        changed = match is not None and match.etag is not None and match.etag != packed.validator.etag
        if start and changed:
            self.reason = "the file there has changed"
        elif start and packed.spool is None:
            self.reason = "it comes zipped, which can be read from its beginning only"
        self.start, self._stop = (0, None) if self.reason or packed.spool is None else (start, stop)

    def __iter__(self) -> Iterator[bytes]:
        """See :meth:`mldata.download.base.Body.__iter__`. Raises :class:`Mismatch` if the zip is damaged or holds anything else."""
        spool = self._packed.spool
        try:
            if (yield from self._cut(self._whole())) and spool is not None:
                spool.drop()
        except Mismatch:
            if spool is not None:
                spool.drop()
            raise

    def _cut(self, whole: Iterator[bytes]) -> Generator[bytes, None, bool]:
        """The part that is wanted; whether the zip was read to its end for it. What is passed over comes as nothing, to show that something moves."""
        at, stop = 0, self._stop if self._stop != self._size else None
        for piece in whole:
            begin, at = at, at + len(piece)
            yield piece[max(0, self.start - begin) : None if stop is None else max(0, stop - begin)]
            if stop is not None and at >= stop:
                return False
        return True

    def _whole(self) -> Iterator[bytes]:
        """All of the file, compared with what the zip says of it."""
        raw = _Raw(self._packed)
        fields = _LOCAL.unpack(raw.take(_LOCAL.size))
        raw.take(fields[9] + fields[10])
        size, crc = 0, 0
        try:
            for piece in self._data(raw, flags=fields[2], method=fields[3], stored=fields[7:9]):
                size, crc = size + len(piece), zlib.crc32(piece, crc)
                if self._size is not None and size > self._size:
                    raise self._damaged(f"expected {self._size:,} bytes in it, found more")
                yield piece
        except zlib.error as error:
            raise self._damaged(str(error)) from None
        self._check_end(raw.rest(MOST_BEHIND), size, crc)
        for kind, found in raw.hashes.items():
            if found.hexdigest() != self._packed.digests[kind]:
                raise self._damaged(
                    f"expected the {kind} {self._packed.digests[kind]}, found {found.hexdigest()}"
                )

    def _data(self, raw: _Raw, flags: int, method: int, stored: tuple[int, int]) -> Iterator[bytes]:
        if flags & _ENCRYPTED:
            raise self._damaged("expected no password on it")
        if method == _DEFLATED:
            return raw.inflated()
        if method == _STORED and not flags & _SIZE_BEHIND and _LARGE not in stored:
            return raw.pieces(stored[0])
        raise self._damaged(f"expected it deflated, found the method {method}")

    def _check_end(self, behind: bytes, size: int, crc: int) -> None:
        """The directory has one entry, which agrees with what came out."""
        at = next((at for at in DESCRIPTORS if behind[at : at + 4] == b"PK\1\2"), None)
        if at is None or len(behind) < at + _ENTRY.size:
            raise self._damaged("expected its directory behind the file" if behind else "it ends early")
        entry = _ENTRY.unpack_from(behind, at)
        end = at + _ENTRY.size + entry[10] + entry[11] + entry[12]
        if behind[end : end + 4] == b"PK\6\6" and len(behind) >= end + _END64.size:
            end += _END64.unpack_from(behind, end)[1] + _END64.size + LOCATOR
        if behind[end : end + 4] != b"PK\5\6":
            raise self._damaged("expected the end behind one file, found more, or that it ends early")
        if (
            len(behind) < end + _END.size
            or len(behind) != end + _END.size + _END.unpack_from(behind, end)[-1]
        ):
            raise self._damaged("expected nothing behind its end, found more, or that it ends early")
        if entry[7] != crc or entry[9] not in (size, _LARGE):
            stated, found = f"{entry[9]:,} bytes of the checksum {entry[7]:08x}", f"{size:,} of {crc:08x}"
            raise self._damaged(f"expected {stated}, found {found}")

    def _damaged(self, why: str) -> Mismatch:
        return Mismatch(
            f"it came as a zip that cannot be believed: {why}",
            where=self._where,
            hint="Run the same command again; if it stays so, tell those who own the dataset.",
        )

    def interrupt(self) -> None:
        """Make whoever reads it fail soon; for another thread."""
        self._packed.interrupt()

    def close(self) -> None:
        """See :class:`mldata.download.base.Body`."""
        self._packed.close()

    def __enter__(self) -> _Unpacked:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
