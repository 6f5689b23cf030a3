"""Which reader reads a column of a leaf, and which form its section has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.types as pt

from mldata.profile import summary as forms
from mldata.profile.hashedcolumn import HashedColumn, HashedReader
from mldata.profile.kinds import kind_of, plain_type
from mldata.profile.numbercolumn import NumberColumn, NumberReader
from mldata.profile.valuedcolumn import ValuedColumn, ValuedReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mldata.profile.batch import Batch, Block

__all__ = ["Form", "Reader", "form_of", "reader_of"]

Form = type[NumberColumn] | type[ValuedColumn] | type[HashedColumn]


class Reader(Protocol):
    """Reads a leaf's rows of a column."""

    def add(self, column: pa.Array, batch: Batch) -> NDArray[np.uint64] | None:
        """The next rows; gives what the sample has of those that are drawn (None: nothing of this column)."""
        ...

    def end_block(self, block: Block) -> None:
        """No more rows of the block."""
        ...

    def fold(self) -> None:
        """Make one of the blocks that there are."""
        ...

    def finish(self) -> dict[str, Any]:
        """The column's section."""
        ...


_READERS: Mapping[Form, Any] = {
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


def reader_of(number: int, field: pa.Field, *, exact: bool) -> Reader:
    """For column ``number`` of a table."""
    reader: Reader = _READERS[form_of(field.type)](number, field, exact=exact)
    return reader
