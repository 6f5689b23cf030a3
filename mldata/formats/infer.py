"""The type of a column of text, strictly: a type is taken only if every value can be written back as it was.

Own type of a column = the narrowest type that accepts all its values. The vector tests below *are* the definition; a column's type
does not depend on the order of its values, so a first guess from one value only chooses where to start.

=========== ========================================================================================================
null        no values
bool        ``true``/``false``, or ``True``/``False``, or ``TRUE``/``FALSE``: one spelling a column
int64       ``-?(0|[1-9][0-9]*)`` in range, except ``-0``
float64     decimal numbers, nan, inf; no leading zeros or ``+``; no integers beyond 2**53
date32      ``YYYY-MM-DD``
timestamp   ISO 8601 date and time, at most microseconds; with a zone everywhere: kept in UTC
string      everything else, exactly as written
=========== ========================================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldata.arrays import text_bytes, text_scalar

HEAD_ROWS = 64
"""Rows of a column that a type is tried on first."""

EXACT = 2**53
"""Every integer up to here has its own float64."""

BOOL, INT, FLOAT, DATE, STRING = pa.bool_(), pa.int64(), pa.float64(), pa.date32(), pa.string()
TIME, ZONED = pa.timestamp("us"), pa.timestamp("us", "UTC")
TEXT_TYPES = (pa.null(), BOOL, INT, FLOAT, DATE, TIME, ZONED, STRING)
SPELLINGS = {"true": ("true", "false"), "True": ("True", "False"), "TRUE": ("TRUE", "FALSE")}


_WORDS = {spelling: tuple(map(text_scalar, words)) for spelling, words in SPELLINGS.items()}

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ZONE = re.compile(r":\d\d(\.\d*)?(Z|[+-]\d\d(:?\d\d)?)$|\d\d(Z|[+-]\d\d(:?\d\d)?)$")
_NOT_FINITE = re.compile(r"-?(nan|inf|infinity)$", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Typed:
    """A column under its own type."""

    column: pa.ChunkedArray
    wide: bool = False
    """Integers beyond ±2**53."""
    spelling: str = ""
    """How its booleans are written."""


def infer(column: pa.ChunkedArray) -> Typed:
    """Convert a string column to its own type."""
    first = _first(column)
    if first is None:
        return Typed(pa.chunked_array([pa.nulls(len(column))]))
    head = column.slice(0, HEAD_ROWS)
    for kind in _candidates(first):
        # Arrow's cast makes an error of every value that does not fit: most columns that are of another type show it soon.
        if len(column) > len(head) and parse(head, kind) is None:
            continue
        typed = parse(column, kind)
        if typed is not None:
            return typed
    return Typed(column)


def parse(column: pa.ChunkedArray, kind: pa.DataType) -> Typed | None:
    """``column`` as ``kind`` (one of the types above), or None if a value of it is not accepted."""
    if kind == STRING:
        return Typed(column)
    if pa.types.is_null(kind):
        return Typed(pa.chunked_array([pa.nulls(len(column))])) if column.null_count == len(column) else None
    if kind == BOOL:
        return _parse_bool(column)
    try:
        # By chunk: the cast of a whole chunked array leaves empty chunks out.
        cast = pa.chunked_array([chunk.cast(kind) for chunk in column.chunks], kind)
    except pa.ArrowInvalid:
        return None
    if kind == INT:
        if any(_odd_number(chunk, integer=True) for chunk in column.chunks):
            return None
        return Typed(cast, wide=_wide(cast))
    if kind == FLOAT:
        for text, values in zip(column.chunks, cast.chunks, strict=True):
            if _odd_number(text, integer=False) or not _exact(text, values):
                return None
    return Typed(cast)


def wide(column: pa.ChunkedArray) -> bool:
    """Whether an integer column has values that a float64 cannot hold."""
    return _wide(column)


def _first(column: pa.ChunkedArray) -> str | None:
    for chunk in column.chunks:
        if chunk.null_count < len(chunk):
            value = chunk[0].as_py() if chunk[0].is_valid else chunk.drop_null()[0].as_py()
            return str(value)
    return None


def _candidates(first: str) -> tuple[pa.DataType, ...]:
    """Types that may accept ``first``, narrow to wide. Too many only costs time; one too few would be wrong."""
    lead = first[:1]
    if lead in "tTfF" and lead:
        return (BOOL,)
    if _DATE.match(first):
        return (ZONED,) if _ZONE.search(first[10:]) else (DATE, TIME)
    if lead in "-.0123456789nNiI" and lead:
        return (INT, FLOAT) if first.lstrip("-").isdigit() else (FLOAT,)
    return ()


def _parse_bool(column: pa.ChunkedArray) -> Typed | None:
    first = _first(column)
    if first is None:
        return Typed(column.cast(BOOL))
    for spelling, words in SPELLINGS.items():
        if first in words:
            yes, no = (pc.equal(column, word) for word in _WORDS[spelling])
            known = pc.all(pc.or_(yes, no)).as_py()
            return Typed(yes, spelling=spelling) if known else None
    return None


def _wide(column: pa.ChunkedArray) -> bool:
    ends = pc.min_max(column)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    return low is not None and (low < -EXACT or high > EXACT)


def _odd_number(text: pa.StringArray, *, integer: bool) -> bool:
    """Whether a number has a leading zero or ``+``, or (among integers) is ``-0`` or hexadecimal."""
    data, ends = text_bytes(text)
    if not len(data):
        return False
    # Empty values at the end start behind the data; looking at its last byte instead is harmless, as their size is 0.
    start = np.minimum(ends[:-1], len(data) - 1)
    lead = data[start]
    if (lead == ord("+")).any():
        return True
    zero, minus = np.flatnonzero(lead == ord("0")), np.flatnonzero(lead == ord("-"))
    if minus.size:
        at, size = start[minus], (ends[1:] - ends[:-1])[minus]
        signed_zero = (size > 1) & (data[np.minimum(at + 1, len(data) - 1)] == ord("0"))
        if integer and signed_zero.any():
            return True
        at = at[signed_zero & (size > 2)] + 2
        if ((data[at] >= ord("0")) & (data[at] <= ord("9"))).any():
            return True
    if not zero.size:
        return False
    at = start[zero[ends[1:][zero] - ends[:-1][zero] > 1]]
    if integer:
        return bool(at.size)
    return bool(((data[at + 1] >= ord("0")) & (data[at + 1] <= ord("9"))).any())


def _exact(text: pa.StringArray, values: pa.DoubleArray) -> bool:
    """Whether the numbers that a float64 may not hold exactly are written so that nothing is lost."""
    if not len(values):
        return True
    numbers = np.frombuffer(values.buffers()[1], np.float64, len(values), values.offset * 8)
    suspect = ~(np.abs(numbers) < EXACT)
    if not suspect.any():
        return True
    return all(
        _exact_text(item) for item in text.filter(pa.array(suspect)).unique().to_pylist() if item is not None
    )


def _exact_text(item: str) -> bool:
    if _NOT_FINITE.match(item):
        return True
    try:
        value = float(item)
    except ValueError:  # Arrow reads nan(...) too
        return False
    if value in (float("inf"), float("-inf")):
        return False  # written as a number, too large for a float64
    if "e" in item or "E" in item:
        return True
    # An integer here is beyond 2**53 by its text or its value. An exact one is refused as well: the type of a column may
    # not depend on which pieces its integers and its fractions are in, and among integers it counts as wide.
    return ("." in item and Decimal(item) == Decimal(value)) or abs(Decimal(item)) <= EXACT
