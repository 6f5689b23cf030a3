"""Arrow types to compare, drawn by Hypothesis."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import strategies as st

__all__ = ["TYPES", "schemas"]

FEW = [pa.null(), pa.int8(), pa.int16(), pa.float32(), pa.string()]


def field(name: str, kind: pa.DataType, nullable: bool) -> pa.Field:
    """A field; nulls alone are always nullable."""
    return pa.field(name, kind, nullable or pa.types.is_null(kind))


TYPES = st.recursive(
    st.sampled_from(FEW),
    lambda inner: st.one_of(
        st.builds(lambda kind, null: pa.list_(field("item", kind, null)), inner, st.booleans()),
        inner.map(lambda kind: pa.list_(kind, 2)),
        inner.map(lambda kind: pa.map_(pa.string(), kind)),
        st.dictionaries(st.sampled_from("ab"), st.tuples(inner, st.booleans()), max_size=2).map(
            lambda fields: pa.struct([field(name, *it) for name, it in fields.items()])
        ),
    ),
    max_leaves=3,
)
"""Few simple types, so that two of them often have to do with each other, and what is nested of them."""


def schemas() -> st.SearchStrategy[pa.Schema]:
    """Schemas of a few columns; names come again, within one and from one to another."""
    fields = st.builds(field, st.sampled_from(["a", "b", "a.b", "größe"]), TYPES, st.booleans())
    return st.lists(fields, max_size=4).map(pa.schema)
