"""Standard input as a file: read once in a process, to the end, and kept until the process ends.

What it holds is told by its first bytes, and becomes its suffix: ``stdin.parquet``, ``stdin.csv.gz``; what is told by nothing is taken for CSV.
"""

from __future__ import annotations

import atexit
import bz2
import lzma
import shutil
import sys
import tempfile
import time
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

from mldata.errors import SourceError, UsageError
from mldata.formats import HEAD_BYTES, find_format
from mldata.userfolders import cache_folder

__all__ = ["spooled"]

_PIECE = 1 << 20
_PEEK = 4096
_STALE = 2 * 86_400.0
"""Seconds after which what a killed process left is removed."""
_PREFIX = "stdin-"
_PACKED = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
_ARCHIVES = {b"PK\x03\x04": ".zip", b"7z\xbc\xaf\x27\x1c": ".7z"}


@cache
def spooled() -> Path:
    """The file.

    Raises:
        UsageError: standard input is a terminal.
        SourceError: nothing came, or it cannot be kept.
    """
    stream = sys.stdin.buffer if sys.stdin is not None else None
    if stream is None or stream.isatty():
        raise UsageError("expected data on standard input, found a terminal", where="-",
                         hint="For example: cat data.csv | mldata build - -o DIR")  # fmt: skip
    home = cache_folder()
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return _kept(stream, folder)
    except OSError as error:
        raise SourceError(f"standard input cannot be kept below {home}: {error.strerror}", where="-",
                          hint="XDG_CACHE_HOME names another folder for caches.") from None  # fmt: skip


def _kept(stream: IO[bytes], folder: Path) -> Path:
    data = stream.read(_PIECE)
    if not data:
        raise SourceError("expected data on standard input, found nothing", where="-",
                          hint="Look at what the command before the | prints.")  # fmt: skip
    path = folder / f"stdin{_suffix(data)}"
    with open(path, "wb") as out:
        while data:
            out.write(data)
            data = stream.read(_PIECE)
    return path


def _suffix(head: bytes) -> str:
    packed = next((suffix for magic, suffix in _PACKED.items() if head.startswith(magic)), "")
    inner = _peeled(head, packed)
    if archive := next((suffix for magic, suffix in _ARCHIVES.items() if inner.startswith(magic)), ""):
        return archive
    if inner[257:262] == b"ustar":
        return f".tar{packed}"
    info = find_format("stdin", inner.lstrip(b" \t\r\n")[:HEAD_BYTES] or inner[:HEAD_BYTES])
    return (info.suffixes[0] if info is not None else ".csv") + packed


def _peeled(head: bytes, packed: str) -> bytes:
    """The first bytes behind a compression, as far as can be told."""
    try:
        if packed == ".gz":
            return zlib.decompressobj(31).decompress(head, _PEEK)
        if packed == ".bz2":
            return bz2.BZ2Decompressor().decompress(head, _PEEK)
        if packed == ".xz":
            return lzma.LZMADecompressor().decompress(head, _PEEK)
    except (zlib.error, OSError, lzma.LZMAError):  # whoever reads the file says what is wrong with it
        return b""
    return b"" if packed else head


def _sweep(home: Path) -> None:
    for path in home.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path, ignore_errors=True)
