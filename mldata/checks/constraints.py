"""What the spec can demand of a column's values, made ready for columns of a type.

Each constraint says which values break it. Null breaks none (``nullable`` is about nulls); NaN is in no range.

- range: numbers as they are (a bound between two values of the column's type lies between them); of dates and times as :mod:`mldata.timecuts`
  reads them, so a time without an offset is by the column's clock, and a date is its first moment.
- allowed: values as they are written, read as the column's type.
- pattern: RE2, of the whole text.
- length: characters of text, bytes of binary, elements of lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.checks.columns import type_name
from mldata.timecuts import UnfitCut, cut_number, parse_cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Breaks", "Unfit", "allowed", "in_length", "in_range", "matching"]

Breaks = Callable[[pa.Array], "NDArray[np.bool_]"]
"""From a column without dictionary: which values break the constraint."""
Bound = int | float | str | None
"""A number, or a time as text; None: none."""


class Unfit(ValueError):
    """A constraint that says nothing about a column's type; its text says why, without the column."""


def _mask(found: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(found, False))


def in_range(kind: pa.DataType, low: Bound, high: Bound) -> Breaks:
    """Values from ``low`` to ``high``, both included. Raises :class:`Unfit`."""
    if pt.is_integer(kind) or pt.is_date(kind) or pt.is_timestamp(kind):
        edges = _integer_range if pt.is_integer(kind) else _time_range
        return _stored(kind, *edges(kind, low, high))
    if not pt.is_floating(kind) and not pt.is_decimal(kind):
        raise Unfit(f"'min' and 'max' are for numbers, dates and timestamps, and it is {type_name(kind)}")
    scalars = [_number(kind, bound) for bound in (low, high)]

    def breaks(column: pa.Array) -> NDArray[np.bool_]:
        if pt.is_float16(column.type):
            column = column.cast(pa.float32())
        bad = np.zeros(len(column), np.bool_)
        if scalars[0] is not None:
            bad |= _mask(pc.less(column, scalars[0]))
        if scalars[1] is not None:
            bad |= _mask(pc.greater(column, scalars[1]))
        return bad | _mask(pc.is_nan(column)) if pt.is_floating(column.type) else bad

    return _tried(breaks, kind)


def _stored(kind: pa.DataType, low: int | None, high: int | None) -> Breaks:
    """Of a column stored as integers: from ``low`` to ``high``."""
    width = kind.bit_width
    whole = kind if pt.is_integer(kind) else pa.int32() if width == 32 else pa.int64()
    signed = pt.is_signed_integer(whole)
    least, most = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)

    def breaks(column: pa.Array) -> NDArray[np.bool_]:
        numbers = column.view(whole)
        bad = np.zeros(len(column), np.bool_)
        valid = np.asarray(column.is_valid())
        if low is not None and low > least:
            bad |= valid if low > most else _mask(pc.less(numbers, pa.scalar(low, whole)))
        if high is not None and high < most:
            bad |= valid if high < least else _mask(pc.greater(numbers, pa.scalar(high, whole)))
        return bad

    return breaks


def _integer_range(kind: pa.DataType, low: Bound, high: Bound) -> tuple[int | None, int | None]:
    for bound in (low, high):
        if isinstance(bound, str):
            raise Unfit(f"expected a number to compare {type_name(kind)} with, found {bound}")
    return (
        None if low is None else math.ceil(low),  # type: ignore[arg-type]
        None if high is None else math.floor(high),  # type: ignore[arg-type]
    )


def _time_range(kind: pa.DataType, low: Bound, high: Bound) -> tuple[int | None, int | None]:
    try:
        first = None if low is None else cut_number(_cut(low), kind)
        if high is None:
            return first, None
        cut = _cut(high)
        if isinstance(cut, int):
            return first, cut_number(cut, kind)  # raises
        # Nothing is stored between a time and a microsecond later, unless the column counts nanoseconds.
        late = min(cut_number(cut, kind) + 1, cut_number(cut + timedelta(microseconds=1), kind))
        return first, late - 1
    except (UnfitCut, OverflowError) as error:
        raise Unfit(str(error)) from None


def _cut(bound: Bound) -> Any:
    cut = parse_cut(str(bound))
    if cut is None:
        raise Unfit(f"expected a date such as 2024-01-31, found {bound}")
    return cut


def _number(kind: pa.DataType, bound: Bound) -> pa.Scalar | None:
    """A bound as the column holds it: 0.1 is the float32 nearest to it in a column of these."""
    if bound is None:
        return None
    if isinstance(bound, str):
        raise Unfit(f"expected a number to compare {type_name(kind)} with, found {bound}")
    if pt.is_decimal(kind):
        try:
            return pa.scalar(Decimal(str(bound)))
        except pa.ArrowInvalid:
            raise Unfit(f"expected a number that a decimal can be, found {bound}") from None
    if pt.is_float16(kind):
        with np.errstate(over="ignore"):  # infinity, then
            return pa.scalar(float(np.float16(bound)), pa.float32())
    return pa.scalar(float(bound), kind)


def allowed(kind: pa.DataType, values: Sequence[str]) -> Breaks:
    """One of ``values``. Raises :class:`Unfit`."""
    texts = pa.array(values, pa.string())
    try:
        known = texts.cast(kind)
        if pt.is_boolean(kind) and not set(values) <= {"true", "false"}:
            raise pa.ArrowInvalid
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise Unfit(f"not all values of 'allowed' are {type_name(kind)}, as it is") from None

    def breaks(column: pa.Array) -> NDArray[np.bool_]:
        return np.asarray(column.is_valid()) & ~_mask(pc.is_in(column, value_set=known))

    return _tried(breaks, kind)


def matching(kind: pa.DataType, pattern: str) -> Breaks:
    """Text that ``pattern`` describes from its first to its last character. Raises :class:`Unfit`."""
    if not (pt.is_string(kind) or pt.is_large_string(kind)):
        raise Unfit(f"'pattern' is for text, and it is {type_name(kind)}")
    whole = rf"\A(?:{pattern})\z"

    def breaks(column: pa.Array) -> NDArray[np.bool_]:
        return _mask(pc.invert(pc.match_substring_regex(column, whole)))

    return breaks


def in_length(kind: pa.DataType, low: int | None, high: int | None) -> Breaks:
    """As long as that, both included. Raises :class:`Unfit`."""
    if pt.is_string(kind) or pt.is_large_string(kind):
        length: Any = pc.utf8_length
    elif pt.is_binary(kind) or pt.is_large_binary(kind):
        length = pc.binary_length
    elif pt.is_list(kind) or pt.is_large_list(kind):
        length = pc.list_value_length
    else:
        raise Unfit(
            f"'min_length' and 'max_length' are for text, bytes and lists, and it is {type_name(kind)}"
        )

    def breaks(column: pa.Array) -> NDArray[np.bool_]:
        lengths = length(column).cast(pa.int64())
        bad = np.zeros(len(column), np.bool_)
        if low is not None:
            bad |= _mask(pc.less(lengths, low))
        if high is not None:
            bad |= _mask(pc.greater(lengths, high))
        return bad

    return breaks


def _tried(breaks: Breaks, kind: pa.DataType) -> Breaks:
    """The same; known to work for the type."""
    try:
        breaks(pa.nulls(1, kind))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise Unfit(
            f"it is {type_name(kind)}, which cannot be compared: {str(error).splitlines()[0]}"
        ) from None
    return breaks
