"""Text of a table that must be UTF-8: Arrow takes bytes of a Parquet file for text without a look, and no JSON or CSV can be made of others.

Arrow's own validation goes through a million short texts in some five milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.types as pt

from mldata.errors import DataError, shown
from mldata.yamlkey import types_setting

__all__ = ["check_utf8", "text_columns"]


def text_columns(schema: pa.Schema) -> list[str]:
    """Names of the columns that have text, also inside."""
    return [field.name for field in schema if _has_text(field.type)]


def check_utf8(batch: pa.RecordBatch, columns: Sequence[str], source: str, first: int) -> None:
    """Look at all text of some rows.

    Args:
        columns: those with text. The batch may lack some.
        source: name of the file that the rows are from.
        first: number of the batch's first row in the table, from 0.

    Raises:
        DataError: a text is not UTF-8.
    """
    for name in columns:
        number = batch.schema.get_field_index(name)
        if number < 0:
            continue
        column = batch.column(number)
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            row = first + _first_bad(column)
            raise DataError(
                f"expected UTF-8 in column {shown(name)}, found other bytes in row {row:,} of the table (the first is 0): {error}",
                where=source,
                hint=f"write the file again, or keep the bytes as they are: `{types_setting(name, 'binary')}` in mldata.yaml",
            ) from error


def _first_bad(column: pa.Array) -> int:
    """The first row that is not valid, of a column that has one."""
    sound, end = 0, len(column)
    while end - sound > 1:
        middle = (sound + end) // 2
        try:
            column.slice(sound, middle - sound).validate(full=True)
        except pa.ArrowInvalid:
            end = middle
        else:
            sound = middle
    return sound


def _has_text(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pt.is_dictionary(kind):
        kind = kind.value_type
    text = pt.is_string(kind) or pt.is_large_string(kind)
    return bool(text) or any(_has_text(kind.field(number).type) for number in range(kind.num_fields))
