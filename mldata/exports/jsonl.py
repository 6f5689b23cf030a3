"""JSON Lines: a JSON object a row (RFC 8259), UTF-8, ``\\n`` after each, keys in the schema's order.

Beside the texts of :mod:`mldata.exports.cells`:

- text is escaped only where JSON demands it; letters beyond ASCII are written as they are.
- integers are exact, also beyond 2**53. Decimals are strings, since JSON readers make doubles of numbers.
- dates, times and timestamps are strings; binary values are base64 (RFC 4648) strings; durations are integers.
- lists are arrays, structs are objects, a map is an array of ``{"key": …, "value": …}``.
- JSON has no NaN and no infinity: they are written as ``null``, counted in the fact ``nonfinite``.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.exports.cells import is_text, join_rows, literal, plain, rows_with, scalar_cells
from mldata.exports.lines import LineFile, Lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.exports.base import Compression

__all__ = ["JsonLines", "json_cells", "objects"]

_ESCAPES = [("\\", "\\\\"), ('"', '\\"')]  # the backslash first, or it would escape the others' escapes
_ESCAPES += [(chr(code), json.dumps(chr(code))[1:-1]) for code in range(0x20)]


class JsonLines:
    """The ``jsonl`` export."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Whether a column type has no mapping above."""
        if isinstance(kind, pa.ExtensionType):
            return self.unfit(kind.storage_type)
        if pt.is_dictionary(kind):
            return self.unfit(kind.value_type)
        if pt.is_map(kind):
            return self.unfit(kind.key_type) or self.unfit(kind.item_type)
        if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
            return self.unfit(kind.value_type)
        if pt.is_struct(kind):
            return any(self.unfit(kind.field(number).type) for number in range(kind.num_fields))
        return bool(pt.is_interval(kind) or pt.is_nested(kind))

    def open(self, sink: BinaryIO, schema: pa.Schema, compression: Compression, threads: int = 1) -> LineFile:
        """Start a file."""
        return LineFile(sink, objects, threads)


def objects(rows: pa.RecordBatch, before: str = "", after: str = "\n") -> Lines:
    """A JSON object a row, with a text before and after each."""
    return _Text().lines(rows, _frame(rows.schema.names, before + "{", "}" + after))


def json_cells(column: pa.Array, name: str) -> tuple[pa.Array, int]:
    """The JSON text of each value, ``null`` for null, and the number of values that are not finite and so are null in it."""
    text = _Text()
    return text._cells(column, name), text._nonfinite


class _Text:
    """Makes the JSON text of some rows."""

    def __init__(self) -> None:
        self._nonfinite = 0

    def lines(self, rows: pa.RecordBatch, frame: list[str]) -> Lines:
        """``frame`` is the text around the values of a row."""
        if not rows.num_columns:
            return Lines(frame[0].encode() * rows.num_rows)
        between, cells = list(frame), []
        for place, (column, name) in enumerate(zip(rows.columns, rows.schema.names, strict=True)):
            column = plain(column)
            if column.null_count or not _is_string(column.type):
                cells.append(self._cells(column, name))
            else:  # without nulls the quotes are part of the frame, which saves a copy
                cells.append(_string(column, name))
                between[place] += '"'
                between[place + 1] = '"' + between[place + 1]
        return Lines(join_rows(cells, between), self._nonfinite)

    def _cells(self, column: Any, name: str) -> pa.Array:
        """JSON text of each value."""
        column = plain(column)
        kind = column.type
        if pt.is_null(kind):
            return pa.repeat(literal("null"), len(column))
        if _is_string(kind):
            cells = _enclosed(_string(column, name))
        elif pt.is_floating(kind):
            cells = self._numbers(column, name)
        elif pt.is_struct(kind):
            fields = [kind.field(number).name for number in range(kind.num_fields)]
            cells = self._objects(column, fields, column.flatten(), name)
        elif pt.is_map(kind):
            cells = self._arrays(column, self._entries(column, name))
        elif pt.is_nested(kind):
            cells = self._arrays(column, self._cells(column.flatten(), name))
        else:
            cells = scalar_cells(column, name)
        return pc.fill_null(cells, literal("null")) if cells.null_count else cells

    def _numbers(self, column: pa.Array, name: str) -> pa.Array:
        wide = column.cast(pa.float32()) if pt.is_float16(column.type) else column
        odd = pc.fill_null(pc.invert(pc.is_finite(wide)), False)
        count = pc.sum(odd).as_py() or 0
        self._nonfinite += count
        return scalar_cells(pc.if_else(odd, pa.scalar(None, wide.type), wide) if count else wide, name)

    def _objects(self, column: Any, names: list[str], fields: list[Any], name: str) -> pa.Array:
        if not names:
            cells = pa.array(["{}"] * len(column), pa.string())
        else:
            pieces: list[Any] = []
            for text, field in zip(_frame(names, end="}"), fields, strict=False):
                pieces += [literal(text), self._cells(field, name)]
            cells = pc.binary_join_element_wise(*pieces, literal("}"), literal(""))
        return pc.if_else(column.is_valid(), cells, None) if column.null_count else cells

    def _entries(self, column: Any, name: str) -> pa.Array:
        pairs = column.cast(pa.list_(pa.struct([column.type.key_field, column.type.item_field]))).flatten()
        return self._objects(pairs, ["key", "value"], pairs.flatten(), name)

    def _arrays(self, column: Any, elements: pa.Array) -> pa.Array:
        """``elements`` are the cells of the flattened column."""
        if pt.is_map(column.type):
            column = column.cast(pa.list_(pa.struct([column.type.key_field, column.type.item_field])))
        sizes = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int32)
        offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(sizes, dtype=np.int32)])
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), elements), ",")
        cells = pc.binary_join_element_wise(literal("["), joined, literal("]"), literal(""))
        return pc.if_else(column.is_valid(), cells, None) if column.null_count else cells


def _frame(names: list[str], start: str = "{", end: str = "}\n") -> list[str]:
    """The texts around the values of an object with these keys."""
    if not names:
        return [start + end]
    keys = [json.dumps(name, ensure_ascii=False) + ":" for name in names]
    return [("," if place else start) + key for place, key in enumerate(keys)] + [end]


def _is_string(kind: pa.DataType) -> bool:
    """Whether values are JSON strings."""
    return not (
        pt.is_boolean(kind)
        or pt.is_integer(kind)
        or pt.is_floating(kind)
        or pt.is_duration(kind)
        or pt.is_null(kind)
        or pt.is_nested(kind)
    )


def _string(column: Any, name: str) -> pa.Array:
    """What stands between the quotes of each JSON string; null stays null."""
    kind = column.type
    if is_text(kind):
        if rows_with(column, _special) is not None:
            for character, escape in _ESCAPES:
                column = pc.replace_substring(column, character, escape)
        return column
    if pt.is_binary(kind) or pt.is_fixed_size_binary(kind):
        texts = [None if value is None else base64.b64encode(value).decode() for value in column.to_pylist()]
        return pa.array(texts, pa.string())
    return scalar_cells(column, name)


def _special(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    found = data < 0x20
    found |= data == 0x22
    found |= data == 0x5C
    return found


def _enclosed(cells: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(literal('"'), cells, literal('"'), literal(""))
