"""Which columns of two tables can be compared value by value, and in which type.

Invariant: what is hashed of a value (:mod:`mldata.rowhash`) is the same on both sides only if the values are equal. One that the common type does not hold, such as
2**53 + 1 as a double, equals none of the other side: it is hashed as it is, beside a null in its place.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.types as pt

from mldata.casting import cast
from mldata.evolution.lattice import UNITS, logical, plain
from mldata.rowhash import hash_column

__all__ = ["Types", "brought", "comparable_columns"]

Types = dict[str, pa.DataType | None]
"""By column the type in which values of both sides are compared; None: their hashes agree as they are."""

HASHED_ALIKE: tuple[Callable[[pa.DataType], bool], ...] = (
    lambda kind: pt.is_integer(kind) and not pt.is_uint64(kind),
    pt.is_unsigned_integer,
    pt.is_floating,
    lambda kind: pt.is_string(kind) or pt.is_large_string(kind),
    lambda kind: pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind),
)
DECIMAL_DIGITS, MOST_DIGITS = 38, 76
"""What decimals of 128 and of 256 bits hold."""


def comparable_columns(old: pa.Schema, new: pa.Schema) -> tuple[Types, dict[str, str]]:
    """Columns that both have; and those that are not compared, with why."""
    types: Types = {}
    left_out = {}
    for name in dict.fromkeys((*old.names, *new.names)):
        many = [len(it.get_all_field_indices(name)) for it in (old, new)]
        if 0 in many:
            left_out[name] = f"no such column in the {'old' if not many[0] else 'new'} data"
        elif max(many) > 1:
            left_out[name] = "several columns have this name"
        else:
            found = _compared(old.field(name).type, new.field(name).type)
            if isinstance(found, str):
                left_out[name] = found
            else:
                types[name] = found
    return types, left_out


def brought(column: pa.Array, kind: pa.DataType) -> tuple[pa.Array, pa.Array]:
    """A column in the type that it is compared in, and beside it, null elsewhere, the values that this does not hold."""
    import pyarrow.compute as pc

    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if column.type.equals(kind):
        return column, pa.nulls(len(column), column.type)
    if kind.num_fields:  # the same values in another layout
        return cast(column, kind), pa.nulls(len(column), column.type)
    found = pc.cast(column, kind, safe=False)
    exact = pc.equal(pc.cast(found, column.type, safe=False), column)
    if pt.is_integer(column.type) and pt.is_floating(kind):
        # What lies beyond an integer's range comes back as whatever the processor makes of it.
        exact = pc.and_(
            exact, pc.less(found, float(1 << column.type.bit_width - pt.is_signed_integer(column.type)))
        )
    return pc.if_else(exact, found, None), pc.if_else(exact, None, column)


def _compared(old: pa.DataType, new: pa.DataType) -> pa.DataType | str | None:
    """The type in which values are compared (None: as they are), or why they cannot be."""
    for kind in (old, new):
        if not _hashable(kind):
            return f"values of type {kind} cannot be compared"
    was, now = _values(old), _values(new)
    if _alike(was, now):
        return None
    return _common(was, now) or f"values of {old} and {new} cannot be compared"


def _values(kind: pa.DataType) -> pa.DataType:
    """The type of what a dictionary or an extension type stands for."""
    kind = plain(kind)
    return _values(kind.storage_type) if isinstance(kind, pa.BaseExtensionType) else kind


def _hashable(kind: pa.DataType) -> bool:
    try:
        hash_column(pa.nulls(0, kind))
    except (TypeError, pa.ArrowException):
        return False
    return True


def _alike(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether equal values have one hash as they are, and others have not."""
    old, new = _values(old), _values(new)
    if old.equals(new) or pt.is_null(old) or pt.is_null(new):
        return True
    if pt.is_decimal(old) and pt.is_decimal(new):
        return bool(old.scale == new.scale and old.bit_width == new.bit_width)
    if pt.is_timestamp(old) and pt.is_timestamp(new):
        return bool(old.unit == new.unit and (old.tz is None) == (new.tz is None))
    if pt.is_map(old) and pt.is_map(new):
        return _alike(old.key_type, new.key_type) and _alike(old.item_type, new.item_type)
    if pt.is_struct(old) and pt.is_struct(new):
        fields = [[field.name for field in kind] for kind in (old, new)]
        return fields[0] == fields[1] and all(
            _alike(was.type, now.type) for was, now in zip(old, new, strict=True)
        )
    if _is_list(old) and _is_list(new):
        return _alike(old.value_type, new.value_type)
    return any(group(old) and group(new) for group in HASHED_ALIKE)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind))


def _common(old: pa.DataType, new: pa.DataType) -> pa.DataType | None:
    """The type that values of both are brought to; None: there is none."""
    if old.num_fields:
        return new if logical(old) == logical(new) else None
    match logical(old), logical(new):
        case ("integer", *_), ("float", _):
            return pa.float64()
        case ("date", _), ("date", _):
            return pa.date64()
        case ("date", bits), ("timestamp", unit, None):
            return pa.timestamp(_finer(unit, "s" if bits == 32 else "ms"))
        case ("timestamp", unit, zone), ("timestamp", other, elsewhere) if (zone is None) == (
            elsewhere is None
        ):
            return pa.timestamp(_finer(unit, other), None if zone is None else "UTC")
        case ("time", unit), ("time", other):
            finer = _finer(unit, other)
            return pa.time32(finer) if finer in ("s", "ms") else pa.time64(finer)
        case ("duration", unit), ("duration", other):
            return pa.duration(_finer(unit, other))
        case ("decimal" | "integer", *_) as was, ("decimal" | "integer", *_) as now:
            # Of integers only 64 bits with and without a sign come here: 2**64 - 1 has the bits of -1.
            (whole, scale), (more, places) = _digits(was), _digits(now)
            return _decimal(max(whole, more), max(scale, places))
        case ("float" | "timestamp", *_), ("integer" | "date", *_):
            return _common(new, old)
    return None


def _finer(unit: str, other: str) -> str:
    return max(unit, other, key=UNITS.index)


def _digits(kind: tuple[object, ...]) -> tuple[int, int]:
    """Digits before and after the point of a logical type."""
    match kind:
        case "decimal", int(whole), int(scale):
            return whole, scale
        case "integer", bool(signed), int(bits):
            return len(str(1 << (bits - signed))), 0
    raise TypeError(f"expected a decimal or an integer, found {kind}")


def _decimal(whole: int, scale: int) -> pa.DataType | None:
    digits = whole + scale
    if digits > MOST_DIGITS:
        return None
    return pa.decimal128(digits, scale) if digits <= DECIMAL_DIGITS else pa.decimal256(digits, scale)
