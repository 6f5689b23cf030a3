"""Rows that are put aside, as every text format does it: what is kept of them, where they are, and which cells of a column are bad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

import pyarrow as pa
import pyarrow.types as pt

from mldata.errors import DataError, Where
from mldata.formats.base import Reject, SourceFile
from mldata.formats.forced import BadValue
from mldata.formats.pieces import places_of

MOST_HELD = 256 << 20
"""Bytes of memory that the bad records of one file may take."""
EACH = 512
"""Bytes that one takes beside its text."""
MOST_KEPT = 64 << 10
"""Bytes of a record that are kept; the reason says so where there are more."""


class Bad(NamedTuple):
    """A record to be put aside."""

    start: int
    """Offset of the record in the file."""
    at: int
    """Offset of what is wrong, in the record or behind it, before the next."""
    reason: str
    record: bytes


def put_aside(start: int, at: int, reason: str, record: bytes) -> Bad:
    """A bad record, cut to what is kept of it."""
    if len(record) > MOST_KEPT:
        reason += f" (kept are the first {MOST_KEPT:,} of its {len(record):,} bytes)"
    return Bad(start, at, reason, record[:MOST_KEPT])


class Gathered:
    """The bad records of a file, while its pieces are read in several threads. Bounded, since they are in memory."""

    def __init__(self, file: SourceFile) -> None:
        self._file, self._size, self._lock = file, 0, Lock()
        self._bad: dict[int, Sequence[Bad]] = {}

    def add(self, piece: int, bad: Sequence[Bad]) -> None:
        """Take in those of a piece. Raises ``DataError`` when there are far more than a file of that kind has."""
        with self._lock:
            self._bad[piece] = bad
            self._size += sum(len(one.record) + EACH for one in bad)
            if self._size > MOST_HELD:
                raise DataError(
                    f"expected rows that can be read, found more bad ones than are put aside of one file ({MOST_HELD >> 20:,} MiB)",
                    where=Where(self._file.name),
                    hint=f"it is most likely written in another way than it is read: see `mldata info {self._file.name}`",
                )

    def rejects(self) -> list[Reject]:
        """All of them in the order of the file, with their places."""
        bad = [one for piece in sorted(self._bad) for one in self._bad[piece]]
        places = places_of(self._file.path, [one.at for one in bad]) if bad else []
        return [
            Reject(line, column, one.reason, one.record)
            for (line, column), one in zip(places, bad, strict=True)
        ]


def bad_cells(column: pa.ChunkedArray, convert: Callable[[pa.ChunkedArray], object]) -> dict[int, object]:
    """The rows of a column whose values do not convert, with these values.

    Args:
        convert: raises :class:`~mldata.formats.forced.BadValue` for the first one.
    """
    try:
        convert(column)
    except BadValue:
        pass
    else:
        return {}
    if not pt.is_string(column.type):
        return _bad_cells(column, convert)
    # Text that is bad is often the same text again and again.
    coded = column.combine_chunks().dictionary_encode()
    bad = _bad_cells(pa.chunked_array([coded.dictionary]), convert)
    codes = coded.indices.to_pylist()
    return {row: bad[code] for row, code in enumerate(codes) if code in bad}


def _bad_cells(column: pa.ChunkedArray, convert: Callable[[pa.ChunkedArray], object]) -> dict[int, object]:
    """By halves: time stays in proportion to the bad ones, and to the rest by a logarithm."""
    found: dict[int, object] = {}
    todo = [(0, len(column))]
    while todo:
        start, stop = todo.pop()
        try:
            convert(column.slice(start, stop - start))
        except BadValue as bad:
            at = start + bad.row
            found[at] = bad.value
            middle = (at + 1 + stop) // 2
            todo += [(a, b) for a, b in ((at + 1, middle), (middle, stop)) if a < b]
    return found
