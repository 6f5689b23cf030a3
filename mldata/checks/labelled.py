"""What labels are of: which columns are the inputs, and which types are classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldata.checks.base import Subject
from mldata.checks.columnroles import NUMBERING
from mldata.checks.columns import type_name
from mldata.errors import SpecError
from mldata.rowhash import hash_column
from mldata.yamlkey import types_setting

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inputs_of", "no_classes"]


def no_classes(column: str, kind: pa.DataType) -> str | None:
    """Why values of a type are no classes."""
    import pyarrow.types as pt

    if pt.is_floating(kind) or pt.is_decimal(kind):
        what = f"are quantities ({type_name(kind)}), not classes"
        return f"{what}: if they are classes, read them as such, `{types_setting(column, 'int64')}`"
    plain = kind.value_type if pt.is_dictionary(kind) else kind
    if pt.is_null(plain):
        return "are all missing"
    if pt.is_string(plain) or pt.is_large_string(plain) or pt.is_boolean(plain) or pt.is_integer(plain):
        return None
    return f"are {type_name(kind)}, of which each value is no class of its own"


def inputs_of(given: Sequence[str], column: str, subject: Subject) -> tuple[str, ...]:
    """Columns by which inputs are equal, as far as they can be compared."""
    import pyarrow as pa

    schema = subject.schema
    if given:
        names = list(given)
    elif subject.kind != "tabular":
        names = [name for name in ("digest",) if name in schema.names]
    else:
        names = [name for name in schema.names if name != column and name.casefold() not in NUMBERING]
    for name in names:
        try:
            hash_column(pa.nulls(0, schema.field(name).type))
        except TypeError as error:
            if given:
                hint = "name columns that can be: labels: {inputs: [text]}"
                raise SpecError(f"inputs cannot be compared: {error}", where="inputs", hint=hint) from None
            return ()
    return tuple(names)
