"""One schema over many files, without loss: the join of column types.

``join`` is associative and commutative up to the column order and the name of the file it remembers. ``null`` is below
everything. Columns of text formats that do not unify become strings, exactly as written; columns of typed formats widen where every
value survives, and are an error otherwise. Column order: that of the first file, then new columns as they appear.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt

from mldata.errors import DataError, brief, shown
from mldata.yamlkey import types_setting

if TYPE_CHECKING:
    from mldata.formats.base import Piece

EXACT_INT_BITS = {16: 11, 32: 24, 64: 53}
"""Bits of integer that a float of so many bits holds exactly."""

_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}
"""Decimal digits of the largest integer of so many bits."""


@dataclass(frozen=True)
class Column:
    """What is known of a column: the join of all values seen."""

    type: pa.DataType
    source: str
    """A file that has this type, for messages."""
    text: bool = False
    """Every value seen came from text."""
    wide: bool = False
    """Integers beyond ±2**53."""
    spelling: str = ""
    nullable: bool = True


class Conflict(Exception):
    """Two types of which neither holds the other's values."""


def unify(pieces: Iterable[tuple[str, bool, Piece]]) -> pa.Schema:
    """The schema of a table made of ``pieces`` (each with its file and whether its format is text).

    Raises ``DataError`` naming two files and their types.
    """
    table: dict[str, Column] = {}
    seen: set[tuple[object, ...]] = set()
    count: dict[str, int] = {}
    total = 0
    # Thousands of pieces share a few schemas, as objects even: to hash one takes longer than all else.
    schemas: dict[int, pa.Schema] = {}
    times: dict[int, int] = {}
    known: set[tuple[object, ...]] = set()
    for source, text, piece in pieces:
        total += 1
        spelling = tuple(sorted(piece.spelling.items()))
        number = id(
            schemas.setdefault(id(piece.schema), piece.schema)
        )  # held, so that no other gets its number
        times[number] = times.get(number, 0) + 1
        quick = (text, number, piece.wide, spelling)
        if quick in known:
            continue
        known.add(quick)
        key = (text, piece.schema, piece.wide, spelling)
        if key in seen:
            continue
        seen.add(key)
        for field in piece.schema:
            name = field.name
            column = Column(
                field.type, source, text, name in piece.wide, piece.spelling.get(name, ""), field.nullable
            )
            try:
                table[name] = join(table[name], column) if name in table else column
            except Conflict:
                raise ColumnConflict(name, table[name], column) from None
    for number, schema in schemas.items():
        for name in schema.names:
            count[name] = count.get(name, 0) + times[number]
    for name, column in table.items():
        if _hollow(column.type):
            raise _no_fields(name, column)
    return pa.schema(
        [
            pa.field(name, column.type, column.nullable or count[name] < total)
            for name, column in table.items()
        ]
    )


def join(a: Column, b: Column) -> Column:
    """The narrowest column that holds the values of both. Raises :class:`Conflict`."""
    text, nullable = a.text and b.text, a.nullable or b.nullable
    wide = any(column.wide and _may_be_wide(column.type) for column in (a, b))
    if pt.is_null(a.type) or pt.is_null(b.type):
        known, other = (b, a) if pt.is_null(a.type) else (a, b)
        return replace(
            known, text=known.text and (other.text or not pt.is_null(known.type)), nullable=nullable
        )
    kind = _kind(a, b, wide)
    if kind is None and text:
        kind = pa.string()
    if kind is None:
        for x, y in ((a, b), (b, a)):
            if x.text and (pt.is_string(y.type) or pt.is_large_string(y.type)):
                kind = y.type
    if kind is None:
        raise Conflict
    source = a.source if a.type == kind or b.type != kind else b.source
    return Column(kind, source, text, wide and _may_be_wide(kind), a.spelling or b.spelling, nullable)


def _may_be_wide(kind: pa.DataType) -> bool:
    """Whether the type may have integers that no float holds; of any other the mark ``wide`` says nothing."""
    return bool(pt.is_int64(kind) or pt.is_uint64(kind) or pt.is_nested(kind))


def _kind(a: Column, b: Column, wide: bool) -> pa.DataType | None:
    """The joined type, or None if values would be lost."""
    if a.type == b.type:
        differ = a.spelling and b.spelling and a.spelling != b.spelling
        return None if differ else a.type
    return join_types(_beside(a, b), _beside(b, a), wide=wide)


def _beside(a: Column, b: Column) -> pa.DataType:
    """The type of ``a`` when it meets ``b``: unsigned 64-bit values that are known to be small are signed ones as well."""
    small = pt.is_uint64(a.type) and not a.wide
    return pa.int64() if small and (pt.is_signed_integer(b.type) or pt.is_decimal(b.type)) else a.type


def join_types(a: pa.DataType, b: pa.DataType, *, wide: bool = True) -> pa.DataType | None:
    """The narrowest type that holds all values of both, or None. ``wide``: 64-bit integers may be beyond ±2**53."""
    if a == b or pt.is_null(b):
        return a
    if pt.is_null(a):
        return b
    for x, y in ((a, b), (b, a)):
        if pt.is_dictionary(x):
            return join_types(x.value_type, y.value_type if pt.is_dictionary(y) else y, wide=wide)
    for rule in (_numbers, _times, _decimals, _binary, _nested):
        if (kind := rule(a, b, wide)) is not None:
            return kind
    return None


def _numbers(a: pa.DataType, b: pa.DataType, wide: bool) -> pa.DataType | None:
    ints = [t for t in (a, b) if pt.is_integer(t)]
    floats = [t for t in (a, b) if pt.is_floating(t)]
    if len(floats) == 2:
        return max(floats, key=lambda t: t.bit_width)
    if len(ints) == 2:
        if pt.is_signed_integer(a) == pt.is_signed_integer(b):
            return max(ints, key=lambda t: t.bit_width)
        unsigned = next(t for t in ints if pt.is_unsigned_integer(t))
        signed = next(t for t in ints if pt.is_signed_integer(t))
        bits = max(signed.bit_width, 2 * unsigned.bit_width)
        return {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}.get(bits)
    if len(ints) == 1 and len(floats) == 1:
        bits = ints[0].bit_width if ints[0].bit_width < 64 else 64 if wide else 53
        return next(
            (
                t
                for t in (pa.float32(), pa.float64())
                if t.bit_width >= floats[0].bit_width and EXACT_INT_BITS[t.bit_width] >= bits
            ),
            None,
        )
    return None


def _times(a: pa.DataType, b: pa.DataType, wide: bool) -> pa.DataType | None:
    units = ["s", "ms", "us", "ns"]
    if pt.is_timestamp(a) and pt.is_timestamp(b) and (a.tz is None) == (b.tz is None):
        zone = a.tz if a.tz == b.tz else "UTC"
        return pa.timestamp(max(a.unit, b.unit, key=units.index), zone)
    if pt.is_duration(a) and pt.is_duration(b):
        return pa.duration(max(a.unit, b.unit, key=units.index))
    for x, y in ((a, b), (b, a)):
        if pt.is_date32(x) and pt.is_timestamp(y) and y.tz is None:
            return y
        if pt.is_date32(x) and pt.is_date64(y):
            return y
    return None


def _decimals(a: pa.DataType, b: pa.DataType, wide: bool) -> pa.DataType | None:
    if pt.is_decimal(a) or pt.is_decimal(b):
        a, b = _as_decimal(a), _as_decimal(b)
    if not (pt.is_decimal(a) and pt.is_decimal(b)):
        return None
    scale = max(a.scale, b.scale)
    precision = scale + max(a.precision - a.scale, b.precision - b.scale)
    if precision > 76:
        return None
    large = precision > 38 or pt.is_decimal256(a) or pt.is_decimal256(b)
    return pa.decimal256(precision, scale) if large else pa.decimal128(precision, scale)


def _as_decimal(kind: pa.DataType) -> pa.DataType:
    """The decimal that holds every value of an integer type; other types as they are.

    Wide unsigned ones clash with signed ones, so they must with decimals: else the order of files would tell.
    """
    return (
        kind if not pt.is_integer(kind) or pt.is_uint64(kind) else pa.decimal128(_DIGITS[kind.bit_width], 0)
    )


def _binary(a: pa.DataType, b: pa.DataType, wide: bool) -> pa.DataType | None:
    both = {a, b}
    if both <= {pa.string(), pa.large_string(), pa.string_view()}:
        return pa.large_string() if pa.large_string() in both else pa.string()
    if both <= {pa.binary(), pa.large_binary(), pa.binary_view()} or all(
        pt.is_fixed_size_binary(t) or t in (pa.binary(), pa.large_binary()) for t in both
    ):
        return pa.large_binary() if pa.large_binary() in both else pa.binary()
    return None


def _nested(a: pa.DataType, b: pa.DataType, wide: bool) -> pa.DataType | None:
    # A column counts as wide when any integer inside it is.
    if pt.is_struct(a) and pt.is_struct(b):
        fields = {a.field(i).name: a.field(i).type for i in range(a.num_fields)}
        for i in range(b.num_fields):
            name, kind = b.field(i).name, b.field(i).type
            joined = join_types(fields[name], kind, wide=wide) if name in fields else kind
            if joined is None:
                return None
            fields[name] = joined
        return pa.struct(list(fields.items()))
    for is_list, make in ((pt.is_list, pa.list_), (pt.is_large_list, pa.large_list)):
        if (
            (pt.is_list(a) or pt.is_large_list(a))
            and (is_list(a) or is_list(b))
            and (pt.is_list(b) or pt.is_large_list(b))
        ):
            if pt.is_large_list(a) != pt.is_large_list(b) and make is pa.list_:
                continue
            inner = join_types(a.value_type, b.value_type, wide=wide)
            return None if inner is None else make(inner)
    return None


def _hollow(kind: pa.DataType) -> bool:
    """Whether the type has a struct without fields in it."""
    if pt.is_struct(kind):
        return not kind.num_fields or any(_hollow(kind.field(i).type) for i in range(kind.num_fields))
    return bool((pt.is_list(kind) or pt.is_large_list(kind)) and _hollow(kind.value_type))


def _no_fields(name: str, column: Column) -> DataError:
    return DataError(
        f"column {shown(name)} has objects without any key ({brief(str(column.type))}), for which tables have no type",
        where=column.source,
        hint=f"keep them as text with `{types_setting(brief(name), 'string')}` in mldata.yaml, or drop the column",
    )


class ColumnConflict(DataError):
    """Two files (or pieces of one) have types of a column that nothing joins."""

    def __init__(self, name: str, a: Column, b: Column) -> None:
        super().__init__(
            f"column {shown(name)} is {brief(str(a.type))} in {a.source} and {brief(str(b.type))} in {b.source}, and no type holds both without loss",
            hint=f"set its type under `{types_setting(brief(name), 'string')}` in mldata.yaml (or another type that fits)",
        )
        self.column, self.sides = name, (a, b)


def same(a: pa.Schema, b: pa.Schema) -> bool:
    """Equal names, types and nullability in the same order; metadata does not matter."""
    return bool(a.equals(b, check_metadata=False))
