"""Compressed streams, decompressed member by member: their own checksums and ends are checked, whatever is behind them is told.

gzip is RFC 1952, bzip2 and .xz are read by Python's decompressors and Zstandard (RFC 8878) by Arrow's. Several members one behind the other are one file.

Invariant: what comes out is held in pieces of :data:`CHUNK` bytes, and no more than :data:`mldata.archives.base.LIMITS` allows comes out.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from mldata.archives.base import LIMITS
from mldata.integrity.base import WARNING, Problem

__all__ = ["Broken", "members"]

CHUNK = 256 << 10
_DAMAGE = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class Broken(Exception):
    """A compressed stream that is damaged, cut off, or too large unpacked."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Member(Protocol):
    """Decompresses one member."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def feed(self, data: bytes) -> Iterator[bytes]: ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._inner.eof:
            yield self._inner.decompress(data, CHUNK)
            data = self._inner.unconsumed_tail


class _Bounded:
    """Of bzip2 and xz."""

    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        while not self._inner.eof:
            yield self._inner.decompress(data, CHUNK)
            data = b""
            if self._inner.needs_input:
                return


_MEMBERS: dict[str, Callable[[], _Member]] = {
    "gzip": _Gzip,
    "bzip2": lambda: _Bounded(bz2.BZ2Decompressor()),
    "xz": lambda: _Bounded(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=512 << 20)),
}


def members(file: BinaryIO, how: str, size: int, told: list[Problem]) -> Iterator[bytes]:
    """The content of a compressed file, piece by piece.

    Args:
        how: a compression of :mod:`mldata.formats.recode`.
        size: bytes of the file.
        told: takes what is off without making the content wrong.

    Raises:
        Broken: at the first damage.
    """
    out = 0
    for piece in _zstd(file) if how == "zstd" else _members(file, how, told):
        out += len(piece)
        if LIMITS.blown(out, size):
            raise Broken(
                Problem(
                    "too-large",
                    f"expected at most {LIMITS.ratio} bytes out of each byte of {how}, found {out:,} out of {size:,} and more to come",
                )
            )
        yield piece


def _members(file: BinaryIO, how: str, told: list[Problem]) -> Iterator[bytes]:
    file.seek(0)
    member, at, held = _MEMBERS[how](), 0, b""
    while True:
        data = held or file.read(CHUNK)
        if not data:
            reason = f"expected the end of the {how} stream, found the end of the file (is it truncated?)"
            raise Broken(Problem("truncated", reason, offset=at))
        held = b""
        try:
            yield from member.feed(data)
        except _DAMAGE as error:
            reason = f"expected a sound {how} stream, found damage ({error})"
            raise Broken(Problem("bad-stream", reason, offset=at)) from None
        at += len(data)
        if not member.eof:
            continue
        held = member.unused_data
        at -= len(held)
        held, at = _padding(file, held, at)
        if not held:
            return
        if not held.startswith(_MAGIC[how]):
            reason = f"expected the end of the file behind the {how} stream, found more"
            told.append(Problem("trailing-data", reason, WARNING, offset=at))
            return
        member = _MEMBERS[how]()


_MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0"}


def _padding(file: BinaryIO, held: bytes, at: int) -> tuple[bytes, int]:
    """Past the zero bytes that tapes and xz put behind a stream: what is there then, and where."""
    while True:
        held = held or file.read(CHUNK)
        rest = held.lstrip(b"\0")
        at += len(held) - len(rest)
        if rest or not held:
            return (rest + file.read(8) if 0 < len(rest) < 6 else rest), at
        held = b""


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    import pyarrow as pa

    file.seek(0)
    out = 0
    try:
        with pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd") as stream:
            while data := stream.read(CHUNK):
                out += len(data)
                yield data
    except _DAMAGE as error:
        reason = f"expected a sound zstd stream, found damage behind {out:,} bytes of content ({error})"
        raise Broken(Problem("bad-stream", reason)) from None
