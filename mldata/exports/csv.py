"""CSV by RFC 4180: a header, commas, ``\\n`` at the end of lines, UTF-8 without a byte order mark. TSV is the same with tabs.

A null is an empty field. Text is quoted where a reader could take it for something else: when it is empty, holds a
delimiter, quote, line end or space at an end, or spells a null (``NA``, ``null``...). So every text comes back, from
readers that never take a quoted field for a null. In a table of one column a null is written ``NA``, since an empty
line would be no row at all. The other texts are those of :mod:`mldata.exports.cells`. Texts and names that a spreadsheet
would run are written as they are, unless ``escape_formulas`` is set (:mod:`mldata.exports.formulas`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import as_numpy, number_array, text_array
from mldata.exports.cells import (
    byte_view,
    is_text,
    join_rows,
    literal,
    plain,
    rows_with,
    scalar_cells,
)
from mldata.exports.formulas import escaped
from mldata.exports.lines import LineFile, Lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.exports.base import Compression, Writing

__all__ = ["Csv", "Tsv"]

_NULLS = text_array(["", "NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "#N/A"])
"""What programs read as a missing value when it is not quoted; ours by default the first two."""
_LONGEST_NULL = max(map(len, _NULLS.to_pylist()))
_EMPTY = text_array([""])


class Csv:
    """The ``csv`` export."""

    delimiter = ","

    def unfit(self, kind: pa.DataType) -> bool:
        """CSV holds neither nested nor binary values."""
        if isinstance(kind, pa.ExtensionType):
            return self.unfit(kind.storage_type)
        if pt.is_dictionary(kind):
            return self.unfit(kind.value_type)
        if pt.is_fixed_size_binary(kind) or pt.is_interval(kind) or pt.is_nested(kind):
            return True
        return bool(pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind))

    def open(
        self,
        sink: BinaryIO,
        schema: pa.Schema,
        compression: Compression,
        threads: int = 1,
        *,
        writing: Writing | None = None,
    ) -> LineFile:
        """Start a file with its header."""
        between = ["", *[self.delimiter] * (len(schema) - 1), "\n"]
        null = literal("NA" if len(schema) == 1 else "")
        escape = writing is not None and bool(writing.options.get("escape_formulas"))
        if schema.names:
            header = [self._text(text_array([name]), escape, words=_EMPTY) for name in schema.names]
            sink.write(memoryview(join_rows(header, between)))

        def render(rows: pa.RecordBatch) -> Lines:
            if not rows.num_columns:
                return Lines(b"")
            columns = zip(rows.columns, schema.names, strict=True)
            return Lines(
                join_rows([self._cells(column, name, null, escape) for column, name in columns], between)
            )

        return LineFile(sink, render, threads)

    def _cells(self, column: Any, name: str, null: pa.Scalar, escape: bool) -> pa.Array:
        column = plain(column)
        if pt.is_null(column.type):
            return pa.repeat(null, len(column))
        cells = self._text(column, escape) if is_text(column.type) else scalar_cells(column, name)
        return pc.fill_null(cells, null) if cells.null_count else cells

    def _text(self, column: pa.Array, escape: bool, words: pa.Array = _NULLS) -> pa.Array:
        return _quoted(escaped(column) if escape else column, ord(self.delimiter), words)


class Tsv(Csv):
    """The ``tsv`` export."""

    delimiter = "\t"


def _quoted(column: pa.Array, delimiter: int, words: pa.Array) -> pa.Array:
    """Text with quotes around it where it needs them, and around each of ``words`` (which are short)."""
    offsets, data = byte_view(column)
    sizes = np.diff(offsets)
    need = np.zeros(len(column), np.bool_)
    short = np.flatnonzero(sizes <= _LONGEST_NULL)
    need[short] = as_numpy(pc.is_in(column.take(number_array(short)), value_set=words))
    if len(data):
        filled = sizes > 0
        for ends in (data[offsets[:-1][filled]], data[offsets[1:][filled] - 1]):
            need[filled] |= (ends == 0x20) | (ends == 0x09)
    special = rows_with(column, lambda data: _special(data) | (data == delimiter))
    if special is not None:
        need |= special
        column = pc.replace_substring(column, '"', '""')
    if not need.any():
        return column
    return pc.if_else(
        number_array(need),
        pc.binary_join_element_wise(literal('"'), column, literal('"'), literal("")),
        column,
    )


def _special(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What makes a cell need quotes, beside the delimiter."""
    found: NDArray[np.bool_] = data == 0x22
    found |= (data == 0x0A) | (data == 0x0D)
    return found
