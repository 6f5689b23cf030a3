"""The order of types, and that values survive what it calls widening."""

from __future__ import annotations

import datetime
import decimal
from importlib import resources
from itertools import product
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from mldata.casting import cast
from mldata.evolution.lattice import LAYOUT, NARROWER, OTHER, WIDER, below, logical, relate, widens
from tests.evolution.types import TYPES

INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
DECIMALS = [pa.decimal128(5, 2), pa.decimal128(9, 2), pa.decimal128(12, 4), pa.decimal128(21, 0)]
DATES = [pa.date32(), pa.date64(), *map(pa.timestamp, ("s", "ms", "us", "ns")), pa.timestamp("us", "UTC")]
TIMES = [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
SPANS = [*map(pa.duration, ("s", "ms", "us", "ns"))]
TEXTS = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(3), pa.binary(4)]
SIMPLE = [pa.null(), pa.bool_(), *INTEGERS, *FLOATS, *DECIMALS, *DATES, *TIMES, *SPANS, *TEXTS]

SCHEMAS = (resources.files("mldata.evolution") / "SCHEMAS.md").read_text("utf-8").splitlines()
YEAR_1, YEAR_9999 = datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)


def extremes(kind: pa.DataType) -> list[Any]:
    """Values at the ends of what a simple type holds, of times the calendar's."""
    if pa.types.is_null(kind):
        return []
    if pa.types.is_boolean(kind):
        return [True, False]
    if pa.types.is_integer(kind):
        signed = pa.types.is_signed_integer(kind)
        bits = kind.bit_width - signed
        return [-(1 << bits) if signed else 0, 1, (1 << bits) - 1]
    if pa.types.is_floating(kind):
        import numpy as np

        most = np.finfo({16: np.float16, 32: np.float32, 64: np.float64}[kind.bit_width])
        return [most.min, most.tiny, most.max, most.eps, float("inf")]
    if pa.types.is_decimal(kind):
        with decimal.localcontext(prec=76):
            most = (decimal.Decimal(10) ** kind.precision - 1).scaleb(-kind.scale)
        return [-most, most]
    if pa.types.is_date(kind):
        return [YEAR_1.date(), YEAR_9999.date()]
    if pa.types.is_timestamp(kind) and kind.unit != "ns":
        zone = datetime.UTC if kind.tz else None
        return [YEAR_1.replace(tzinfo=zone), YEAR_9999.replace(tzinfo=zone)]
    if pa.types.is_timestamp(kind):
        return [-(1 << 63) + 1, (1 << 63) - 1]
    if pa.types.is_time(kind):
        return [datetime.time(0), datetime.time(23, 59, 59)]
    if pa.types.is_duration(kind):
        return [datetime.timedelta(days=-106_000), datetime.timedelta(days=106_000)]
    text = "äöx"[: 3 if not pa.types.is_fixed_size_binary(kind) else 0] or "x" * kind.byte_width
    return [text if pa.types.is_string(kind) or pa.types.is_large_string(kind) else text.encode()]


def test_it_is_a_partial_order_of_simple_types() -> None:
    """Reflexive, antisymmetric and transitive, over every triple of simple types."""
    kinds = list(map(logical, SIMPLE))
    assert all(below(kind, kind) for kind in kinds)
    assert [
        pair for pair in product(kinds, kinds) if pair[0] != pair[1] and below(*pair) and below(*pair[::-1])
    ] == []
    pairs = {(one, two) for one, two in product(kinds, kinds) if below(one, two)}
    assert [(a, b, d) for a, b in pairs for c, d in pairs if b == c and (a, d) not in pairs] == []


@settings(max_examples=80)
@given(TYPES, TYPES, TYPES)
def test_it_is_a_partial_order_of_nested_types(
    one: pa.DataType, two: pa.DataType, three: pa.DataType
) -> None:
    """The same of lists, maps and structs."""
    assert widens(one, one) and widens(pa.null(), one)
    if widens(one, two) and widens(two, one):
        assert logical(one) == logical(two)
    if widens(one, two) and widens(two, three):
        assert widens(one, three)


@pytest.mark.parametrize("old", SIMPLE, ids=str)
def test_values_survive_widening(old: pa.DataType) -> None:
    """Whatever type is wider than another: the extremes of that, cast to it and back, are the same."""
    values = pa.array(extremes(old), old) if extremes(old) else pa.nulls(2, old)
    wider = [new for new in SIMPLE if widens(old, new)]
    assert old in wider
    for new in wider:
        there = cast(values, new)
        back = pa.nulls(len(there), old) if pa.types.is_null(old) else cast(there, old)
        assert back.equals(values), f"{old} -> {new}: {there}"


@pytest.mark.parametrize("old", SIMPLE, ids=str)
def test_values_of_lists_and_structs_survive(old: pa.DataType) -> None:
    """The same inside lists and structs, where a new field is null."""
    values = pa.array(extremes(old), old) if extremes(old) else pa.nulls(2, old)
    rows = pa.StructArray.from_arrays([values], fields=[pa.field("a", old)])
    lists = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    for new in (new for new in SIMPLE if widens(old, new)):
        wider = pa.struct([pa.field("b", pa.string()), pa.field("a", new)])
        assert widens(rows.type, wider) and not widens(wider, rows.type)
        got = cast(rows.filter(rows.is_valid()), wider)
        assert got.field("a").equals(cast(values, new)) and got.field("b").null_count == len(got)
        assert widens(lists.type, pa.list_(new))
        assert cast(lists, pa.list_(new)).values.equals(cast(values, new))


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (pa.int32(), pa.int64(), WIDER),
        (pa.int64(), pa.int32(), NARROWER),
        (pa.uint8(), pa.int16(), WIDER),
        (pa.int8(), pa.uint64(), OTHER),
        (pa.int32(), pa.float64(), WIDER),
        (pa.int64(), pa.float64(), OTHER),
        (pa.float32(), pa.float64(), WIDER),
        (pa.float64(), pa.float32(), NARROWER),
        (pa.int64(), pa.decimal128(19, 0), WIDER),
        (pa.decimal128(9, 2), pa.decimal256(12, 4), WIDER),
        (pa.decimal128(9, 2), pa.decimal128(9, 3), OTHER),
        (pa.decimal128(9, 2), pa.float64(), OTHER),
        (pa.string(), pa.large_string(), LAYOUT),
        (pa.large_string(), pa.string(), LAYOUT),
        (pa.dictionary(pa.int8(), pa.string()), pa.string(), LAYOUT),
        (pa.dictionary(pa.int8(), pa.int32()), pa.int64(), WIDER),
        (pa.run_end_encoded(pa.int32(), pa.string()), pa.string(), LAYOUT),
        (pa.string(), pa.binary(), OTHER),
        (pa.binary(16), pa.binary(), WIDER),
        (pa.bool_(), pa.int8(), OTHER),
        (pa.int64(), pa.string(), OTHER),
        (pa.date32(), pa.timestamp("us"), WIDER),
        (pa.date32(), pa.timestamp("ns"), OTHER),
        (pa.date32(), pa.timestamp("us", "UTC"), OTHER),
        (pa.timestamp("s"), pa.timestamp("us"), WIDER),
        (pa.timestamp("us"), pa.timestamp("ns"), OTHER),
        (pa.timestamp("us"), pa.timestamp("us", "UTC"), OTHER),
        (pa.timestamp("us", "UTC"), pa.timestamp("us", "+00:00"), LAYOUT),
        (pa.timestamp("us", "UTC"), pa.timestamp("us", "Europe/Paris"), OTHER),
        (pa.list_(pa.int8(), 2), pa.list_(pa.int8()), WIDER),
        (pa.list_(pa.int8()), pa.large_list(pa.int8()), LAYOUT),
        (pa.struct({"a": pa.int8()}), pa.struct({"b": pa.string(), "a": pa.int16()}), WIDER),
        (pa.struct({"a": pa.int8()}), pa.struct({"b": pa.string()}), OTHER),
        (pa.null(), pa.string(), WIDER),
        (pa.string(), pa.null(), NARROWER),
    ],
    ids=str,
)
def test_known_changes(old: pa.DataType, new: pa.DataType, change: str) -> None:
    """The rows of the table in SCHEMAS.md, which says the same of them."""
    breaking = "yes" if change in (NARROWER, OTHER) else "no"
    assert f"| `{old}` | `{new}` | {change} | {breaking} |" in SCHEMAS
    relation = relate(old, new)
    assert relation.change == change
    assert relation.breaking is (change in (NARROWER, OTHER))
    assert relation.why
