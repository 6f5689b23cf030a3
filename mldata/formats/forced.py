"""Types that the spec forces on a column: each value converts, or an error names it.

More forgiving about form than inference (the user asked for the type): spaces around a value, leading zeros and ``+`` are
accepted, and so is a quoted null token where the type is not text. Never forgiving about value: out of range or inexact is an error.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import null, text_array
from mldata.casting import cast
from mldata.formats.infer import SPELLINGS


class BadValue(Exception):
    """The value at ``row`` of the column does not convert."""

    def __init__(self, row: int, value: object) -> None:
        super().__init__(row, value)
        self.row, self.value = row, value


def force(column: pa.ChunkedArray, kind: pa.DataType, nulls: Sequence[str] = ()) -> pa.ChunkedArray:
    """``column`` (text or typed) as ``kind``. Raises :class:`BadValue`."""
    if column.type == kind:
        return column
    try:
        return _force(column, kind, nulls)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise _first_bad(column, kind, nulls) from None


def _force(column: pa.ChunkedArray, kind: pa.DataType, nulls: Sequence[str]) -> pa.ChunkedArray:
    if not pt.is_string(column.type) or pt.is_string(kind) or pt.is_large_string(kind) or pt.is_binary(kind):
        return cast(column, kind)
    if pt.is_dictionary(kind):
        # One dictionary a fragment: chunks with dictionaries of their own would be written as they came.
        return column.cast(kind.value_type).dictionary_encode().cast(kind).unify_dictionaries()
    text = pc.utf8_trim_whitespace(column)
    text = pc.if_else(pc.is_in(text, text_array(nulls)), null(pa.string()), text)
    if pt.is_boolean(kind):
        true, false = zip(*SPELLINGS.values(), strict=True)
        yes, no = pc.is_in(text, text_array([*true, "1"])), pc.is_in(text, text_array([*false, "0"]))
        if pc.all(pc.or_(pc.or_(yes, no), pc.is_null(text))).as_py() is False:
            raise pa.ArrowInvalid("not a boolean")
        return pc.if_else(pc.is_null(text), null(pa.bool_()), yes)
    if pt.is_integer(kind) or pt.is_floating(kind):
        text = pc.replace_substring_regex(text, r"^(-?)\+?0+([0-9])", r"\1\2")
        text = pc.replace_substring_regex(text, r"^\+([0-9.])", r"\1")
    return text.cast(kind)


def _first_bad(column: pa.ChunkedArray, kind: pa.DataType, nulls: Sequence[str]) -> BadValue:
    start, size = 0, len(column)
    while size > 1:
        half = size // 2
        try:
            _force(column.slice(start, half), kind, nulls)
            start, size = start + half, size - half
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            size = half
    try:
        return BadValue(start, column[start].as_py())
    except ValueError:  # nanoseconds, which Python's own types do not have
        return BadValue(start, column.slice(start, 1).cast(pa.string())[0].as_py())
