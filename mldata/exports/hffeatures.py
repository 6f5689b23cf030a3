"""Columns as the ``datasets`` library (4 and later) has them: their features, and the Arrow types these are stored as.

===============================  =====================================  =========================================================
column                           feature                                stored as
===============================  =====================================  =========================================================
number, boolean, text, binary,   ``Value("int64")``, …                  itself; not null is not kept, which the library lacks
decimal, date, time, timestamp
label (see ``labelclasses``)     ``ClassLabel(names)``                  ``int64``: the place of the class
categorical without classes      ``Value`` of its values                its values
fixed-size binary, view          ``Value("binary")``, ``"string"``      the type without a fixed size, or of the usual layout
list, large list, of fixed size  ``List``, ``LargeList``                itself
struct                           a mapping of features                  itself
map                              ``List`` of ``{"key", "value"}``       a list of structs
image, recording                 ``Image()``, ``Audio()``               ``struct<bytes: binary, path: string>``
===============================  =====================================  =========================================================

Source: ``datasets.features``, whose ``Features.to_dict`` this writes as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as pt

if TYPE_CHECKING:
    from mldata.exports.base import Classes

__all__ = ["MEDIA", "Features", "features_of", "media_feature", "unfit"]

Features = dict[str, Any]
MEDIA = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def features_of(schema: pa.Schema, classes: Classes) -> tuple[Features, pa.Schema]:
    """The features by column, and the columns as they are stored."""
    features: Features = {}
    fields = []
    for field in schema:
        kind = stored(field.type)
        if field.name in classes:
            features[field.name] = {"names": list(classes[field.name]), "_type": "ClassLabel"}
            kind = pa.int64()
        else:
            features[field.name] = feature(kind)
        fields.append(pa.field(field.name, kind))
    return features, pa.schema(fields)


def media_feature(kind: str) -> dict[str, Any]:
    """The feature of files of a dataset of this kind."""
    return {"_type": "Audio" if kind == "audio" else "Image"}


def stored(kind: Any) -> Any:
    """The Arrow type that a column is stored as."""
    if isinstance(kind, pa.ExtensionType):
        return stored(kind.storage_type)
    if pt.is_dictionary(kind):
        return stored(kind.value_type)
    if pt.is_map(kind):
        return pa.list_(pa.struct([("key", stored(kind.key_type)), ("value", stored(kind.item_type))]))
    if pt.is_fixed_size_list(kind):
        return pa.list_(stored(kind.value_type), kind.list_size)
    if pt.is_large_list(kind):
        return pa.large_list(stored(kind.value_type))
    if pt.is_list(kind):
        return pa.list_(stored(kind.value_type))
    if pt.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        return pa.struct([(field.name, stored(field.type)) for field in fields])
    if pt.is_fixed_size_binary(kind) or pt.is_binary_view(kind):
        return pa.binary()
    return pa.string() if pt.is_string_view(kind) else kind


def feature(kind: Any) -> Any:
    """The feature of a :func:`stored` type."""
    if pt.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        return {field.name: feature(field.type) for field in fields}
    if pt.is_fixed_size_list(kind):
        return {"feature": feature(kind.value_type), "length": kind.list_size, "_type": "List"}
    if pt.is_list(kind) or pt.is_large_list(kind):
        return {"feature": feature(kind.value_type), "_type": "List" if pt.is_list(kind) else "LargeList"}
    return {"dtype": _dtype(kind), "_type": "Value"}


def _dtype(kind: Any) -> str:
    """Arrow's name of a flat type, which is that of ``Value`` with a few exceptions."""
    odd = {"halffloat": "float16", "float": "float32", "double": "float64"}
    odd |= {"date32[day]": "date32", "date64[ms]": "date64"}
    return odd.get(str(kind), str(kind))


def unfit(kind: Any) -> bool:
    """Whether a column type has no feature, or cannot be brought to what is stored."""
    if isinstance(kind, pa.ExtensionType):
        return unfit(kind.storage_type)
    if pt.is_dictionary(kind):
        return unfit(kind.value_type) or pt.is_nested(kind.value_type)
    nested = pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind) or pt.is_struct(kind)
    if nested or pt.is_map(kind):
        children = [kind.field(number).type for number in range(kind.num_fields)]
        # Below the top level Arrow neither takes the place of dictionaries nor makes lists of maps.
        return any(pt.is_dictionary(child) or pt.is_map(child) or unfit(child) for child in children)
    return bool(pt.is_nested(kind) or pt.is_interval(kind) or pt.is_decimal32(kind) or pt.is_decimal64(kind))
