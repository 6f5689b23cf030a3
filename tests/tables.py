"""Hypothesis strategies for Arrow tables: any type, nested in any way, with nulls, in chunks and slices.

``tables()`` for anything that Arrow can hold and a fragment can; the arguments leave types out, for formats that have fewer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as pt
from hypothesis import strategies as st

__all__ = ["LEAVES", "columns", "tables", "types", "values"]

UNITS = ("s", "ms", "us", "ns")
ZONES = (None, "UTC", "Europe/Berlin", "Asia/Kolkata", "-03:30")
DAY_LIMIT = 10**6
"""Days from 1970 that Python's dates hold in both directions, so that a failing example can be shown."""

LEAVES: dict[str, st.SearchStrategy[pa.DataType]] = {
    "null": st.just(pa.null()),
    "bool": st.just(pa.bool_()),
    "int": st.sampled_from((pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    "uint": st.sampled_from((pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())),
    "half": st.just(pa.float16()),
    "float": st.just(pa.float32()),
    "double": st.just(pa.float64()),
    "decimal128": st.integers(1, 38).flatmap(
        lambda p: st.builds(pa.decimal128, st.just(p), st.integers(0, p))
    ),
    "decimal256": st.integers(39, 76).flatmap(
        lambda p: st.builds(pa.decimal256, st.just(p), st.integers(0, p))
    ),
    "date": st.just(pa.date32()),
    "date64": st.just(pa.date64()),
    "time": st.sampled_from((pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))),
    "timestamp": st.builds(pa.timestamp, st.sampled_from(UNITS), st.sampled_from(ZONES)),
    "duration": st.builds(pa.duration, st.sampled_from(UNITS)),
    "string": st.just(pa.string()),
    "large_string": st.just(pa.large_string()),
    "binary": st.just(pa.binary()),
    "large_binary": st.just(pa.large_binary()),
    "fixed_binary": st.builds(pa.binary, st.integers(1, 5)),
    "dictionary": st.builds(pa.dictionary, st.sampled_from((pa.int8(), pa.int32())), st.just(pa.string())),
}
"""Types that hold no others, by kind."""
NESTS = ("list", "large_list", "fixed_list", "struct", "map")


def types(
    kinds: Collection[str], nests: Collection[str] = NESTS, depth: int = 2
) -> st.SearchStrategy[pa.DataType]:
    """Types out of ``kinds`` (keys of :data:`LEAVES`), in up to ``depth`` of ``nests``."""
    leaf = st.one_of([LEAVES[kind] for kind in LEAVES if kind in kinds])
    if not depth or not nests:
        return leaf
    inner = types(kinds, nests, depth - 1)
    known = {
        "list": st.builds(pa.list_, inner),
        "large_list": st.builds(pa.large_list, inner),
        "fixed_list": st.builds(pa.list_, inner, st.integers(1, 3)),
        "struct": st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3).map(
            lambda d: pa.struct(list(d.items()))
        ),
        "map": st.builds(pa.map_, st.sampled_from((pa.string(), pa.int32())), inner),
    }
    return st.one_of(leaf, *(known[nest] for nest in nests))


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


def values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Values of a type, None among them, as ``pa.array`` takes them."""
    return st.none() | _present(kind)


def _present(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pt.is_null(kind):
        return st.none()
    if pt.is_boolean(kind):
        return st.booleans()
    if pt.is_integer(kind):
        low = 0 if pt.is_unsigned_integer(kind) else -(2 ** (kind.bit_width - 1))
        return st.integers(low, low + 2**kind.bit_width - 1)
    if pt.is_floating(kind):
        return st.floats(width=kind.bit_width, allow_nan=False)
    if pt.is_decimal(kind):
        return st.integers(-(10**kind.precision) + 1, 10**kind.precision - 1).map(
            lambda n: Decimal(n).scaleb(-kind.scale, Context(prec=76))
        )
    if pt.is_date(kind):
        return st.integers(-DAY_LIMIT // 2, DAY_LIMIT).map(
            lambda n: dt.date(1970, 1, 1) + dt.timedelta(n) if n > -700_000 else None
        )
    if pt.is_time(kind):
        return st.integers(0, 86_400 * 10 ** (3 * UNITS.index(kind.unit)) - 1)
    if pt.is_timestamp(kind) or pt.is_duration(kind):
        most = 2**63 - 1 if kind.unit == "ns" else 2**53
        return st.integers(
            -min(most, 6 * 10**10 * 1000 ** UNITS.index(kind.unit)),
            min(most, 2 * 10**11 * 1000 ** UNITS.index(kind.unit)),
        )
    if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_dictionary(kind):
        return TEXT
    if pt.is_fixed_size_binary(kind):
        return st.binary(min_size=kind.byte_width, max_size=kind.byte_width)
    if pt.is_binary(kind) or pt.is_large_binary(kind):
        return st.binary(max_size=8)
    if pt.is_struct(kind):
        return st.fixed_dictionaries(
            {kind.field(i).name: values(kind.field(i).type) for i in range(kind.num_fields)}
        )
    if pt.is_map(kind):
        return st.lists(
            st.tuples(_present(kind.key_type), values(kind.item_type)),
            max_size=3,
            unique_by=lambda pair: pair[0],
        )
    if pt.is_fixed_size_list(kind):
        return st.lists(values(kind.value_type), min_size=kind.list_size, max_size=kind.list_size)
    return st.lists(values(kind.value_type), max_size=3)


@st.composite
def columns(draw: st.DrawFn, kind: pa.DataType, rows: int) -> pa.ChunkedArray:
    """A column of a type: in one chunk or two, a slice of something longer or not."""
    given = draw(st.lists(values(kind), min_size=rows, max_size=rows))
    before = draw(st.integers(0, 2))
    filled = pa.array([*draw(st.lists(values(kind), min_size=before, max_size=before)), *given], kind)
    column = filled.slice(before)
    cut = draw(st.integers(0, rows))
    return pa.chunked_array([column.slice(0, cut), column.slice(cut)] if cut % 2 else [column], kind)


@st.composite
def tables(
    draw: st.DrawFn,
    leave_out: Collection[str] = (),
    nests: Collection[str] = NESTS,
    min_rows: int = 0,
    max_rows: int = 5,
) -> pa.Table:
    """A table of one to four columns.

    Args:
        leave_out: kinds of :data:`LEAVES` that are in no column.
        nests: what types may be inside of.
    """
    kinds = [kind for kind in LEAVES if kind not in leave_out]
    chosen = draw(st.lists(types(kinds, nests), min_size=1, max_size=4))
    rows = draw(st.integers(min_rows, max_rows))
    names = draw(st.permutations(["a", "b.c", "Ü x", "d"]))[: len(chosen)]
    return pa.table({name: draw(columns(kind, rows)) for name, kind in zip(names, chosen, strict=True)})
