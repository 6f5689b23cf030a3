"""Which columns of a table are labels, and their classes: what formats need that write a label as a number.

A class's number is its place among the distinct values of the whole table, in ascending order of their UTF-8: the same in every
part and shard, whatever the split.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.table import Table

__all__ = ["LABELS", "MOST_CLASSES", "class_columns", "find_classes", "label_column"]

LABELS = ("label", "class", "target")
"""Columns of text that are taken for labels by their name. The first that there is, is what a model is to learn."""
MOST_CLASSES = 1000
"""Text with more distinct values is no label."""


def class_columns(schema: pa.Schema) -> list[str]:
    """The columns that may have classes: text called as in :data:`LABELS`, and dictionary-encoded text."""
    import pyarrow.types as pt

    def taken(name: str, kind: Any) -> bool:
        if pt.is_dictionary(kind):
            return taken(LABELS[0], kind.value_type)
        return name.lower() in LABELS and bool(pt.is_string(kind) or pt.is_large_string(kind))

    return [field.name for field in schema if taken(field.name, field.type)]


def find_classes(table: Table) -> dict[str, tuple[str, ...]]:
    """The classes by column. Reads these columns once; one with more than :data:`MOST_CLASSES`, or none, is left out."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    found: dict[str, set[str]] = {name: set() for name in class_columns(table.schema)}
    for batch in table.batches(columns=list(found)) if found else ():
        for name in list(found):
            column = batch.column(name)
            if pt.is_dictionary(column.type):
                column = column.dictionary.take(pc.unique(column.indices.drop_null()))
            found[name].update(pc.unique(column.cast(pa.string()).drop_null()).to_pylist())
            if len(found[name]) > MOST_CLASSES:
                del found[name]
        if not found:
            break
    return {name: tuple(sorted(values, key=str.encode)) for name, values in found.items() if values}


def label_column(classes: Mapping[str, Any]) -> str | None:
    """The column that a model is to learn: the one with the most telling name, or else the only one with classes."""
    for wanted in LABELS:
        for name in classes:
            if name.lower() == wanted:
                return name
    return next(iter(classes)) if len(classes) == 1 else None
