"""ORC: the types that it has survive, stripes are read one at a time, what is not one whole file is refused."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from mldata.errors import DataError
from tests.formats.reading import fragments, read, read_all

RICH = pa.table(
    {
        "small": pa.array([-128, None], pa.int8()),
        "nested": pa.array([{"x": [1, None], "y": "a"}, None]),
        "decimal": pa.array([Decimal("1.25"), None], pa.decimal128(38, 2)),
        "zoned": pa.array([dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("ns", "UTC")),
        "moment": pa.array([dt.datetime(1969, 12, 31, 23, 59, 58, 500), None], pa.timestamp("ns")),
        "day": pa.array([dt.date(1, 1, 1), None]),
        "binary": pa.array([b"\0\xff", None]),
        "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        "flag": pa.array([None, False]),
    }
)


def write(table: pa.Table, **how: object) -> bytes:
    sink = io.BytesIO()
    orc.write_table(table, sink, **how)
    return sink.getvalue()


@pytest.mark.parametrize("compression", ["uncompressed", "zstd", "snappy", "zlib", "lz4"])
def test_types_survive(compression: str, tmp_path: Path) -> None:
    """Every type of ORC comes in as it is, under any compression."""
    table = read(tmp_path, write(RICH, compression=compression), "orc")
    assert table.schema.equals(RICH.schema, check_metadata=False)
    assert table.to_pylist() == RICH.to_pylist()


def test_types_that_orc_turns_into_others(tmp_path: Path) -> None:
    """Units, zones and sizes that ORC does not have are gone in the file already, their values are not."""
    table = pa.table(
        {
            "ms": pa.array([1], pa.timestamp("ms", "Europe/Berlin")),
            "fixed": pa.array([b"ab"], pa.binary(2)),
            "pair": pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
            "large": pa.array(["x"], pa.large_string()),
        }
    )
    found = read(tmp_path, write(table), "orc")
    assert found.schema.types == [pa.timestamp("ns", "UTC"), pa.binary(), pa.list_(pa.int8()), pa.string()]
    assert found["ms"].cast(table["ms"].type).equals(table["ms"])
    assert found.drop(["ms"]).to_pylist() == table.drop(["ms"]).to_pylist()


def test_stripes_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their order over stripes, which become row groups of bounded size; a bad value is named by its row in the file."""
    monkeypatch.setattr("mldata.formats.typed.ROW_GROUP_BYTES", 1 << 16)
    table = pa.table({"a": range(40_000), "b": [str(i**3) for i in range(40_000)]})
    data = write(table, stripe_size=1 << 16, batch_size=4096)
    assert orc.ORCFile(io.BytesIO(data)).nstripes > 2
    [made] = fragments(tmp_path, {"1": data}, "orc")
    assert pq.ParquetFile(pa.BufferReader(made)).num_row_groups > 2
    assert pq.read_table(pa.BufferReader(made)).equals(table)
    with pytest.raises(DataError, match="column 'a', row 32,769: expected int16, found 32768"):
        read(tmp_path, data, "orc", types={"a": "int16"})


def test_files_join(tmp_path: Path) -> None:
    """Two files whose types differ become one table under the wider type."""
    one, two = write(pa.table({"a": pa.array([1], pa.int8())})), write(pa.table({"a": [300], "b": ["x"]}))
    table = read_all(tmp_path, {"1": one, "2": two}, "orc")
    assert table.to_pydict() == {"a": [1, 300], "b": [None, "x"]}


def test_what_is_not_one_whole_file(tmp_path: Path) -> None:
    """Two files in one, and bytes before, inside or behind a file, are refused with the file's name."""
    data = write(pa.table({"a": range(1000)}))
    with pytest.raises(DataError, match=r"data\.orc: expected a sound ORC file.*two in one"):
        read(tmp_path, data + data, "orc")
    for bad in (b"\n" + data, data + b"\n", data[:50] + bytes(100) + data[60:]):
        with pytest.raises(DataError, match=r"data\.orc: expected a sound ORC file"):
            read(tmp_path, bad, "orc")


@pytest.mark.parametrize("year", [1, 9999])
def test_times_beyond_nanoseconds(year: int, tmp_path: Path) -> None:
    """A timestamp that nanoseconds cannot hold is an error, never another time."""
    data = write(pa.table({"a": pa.array([dt.datetime(year, 1, 1)], pa.timestamp("s"))}))
    with pytest.raises(DataError, match=r"data\.orc: .*stripe 1: .*out of range for nanosecond"):
        read(tmp_path, data, "orc")
