"""Rows that are put aside, as every text format does it: what is kept of them, where they are, and which cells of a column are bad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.types as pt

from mldata.formats.base import Reject
from mldata.formats.forced import BadValue
from mldata.formats.pieces import places_of

if TYPE_CHECKING:
    from pathlib import Path

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


def rejects(path: Path, bad: Sequence[Bad]) -> list[Reject]:
    """Bad records of a whole file, in its order, with their places."""
    places = places_of(path, [one.at for one in bad])
    return [
        Reject(line, column, one.reason, one.record) for (line, column), one in zip(places, bad, strict=True)
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
