"""Other values for the values of a column: what the step ``map`` of a transform does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.errors import DataError, SpecError

__all__ = ["Labels", "encoded"]


class Labels:
    """The labels of one column, by old value as text. Raises ``SpecError`` when the column cannot have these values.

    Labels of the column's own kind (text for text, whole numbers for such) leave its type, and values without a label, as they are. With
    others every value needs a label. Null stays null.
    """

    def __init__(self, name: str, kind: pa.DataType, labels: Mapping[str, Any]) -> None:
        self.name = name
        self._plain = kind.value_type if pt.is_dictionary(kind) else kind
        try:
            self._old = pa.array(list(labels), pa.string()).cast(self._plain)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise SpecError(
                f"column {name!r} is {kind}, which has none of {', '.join(map(repr, labels))}"
            ) from None
        new = pa.array([None if value is None else value for value in labels.values()])
        self._own = pt.is_null(new.type) or _sort_of(new.type) == _sort_of(self._plain)
        """Labels are of the column's kind: its type stays, and so does what has no label."""
        if self._own:
            try:
                new = new.cast(self._plain)
            except pa.ArrowInvalid:
                raise SpecError(f"column {name!r} is {kind}, which cannot hold every label") from None
        self._new, self.kind = new, kind if self._own else new.type

    def __call__(self, column: pa.Array) -> pa.Array:
        plain = column.dictionary_decode() if pt.is_dictionary(column.type) else column
        place = pc.index_in(plain, self._old)
        made = self._new.take(place)
        unknown = pc.and_(pc.is_null(place), pc.is_valid(plain))
        if pc.any(unknown).as_py():
            if not self._own:
                found = plain.filter(unknown).unique().slice(0, 5).to_pylist()
                raise DataError(
                    f"column {self.name!r}: expected a label for every value, found none for {', '.join(map(repr, found))}",
                    hint="a value may stay as it is only where labels are of the column's own kind",
                )
            made = pc.if_else(unknown, plain, made)
        return encoded(made, self.kind) if pt.is_dictionary(self.kind) else made


def _sort_of(kind: pa.DataType) -> str:
    if pt.is_integer(kind):
        return "integer"
    if pt.is_floating(kind):
        return "float"
    return "text" if pt.is_string(kind) or pt.is_large_string(kind) else str(kind)


def encoded(plain: pa.Array, kind: pa.DataType) -> pa.Array:
    """A column as a dictionary of its own values."""
    found = plain.dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        found.indices.cast(kind.index_type), found.dictionary, ordered=kind.ordered
    )
