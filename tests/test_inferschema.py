"""A schema is inferred that is valid, says what the data holds, and that the same data passes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.checks import CHECKS, base
from mldata.inferschema import infer_schema, schema_text
from mldata.spec import parse_spec
from mldata.testing.checks import check_pieces
from store import Store
from tests.exports.columns import ALL
from tests.stages.jobs import put_table


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


def parsed(schema: Any) -> dict[str, Any]:
    """Parameters of the check ``schema`` that the text of a schema is read as."""
    text = f"version: 1\ndatasets:\n  d:\n    source: x\n{indent(schema_text(schema), '    ')}"
    found: dict[str, Any] = parse_spec(text, "f").to_plain()["datasets"]["d"]["validate"]["schema"]
    return found


def inferred(store: Store, *pieces: pa.Table) -> dict[str, Any]:
    """Settings by column, which the table passes."""
    schema = infer_schema(store, put_table(store, pieces))
    found = check_pieces(CHECKS["schema"], parsed(schema), list(pieces))
    assert isinstance(found, str) or not found, found
    columns: dict[str, Any] = schema["columns"]
    return columns


def test_what_is_declared(store: Store) -> None:
    """Types, what may be missing, ranges, few values and ids are declared, and nothing of what says too little."""
    day = datetime.date(2024, 1, 31)
    table = pa.table(
        {
            "id": range(100, 140),
            "n": [*range(-5, 34), None],
            "x": [n / 4 for n in range(40)],
            "word": ["a", "NO"] * 20,
            "name": [f"n{n}" for n in range(40)],
            "when": [day + datetime.timedelta(n) for n in range(40)],
            "at": pa.array(range(40), pa.timestamp("s", "Europe/Berlin")),
            "price": [Decimal("0.10") * n for n in range(40)],
            "flag": [True, False] * 20,
            "list": [[1]] * 40,
            "none": pa.nulls(40),
        }
    )
    assert inferred(store, table.slice(0, 7), table.slice(7)) == {
        "id": {"type": "int64", "nullable": False, "unique": True},
        "n": {"type": "int64", "min": -5, "max": 33},
        "x": {"type": "float64", "nullable": False, "min": 0.0, "max": 9.75},
        "word": {"type": "string", "nullable": False, "allowed": ["NO", "a"]},
        "name": {"type": "string", "nullable": False},
        "when": {"type": "date32", "nullable": False, "min": "2024-01-31", "max": "2024-03-10"},
        "at": {
            "type": "timestamp[s, tz=Europe/Berlin]",
            "nullable": False,
            "min": "1970-01-01T00:00:00+00:00",
            "max": "1970-01-01T00:00:39+00:00",
        },
        "price": {"type": "decimal128(3, 2)", "nullable": False, "min": 0.0, "max": 3.9},
        "flag": {"type": "bool", "nullable": False},
        "list": {"nullable": False},
        "none": {},
    }


def test_an_id_that_repeats(store: Store) -> None:
    """A column that is called as an id is, and is none, is declared as any other."""
    found = inferred(store, pa.table({"id": [1, 2, 1], "uuid": ["a", None, "b"]}))
    assert found == {
        "id": {"type": "int64", "nullable": False, "min": 1, "max": 2},
        "uuid": {"type": "string"},
    }


@pytest.mark.parametrize(
    "values",
    [
        pa.array([float("nan"), 1.0]), pa.array([float("inf"), 1.0]), pa.array([2**64 - 1, 2**63], pa.uint64()), pa.array([1e300, -1e300]),
        pa.array([2**62], pa.timestamp("us")), pa.array([-(2**31)], pa.date32()), pa.array([1, 2], pa.time32("s")), pa.array([1, 2], pa.duration("s")),
    ],
)  # fmt: skip
def test_what_has_no_range(store: Store, values: pa.Array) -> None:
    """Numbers that are none, and bounds that a spec cannot say, are left out; the rest of the column is declared."""
    found = inferred(store, pa.table({"c": values}))["c"]
    assert found["nullable"] is False and not {"min", "max"} & found.keys()


def test_bounds_that_lie_between(store: Store) -> None:
    """A bound that can be written only nearly is on the far side of the value: decimals of many digits, nanoseconds."""
    long = Decimal("0.12345678901234567890123456789")
    nanos = pa.array([1, 1_700_000_000_123_456_789], pa.timestamp("ns"))
    found = inferred(store, pa.table({"d": [long, -long], "t": nanos}))
    assert Decimal(repr(found["d"]["max"])) >= long and found["t"]["max"].endswith("20.123457")


def test_the_ends_of_time(store: Store) -> None:
    """A bound that the column's own range has no room for is left out, and the other one is not."""
    ends = pa.array([0, 2**63 - 1, -(2**63) + 1], pa.timestamp("ns", "UTC"))
    assert "max" not in inferred(store, pa.table({"t": ends}))["t"]
    late = inferred(store, pa.table({"t": ends.slice(0, 2)}))["t"]
    assert late["min"] == "1970-01-01T00:00:00+00:00" and "max" not in late


def test_every_type(store: Store) -> None:
    """A column of any type that a table can have is declared as far as it can be."""
    assert inferred(store, pa.table(ALL)).keys() == ALL.keys()


def test_tables_without_rows_or_columns(store: Store) -> None:
    """Of no rows there are types alone, of no columns nothing."""
    assert inferred(store, pa.table({"a": pa.array([], pa.int8()), "b": pa.array([], pa.string())})) == {
        "a": {"type": "int8"},
        "b": {"type": "string"},
    }
    empty = infer_schema(store, put_table(store, [pa.table({"a": [1]}).select([])]))
    assert empty == {"columns": {}} and parsed(empty)["columns"] == {}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
COLUMNS = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=12).map(
        lambda it: pa.array(it, pa.int64())
    ),
    st.lists(st.one_of(st.none(), st.floats()), max_size=12).map(lambda it: pa.array(it, pa.float64())),
    st.lists(st.floats(width=32), max_size=12).map(lambda it: pa.array(np.array(it, np.float32))),
    st.lists(
        st.one_of(
            st.none(), st.sampled_from(["a", "NO", "~", "null", "0o17", "1.0", " x", "", "é\x85\n"]), TEXT
        ),
        max_size=12,
    ).map(lambda it: pa.array(it * 20, pa.string())),
    st.lists(st.datetimes(), max_size=12).map(lambda it: pa.array(it, pa.timestamp("us"))),
    st.lists(st.one_of(st.none(), st.dates()), max_size=12).map(lambda it: pa.array(it, pa.date32())),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12).map(
        lambda it: pa.array(it, pa.timestamp("ns", "UTC"))
    ),
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**12), max_value=10**12),
        max_size=12,
    ).map(lambda it: pa.array(it, pa.decimal128(38, 18))),
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    column=COLUMNS,
    name=st.one_of(st.sampled_from(["id", "Path", "", "a: b", "#", "<<", "null", "-"]), TEXT),
    block=st.sampled_from([3, 1000]),
)
def test_the_same_data_passes(store: Store, column: pa.Array, name: str, block: int) -> None:
    """Whatever the values and the column's name: the text is a valid section, and the table it came from passes it, however rows are cut."""
    table = pa.table({name: column})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "BLOCK_ROWS", block)
        cut = inferred(store, table.slice(0, 5), table.slice(5))
    assert cut == inferred(store, table)
