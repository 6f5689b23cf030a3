"""Recode: the bytes of a file in the form that a format reads, as a stream.

Compression is told by the first bytes of a file, whatever it is called. A file that is cut off is an error, and damage as far as
the format's checksums show it.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from mldata.errors import DataError, Where
from mldata.formats.base import Recode, SourceFile

if TYPE_CHECKING:
    from mldata.formats.base import Options, Piece, Sink, TabularFormat

CHUNK = 1 << 20
COMPRESSIONS = {
    "gzip": b"\x1f\x8b\x08",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\0",
    "zstd": b"\x28\xb5\x2f\xfd",
}
"""First bytes of files that are one compressed file (RFC 1952; bzip2; the .xz file format; RFC 8878)."""


def compression(file: SourceFile, data: BinaryIO | None = None) -> Recode | None:
    """How a file is compressed, if it is. ``data``: the file at its beginning, where it is elsewhere; it stays there."""
    if isinstance(data, BufferedReader):
        head = data.peek(6)[:6]
    else:
        with open(file.path, "rb") if data is None else nullcontext(data) as handle:
            head = handle.read(6)
            handle.seek(0)
    return next((Recode(name) for name, magic in COMPRESSIONS.items() if head.startswith(magic)), None)


def read_plain(
    reader: TabularFormat, file: SourceFile, options: Options, sink: Sink, threads: int
) -> list[Piece]:
    """What ``reader`` reads. Raises ``Recode`` where the file must be decoded first, compressed ones too."""
    if (packed := compression(file)) is not None:
        raise packed
    return reader.read(file, options, sink, threads)


def recode(file: SourceFile, to: Recode, data: BinaryIO | None = None) -> Iterator[bytes]:
    """The decoded file, piece by piece.

    Args:
        data: the file at its beginning, where it is elsewhere or decoded itself as it is read.

    Raises:
        DataError: it is damaged, cut off, or not in that form.
    """
    if to.how in COMPRESSIONS:
        yield from _decompressed(file, to.how, data)
        return
    from mldata.formats.encodings import UnknownEncoding, recoded
    from mldata.formats.undecodable import undecodable

    with open(file.path, "rb") if data is None else nullcontext(data) as handle:
        handle.read(to.skip)
        try:
            yield from recoded(handle, to.how)
        except UnknownEncoding as unknown:
            raise undecodable(file, unknown) from None


def _decompressed(file: SourceFile, how: str, source: BinaryIO | None) -> Iterator[bytes]:
    openers: dict[str, Callable[..., object]] = {
        "gzip": gzip.open,
        "bzip2": bz2.open,
        "xz": lzma.open,
        "zstd": _zstd,
    }
    size = 0
    try:
        with cast(BinaryIO, openers[how](file.path if source is None else source, "rb")) as handle:
            while data := handle.read(CHUNK):
                size += len(data)
                yield data
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"expected a whole {how} file, found damage after {size:,} bytes of content ({error})",
            where=Where(file.name),
            hint="fetch the file again",
        ) from None


def _zstd(file: Path | BinaryIO, mode: str) -> object:
    import pyarrow as pa

    source = pa.OSFile(str(file)) if isinstance(file, Path) else pa.PythonFile(file, mode[:1])
    return pa.CompressedInputStream(source, "zstd")
