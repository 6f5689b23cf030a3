"""Fragments as files: the same values back, by every reader, and encodings that pay."""

from __future__ import annotations

import decimal
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.formats.encode import APART, DIFFERENCES, FEWEST_TRIAL_ROWS, encode, number_encodings

ROWS = 4 * FEWEST_TRIAL_ROWS
RANDOM = np.random.default_rng(5)
NUMBERS = RANDOM.integers(0, 10**6, ROWS)
REALS = RANDOM.normal(0, 1, ROWS)


@cache
def every_type() -> pa.Table:
    """A column of each."""
    return pa.table(
        {
            "id": np.arange(ROWS),
            "int8": NUMBERS.astype(np.int8),
            "uint16": NUMBERS.astype(np.uint16),
            "uint64": RANDOM.integers(0, 2**64 - 1, ROWS, np.uint64),
            "few": NUMBERS % 7,
            "half": REALS.astype(np.float16),
            "float": REALS.astype(np.float32),
            "double": REALS,
            "cents": np.round(np.abs(REALS) * 50, 2),
            "rating": np.round(NUMBERS % 10 / 2, 1),
            "some": pa.array(NUMBERS, mask=NUMBERS % 3 == 0),
            "none": pa.nulls(ROWS, pa.float64()),
            "bool": NUMBERS % 2 == 0,
            "date": pa.array((NUMBERS % 5000).astype(np.int32), pa.date32()),
            "time": pa.array(np.sort(NUMBERS) * 1_000_000, pa.timestamp("us", "UTC")),
            "decimal": pa.array([decimal.Decimal(int(n)).scaleb(-2) for n in NUMBERS], pa.decimal128(10, 2)),
            "word": [f"word {n % 20}" for n in NUMBERS],
            "text": [f"text {n}" for n in NUMBERS],
            "binary": pa.array([RANDOM.bytes(5) for _ in range(ROWS)]),
            "fixed": pa.array([RANDOM.bytes(4) for _ in range(ROWS)], pa.binary(4)),
            "list": pa.ListArray.from_arrays(np.arange(0, ROWS + 1, dtype=np.int32), pa.array(NUMBERS)),
            "struct": pa.StructArray.from_arrays(
                [pa.array(NUMBERS), pa.array([f"{n}" for n in NUMBERS])], ["a", "b"]
            ),
        }
    )


def written(table: pa.Table) -> tuple[pa.Buffer, pq.FileMetaData]:
    data = encode(table)
    return data, pq.read_metadata(pa.BufferReader(data))


@pytest.mark.parametrize("rows", [0, 1, FEWEST_TRIAL_ROWS - 1, FEWEST_TRIAL_ROWS, ROWS])
def test_values_come_back(rows: int) -> None:
    """Every type survives, and the bytes do not depend on how the table is cut into chunks."""
    table = every_type().slice(0, rows)
    data = encode(table)
    assert pq.read_table(pa.BufferReader(data)).equals(table)
    cut = pa.concat_tables([table.slice(0, rows // 3), table.slice(rows // 3)])
    assert encode(cut).equals(data)


def test_dictionaries_inside_come_back() -> None:
    """So do dictionaries, alone and inside of other columns, for which there is no other encoding."""
    texts = pa.array([f"{n}" for n in NUMBERS]).dictionary_encode()
    offsets = np.arange(0, ROWS + 1, dtype=np.int32)
    pair = pa.StructArray.from_arrays([texts, pa.array(NUMBERS).dictionary_encode()], ["text", "number"])
    table = pa.table({"dictionary": texts, "list": pa.ListArray.from_arrays(offsets, texts), "pair": pair})
    found = pq.read_table(pa.BufferReader(encode(table)))
    assert found.schema.field("list").type == table.schema.field("list").type
    for name in table.column_names:
        assert found[name].to_pylist() == table[name].to_pylist()


@pytest.mark.parametrize("reader", ["duckdb", "polars"])
def test_others_read_fragments(reader: str, tmp_path: Any) -> None:
    """A fragment is plain Parquet: DuckDB and polars read the values that Arrow reads."""
    module = pytest.importorskip(reader)
    table = every_type().drop_columns(["half", "none"])
    path = tmp_path / "fragment.parquet"
    path.write_bytes(encode(table))
    if reader == "duckdb":
        module.sql("SET TimeZone = 'UTC'")
        found = module.sql(f"SELECT * FROM '{path}'").to_arrow_table()
    else:
        found = module.read_parquet(path).to_arrow()
    for name in table.column_names:
        assert found[name].to_pylist() == table[name].to_pylist(), name


def test_the_smallest_encoding_is_chosen() -> None:
    """Counters by differences, reals by their bytes apart; amounts of money, whose bytes repeat together, stay plain."""
    found = number_encodings(every_type())
    assert {name: found.get(name) for name in ("id", "time", "double", "float", "cents")} == {
        "id": DIFFERENCES,
        "time": DIFFERENCES,
        "double": APART,
        "float": APART,
        "cents": None,
    }
    assert found["list.list.element"] in (APART, DIFFERENCES)
    assert "struct.a" in found
    assert not {"text", "binary", "fixed", "decimal", "half", "struct.b", "bool"} & found.keys()


def test_numbers_that_repeat_have_a_dictionary() -> None:
    """Integers and reals of few values are written by a dictionary."""
    _, meta = written(every_type())
    group = meta.row_group(0)
    coded = {
        group.column(number).path_in_schema
        for number in range(group.num_columns)
        if group.column(number).has_dictionary_page
    }
    assert {"few", "rating", "word"} <= coded
    assert not {"id", "double", "cents", "text"} & coded


def test_a_column_with_a_dot_in_its_name() -> None:
    """Parquet's paths do not tell column ``a.b`` from field b of column a: both are written in a way that fits both."""
    texts, numbers = pa.array([f"{n}" for n in NUMBERS]), pa.array(NUMBERS)
    for first, second in ((texts, numbers), (numbers, texts)):
        inside = pa.StructArray.from_arrays([second], ["b"])
        table = pa.table({"a.b": first, "a": inside, "c.d": np.arange(ROWS)})
        assert number_encodings(table) == {"c.d": DIFFERENCES}
        assert pq.read_table(pa.BufferReader(encode(table))).equals(table)


def test_few_rows_are_not_tried() -> None:
    """A small table is written plain, without the time that trials take."""
    assert number_encodings(every_type().slice(0, FEWEST_TRIAL_ROWS - 1)) == {}
    assert number_encodings(every_type().select(["text"])) == {}
