"""What every export format promises."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from mldata.exports import EXPORTS, load_export
from mldata.exports.footer import Footer
from tests.exports.columns import ALL, BYTES, NESTED, export, fitting, table

PLAIN = [name for name, info in EXPORTS.items() if info.wrapped is None]
"""Those whose files are not another format's, compressed: see test_packed.py for these."""
RECORDS = ("tfrecord", "webdataset", "huggingface")
TIMES = dict.fromkeys(PLAIN, 23_000) | {"tfrecord": 500, "webdataset": 500, "huggingface": 4000}
"""How often three rows come for more than is written at a time."""
TIMES |= {"csv": 11_000, "tsv": 11_000, "jsonl": 7000, "json": 7000}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", PLAIN)
def test_a_file_does_not_depend_on_batches(name: str) -> None:
    """The same rows in batches of any size are the same bytes, also when they are many; so it is with threads."""
    few = table(fitting(name))
    assert export(name, few) == export(name, few, rows=1) == export(name, few, rows=2)
    times = TIMES[name]
    many = table(fitting(name), times)
    whole = export(name, many, rows=1 << 30)
    assert whole == export(name, many, rows=times // 3) == export(name, many, rows=3 * times - 1, threads=3)


def test_many_distinct_values_in_tiny_batches_are_the_same_parquet_file() -> None:
    """A dictionary that grows too large is given up after the same row, however few rows came at a time."""
    numbers = range(200_000)
    rows = pa.table(
        {"n": [n * 2654435761 for n in numbers], "t": [f"{n * 7919 % 150_000:x}" for n in numbers]}
    )
    assert export("parquet", rows) == export("parquet", rows, rows=80) == export("parquet", rows, rows=5000)


def test_columns_of_distinct_values_have_no_dictionary() -> None:
    """Each row group decides by its own first rows; parts of nested columns and few rows always have one."""
    count = 1 << 17
    rows = pa.table(
        {
            "id": pa.array([n * 2654435761 for n in range(count)] + [7] * 1000),
            "name": pa.array([f"{n:x}" for n in range(count + 1000)]),
            "class": pa.array([f"{n % 10}" for n in range(count + 1000)]),
            "empty": pa.nulls(count + 1000, pa.float64()),
            "struct": pa.array([{"id": n} for n in range(count + 1000)]),
        }
    )

    def without(some: pa.Table, group: int) -> set[str]:
        meta = pq.read_metadata(io.BytesIO(export("parquet", some))).row_group(group)
        columns = [meta.column(number) for number in range(meta.num_columns)]
        return {column.path_in_schema for column in columns if not column.has_dictionary_page}

    assert without(rows, 0) == {"id", "name"}
    assert without(rows, 1) == {"name"}
    assert without(rows.slice(0, 100), 0) == set()


def test_equal_rows_are_equal_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a row group is written as does not depend on the row groups before it."""
    monkeypatch.setattr("mldata.exports.parquetfile.GROUP_ROWS", 1 << 16)
    rows = pa.table({"n": [n * 2654435761 % 10_007 for n in range(1 << 17)]})
    alone, both = (Footer.read(io.BytesIO(export("parquet", some))) for some in (rows.slice(1 << 16), rows))
    assert both.groups[1].moved(4, 0) == alone.groups[0]


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_depends_on_its_rows_only(name: str) -> None:
    """Rows that come as slices, out of a filter, or with other bytes under their nulls, are the same file."""
    rows = table(fitting(name))
    mixed = pa.concat_tables([rows.slice(1), rows, rows.slice(2)]).combine_chunks()
    kept = mixed.filter(pa.array([False, False, True, True, True, False]))
    assert export(name, kept) == export(name, mixed.slice(2, 3)) == export(name, rows)


def test_bytes_under_nulls_are_not_seen() -> None:
    """An array whose null hides a number is written as one whose null hides a zero."""
    hidden = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(b"\x07" * 16)])
    clean = pa.array([0x0707070707070707, None])
    for name in PLAIN:
        assert export(name, pa.table({"a": hidden})) == export(name, pa.table({"a": clean}))


@pytest.mark.parametrize("name", PLAIN)
def test_a_table_without_rows_is_a_file(name: str) -> None:
    """It has the schema where the format can say it."""
    empty = table(fitting(name)).slice(0, 0)
    data = export(name, empty)
    if name == "parquet":
        assert pq.read_table(io.BytesIO(data)).schema.names == empty.schema.names
    elif name in ("arrow", "feather"):
        assert pa.ipc.open_file(data).read_all().schema.names == empty.schema.names
    elif name == "orc":
        assert orc.ORCFile(pa.BufferReader(data)).read().schema.names == empty.schema.names
    elif name in ("csv", "tsv", "jsonl", "json", "tfrecord"):
        header = {"csv": ",", "tsv": "\t"}
        text = {"jsonl": b"", "json": b"[]\n", "tfrecord": b""}
        assert data == (
            text[name] if name in text else header[name].join(empty.schema.names).encode() + b"\n"
        )


@pytest.mark.parametrize("name", PLAIN)
def test_a_table_without_columns_is_a_file(name: str) -> None:
    """Writing it does not fail."""
    export(name, pa.table({"a": [1, 2]}).select([]))


@pytest.mark.no_cover
@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("column", ALL)
def test_each_type_is_held_or_refused_before(name: str, column: str) -> None:
    """What ``unfit`` lets pass can be written, alone too."""
    columns = fitting(name)
    if column in columns:
        export(name, table({column: columns[column]}))


def test_which_types_are_refused() -> None:
    """CSV and TSV hold no bytes and nothing nested; the others hold everything here. Compressed formats are as those inside."""
    assert set(ALL) - set(fitting("csv")) == set(ALL) - set(fitting("tsv.gz")) == set(BYTES) | set(NESTED)
    for name in ("parquet", "jsonl", "jsonl.zst", "json", "arrow", "feather", "orc", *RECORDS):
        assert set(fitting(name)) == set(ALL)


@pytest.mark.parametrize("name", PLAIN)
def test_odd_types_are_judged(name: str) -> None:
    """Types that tables rarely have are either refused or written; wrappers are judged by what they hold."""
    fits = load_export(name).unfit
    assert fits(pa.json_()) is False
    assert fits(pa.dictionary(pa.int8(), pa.string())) is False
    union = pa.sparse_union([pa.field("a", pa.int64())])
    interval = pa.month_day_nano_interval()
    ipc = name in ("arrow", "feather")
    if not ipc:
        assert fits(union)
        assert fits(pa.list_view(pa.int64()))
        assert fits(interval)
        assert fits(pa.struct([("a", union)]))
        assert fits(pa.list_(interval))
        assert fits(pa.map_(pa.string(), interval))
        assert fits(pa.dictionary(pa.int8(), interval))
        assert fits(pa.run_end_encoded(pa.int32(), pa.int64()))
    assert fits(pa.struct([("a", pa.dictionary(pa.int8(), pa.string()))])) is (
        ipc or name in ("csv", "tsv", "orc", "huggingface")
    )


@pytest.mark.parametrize("name", ["parquet", "arrow"])
@pytest.mark.parametrize("compression", ["zstd", "zstd:19", "lz4", "none"])
def test_rows_come_back(name: str, compression: str) -> None:
    """Binary formats give back every value and type, but that Arrow files lose dictionary encoding, and Parquet knows
    one type of date and no seconds as a unit."""
    rows = table(ALL, 50)
    data = export(name, rows, compression=compression)
    found = pq.read_table(io.BytesIO(data)) if name == "parquet" else pa.ipc.open_file(data).read_all()
    lost = {"date64": pa.date32(), "seconds": pa.timestamp("ms"), "time32": pa.time32("ms")}
    if name == "arrow":
        lost = {"category": pa.string()}
    for column in rows.column_names:
        expected = rows[column].cast(lost.get(column, rows[column].type))
        assert found[column].combine_chunks().equals(expected.combine_chunks()), column
        assert found.schema.field(column).type == expected.type


def test_row_groups_of_wide_rows_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row group is of so many rows, or bytes if that is less; where it ends depends on the rows alone."""
    monkeypatch.setattr("mldata.exports.parquetfile.GROUP_BYTES", 1 << 20)
    rows = pa.table(
        {
            "text": ["x" * 100] * 50_000,
            "list": [[1, 2]] * 50_000,
            "map": pa.array([[("k", 1)]] * 50_000, pa.map_(pa.string(), pa.int64())),
        }
    )
    data = export("parquet", rows)
    groups = pq.read_metadata(io.BytesIO(data))
    sizes = [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
    assert sizes[:-1] == [8192] * (len(sizes) - 1)
    assert sum(sizes) == 50_000
    assert data == export("parquet", rows, rows=999)
