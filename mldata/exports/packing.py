"""Compressing a file as a whole while it is written: gzip (RFC 1952), on several threads, and Zstandard (RFC 8878).

Invariant: the bytes depend on the content, the level and the version of the library alone, never on how the content was cut into writes, nor on
the number of threads; a header holds no time, no name and no operating system. A file is one member of gzip or one frame of Zstandard, since
some readers stop behind the first.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from mldata.exports.base import Compression

__all__ = ["LEVELS", "GzipSink", "Packed", "PackingSink", "ZstdSink", "packing_sink"]

LEVELS: Mapping[str, range] = {"gzip": range(1, 10), "zstd": range(1, 23)}
"""Levels by codec."""
GZIP_LEVEL = 6
ZSTD_LEVEL = 3
"""Where none is said: those of the programs ``gzip`` and ``zstd``."""
BLOCK = 1 << 20
"""Bytes that are compressed at a time. Another size makes other files."""
WINDOW = 1 << 15
"""How far back DEFLATE looks: each block is given the end of the one before it, so that cutting costs next to nothing."""
HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""Deflate; no flags, no time, no remark on the level, unknown operating system."""


class PackingSink(Protocol):
    """Takes content, and writes it compressed to another sink, which it leaves open."""

    def write(self, data: Any) -> int:
        """Take some bytes; how many there were."""
        ...

    def tell(self) -> int:
        """Bytes of content taken so far."""
        ...

    def close(self) -> None:
        """Write what is held back, and the end."""
        ...

    def abandon(self) -> None:
        """End the threads: it will not be closed."""
        ...


def packing_sink(sink: BinaryIO, compression: Compression, threads: int = 1) -> PackingSink:
    """A sink that compresses into ``sink``, on up to ``threads`` threads."""
    if compression.codec == "gzip":
        return GzipSink(sink, compression.level, threads)
    assert compression.codec == "zstd", compression
    return ZstdSink(sink, compression.level)


class GzipSink:
    """See :class:`PackingSink`. Blocks are compressed side by side, and put together as one stream."""

    def __init__(self, sink: BinaryIO, level: int | None = None, threads: int = 1) -> None:
        self._sink = sink
        self._level = GZIP_LEVEL if level is None else level
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="gzip") if threads > 1 else None
        self._made: deque[Future[bytes]] = deque()
        self._held = bytearray()
        self._before = b""
        self._check = 0
        self._size = 0
        sink.write(HEADER)

    def write(self, data: Any) -> int:
        """Take some bytes; how many there were."""
        view = memoryview(data).cast("B")
        start = 0
        while start < len(view):
            piece = view[start : start + BLOCK - len(self._held)]
            self._held += piece
            start += len(piece)
            if len(self._held) == BLOCK:
                self._block(zlib.Z_SYNC_FLUSH)
        return len(view)

    def tell(self) -> int:
        """See :class:`PackingSink`."""
        return self._size + len(self._held)

    def abandon(self) -> None:
        """See :class:`PackingSink`."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def close(self) -> None:
        """Write what is held back, checksum and size."""
        self._block(zlib.Z_FINISH)
        while self._made:
            self._sink.write(self._made.popleft().result())
        if self._pool is not None:
            self._pool.shutdown()
        self._sink.write(self._check.to_bytes(4, "little") + (self._size % 2**32).to_bytes(4, "little"))

    def _block(self, flush: int) -> None:
        data, before = bytes(self._held), self._before
        self._held.clear()
        self._before = data[-WINDOW:]
        self._check = zlib.crc32(data, self._check)
        self._size += len(data)
        if self._pool is None:
            self._sink.write(_deflated(data, before, self._level, flush))
            return
        self._made.append(self._pool.submit(_deflated, data, before, self._level, flush))
        while len(self._made) > self._threads:
            self._sink.write(self._made.popleft().result())


def _deflated(data: bytes, before: bytes, level: int, flush: int) -> bytes:
    """A block that decompresses behind ``before``; one that ends with a sync flush can be followed by another."""
    method, window, memory, strategy = (
        zlib.DEFLATED,
        -zlib.MAX_WBITS,
        zlib.DEF_MEM_LEVEL,
        zlib.Z_DEFAULT_STRATEGY,
    )
    made = (
        zlib.compressobj(level, method, window, memory, strategy, before)
        if before
        else zlib.compressobj(level, method, window, memory, strategy)
    )
    return made.compress(data) + made.flush(flush)


class ZstdSink:
    """See :class:`PackingSink`. On the writing thread alone: with threads of the library's own the bytes are others, and a program that has
    loaded a libzstd without threads (some frameworks do) would have none."""

    def __init__(self, sink: BinaryIO, level: int | None = None) -> None:
        from mldata.zstd import CompressionParameter, ZstdCompressor

        self._sink = sink
        self._held = bytearray()
        self._size = 0
        self._made = ZstdCompressor(
            options={
                CompressionParameter.compression_level: ZSTD_LEVEL if level is None else level,
                CompressionParameter.checksum_flag: 1,
            }
        )

    def write(self, data: Any) -> int:
        """Take some bytes; how many there were."""
        view = memoryview(data).cast("B")
        start = 0
        while start < len(view):  # the library is given blocks of one size, so that the cuts cannot show
            piece = view[start : start + BLOCK - len(self._held)]
            self._held += piece
            start += len(piece)
            if len(self._held) == BLOCK:
                self._block()
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        """See :class:`PackingSink`."""
        return self._size

    def abandon(self) -> None:
        """See :class:`PackingSink`. There are no threads."""

    def close(self) -> None:
        """Write what is held back, and the checksum."""
        self._block()
        self._sink.write(self._made.flush())

    def _block(self) -> None:
        if made := self._made.compress(bytes(self._held)):
            self._sink.write(made)
        self._held.clear()


class Content(Protocol):
    """A file that can be compressed as a whole: an :class:`mldata.exports.base.ExportFile` that is ``Measured`` and may be let go of."""

    def write(self, batch: Any) -> None:
        """See :class:`mldata.exports.base.ExportFile`."""
        ...

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`."""
        ...

    def abandon(self) -> None:
        """End the threads: the file will not be closed."""
        ...

    def close(self) -> Mapping[str, Any]:
        """See :class:`mldata.exports.base.ExportFile`."""
        ...


class Packed:
    """An export file that is compressed as a whole (see :class:`mldata.exports.base.ExportFile`)."""

    def __init__(self, file: Content, sink: PackingSink) -> None:
        """``file`` writes to ``sink``."""
        self._file = file
        self._sink = sink

    def write(self, batch: Any) -> None:
        """Append rows."""
        self._file.write(batch)

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`: bytes of the content."""
        return self._file.measure()

    def abandon(self) -> None:
        """End the threads: the file will not be closed."""
        self._file.abandon()
        self._sink.abandon()

    def close(self) -> Mapping[str, Any]:
        """Write the file's end, and that of the compression."""
        facts = self._file.close()
        self._sink.close()
        return facts
