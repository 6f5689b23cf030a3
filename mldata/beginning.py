"""The beginning of a file that may be elsewhere, as a small file on this machine that the same format reads.

Only what it takes is read: of compressed text what decompresses to so much, of Parquet the footer and some pages. A file that cannot be cut
(an object of JSON, a database) is copied as a whole, up to a limit.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from mldata.errors import SourceError, Where
from mldata.formats import load_format
from mldata.formats.base import Options, Recode, SourceFile
from mldata.formats.heads import UNKNOWN_SIZE, Uncut, copy
from mldata.formats.layers import Layers
from mldata.formats.recode import compression, recode
from mldata.plainfile import PlainFile
from mldata.stages.reading import empty_file

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo

__all__ = ["WHOLE", "Openable", "as_file", "begin", "fetch_whole"]

WHOLE = 64 << 20
"""Bytes of a file that is copied as a whole, at most."""
SIP = 64 << 10
"""Bytes that a decoder is given at a time."""


@dataclass(frozen=True)
class Openable:
    """A file that can be opened."""

    name: str
    """In its source."""
    size: int | None
    """Bytes, as far as its source states them."""
    open: Callable[[], BinaryIO]
    """Gives it as a file to read, at its beginning: one that seeks, or a ``BufferedReader`` that does not. One with a method ``expect`` is told
    what is going to be read (:meth:`mldata.download.ranged.RangedFile.expect`)."""


def begin(file: Openable, info: FormatInfo, options: Options, rows: int, scratch: Path) -> PlainFile:
    """The beginning of ``file``, with at least ``rows`` rows as far as it has so many; not read yet.

    Args:
        scratch: a folder that does not exist yet.

    Raises:
        DataError: it is not what its format promises. SourceError: it cannot be cut, and is too large to be read as a whole.
        NetworkError, AuthError: it cannot be had.
    """
    scratch.mkdir()
    target, keep = scratch / "file", scratch / "pieces"
    keep.mkdir()
    layers, taken = Layers(file.name), list[Recode]()
    with ExitStack() as stack:
        raw = stack.enter_context(file.open())
        ends = getattr(load_format(info.name), "seeks", True)
        source = SourceFile(file.name, target, "", _size(raw, file, ends))

        def anew() -> BinaryIO:
            if raw.seekable():
                raw.seek(0)
                return raw
            return stack.enter_context(file.open())

        if not source.size:
            raise empty_file(file.name, info)
        while True:
            try:
                reader = _cut(source, info, options, rows, anew, taken)
                break
            except Recode as to:
                options = layers.take(to, options, source.size)
                taken.append(to)
                source = SourceFile(file.name, target, "", UNKNOWN_SIZE)
    made = SourceFile(file.name, target, "", target.stat().st_size)
    return PlainFile(made, info, options, keep, layers, reader)


def fetch_whole(file: Openable, target: Path) -> SourceFile:
    """Copy ``file`` to ``target``. Raises ``SourceError`` if it is larger than :data:`WHOLE`."""
    with file.open() as raw, open(target, "wb") as out:
        stated = _size(raw, file, False)
        if WHOLE < stated < UNKNOWN_SIZE or (size := copy(raw, out, WHOLE + 1)) > WHOLE:
            raise _too_large(file.name, stated)
        return SourceFile(file.name, target, "", size)


def _size(raw: BinaryIO, file: Openable, needed: bool) -> int:
    """Bytes of a file; :data:`UNKNOWN_SIZE` where only reading all of it would tell, unless that is ``needed``."""
    if file.size is not None:
        return file.size
    known = getattr(raw, "known_size", None)
    if not needed and known is not None and known() is None:
        return UNKNOWN_SIZE
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    return size


def _cut(
    source: SourceFile,
    info: FormatInfo,
    options: Options,
    rows: int,
    anew: Callable[[], BinaryIO],
    taken: list[Recode],
) -> str:
    """Write the beginning to ``source.path``; the name of the format that reads it.

    Args:
        anew: gives the file at its beginning.
        taken: what has to be taken off it before. Raises ``Recode`` for one more.
    """
    source.path.write_bytes(b"")
    reader = load_format(info.name)
    head = getattr(reader, "head", None)
    data = _decoded(source, anew(), taken)
    if (packed := compression(source, data)) is not None:
        raise packed
    if head is not None and (data.seekable() or not getattr(reader, "seeks", False)):
        try:
            return cast(str, head(source, data, options, rows))
        except Uncut:
            data = _decoded(source, anew(), taken)
    with open(source.path, "wb") as out:
        if copy(data, out, WHOLE + 1) > WHOLE:
            raise _too_large(source.name, source.size)
    return info.name


def _too_large(name: str, size: int) -> SourceError:
    return SourceError(
        f"expected at most {WHOLE:,} bytes of a file that can only be read as a whole, "
        f"found {'more' if size == UNKNOWN_SIZE else f'{size:,}'}",
        where=Where(name),
        hint="Add it to a project and build it: mldata add NAME SOURCE, mldata build NAME.",
    )


def _decoded(source: SourceFile, raw: BinaryIO, taken: list[Recode]) -> BinaryIO:
    """What is left of ``raw`` when that is taken off it."""
    data = raw
    for to in taken:
        data = as_file(recode(source, to, cast(BinaryIO, _Sips(data))))
    return data


def as_file(pieces: Iterator[bytes]) -> BinaryIO:
    """Pieces of bytes as a file to be read once, from its beginning on."""
    return cast(BinaryIO, io.BufferedReader(_Pieces(pieces)))


class _Sips(io.RawIOBase):
    """A file that gives a little at a time, whoever wants how much: not more is asked for than is needed."""

    def __init__(self, data: BinaryIO) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Bytes that were read."""
        return self._at

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill some of ``buffer``; 0 at the end."""
        piece = self._data.read(min(len(buffer), SIP))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file to be read once, from its beginning on."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill some of ``buffer``; 0 at the end."""
        while not self._rest:
            if (piece := next(self._pieces, None)) is None:
                return 0
            self._rest = memoryview(piece)
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
