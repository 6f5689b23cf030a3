"""Columns whose values are classes, and what the classes are.

Without being told, these are the columns of Arrow's dictionary type with text, and ``label`` of media, which is the folder's name.
Invariant: the classes of a column are its distinct values in the whole dataset, ascending, so that an index means the same in every part.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.datarows import Rows
from mldata.errors import UsageError

__all__ = ["class_lists", "indices", "lacking"]

LABEL = "label"
BATCH_ROWS = 1 << 16


def class_lists(rows: Rows, schema: pa.Schema, asked: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """The classes of each column of ``schema`` that has them: of those ``asked`` for, else by the rule above.

    Raises ``UsageError`` for a column without text, or a ``store`` error.
    """
    names = _columns(schema, rows.kind, asked)
    if not names:
        return {}
    wanted = pa.schema([schema.field(name) for name in names])
    found: dict[str, set[str]] = {name: set() for name in names}
    for part in rows.parts:
        for piece in rows.pieces(part):
            for batch in piece.batches(wanted, BATCH_ROWS):
                for name in names:
                    found[name].update(pc.unique(_decoded(batch.column(name))).drop_null().to_pylist())
    return {name: tuple(sorted(values)) for name, values in found.items()}


def lacking(rows: Rows, schema: pa.Schema) -> frozenset[str]:
    """Columns of whole numbers and booleans that miss a value somewhere, in whatever part."""
    unsure = pa.schema([it for it in schema if pt.is_integer(it.type) or pt.is_boolean(it.type)])
    files = {piece.path: piece for part in rows.parts for piece in rows.pieces(part)} if len(unsure) else {}
    return frozenset(name for piece in files.values() for name in piece.nulls(unsure))


def _columns(schema: pa.Schema, kind: str, asked: Sequence[str] | None) -> list[str]:
    if asked is None:
        return [
            field.name
            for field in schema
            if (pt.is_dictionary(field.type) and _is_text(field.type.value_type))
            or (field.name == LABEL and kind != "tabular" and _is_text(field.type))
        ]
    for name in asked:
        if name not in schema.names or not _is_text(_plain(schema.field(name).type)):
            found = schema.field(name).type if name in schema.names else "no such column"
            raise UsageError(f"expected a column of text for classes, found '{name}': {found}")
    return list(asked)


def indices(column: pa.ChunkedArray | pa.Array, classes: Sequence[str]) -> pa.ChunkedArray | pa.Array:
    """The index of each value's class, int64; null where it is missing."""
    plain = _decoded(column)
    return pc.index_in(plain, value_set=pa.array(classes, plain.type)).cast(pa.int64())


def _decoded(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    return column.cast(column.type.value_type) if pt.is_dictionary(column.type) else column


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pt.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))
