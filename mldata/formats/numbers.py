"""How text writes numbers: with a decimal point or comma, with marks between thousands.

Only what cannot be read in two ways counts as evidence: ``12,5`` and ``1.234.567,8`` are a decimal comma, ``1,234,567`` and
``1,234.5`` a decimal point, ``1,234`` and ``1.234`` are nothing. Marks between thousands stand every three digits or they are
none. A blank between thousands is never found out (telephone numbers look the same), only told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldata.arrays import text_bytes

COMMA, POINT, EITHER = "comma", "point", "either"
_THOUSANDS = r"'’\u00a0\u202f"
"""Marks between thousands that are taken for such wherever they stand between digits: apostrophes, and blanks that do not break."""

_TYPED = re.compile(
    rb"(?:[-+]?(?:\d+(?:[.,]\d+)*|\.\d+)(?:[eE][-+]?\d+)?|(?i:nan|true|false)|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?"
    rb"|\d\d?[./]\d\d?[./]\d{2,4})\Z"
)
_COMMA = re.compile(
    rf"-?(?:\d+,(?:\d{{1,2}}|\d{{4,}})|0+,\d+|\d{{4,}},\d+|[1-9]\d{{0,2}}(?:[.{_THOUSANDS}]\d{{3}})+,\d+|[1-9]\d{{0,2}}(?:\.\d{{3}}){{2,}})\Z"
)
_POINT = re.compile(
    rf"-?(?:\d+\.(?:\d{{1,2}}|\d{{4,}})|0+\.\d+|\d{{4,}}\.\d+|[1-9]\d{{0,2}}(?:[,{_THOUSANDS}]\d{{3}})+\.\d+|[1-9]\d{{0,2}}(?:,\d{{3}}){{2,}})\Z"
)
_EITHER = re.compile(r"-?[1-9]\d{0,2}[.,]\d{3}\Z")
_MARK = re.compile(rf"-?[1-9]\d{{0,2}}(?:([{_THOUSANDS}])\d{{3}}(?:\1\d{{3}})*)(?:[.,]\d+)?\Z")
_MARKED = re.compile("[0-9](?:[.,']|’|\u00a0|\u202f)[0-9]".encode())
_COMMA_NEAR = re.compile(rb"\d,\d")


def is_typed(cell: bytes) -> bool:
    """Whether a field, without its quotes, is a number, a boolean or a date rather than a word."""
    return _TYPED.match(cell) is not None


def evidence(sample: bytes, cells: Iterable[bytes], delimiter: bytes) -> tuple[frozenset[str], str, str]:
    """How a file writes numbers.

    Args:
        sample: its beginning.
        cells: fields of it, without their quotes.

    Returns:
        What was seen (of :data:`COMMA`, :data:`POINT`, :data:`EITHER`), the decimal mark, and the marks between thousands.
    """
    quoted = delimiter != b"," or b'"' in sample
    if not (quoted and _COMMA_NEAR.search(sample)) and b"'" not in sample and sample.isascii():
        # No decimal comma can be here. Points are looked at only where another file of the source might have one.
        return (frozenset() if delimiter == b"," else _seen(cells)[0]), ".", ""
    seen, marks = _seen(cells)
    if COMMA in seen and POINT not in seen:
        return seen, ",", "." + marks
    return seen, ".", ("," if POINT in seen and COMMA not in seen else "") + marks


def _seen(cells: Iterable[bytes]) -> tuple[frozenset[str], str]:
    seen, marks = set(), set()
    for cell in cells:
        if not _MARKED.search(cell):
            continue
        text = cell.decode(errors="replace")
        if _EITHER.match(text):
            seen.add(EITHER)
        elif _COMMA.match(text):
            seen.add(COMMA)
        elif _POINT.match(text):
            seen.add(POINT)
        if found := _MARK.match(text):
            marks.add(found[1])
    return frozenset(seen), "".join(sorted(marks))


@dataclass(frozen=True)
class NumberStyle:
    """A way to write numbers."""

    decimal: str = "."
    thousands: str = ""
    """Characters that may stand between groups of three digits (one kind in a number)."""

    @property
    def plain(self) -> bool:
        """Whether this is how programs write them."""
        return self.decimal == "." and not self.thousands

    def marked(self, column: pa.ChunkedArray) -> bool:
        """Whether a column of text may have numbers that this style writes otherwise than programs do."""
        special = np.frombuffer(_special(self.decimal, self.thousands).encode(), np.uint8)
        return any((text_bytes(chunk)[0] == byte).any() for chunk in column.chunks for byte in special)

    def standard(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        """A column of text with its numbers as programs write them; None if a value has a mark, but is no number in this style.

        What is said of one value does not depend on others, so a column may come in pieces.

        Args:
            column: strings, of which nulls stay.
        """
        marks, pattern = _patterns(self.decimal, self.thousands)
        if pc.all(pc.match_substring_regex(column, pattern)).as_py() is False:
            return None
        if marks:
            column = pc.replace_substring_regex(column, marks, "")
        return pc.replace_substring(column, ",", ".") if self.decimal == "," else column


def _special(decimal: str, thousands: str) -> str:
    """Characters without which a number is written as programs do."""
    return thousands if decimal == "." else f".,{thousands}"


@lru_cache(maxsize=32)
def _patterns(decimal: str, thousands: str) -> tuple[str, str]:
    """What to take out, and how values look: without a mark, or as a number (RE2 has no references: each mark has its own branch)."""
    groups = "".join(rf"|[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+" for mark in thousands)
    whole = rf"(?:[0-9]+{groups})"
    marks = "[" + "".join(map(re.escape, thousands)) + "]" if thousands else ""
    plain = "[^" + "".join(map(re.escape, _special(decimal, thousands))) + "]*"
    return marks, rf"^(?:{plain}|-?{whole}(?:{re.escape(decimal)}[0-9]+)?(?:[eE][-+]?[0-9]+)?)$"
