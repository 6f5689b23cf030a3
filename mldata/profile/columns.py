"""Which reader reads a column of a leaf, and which form its section has."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from mldata.profile import summary as forms
from mldata.profile.hashedcolumn import HashedColumn, HashedReader
from mldata.profile.kinds import kind_of, plain_type
from mldata.profile.numbercolumn import NumberColumn, NumberReader
from mldata.profile.record import ColumnReader
from mldata.profile.valuedcolumn import ValuedColumn, ValuedReader

__all__ = ["Form", "form_of", "reader_of"]

Form = type[NumberColumn] | type[ValuedColumn] | type[HashedColumn]

_READERS: dict[Form, type[NumberReader] | type[ValuedReader] | type[HashedReader]] = {
    NumberColumn: NumberReader,
    ValuedColumn: ValuedReader,
    HashedColumn: HashedReader,
}


def form_of(kind: pa.DataType) -> Form:
    """Of a column of an Arrow type."""
    found = kind_of(kind)
    if found in (forms.TEXT, forms.BINARY) or pt.is_decimal(plain_type(kind)):
        return ValuedColumn
    return NumberColumn if found in (forms.NUMERIC, forms.BOOLEAN, forms.TIME) else HashedColumn


def reader_of(number: int, field: pa.Field, *, exact: bool) -> ColumnReader[Any]:
    """For column ``number`` of a table."""
    return _READERS[form_of(field.type)](number, field, exact=exact)
