"""Values as text, a column at a time: what CSV and JSON Lines have in common.

========================  ==========================================================================================
type                      text
========================  ==========================================================================================
boolean                   ``true``, ``false``
integer                   decimal digits
floating point            fewest digits that read back as the same value of its type, always with a point or an
                          exponent (``1.0``, ``1e+20``); ``nan``, ``inf``, ``-inf``
decimal                   every digit of its scale (``1.20``)
date, time, timestamp     ISO 8601, with all fraction digits of its unit (``2024-05-06T07:08:09.000000``)
timestamp with a zone     the instant in UTC (``…Z``), so that the text does not depend on a time zone database
duration                  whole number of the type's unit
text                      itself
========================  ==========================================================================================

Rows are joined by Arrow's kernels; no Python code runs for a single value, but for base64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import as_numpy, number_array, text_array, text_scalar
from mldata.errors import DataError
from mldata.exports.shared import shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["byte_view", "is_text", "join_rows", "literal", "plain", "rows_with", "scalar_cells", "slices"]

SLICE_BYTES = 4 << 20
"""Arrow data that is turned into text at a time: bounds memory for wide rows, and stays below Arrow's 2 GiB strings."""

_DAY = 86_400
_YEAR_1 = -719_162
_YEAR_10000 = 2_932_897
"""Days since 1970. ISO 8601 has four digits for a year unless both sides agree on more."""


@cache
def literal(text: str) -> pa.Scalar:
    """``text`` for Arrow's kernels, which take a while to convert a Python string each time."""
    return text_scalar(text)


def slices(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """``batch`` in runs of rows of about :data:`SLICE_BYTES`."""
    count = -(-batch.nbytes // SLICE_BYTES)
    rows = -(-batch.num_rows // max(count, 1))  # slices of about one size, and none of a few rows
    for start in range(0, batch.num_rows, max(rows, 1)):
        yield batch.slice(start, rows)


def plain(column: Any) -> pa.Array:
    """The column without dictionary encoding and extension type, and without string views."""
    if isinstance(column, pa.ExtensionArray):
        return plain(column.storage)
    if pt.is_dictionary(column.type):
        return plain(column.dictionary_decode())
    if pt.is_string_view(column.type) or pt.is_large_string(column.type):
        return column.cast(pa.string())
    if pt.is_binary_view(column.type) or pt.is_large_binary(column.type):
        return column.cast(pa.binary())
    return column


def is_text(kind: pa.DataType) -> bool:
    """Whether values are text, which needs quoting, rather than a number or date, which never does."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def scalar_cells(column: pa.Array, name: str) -> pa.Array:
    """Text of each value of a flat, :func:`plain` column that is not binary; null stays null.

    Raises ``DataError`` for a date outside of the years 1 to 9999 (``name`` is the column's, for the message).
    """
    if pt.is_string(column.type):
        return column
    return shared(column, lambda: _cells(column, name))


def _cells(column: pa.Array, name: str) -> pa.Array:
    kind = column.type
    if pt.is_float16(kind):
        column, kind = column.cast(pa.float32()), pa.float32()
    if pt.is_floating(kind):
        return _floats(column)
    if pt.is_duration(kind):
        return column.cast(pa.int64()).cast(pa.string())
    if pt.is_date(kind):
        return _dates(column, name)
    if pt.is_timestamp(kind):
        return _timestamps(column, name)
    return column.cast(pa.string())


def _floats(column: pa.Array) -> pa.Array:
    cells = column.cast(pa.string())
    whole = pc.fill_null(pc.equal(column, pc.trunc(column)), False)
    some = cells.filter(whole)
    if not len(some):
        return cells
    # Arrow writes 1.0 as 1, which reads back as an integer.
    bare = pc.invert(pc.match_substring_regex(some, "[.en]"))
    fixed = pc.if_else(bare, pc.binary_join_element_wise(some, literal(".0"), literal("")), some)
    return pc.replace_with_mask(cells, whole, fixed)


def _dates(column: pa.Array, name: str) -> pa.Array:
    days = _integers(column).astype(np.int64)
    if pt.is_date64(column.type):
        days = days // (_DAY * 1000)
    _check_years(days, name, 1)
    return _fixed_width(column, _date_texts(days))


def _timestamps(column: Any, name: str) -> pa.Array:
    """ISO 8601 by table look-up: twice as fast as Arrow's cast, which puts a space where the T should be."""
    unit, zone = column.type.unit, column.type.tz
    digits = {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]
    values = _integers(column)
    seconds = values // 10**digits  # and not divmod, which is ten times as slow as a division by a constant
    fraction = values - seconds * 10**digits
    _check_years(seconds, name, _DAY)
    days = seconds // _DAY
    texts = np.empty((len(values), 19 + (digits + 1 if digits else 0) + (1 if zone else 0)), np.uint8)
    texts[:, :10] = _date_texts(days)
    texts[:, 10] = ord("T")
    texts[:, 11:19] = _times().take(seconds - days * _DAY, axis=0)
    if digits:
        texts[:, 19] = ord(".")
        for end in range(20 + digits, 20, -3):
            more = fraction // 1000
            texts[:, end - 3 : end] = _thousand().take(fraction - more * 1000, axis=0)
            fraction = more
    if zone:
        texts[:, -1] = ord("Z")
    return _fixed_width(column, texts)


def _integers(column: pa.Array) -> NDArray[Any]:
    """The integers that a temporal column is made of; 0 under nulls."""
    view = column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())
    if view.null_count:
        view = pc.fill_null(view, number_array(np.zeros(1, view.type.to_pandas_dtype()))[0])
    return as_numpy(view)


def _check_years(values: NDArray[np.int64], name: str, day: int) -> None:
    """``values`` count from 1970, ``day`` of them a day."""
    if len(values) and not (_YEAR_1 * day <= values.min() and values.max() < _YEAR_10000 * day):
        raise DataError(
            f"column '{name}' has a date outside of the years 1 to 9999, which ISO 8601 text cannot hold",
            hint="Export as parquet or arrow, or repair the date in the source.",
        )


def _date_texts(days: NDArray[np.int64]) -> NDArray[np.uint8]:
    """``YYYY-MM-DD`` of each day, a row of ten bytes each."""
    if not len(days):
        return np.empty((0, 10), np.uint8)
    first = int(days.min())
    wanted = np.arange(first, int(days.max()) + 1) if int(days.max()) - first < 4 * len(days) + 366 else None
    if wanted is None:
        wanted, places = np.unique(days, return_inverse=True)
    else:
        places = days - first
    return _texts_of(number_array(wanted.astype(np.int32)).view(pa.date32())).take(places, axis=0)


@cache
def _times() -> NDArray[np.uint8]:
    """``HH:MM:SS`` of each second of a day."""
    return _texts_of(number_array(np.arange(_DAY, dtype=np.int32)).view(pa.time32("s")))


@cache
def _thousand() -> NDArray[np.uint8]:
    """``000`` to ``999``."""
    return np.frombuffer("".join(f"{number:03d}" for number in range(1000)).encode(), np.uint8).reshape(-1, 3)


def _texts_of(column: pa.Array) -> NDArray[np.uint8]:
    """Texts of one width, without nulls: a row of bytes each."""
    cells = column.cast(pa.string())
    data = np.frombuffer(cells.buffers()[2], np.uint8, len(cells.buffers()[2]))
    return data.reshape(len(column), -1)


def _fixed_width(column: pa.Array, texts: NDArray[np.uint8]) -> pa.Array:
    """Texts of one width as an array with the nulls of ``column``."""
    offsets = np.arange(len(texts) + 1, dtype=np.int32) * np.int32(texts.shape[1])
    cells = pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(texts))
    )
    return pc.if_else(column.is_valid(), cells, None) if column.null_count else cells


def byte_view(cells: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets of the texts, and the bytes that these point into (up to the last one's end)."""
    _, offset_buffer, data = cells.buffers()
    if offset_buffer is None or not len(cells):
        return np.zeros(len(cells) + 1, np.int32), np.empty(0, np.uint8)
    offsets = np.frombuffer(offset_buffer, np.int32, len(cells) + 1, cells.offset * 4)
    last = int(offsets[-1])
    return offsets, np.frombuffer(data, np.uint8, last) if last else np.empty(0, np.uint8)


def rows_with(
    cells: pa.Array, special: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
) -> NDArray[np.bool_] | None:
    """Which texts hold a byte that is ``special``; None when no text does (the common case, and quick)."""
    offsets, data = byte_view(cells)
    first = int(offsets[0])
    places = np.flatnonzero(special(data[first:]))
    if not len(places):
        return None
    found = np.zeros(len(cells), np.bool_)
    found[np.searchsorted(offsets, places + first, side="right") - 1] = True
    return found


def join_rows(cells: Sequence[pa.Array], between: Sequence[str]) -> pa.Buffer:
    """The bytes of all rows: ``between[0]``, cell 0, ``between[1]``, cell 1, ..., ``between[-1]``. No cell is null.

    All texts are put into one array, from which they are taken in the order of the file: Arrow's own join of columns takes twice as long.
    """
    rows, texts = len(cells[0]), text_array(list(between))
    places: list[tuple[int, bool]] = []
    """Where in the array what stands next in a row begins, and whether each row has its own."""
    for number, text in enumerate(between):
        if text:
            places.append((number, False))
        if number < len(cells):
            places.append((len(between) + number * rows, True))
    order = np.empty((rows, len(places)), np.int32)
    numbers = np.arange(rows, dtype=np.int32)
    for column, (place, own) in enumerate(places):
        order[:, column] = numbers + np.int32(place) if own else place
    whole = pa.concat_arrays([texts, *cells])
    taken = whole.take(number_array(order.reshape(-1)))
    _, offset_buffer, data = taken.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32, len(taken) + 1)
    return data.slice(0, int(offsets[-1]))
