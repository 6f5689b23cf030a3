"""Columns as the spec names them: whether they are there, and their types in the spec's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldata.errors import SpecError
from mldata.nearest import nearest

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_names", "did_you_mean", "in_code", "plain", "type_name"]

_NAMES = {
    "float": "float32",
    "double": "float64",
    "halffloat": "float16",
    "date32[day]": "date32",
    "large_string": "string",
    "large_binary": "binary",
}
"""Where the spec has another word than Arrow; large types hold the same values."""


def check_names(setting: str, names: Sequence[str], schema: pa.Schema) -> None:
    """Raise ``SpecError`` unless the table has all columns that a setting names."""
    for name in names:
        if name not in schema.names:
            hint = did_you_mean(name, schema) or f"the columns are: {', '.join(schema.names[:50])}"
            raise SpecError(f"expected a column of the table, found {name!r}", where=setting, hint=hint)


def did_you_mean(name: str, schema: pa.Schema) -> str | None:
    """A hint that names the column most like ``name``, if one is."""
    near = nearest(name, schema.names, 0.5)
    return f"did you mean {near!r}?" if near else None


def type_name(kind: pa.DataType) -> str:
    """A type as ``types:`` of the spec has it; Arrow's name for those that it has not."""
    import pyarrow.types as pt

    if pt.is_dictionary(kind) and type_name(kind.value_type) == "string":
        return "category"
    return _NAMES.get(str(kind), str(kind))


def plain(column: pa.Array) -> pa.Array:
    """A column without its dictionary."""
    import pyarrow.types as pt

    return column.dictionary_decode() if pt.is_dictionary(column.type) else column


def in_code(column: str) -> str:
    """A column's name inside of a suggestion's backticks."""
    return column.replace("`", "'")
