"""Text columns of a CSV file become types: those that :mod:`mldata.formats.infer` finds, numbers in the file's own style."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.types as pt

from mldata.formats.forced import force
from mldata.formats.infer import FLOAT, INT, STRING, TEXT_TYPES, Typed, infer, parse
from mldata.formats.numbers import NumberStyle
from mldata.formats.unify import Column, join


def typed(text: pa.ChunkedArray, base: Column | None, style: NumberStyle) -> Typed:
    """A column of text under the type of ``base`` where that fits, else under the join with it.

    Args:
        base: what the first piece of the file made of the column; None for that piece.
    """
    if base is None or pt.is_null(base.type):
        return _infer(text, style)
    if (found := _parse(text, base.type, style)) is not None:
        return found
    own = _infer(text, style)
    joined = join(base, Column(own.column.type, "", True, own.wide, own.spelling)).type
    return _parse(text, joined, style) or own


def convert(column: pa.ChunkedArray, kind: pa.DataType, style: NumberStyle) -> pa.ChunkedArray:
    """A column of text (or a forced one) under the table's type, which is known to hold it."""
    if column.type == kind:
        return column
    if column.type == STRING:
        found = _parse(column, kind, style) if kind in TEXT_TYPES else _infer(column, style)
        column = found.column if found is not None else column
    return column if column.type == kind else column.cast(kind)


def forced(
    text: pa.ChunkedArray, kind: pa.DataType, nulls: Sequence[str], style: NumberStyle
) -> pa.ChunkedArray:
    """A column of text as the spec wants it. Raises :class:`~mldata.formats.forced.BadValue`."""
    if style.marked(text) and (pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind)):
        standard = style.standard(text)
        text = standard if standard is not None else text
    return force(text, kind, nulls)


def _infer(text: pa.ChunkedArray, style: NumberStyle) -> Typed:
    """:func:`~mldata.formats.infer.infer`, but a number in this style is one and in another is text."""
    if style.plain or not style.marked(text):
        return infer(text)
    standard = style.standard(text)
    found = infer(text if standard is None else standard)
    return found if (standard is None) != _is_number(found.column.type) else Typed(text)


def _parse(text: pa.ChunkedArray, kind: pa.DataType, style: NumberStyle) -> Typed | None:
    if style.plain or not _is_number(kind) or not style.marked(text):
        return parse(text, kind)
    standard = style.standard(text)
    return None if standard is None else parse(standard, kind)


def _is_number(kind: pa.DataType) -> bool:
    return bool(kind in (INT, FLOAT))
