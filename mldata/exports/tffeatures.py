"""Which features a row has as a ``tf.train.Example``, and how a reader gets the values back.

==============================  ============  ==================================================================================
column                          list          value
==============================  ============  ==================================================================================
boolean, integer, duration      ``int64``     itself (0 and 1; the number of the type's unit)
``uint64``                      ``int64``     the same 64 bits: ``tf.bitcast(x, tf.uint64)``
half, float                     ``float``     itself
double                          ``float``     the nearest ``float32``: 24 of 53 bits of precision stay, from 3.4e38 on it is infinite
                                              (counted in the fact ``overflows``). With ``exact_floats: true`` a ``bytes`` value of
                                              8 bytes that loses nothing: ``tf.io.decode_raw(x, tf.float64)``
text                            ``bytes``     UTF-8
binary                          ``bytes``     itself
decimal, date, time, timestamp  ``bytes``     text as in :mod:`mldata.exports.cells` (a zone: the instant in UTC)
categorical                     (as its values)
list of any of these            (as its values, any number of them)
other nested types              ``bytes``     JSON text as in :mod:`mldata.exports.jsonl`
null                            (none)        never there
==============================  ============  ==================================================================================

A null has no feature in its row. A null *in* a list is 0, NaN or an empty text in its place, and the feature ``NAME/missing`` of that row
lists the places (from 0). A column of labels has its class's number, too: ``NAME/index``. An image or a recording is in ``image/encoded`` or
``audio/encoded``, the bytes of the file, and the end of its name in ``image/format``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.exports.base import Classes

__all__ = ["BYTES", "FLOAT", "INT64", "Feature", "column_features", "features_of", "unfit"]

BYTES, FLOAT, INT64 = "bytes", "float32", "int64"


@dataclass(frozen=True)
class Feature:
    """A key of an ``Example``."""

    key: str
    column: str
    dtype: str
    """Of the values: ``bytes``, ``float32``, ``int64``."""
    how: str = "value"
    """``value``; ``bits`` of an unsigned integer; ``double``: little-endian bytes of one; ``text`` of a date or decimal; ``json``;
    ``index`` of a class; ``missing``: places of nulls in a list."""
    many: bool = False
    """Any number of values, and not one."""
    classes: tuple[str, ...] | None = None

    def to_plain(self, kind: pa.DataType) -> dict[str, Any]:
        """What ``features.json`` says of it; ``kind`` is the column's type."""
        made: dict[str, Any] = {
            "dtype": self.dtype,
            "column": self.column,
            "type": str(kind),
            "value": self.how,
        }
        return (
            made | {"list": self.many} | ({"classes": list(self.classes)} if self.classes is not None else {})
        )


def unfit(kind: pa.DataType) -> bool:
    """Whether a column type has no mapping above."""
    from mldata.exports.jsonl import JsonLines

    return JsonLines().unfit(kind)


def features_of(schema: pa.Schema, classes: Classes, exact: bool) -> list[Feature]:
    """The features of rows with these columns, in the order of their keys' bytes. Raises ``BuildError`` when two have one key."""
    found: dict[str, Feature] = {}
    for field in schema:
        for feature in column_features(field.name, field.type, classes.get(field.name), exact):
            if feature.key in found:
                raise BuildError(
                    f"columns '{found[feature.key].column}' and '{feature.column}' would both be the feature "
                    f"'{feature.key}' of a TFRecord",
                    hint="Rename one of them (normalize: {rename: {OLD: NEW}}).",
                )
            found[feature.key] = feature
    return [found[key] for key in sorted(found, key=str.encode)]


def column_features(
    name: str, kind: pa.DataType, classes: tuple[str, ...] | None, exact: bool
) -> Iterator[Feature]:
    """The features that a column is written as; none for a column of nulls."""
    import pyarrow as pa
    import pyarrow.types as pt

    kind = _plain(kind)
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        inner = _plain(kind.value_type)
        if pt.is_nested(inner) or pt.is_null(inner):
            yield Feature(name, name, BYTES, "json")
        else:
            yield Feature(name, name, *_flat(inner, exact), many=True)
            yield Feature(f"{name}/missing", name, INT64, "missing", many=True)
    elif pt.is_nested(kind):
        yield Feature(name, name, BYTES, "json")
    elif kind != pa.null():
        yield Feature(name, name, *_flat(kind, exact))
        if classes is not None:
            yield Feature(f"{name}/index", name, INT64, "index", classes=classes)


def _flat(kind: Any, exact: bool) -> tuple[str, str]:
    import pyarrow.types as pt

    if pt.is_floating(kind):
        return (BYTES, "double") if exact and pt.is_float64(kind) else (FLOAT, "value")
    if pt.is_boolean(kind) or pt.is_integer(kind) or pt.is_duration(kind):
        return INT64, "bits" if pt.is_uint64(kind) else "value"
    if pt.is_decimal(kind) or pt.is_temporal(kind):
        return BYTES, "text"
    return BYTES, "value"


def _plain(kind: Any) -> Any:
    """The type without dictionary encoding and extension."""
    import pyarrow as pa
    import pyarrow.types as pt

    if isinstance(kind, pa.ExtensionType):
        return _plain(kind.storage_type)
    return _plain(kind.value_type) if pt.is_dictionary(kind) else kind
