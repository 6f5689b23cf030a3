"""The order of Arrow types by which a changed type is breaking or not: ``old`` is below ``new`` where every value of ``old`` is one of ``new``, unchanged
and of the same nature.

Invariant: :func:`below` is a partial order of :func:`logical` types. What differs in layout alone (``large_string``, dictionaries, views, names of list
items, the order of a struct's fields) is one logical type. ``SCHEMAS.md`` beside this file has the table with the reasons, and what Avro, Delta Lake,
Iceberg and Protocol Buffers say.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.types as pt

__all__ = [
    "LAYOUT",
    "NARROWER",
    "OTHER",
    "WIDER",
    "Relation",
    "below",
    "logical",
    "plain",
    "relate",
    "widens",
]

LAYOUT, WIDER, NARROWER, OTHER = "layout", "wider", "narrower", "other"

Logical = tuple[Any, ...]
"""``(head, ...)``: a type as its values are, whatever their layout."""

UNITS = ("s", "ms", "us", "ns")
BEYOND_YEARS = "ns"
"""64 bits of nanoseconds end in 2262; those of the coarser units hold each year that calendars of Python and SQL have (1 to 9999)."""
EXACT_BITS = {16: 11, 32: 24, 64: 53}
"""Integers below 2 to this power are exact in a binary float (IEEE 754-2019, table 3.5)."""
UTC = frozenset({"UTC", "Etc/UTC", "Z", "+00:00", "GMT", "Etc/GMT"})


class Relation(NamedTuple):
    """How a changed type is to the one before."""

    change: str
    """:data:`LAYOUT`, :data:`WIDER`, :data:`NARROWER` or :data:`OTHER`."""
    why: str

    @property
    def breaking(self) -> bool:
        """Whether one who reads by the old type cannot go on."""
        return self.change in (NARROWER, OTHER)


def widens(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether every value of ``old`` is one of ``new``; true of equal types."""
    return below(logical(old), logical(new))


def relate(old: pa.DataType, new: pa.DataType) -> Relation:
    """How ``new`` is to ``old``, which is another type."""
    was, now = logical(old), logical(new)
    if was == now:
        return Relation(LAYOUT, "the same values, in another layout")
    if below(was, now):
        return Relation(WIDER, "every value of before fits")
    if below(now, was):
        return Relation(NARROWER, "not every value of before fits")
    return Relation(OTHER, _difference(was, now))


def plain(kind: pa.DataType) -> pa.DataType:
    """A type as its values are: that of a dictionary's or of run-end encoded values."""
    while pt.is_dictionary(kind) or pt.is_run_end_encoded(kind):
        kind = kind.value_type
    return kind


def logical(kind: pa.DataType) -> Logical:
    """What values of a type are, whatever their layout: equal for types that hold the same."""
    kind = plain(kind)
    if isinstance(kind, pa.BaseExtensionType):
        return ("extension", kind.extension_name, str(kind), logical(kind.storage_type))
    if pt.is_integer(kind):
        return ("integer", pt.is_signed_integer(kind), kind.bit_width)
    if pt.is_floating(kind):
        return ("float", kind.bit_width)
    if pt.is_decimal(kind):
        return ("decimal", kind.precision - kind.scale, kind.scale)
    if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind):
        return ("text",)
    if pt.is_fixed_size_binary(kind):
        return ("binary", kind.byte_width)
    if pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind):
        return ("binary", None)
    return _time(kind) or _nested(kind) or (("null",) if pt.is_null(kind) else ("type", str(kind)))


def _time(kind: pa.DataType) -> Logical | None:
    if pt.is_date(kind):
        return ("date", kind.bit_width)
    if pt.is_time(kind):
        return ("time", kind.unit)
    if pt.is_duration(kind):
        return ("duration", kind.unit)
    if pt.is_timestamp(kind):
        return ("timestamp", kind.unit, "UTC" if kind.tz in UTC else kind.tz)
    return None


def _nested(kind: pa.DataType) -> Logical | None:
    if pt.is_map(kind):
        return ("map", _field(kind.key_field), _field(kind.item_field))
    if pt.is_fixed_size_list(kind):
        return ("list", kind.list_size, _field(kind.value_field))
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_list_view(kind) or pt.is_large_list_view(kind):
        return ("list", None, _field(kind.value_field))
    if pt.is_struct(kind):
        seen: dict[str, int] = {}
        fields = []
        for field in kind:
            seen[field.name] = times = seen.get(field.name, 0) + 1
            fields.append(((field.name, times), _field(field)))
        return ("struct", tuple(sorted(fields, key=lambda it: it[0])))
    return None


def _field(field: pa.Field) -> Logical:
    return (field.nullable, logical(field.type))


def below(old: Logical, new: Logical) -> bool:
    """Whether every value of a logical type is one of another, unchanged and of the same nature."""
    if old == new or old == ("null",):
        return True
    match old, new:
        case ("integer", False, low), ("integer", True, high):
            return bool(low < high)
        case ("integer", was, low), ("integer", now, high):
            return bool(was == now and low < high)
        case ("integer", signed, low), ("float", high):
            return bool(low - signed <= EXACT_BITS[high])
        case ("integer", signed, low), ("decimal", whole, _):
            return bool(whole >= len(str(1 << (low - signed))))
        case ("float", low), ("float", high):
            return bool(low < high)
        case ("decimal", whole, scale), ("decimal", more, finer):
            return bool(whole <= more and scale <= finer)
        case ("binary", _), ("binary", None):
            return True
        case ("date", low), ("date", high):
            return bool(low < high)
        case ("date", _), ("timestamp", unit, None):
            return bool(unit != BEYOND_YEARS)
        case ("timestamp", coarse, zone), ("timestamp", fine, other):
            return bool(zone == other and fine != BEYOND_YEARS and UNITS.index(coarse) <= UNITS.index(fine))
        case ("time" | "duration" as head, coarse), (other, fine):
            return bool(head == other and UNITS.index(coarse) <= UNITS.index(fine))
        case ("list", size, item), ("list", room, wider):
            return room in (size, None) and _below(item, wider)
        case ("map", key, item), ("map", other, wider):
            return _below(key, other) and _below(item, wider)
        case ("struct", fields), ("struct", others):
            found = dict(others)
            return all(name in found and _below(field, found[name]) for name, field in fields)
    return False


def _below(old: Logical, new: Logical) -> bool:
    """Of fields: what was never null may not become it."""
    return (old[0] or not new[0]) and below(old[1], new[1])


def _difference(old: Logical, new: Logical) -> str:
    """Why neither is below the other."""
    match old, new:
        case ("timestamp", _, was), ("timestamp", _, now) if was != now:
            if was is None or now is None:
                return "times with and without a time zone do not compare"
            return "the same instant has another hour, and day, in another time zone"
        case ("timestamp", coarse, _), ("timestamp", _, _):
            return f"{'the years' if coarse != BEYOND_YEARS else 'the digits'} of before may not fit"
        case ("date", _), ("timestamp", _, None):
            return "the years of before may not fit"
        case (head, *_), (other, *_) if head == other:
            return "some values of before do not fit"
        case ("integer", *_), ("float", _):
            return "large integers are not exact as floats"
    return "values of another kind"
