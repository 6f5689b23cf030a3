"""What columns become in each format, as ``mldata/exports/FORMATS.md`` says it, and back."""

from __future__ import annotations

import csv
import io
import json
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.orc as orc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.exports import EXPORTS, load_export
from mldata.formats import FORMATS
from mldata.formats.base import Options
from mldata.testing import read_table
from tests.exports.columns import ALL, export, fitting, table

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
ORC_TYPES = {
    "uint64": pa.decimal128(20, 0),
    "half": pa.float32(),
    "date64": pa.date32(),
    "time32": pa.string(),
    "time64": pa.string(),
    "seconds": pa.timestamp("ns"),
    "micros": pa.timestamp("ns"),
    "zoned": pa.timestamp("ns", "UTC"),
    "duration": pa.int64(),
    "large_text": pa.string(),
    "category": pa.string(),
    "null": pa.string(),
    "fixed": pa.binary(),
    "fixed_list": pa.list_(pa.float64()),
}
"""Types that come back as others."""
ORC_VALUES = {"time32": ["01:02:03", None, "00:00:00"], "duration": [1, None, -5]}
ORC_VALUES["time64"] = ["01:02:03.000004", None, "00:00:00.000000"]
ROWS = pa.table(
    {
        "n": pa.array([1, None, -3]),
        "x": [0.5, None, 1e300],
        "t": ['a\t"b"', None, "é,\n"],
        "b": [True, None, False],
    }
)


def read_orc(data: bytes) -> pa.Table:
    return orc.ORCFile(pa.BufferReader(data)).read()


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "lz4", "none"])
def test_every_type_in_orc(compression: str) -> None:
    """Each column comes back with its values, as itself or as the type that is documented; the file has the codec that was asked for."""
    columns = fitting("orc")
    assert set(columns) == set(ALL)
    data = export("orc", table(columns), compression=compression)
    file = orc.ORCFile(pa.BufferReader(data))
    assert file.compression == {"none": "UNCOMPRESSED", "gzip": "ZLIB"}.get(compression, compression.upper())
    found = file.read()
    for name, column in columns.items():
        assert found.schema.field(name).type == ORC_TYPES.get(name, column.type), name
        assert found[name].to_pylist() == ORC_VALUES.get(name, column.to_pylist()), name


def test_types_that_orc_lacks_inside_of_others() -> None:
    """What lists, structs and maps hold is mapped as columns are; what has no mapping is refused with them."""
    columns = {
        "bytes": pa.array([[1, 255], None], pa.list_(pa.uint8())),
        "halves": pa.array([{"h": 1.5}, {"h": None}], pa.struct([("h", pa.float16())])),
        "counts": pa.array([[("k", 2**64 - 1)], []], pa.map_(pa.string(), pa.uint64())),
        "times": pa.array([[1], [None]], pa.list_(pa.time32("s"))),
    }
    found = read_orc(export("orc", pa.table(columns))).to_pydict()
    assert found["bytes"] == [[1, 255], None] and found["halves"] == [{"h": 1.5}, {"h": None}]
    assert found["counts"] == [[("k", 2**64 - 1)], []] and found["times"] == [["00:00:01"], [None]]
    refused = [pa.list_(pa.month_day_nano_interval()), pa.list_view(pa.int8()), pa.struct([])]
    refused += [pa.decimal256(60, 2), pa.decimal128(5, -2), pa.run_end_encoded(pa.int32(), pa.int64())]
    assert all(load_export("orc").unfit(kind) for kind in refused)
    assert not load_export("orc").unfit(pa.decimal256(38, 2))


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_that_readers_of_orc_lack_are_errors(unit: str) -> None:
    """The message names the column, rather than writing a time that reads as another one."""
    late = {"s": 1, "ms": 10**3, "us": 10**6}[unit] * 2**34
    with pytest.raises(DataError, match="column 'when' has a time outside of the years 1677 to 2262"):
        export("orc", pa.table({"when": pa.array([0, late], pa.timestamp(unit))}))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.none()
        | st.fixed_dictionaries(
            {
                "texts": st.none() | st.lists(st.none() | TEXT, max_size=3),
                "n": st.none() | st.integers(0, 2**32 - 1),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_nested_values_come_back(values: list[Any]) -> None:
    """ORC, Feather and JSON give back structs of lists with nulls at any level; slices too."""
    kind = pa.struct([("texts", pa.list_(pa.string())), ("n", pa.uint32())])
    for rows in (
        pa.table({"v": pa.array(values, kind)}),
        pa.table({"v": pa.array([None, *values], kind).slice(1)}),
    ):
        assert read_orc(export("orc", rows))["v"].to_pylist() == values
        assert feather.read_table(io.BytesIO(export("feather", rows)))["v"].to_pylist() == values
        assert [row["v"] for row in json.loads(export("json", rows))] == values


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.none() | TEXT | st.sampled_from(["\t", "a\tb", ",", "NA", '"']), TEXT), max_size=6)
)
def test_texts_come_back_from_tsv(rows: list[tuple[str | None, str]]) -> None:
    """Python's reader gives every text back; a null is the empty field; commas need no quotes."""
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in (0, 1)]
    data = export("tsv", pa.table(columns, names=["a,", "b\t"]))
    found = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter="\t"))
    assert found == [["a,", "b\t"], *[[value or "" for value in row] for row in rows]]
    assert data.startswith(b'a,\t"b\t"\n')


def test_json_is_an_object_a_line() -> None:
    """One array; the lines between are those of JSON Lines, with commas; no rows are an empty array."""
    lines = export("jsonl", ROWS).splitlines()
    assert export("json", ROWS) == b"[\n" + b",\n".join(lines) + b"\n]\n"
    assert export("json", ROWS.slice(0, 0)) == b"[]\n"
    assert json.loads(export("json", ROWS)) == ROWS.to_pylist()


def test_other_programs_read_them(tmp_path: Path) -> None:
    """pandas, polars and duckdb read the same rows of JSON, TSV, Feather and ORC, told nothing but the file."""
    paths = {name: tmp_path / f"rows.{name}" for name in ("json", "tsv", "feather", "orc")}
    for name, path in paths.items():
        path.write_bytes(export(name, ROWS))
    expected = ROWS.to_pylist()
    assert polars.read_json(paths["json"]).to_dicts() == expected
    assert polars.read_csv(paths["tsv"], separator="\t").to_dicts() == expected
    assert polars.read_ipc(paths["feather"]).to_dicts() == expected
    for frame in (pandas.read_feather(paths["feather"]), pandas.read_orc(paths["orc"])):
        assert pa.Table.from_pandas(frame, schema=ROWS.schema).to_pylist() == expected
    for call in (f"read_json('{paths['json']}')", f"read_csv('{paths['tsv']}')"):
        assert duckdb.sql(f"select n, x, t, b from {call}").fetchall() == [
            tuple(row.values()) for row in expected
        ]


@pytest.mark.parametrize("name", ["tsv", "json", "feather", "orc"])
def test_a_source_reads_it(name: str, tmp_path: Path) -> None:
    """The normalize stage reads what was written: values, nulls and types."""
    info = FORMATS["arrow" if name == "feather" else name]
    found = read_table(info, tmp_path, {f"rows.{name}": export(name, ROWS)}, Options())
    assert found.schema.equals(ROWS.schema, check_metadata=False) and found.to_pylist() == ROWS.to_pylist()


def test_feather_is_the_arrow_file() -> None:
    """One file under two names."""
    rows = table(fitting("arrow"))
    assert export("feather", rows, compression="lz4") == export("arrow", rows, compression="lz4")


def test_the_documentation_names_every_codec() -> None:
    """Each format that FORMATS.md is about has its row, with every codec and its levels."""
    lines = (resources.files("mldata.exports") / "FORMATS.md").read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    tabular = [name for name in EXPORTS if name.partition(".")[0] in {*FORMATS, "feather"}]
    assert len(tabular) >= 16
    for name in tabular:
        [row] = [row for row in rows if f"`{name}`" in row.split("|")[1]]
        for codec, levels in EXPORTS[name].codecs.items():
            assert (f"`{codec}`" if levels is None else f"`{codec}[:{levels[0]}-{levels[-1]}]`") in row, name
