"""CSV by RFC 4180: a header, commas, ``\\n`` at the end of lines, UTF-8 without a byte order mark.

A null is an empty field. Text is quoted where a reader could take it for something else: when it is empty, holds a
comma, quote, line end or space at an end, or spells a null (``NA``, ``null``...). So every text comes back, from
readers that never take a quoted field for a null. In a table of one column a null is written ``NA``, since an empty
line would be no row at all. The other texts are those of :mod:`mldata.exports.cells`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.exports.cells import is_text, join_rows, plain, rows_with, scalar_cells, slices

if TYPE_CHECKING:
    from mldata.exports.base import Compression

__all__ = ["Csv"]

_SPECIAL = np.zeros(256, np.bool_)
_SPECIAL[[0x22, 0x2C, 0x0A, 0x0D]] = True
_EDGES = np.zeros(256, np.bool_)
_EDGES[[0x20, 0x09]] = True
_NULLS = pa.array(["", "NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "#N/A"])
"""What programs read as a missing value when it is not quoted; ours by default the first two."""
_EMPTY = pa.array([""])


class Csv:
    """The ``csv`` export."""

    def unfit(self, kind: pa.DataType) -> bool:
        """CSV holds neither nested nor binary values."""
        if isinstance(kind, pa.ExtensionType):
            return self.unfit(kind.storage_type)
        if pt.is_dictionary(kind):
            return self.unfit(kind.value_type)
        if pt.is_fixed_size_binary(kind) or pt.is_interval(kind) or pt.is_nested(kind):
            return True
        return bool(pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind))

    def open(self, sink: BinaryIO, schema: pa.Schema, compression: Compression) -> CsvFile:
        """Start a file with its header."""
        return CsvFile(sink, schema)


class CsvFile:
    """A CSV file that is being written."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema) -> None:
        self._sink = sink
        self._null = "NA" if len(schema) == 1 else ""
        self._between = ["", *[","] * (len(schema) - 1), "\n"]
        if schema.names:
            header = [_quoted(pa.array([name], pa.string()), words=_EMPTY) for name in schema.names]
            sink.write(memoryview(join_rows(header, self._between)))

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if not batch.num_columns:
            return
        for piece in slices(batch):
            cells = [
                self._cells(column, name)
                for column, name in zip(piece.columns, piece.schema.names, strict=True)
            ]
            self._sink.write(memoryview(join_rows(cells, self._between)))

    def close(self) -> Mapping[str, Any]:
        """Nothing is held back."""
        return {}

    def _cells(self, column: Any, name: str) -> pa.Array:
        column = plain(column)
        if pt.is_null(column.type):
            return pa.array([self._null] * len(column), pa.string())
        cells = _quoted(column) if is_text(column.type) else scalar_cells(column, name)
        return pc.fill_null(cells, self._null) if cells.null_count else cells


def _quoted(column: pa.Array, words: pa.Array = _NULLS) -> pa.Array:
    """Text with quotes around it where it needs them, and around each of ``words``."""
    need = np.asarray(pc.fill_null(pc.is_in(column, value_set=words), False))
    special = rows_with(column, _SPECIAL)
    if special is not None:
        need = need | special
        column = pc.replace_substring(column, '"', '""')
    if rows_with(column, _EDGES) is not None:
        need = need | np.asarray(pc.fill_null(pc.match_substring_regex(column, "^[ \t]|[ \t]$"), False))
    if not need.any():
        return column
    return pc.if_else(pa.array(need), pc.binary_join_element_wise('"', column, '"', ""), column)
