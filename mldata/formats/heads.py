"""The beginning of a file that is elsewhere, as a file of its own that a format reads like any other.

What is taken ends where a record ends, so that it is a sound file. It may have more rows than were asked for: what came anyway tells more of
types and of how the file is written.

A format that can cut such a beginning has the method of :class:`Headed`; files of others are read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO, Protocol

from mldata.formats.base import Options, SourceFile

__all__ = ["FIRST_BYTES", "LINE", "UNKNOWN_SIZE", "Headed", "Uncut", "copy", "take_records"]

UNKNOWN_SIZE = 1 << 62
"""The size of a file that is decompressed as it is read: no file is so large."""
FIRST_BYTES = 256 << 10
"""How much of a text file is taken, if it has so much: what its dialect is told from."""
STEP = 1 << 20
LONGEST = 16 << 20
"""Bytes that a record may have here; the reader tells what is wrong with a longer one."""
LINE = re.compile(rb"[^\n]*+(?:\n|\Z)")


class Uncut(Exception):
    """No beginning can be cut off this file: it has to be read as a whole."""


class Headed(Protocol):
    """What a tabular format may be beside :class:`~mldata.formats.base.TabularFormat`."""

    seeks: bool
    """Whether it reads here and there, so that a compressed file is no use to it before it is decompressed."""

    def head(self, file: SourceFile, data: BinaryIO, options: Options, rows: int) -> str:
        """Write the beginning of a file to ``file.path``.

        Args:
            file: its name and size (:data:`UNKNOWN_SIZE` if that is not known); ``path`` is an empty file.
            data: its bytes, at the first one.
            rows: how many rows are wanted at least, as far as there are so many.

        Returns:
            The name of the format that what was written is to be read with.

        Raises:
            Recode: ``data`` must be decoded first. Uncut: it has to be read as a whole. DataError: it is no such file.
        """
        ...


def copy(data: BinaryIO, out: BinaryIO, size: int) -> int:
    """Copy up to ``size`` bytes; how many there were."""
    done = 0
    while done < size and (piece := data.read(min(size - done, STEP))):
        out.write(piece)
        done += len(piece)
    return done


def take_records(
    data: BinaryIO,
    out: BinaryIO,
    start: int,
    record: re.Pattern[bytes],
    counts: Callable[[bytes], bool],
    rows: int,
) -> None:
    """Have ``out`` end behind a record, with at least ``rows`` of them as far as ``data`` goes.

    Args:
        data: the rest of the file, behind what ``out`` has.
        out: the file from its beginning; open for reading too.
        start: where the first record is.
        record: matches a record with its line end, or the end of the text.
        counts: whether a match is a row.
    """
    out.seek(start)
    held, at, found = out.read(), 0, 0
    out.seek(0, 2)
    ended = False
    while True:
        while (match := record.match(held, at)) and match.end() > at and (match.end() < len(held) or ended):
            found += counts(match[0])
            at = match.end()
        if ended or (at and found >= rows) or len(held) - at > LONGEST:
            break
        piece = data.read(STEP)
        ended = not piece
        out.write(piece)
        held, at = held[at:] + piece, 0
    left = len(held) - at
    if not ended and left <= LONGEST:
        out.truncate(out.tell() - left)
