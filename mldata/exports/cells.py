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

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["is_text", "join_rows", "plain", "rows_with", "scalar_cells", "slices"]

SLICE_BYTES = 4 << 20
"""Arrow data that is turned into text at a time: bounds memory for wide rows, and stays below Arrow's 2 GiB strings."""

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_YEAR_1 = -62_135_596_800
_YEAR_10000 = 253_402_300_800
"""Seconds since 1970. ISO 8601 has four digits for a year unless both sides agree on more."""


def slices(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """``batch`` in runs of rows of about :data:`SLICE_BYTES`."""
    rows = max(1, batch.num_rows * SLICE_BYTES // max(batch.nbytes, 1))
    for start in range(0, batch.num_rows, rows):
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
    kind = column.type
    if pt.is_string(kind):
        return column
    if pt.is_float16(kind):
        column, kind = column.cast(pa.float32()), pa.float32()
    if pt.is_floating(kind):
        return _floats(column)
    if pt.is_duration(kind):
        return column.cast(pa.int64()).cast(pa.string())
    if pt.is_date(kind):
        _check_years(column.cast(pa.timestamp("s"), safe=False), name)
        return column.cast(pa.date32(), safe=False).cast(pa.string())
    if pt.is_timestamp(kind):
        return _timestamps(column, name)
    return column.cast(pa.string())


def _floats(column: pa.Array) -> pa.Array:
    cells = column.cast(pa.string())
    whole = pc.fill_null(pc.equal(column, pc.trunc(column)), False)
    if not pc.any(whole).as_py():
        return cells
    # Arrow writes 1.0 as 1, which reads back as an integer.
    bare = pc.invert(pc.match_substring_regex(cells, "[.en]"))
    return pc.if_else(bare, pc.binary_join_element_wise(cells, ".0", ""), cells)


def _timestamps(column: Any, name: str) -> pa.Array:
    zone, unit = column.type.tz, column.type.unit
    naive = column.cast(pa.timestamp(unit, "UTC")).view(pa.timestamp(unit)) if zone else column
    _check_years(naive, name)
    cells = pc.utf8_replace_slice(naive.cast(pa.string()), 10, 11, "T")
    return pc.binary_join_element_wise(cells, "Z", "") if zone else cells


def _check_years(column: Any, name: str) -> None:
    scale = _UNITS[column.type.unit]
    span = pc.min_max(column.view(pa.int64()))
    low, high = span["min"].as_py(), span["max"].as_py()
    if low is not None and not (_YEAR_1 * scale <= low and high < _YEAR_10000 * scale):
        raise DataError(
            f"column '{name}' has a date outside of the years 1 to 9999, which ISO 8601 text cannot hold",
            hint="Export as parquet or arrow, or repair the date in the source.",
        )


def rows_with(cells: pa.Array, special: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Which strings hold a byte b with ``special[b]``; None when no string does (the common case, and quick)."""
    _, offset_buffer, data = cells.buffers()
    if data is None or not len(cells):
        return None
    offsets = np.frombuffer(offset_buffer, np.int32, len(cells) + 1, cells.offset * 4)
    first, last = int(offsets[0]), int(offsets[-1])
    places = np.flatnonzero(special[np.frombuffer(data, np.uint8, last - first, first)])
    if not len(places):
        return None
    found = np.zeros(len(cells), np.bool_)
    found[np.searchsorted(offsets, places + first, side="right") - 1] = True
    return found


def join_rows(cells: Sequence[pa.Array], between: Sequence[str]) -> pa.Buffer:
    """The bytes of all rows: ``between[0]``, cell 0, ``between[1]``, cell 1, ..., ``between[-1]``. No cell is null."""
    pieces: list[Any] = []
    for text, column in zip(between, cells, strict=False):
        pieces += [text, column] if text else [column]
    rows = pc.binary_join_element_wise(*pieces, between[-1], "")
    _, offset_buffer, data = rows.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32, len(rows) + 1, rows.offset * 4)
    return data.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
