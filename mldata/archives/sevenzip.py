"""The members of a 7z archive, in its order (7zFormat.txt of the LZMA SDK), read by the optional package py7zr.

That package hands out data as it comes, whoever wants it or not; so it runs in a thread of its own, a few pieces ahead of the reader. Members are
packed together, so each is decompressed on the way to the next, and its CRC compared, also if it is left out. A piece has at most 128 MB: py7zr
asks its decoders for as much at a time.

Invariant: names, kinds and the memory that decompression takes are checked before the first byte is decompressed.
"""

from __future__ import annotations

import lzma
import queue
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from threading import Event, Thread
from typing import Any

from mldata.archives.base import BY_HAND, CHUNK, FETCH, REPACK, Guard, Member
from mldata.errors import DataError, MissingExtra, Where
from mldata.formats.base import SourceFile

__all__ = ["seven_members"]

AHEAD = 8
"""Pieces that may wait for the reader."""
MOST_DICTIONARY = 1 << 30
"""Bytes of memory that a decompressor may ask for. ``7z -mx=9`` makes it 64 MiB."""
LZMA, LZMA2, PPMD = b"\x03\x01\x01", b"\x21", b"\x03\x04\x01"
WAIT = 0.1
"""Seconds between looks at whether the reader is still there."""

_Piece = tuple[str, bytes | None]
"""A member and some of its data; None is its end."""


class _Stopped(Exception):
    """The reader has gone."""


def seven_members(file: SourceFile, guard: Guard) -> Iterator[Member]:
    """See :func:`mldata.archives.members`. Everything but the data is checked before the first member.

    Raises:
        MissingExtra: py7zr is not installed.
    """
    try:
        import py7zr
    except ImportError:
        raise MissingExtra(
            "reading a 7z archive needs the package py7zr",
            where=Where(file.name),
            hint="Install it: pip install 'mldata-cli[7z]'; or unpack the archive and name the folder as the source.",
        ) from None
    with open(file.path, "rb") as handle:
        try:
            archive = py7zr.SevenZipFile(handle)
            if archive.needs_password():
                raise py7zr.exceptions.PasswordRequired
            paths = _paths(archive, guard)
            _check_memory(archive, guard)
        except py7zr.exceptions.PasswordRequired:
            raise DataError(
                "expected an archive without a password, found an encrypted one",
                where=Where(file.name),
                hint="unpack it with its password and name the folder as the source",
            ) from None
        except _unreadable() as error:
            raise guard.damaged(_said(error)) from None
        with archive:
            yield from _members(archive, paths, guard)
    guard.finish()


def _paths(archive: Any, guard: Guard) -> dict[str, str | None]:
    """Each file's path by its name, None for one to be left out, in the archive's order."""
    paths: dict[str, str | None] = {}
    for info in archive.files:
        name = info.filename
        if info.is_directory:
            guard.seen(name)
            guard.safe(name.rstrip("/") or name)
            continue
        if info.is_symlink or info.is_junction or info.is_socket or not info.archivable:
            raise guard.refuse(name, "expected a plain file", "found a link or something else", BY_HAND)
        if info.emptystream and info.uncompressed:
            raise guard.refuse(name, "expected data", "found none", REPACK)
        path = guard.path(name)
        paths[PurePosixPath(name).as_posix()] = path
    return paths


def _check_memory(archive: Any, guard: Guard) -> None:
    streams = getattr(archive.header, "main_streams", None)
    for folder in streams.unpackinfo.folders if streams is not None else ():
        for coder in folder.coders:
            size = _dictionary(coder["method"], coder.get("properties") or b"")
            if size > MOST_DICTIONARY:
                raise DataError(
                    f"expected a dictionary of at most {MOST_DICTIONARY:,} bytes, found {size:,}",
                    where=Where(guard.name),
                    hint="pack it again with a smaller one (`7z a -md=64m`); or " + BY_HAND,
                )


def _dictionary(method: bytes, properties: bytes) -> int:
    """Bytes that a decompressor keeps, by its properties."""
    if method in (LZMA, PPMD) and len(properties) >= 5:
        return int.from_bytes(properties[1:5], "little")
    if method == LZMA2 and properties:
        bits = properties[0] & 0x3F
        return 0xFFFFFFFF if bits >= 40 else (2 | bits & 1) << (bits // 2 + 11)
    return 0


def _members(archive: Any, paths: dict[str, str | None], guard: Guard) -> Iterator[Member]:
    stream = _Stream(archive, guard)
    missed = dict.fromkeys(paths)
    try:
        while (piece := stream.take()) is not None:
            name, _ = piece
            del missed[name]
            data = stream.data(name)
            if (path := paths[name]) is not None:
                yield Member(path, data)
            for _ in data:
                pass  # what is left out is read, so that it is checked
        for name in missed:
            raise guard.refuse(name, "expected its data", "found none", FETCH)
    finally:
        stream.close()


class _Stream:
    """What a thread decompresses, piece by piece."""

    def __init__(self, archive: Any, guard: Guard) -> None:
        self._archive, self._guard = archive, guard
        self._pieces: queue.Queue[_Piece | Exception | None] = queue.Queue(AHEAD)
        self._gone = Event()
        self._at = "(the first)"
        self._thread = Thread(target=self._work, name="mldata-7z", daemon=True)
        self._thread.start()

    def take(self) -> _Piece | None:
        """The next piece; None at the end. Raises ``DataError`` for damage."""
        from py7zr.exceptions import UnsupportedCompressionMethodError

        piece = self._pieces.get()
        if isinstance(piece, tuple):
            self._at = piece[0]
        elif isinstance(piece, UnsupportedCompressionMethodError):
            raise self._guard.refuse(
                self._at,
                "expected a method of compression that py7zr has",
                f"found another one ({piece.message})",
                BY_HAND,
            )
        elif isinstance(piece, _unreadable()):
            raise self._guard.refuse(
                self._at, "expected its data whole", f"found damage ({_said(piece)})", FETCH
            )
        elif piece is not None:
            raise piece
        return piece

    def data(self, name: str) -> Iterator[bytes]:
        """The data of the member that has just begun."""
        while (piece := self.take()) is not None and piece[1] is not None:
            self._guard.grow(name, len(piece[1]))
            yield piece[1]

    def close(self) -> None:
        """End the thread, wherever it is."""
        self._gone.set()
        while self._thread.is_alive():  # a piece may be waiting to be put
            while not self._pieces.empty():
                self._pieces.get_nowait()
            self._thread.join(WAIT)

    def _put(self, piece: _Piece | Exception | None) -> None:
        while not self._gone.is_set():
            try:
                self._pieces.put(piece, timeout=WAIT)
                return
            except queue.Full:
                continue
        raise _Stopped

    def _work(self) -> None:
        ended: Exception | None = None
        with suppress(_Stopped):
            try:
                self._archive.extract(factory=_factory(self._put))
            except _Stopped:
                raise
            except Exception as error:
                ended = error
            self._put(ended)


def _unreadable() -> tuple[type[Exception], ...]:
    """What py7zr and the decoders below it raise for what is damaged or hostile."""
    from py7zr.exceptions import ArchiveError

    return (
        ArchiveError,
        lzma.LZMAError,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        LookupError,
        ArithmeticError,
        TypeError,
        AttributeError,
        AssertionError,
        MemoryError,
        RuntimeError,
    )


def _factory(put: Callable[[_Piece], None]) -> Any:
    """Makes what py7zr writes members to."""
    import py7zr.io

    class Sink(py7zr.io.Py7zIO):  # type: ignore[misc, unused-ignore]
        """Hands pieces on."""

        def __init__(self, name: str) -> None:
            self.name, self.length, self.open = name, 0, True
            put((name, b""))  # it begins

        def write(self, s: bytes | bytearray) -> int:
            for start in range(0, len(s), CHUNK):
                put((self.name, bytes(s[start : start + CHUNK])))
            self.length += len(s)
            return len(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return self.length

        def close(self) -> None:
            if self.open:
                self.open = False
                put((self.name, None))

    class Factory(py7zr.io.WriterFactory):  # type: ignore[misc, unused-ignore]
        """Makes sinks."""

        def create(self, filename: str) -> Sink:
            return Sink(filename)

    return Factory()


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
