"""Parquet and Arrow IPC: types survive, damaged files are refused, conforming Parquet is taken as it stands."""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption
import pytest

from mldata.errors import DataError
from mldata.formats import find_format
from mldata.thrift import decode_struct, encode_struct
from tests.formats.reading import fragments, read, read_all

RICH = pa.table(
    {
        "nested": pa.array(
            [{"x": [1, 2], "y": "a"}, None], pa.struct([("x", pa.list_(pa.int32())), ("y", pa.string())])
        ),
        "decimal": pa.array([Decimal("1.25"), None], pa.decimal128(10, 2)),
        "dictionary": pa.array(["a", "b"]).dictionary_encode(),
        "zoned": pa.array(
            [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("ns", "Europe/Berlin")
        ),
        "binary": pa.array([b"\0\xff", None], pa.binary()),
        "fixed": pa.array([b"ab", b"cd"], pa.binary(2)),
        "large": pa.array(["x", None], pa.large_string()),
        "time": pa.array([dt.time(1, 2, 3), None], pa.time64("us")),
        "small": pa.array([1, 255], pa.uint8()),
        "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        "list": pa.array([[1.5], []], pa.large_list(pa.float32())),
    }
).replace_schema_metadata({"pandas": "{}"})


def parquet(table: pa.Table, **how: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **how)
    return bytes(sink.getvalue().to_pybytes())


def arrow(table: pa.Table, *, stream: bool = False) -> bytes:
    sink = pa.BufferOutputStream()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


WRITE = {
    "parquet": ("parquet", parquet),
    "arrow file": ("arrow", arrow),
    "arrow stream": ("arrow", lambda table: arrow(table, stream=True)),
}


@pytest.mark.parametrize("kind", WRITE)
def test_types_survive(kind: str, tmp_path: Path) -> None:
    """Nested, decimal, dictionary, zoned, binary and small types come through as they are."""
    format, write = WRITE[kind]
    table = read(tmp_path, write(RICH), format)
    assert table.schema.equals(RICH.schema, check_metadata=False)
    assert table.to_pylist() == RICH.to_pylist()


@pytest.mark.parametrize("kind", WRITE)
def test_types_survive_a_rewrite(kind: str, tmp_path: Path) -> None:
    """They also do where a column is dropped or another file has one more."""
    format, write = WRITE[kind]
    table = read(tmp_path, write(RICH), format, drop=["small"])
    assert table.to_pylist() == RICH.drop(["small"]).to_pylist()
    more = pa.table({"more": [1]})
    both = read_all(tmp_path, {"1": write(RICH), "2": write(more)}, format)
    assert both.slice(0, 2).drop(["more"]).to_pylist() == RICH.to_pylist()
    assert both["more"].to_pylist() == [None, None, 1]


@pytest.mark.parametrize("kind", WRITE)
def test_no_rows(kind: str, tmp_path: Path) -> None:
    """A file without rows keeps its schema."""
    format, write = WRITE[kind]
    assert read(tmp_path, write(RICH.slice(0, 0)), format).schema.equals(RICH.schema, check_metadata=False)


@pytest.mark.parametrize("kind", WRITE)
def test_truncated(kind: str, tmp_path: Path) -> None:
    """A file cut anywhere is refused by name."""
    format, write = WRITE[kind]
    data = write(RICH)
    for size in (*range(1, 24), len(data) // 2, len(data) - 9, len(data) - 8, len(data) - 1):
        with pytest.raises(DataError, match=r"data\.\w+: expected a sound"):
            read(tmp_path, data[:size], format)


def test_conforming_parquet_is_its_own_fragment(tmp_path: Path) -> None:
    """A Parquet file with the table's schema is not written again; others are."""
    one, other = parquet(pa.table({"a": [1]})), parquet(pa.table({"a": pa.array([2], pa.int32())}))
    made = fragments(tmp_path, {"1": one, "2": other}, "parquet")
    assert made[0] == one
    assert pq.read_table(pa.BufferReader(made[1])).schema.field("a").type == pa.int64()
    assert fragments(tmp_path, {"1": one}, "parquet", rename={"a": "b"}) != [one]


@pytest.mark.parametrize("first", [1, 5000])
@pytest.mark.parametrize("second", [2, 6000])
@pytest.mark.parametrize("index", [False, True])
def test_two_parquet_files_in_one(
    first: int, second: int, index: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers would see only a part of two files written one behind the other, or a mixture; it is refused, whichever is longer."""
    one, other = (parquet(pa.table({"a": range(rows)}), write_page_index=index) for rows in (first, second))
    with pytest.raises(DataError, match=r"two in one|same place"):
        read(tmp_path, one + other, "parquet")
    monkeypatch.setattr("mldata.formats.parquetfooter.CHUNK", 5)
    with pytest.raises(DataError, match=r"two in one|same place"):
        read(tmp_path, one + other, "parquet")
    assert read(tmp_path, other, "parquet").num_rows == second


def test_what_is_no_whole_parquet_file(tmp_path: Path) -> None:
    """A file that begins or ends otherwise, or has no room for its footer, is refused by what is wrong."""
    data = parquet(pa.table({"a": list(range(1000))}), use_dictionary=False, compression="none")
    for bad, why in (
        (data[:-5], "does not end with PAR1"),
        (data + b"\n", "does not end with PAR1"),
        (b"XXXX" + data[4:], "does not start with PAR1"),
        (b"a,b\n1,2\n", "does not start with PAR1"),
        (b"PAR1PAR1", "does not end with PAR1"),
        (data[:-8] + b"\xff\xff\xff\x7fPAR1", "its footer alone 2,147,483,647"),
        (data[:-8] + b"\0\0\0\0PAR1", "its footer cannot be read"),
        (data[:4] + data[2000:], "column chunk 'a' of row group 0 is not inside the file"),
    ):
        with pytest.raises(
            DataError, match=rf"data\.parquet: expected a sound Parquet file, found a damaged one: .*{why}"
        ):
            read(tmp_path, bad, "parquet")


def edited(data: bytes, change: Callable[[dict[int, Any]], None]) -> bytes:
    """The file with its footer changed."""
    size = int.from_bytes(data[-8:-4], "little")
    footer, _ = decode_struct(data[-8 - size : -8])
    change(footer)
    made = encode_struct(footer)
    return data[: -8 - size] + made + len(made).to_bytes(4, "little") + b"PAR1"


def chunk(footer: dict[int, Any], number: int) -> dict[int, Any]:
    """A column chunk of the first row group."""
    found: dict[int, Any] = footer[4][1][1][0][1][1][1][number]
    return found


def test_a_footer_that_lies(tmp_path: Path) -> None:
    """Counts, places and statistics that do not belong to the data are refused, where Arrow would give other rows or end the program."""
    data = parquet(pa.table({"a": range(100), "b": range(100)}))

    def rows(footer: dict[int, Any]) -> None:
        footer[3] = (6, 99)

    def same_place(footer: dict[int, Any]) -> None:
        chunk(footer, 1)[3] = chunk(footer, 0)[3]

    def elsewhere(footer: dict[int, Any]) -> None:
        chunk(footer, 0)[1] = (8, b"/etc/passwd")

    def negative(footer: dict[int, Any]) -> None:
        chunk(footer, 0)[3][1][7] = (6, -5)

    def levels(footer: dict[int, Any]) -> None:
        chunk(footer, 0)[3][1][16] = (12, {3: (9, (6, [1, 2, 3, 4]))})

    def physical(footer: dict[int, Any]) -> None:
        chunk(footer, 0)[3][1][1] = (5, -43)

    def fewer(footer: dict[int, Any]) -> None:
        footer[4][1][1][0][1][1][1].pop()

    def path(footer: dict[int, Any]) -> None:
        chunk(footer, 0)[3][1][3] = (9, (6, [1]))

    def statistics(footer: dict[int, Any]) -> None:
        chunk(footer, 0)[3][1][16] = (12, {3: (6, 4)})

    for change, why in {
        path: "its footer cannot be read",
        statistics: "its footer cannot be read",
        rows: "the footer says 99 rows and its row groups have 100",
        same_place: "are in the same place",
        elsewhere: "column chunk 'a' of row group 0 is in another file",
        negative: "column chunk 'a' of row group 0 is not inside the file",
        levels: "types or statistics in its footer do not belong",
        physical: "types or statistics in its footer do not belong",
        fewer: "its schema has 2 columns, and a row group 1",
    }.items():
        with pytest.raises(
            DataError, match=rf"data\.parquet: expected a sound Parquet file, found a damaged one: .*{why}"
        ):
            read(tmp_path, edited(data, change), "parquet")
    assert edited(data, lambda footer: None) == data


@pytest.mark.parametrize("plain", [False, True])
def test_encrypted_parquet(plain: bool, tmp_path: Path) -> None:
    """An encrypted file is refused by name, also one of which the footer can be read and one column cannot."""

    class Keys(encryption.KmsClient):  # type: ignore[misc]
        def wrap_key(self, key: bytes, name: str) -> bytes:
            return base64.b64encode(key)

    factory = encryption.CryptoFactory(lambda _: Keys())
    wish = encryption.EncryptionConfiguration(
        footer_key="f", column_keys={"c": ["a"]}, plaintext_footer=plain
    )
    sink, table = io.BytesIO(), pa.table({"a": [1], "b": [2]})
    how = factory.file_encryption_properties(encryption.KmsConnectionConfig(), wish)
    with pq.ParquetWriter(sink, table.schema, encryption_properties=how) as writer:
        writer.write_table(table)
    with pytest.raises(DataError, match=r"data\.parquet: expected a Parquet file, found an encrypted one"):
        read(tmp_path, sink.getvalue(), "parquet")


def test_damaged_pages_are_noticed_when_rewritten(tmp_path: Path) -> None:
    """Bytes changed inside the data give an error, not other rows, where the data is read."""
    data = bytearray(
        parquet(pa.table({"a": [str(i**5) for i in range(5000)]}), compression="zstd", use_dictionary=False)
    )
    data[5000:5100] = b"\xff" * 100
    with pytest.raises(DataError, match="sound Parquet"):
        read(tmp_path, bytes(data), "parquet", rename={"a": "b"})


def test_many_row_groups_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rewritten file keeps its rows and order over row groups of bounded size."""
    monkeypatch.setattr("mldata.formats.typed.ROW_GROUP_BYTES", 4096)
    table = pa.table({"a": list(range(5000)), "b": [str(i % 7) for i in range(5000)]})
    data = parquet(table, row_group_size=500)
    [made] = fragments(tmp_path, {"1": data}, "parquet", types={"a": "float64"})
    assert pq.ParquetFile(pa.BufferReader(made)).num_row_groups > 1
    assert pq.read_table(pa.BufferReader(made)).to_pydict() == table.to_pydict()
    with pytest.raises(DataError, match="column 'a', row 4,001: expected int16, found 40001"):
        bad = table.set_column(0, "a", pa.array([i if i != 4000 else 40001 for i in range(5000)]))
        read(tmp_path, parquet(bad, row_group_size=500), "parquet", types={"a": "int16"})


JOINS = [
    (pa.array([1], pa.int8()), pa.array([300], pa.int16()), pa.int16()),
    (pa.array([1], pa.uint8()), pa.array([-1], pa.int8()), pa.int16()),
    (pa.array([1], pa.int64()), pa.array([0.5]), pa.float64()),
    (pa.array([1], pa.int16()), pa.array([0.5], pa.float32()), pa.float32()),
    (pa.array([1], pa.int32()), pa.array([0.5], pa.float32()), pa.float64()),
    (pa.nulls(1), pa.array(["x"]), pa.string()),
    (pa.array(["x"], pa.large_string()), pa.array(["y"]), pa.large_string()),
    (pa.array([b"x"], pa.binary()), pa.array([b"yy"], pa.binary(2)), pa.binary()),
    (pa.array(["x"]).dictionary_encode(), pa.array(["y"]), pa.string()),
    (pa.array([0], pa.timestamp("s")), pa.array([1], pa.timestamp("ms")), pa.timestamp("ms")),
    (
        pa.array([0], pa.timestamp("s", "UTC")),
        pa.array([1], pa.timestamp("s", "Asia/Tokyo")),
        pa.timestamp("ms", "UTC"),
    ),
    (pa.array([0], pa.date32()), pa.array([1], pa.timestamp("us")), pa.timestamp("us")),
    (pa.array([Decimal("1.5")]), pa.array([Decimal("10.25")]), pa.decimal128(4, 2)),
    (pa.array([[1]]), pa.array([[0.5]]), pa.list_(pa.float64())),
    (pa.array([{"x": 1}]), pa.array([{"y": "q"}]), pa.struct([("x", pa.int64()), ("y", pa.string())])),
]


@pytest.mark.parametrize("case", JOINS, ids=lambda case: f"{case[0].type} and {case[1].type}")
@pytest.mark.parametrize("turned", [False, True])
def test_files_join_to_the_wider_type(
    case: tuple[pa.Array, pa.Array, pa.DataType], turned: bool, tmp_path: Path
) -> None:
    """Types widen where every value survives, whichever file comes first."""
    one, other, kind = case
    files = {"1": parquet(pa.table({"c": one})), "2": parquet(pa.table({"c": other}))}
    table = read_all(tmp_path, dict(reversed(files.items())) if turned else files, "parquet")
    found = table.schema.field("c").type
    assert found == kind or (turned and pa.types.is_struct(kind) and set(found) == set(kind))


CONFLICTS = [
    (pa.array([2**53 + 1]), pa.array([0.5])),
    (pa.array([2**63], pa.uint64()), pa.array([-1])),
    (pa.array([1]), pa.array(["x"])),
    (pa.array([True]), pa.array([1])),
    (pa.array(["x"]), pa.array([b"x"])),
    (pa.array([0], pa.timestamp("ms")), pa.array([0], pa.timestamp("ms", "UTC"))),
    (pa.array([Decimal("1.5")]), pa.array([1.5])),
    (pa.array([["x"]]).cast(pa.list_(pa.field("element", pa.string()))), pa.array([1])),
    (pa.array([{"x": 1}]), pa.array([{"x": "1"}])),
]


@pytest.mark.parametrize("case", CONFLICTS, ids=lambda case: f"{case[0].type} and {case[1].type}")
def test_conflicts_name_both_files(case: tuple[pa.Array, pa.Array], tmp_path: Path) -> None:
    """Where values would be lost the error names both files and both types."""
    one, other = (parquet(pa.table({"c": column})) for column in case)
    with pytest.raises(DataError) as caught:
        read_all(tmp_path, {"1.parquet": one, "2.parquet": other}, "parquet")
    for word in ("'c'", "1.parquet", "2.parquet", str(case[0].type), str(case[1].type)):
        assert word in str(caught.value)


def test_wide_without_statistics(tmp_path: Path) -> None:
    """Without statistics integers may be too large for a float, so they do not become one."""
    one = parquet(pa.table({"c": [1]}), write_statistics=False)
    with pytest.raises(DataError, match="'c'"):
        read_all(tmp_path, {"1": one, "2": parquet(pa.table({"c": [0.5]}))}, "parquet")
    assert read_all(tmp_path, {"1": one, "2": one}, "parquet").num_rows == 2


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather(compression: str, tmp_path: Path) -> None:
    """Feather files of version 2 are read whatever their compression, with every type."""
    sink = io.BytesIO()
    feather.write_feather(RICH, sink, compression=compression)
    table = read(tmp_path, sink.getvalue(), "arrow")
    assert table.schema.equals(RICH.schema, check_metadata=False)
    assert table.to_pylist() == RICH.to_pylist()


def test_feather_version_1_is_refused_by_name(tmp_path: Path) -> None:
    """The old Feather format is named, with what to do, and is known without a suffix as well."""
    with pytest.raises(DataError, match=r"data\.arrow: .*found Feather version 1(.|\n)*write_feather"):
        read(tmp_path, b"FEA1" + bytes(100) + b"FEA1", "arrow")
    found = find_format("table", b"FEA1" + bytes(12))
    assert found is not None and found.name == "arrow"


@pytest.mark.parametrize("stream", [False, True])
def test_arrow_data_that_points_elsewhere(stream: bool, tmp_path: Path) -> None:
    """Indexes beyond a dictionary, for which Arrow alone would read foreign memory, and texts that are no text, are errors."""
    index = pa.array([0, 1 << 30], pa.int32())
    words = pa.DictionaryArray.from_arrays(index, pa.array(["x", "y"]), safe=False)
    letters = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe")]
    )
    for column in (words, letters):
        with pytest.raises(DataError, match=r"data\.arrow: expected a sound Arrow file"):
            read(tmp_path, arrow(pa.table({"a": column}), stream=stream), "arrow")


def test_times_of_nanoseconds(tmp_path: Path) -> None:
    """Times that Python's own cannot hold are read as any others."""
    table = pa.table({"a": pa.array([1, None], pa.timestamp("ns")), "b": pa.array([1, 2], pa.time64("ns"))})
    assert read(tmp_path, parquet(table), "parquet").equals(table)


@pytest.mark.parametrize("wrap", ["struct", "list", "large_list", "map", "fixed_list"])
def test_nested_arrow_data_that_points_elsewhere(wrap: str, tmp_path: Path) -> None:
    """An index under a null, where Arrow puts any, is no damage; one that is in use and beyond its dictionary is, however deep."""
    kind = pa.dictionary(pa.int8(), pa.string())
    deep = {
        "struct": pa.struct([("a", kind)]),
        "list": pa.list_(pa.struct([("a", kind)])),
        "large_list": pa.large_list(pa.struct([("a", kind)])),
        "map": pa.map_(pa.string(), pa.struct([("a", kind)])),
        "fixed_list": pa.list_(kind, 1),
    }[wrap]
    hidden = {"struct": [None], "fixed_list": [None], "map": [[("k", None)]]}.get(wrap, [[None]])
    table = pa.table({"c": pa.array(hidden, deep)})
    assert read(tmp_path, arrow(table), "arrow")["c"].to_pylist() == table["c"].to_pylist()
    bad = pa.DictionaryArray.from_arrays(pa.array([5], pa.int8()), pa.array(["x"]), safe=False)
    inner = pa.StructArray.from_arrays([bad], names=["a"])
    one = pa.array([0, 1], pa.int32())
    column = {
        "struct": lambda: inner,
        "list": lambda: pa.ListArray.from_arrays(one, inner),
        "large_list": lambda: pa.LargeListArray.from_arrays(one.cast(pa.int64()), inner),
        "map": lambda: pa.MapArray.from_arrays(one, pa.array(["k"]), inner),
        "fixed_list": lambda: pa.FixedSizeListArray.from_arrays(bad, 1),
    }[wrap]()
    with pytest.raises(DataError, match=r"data\.arrow: expected a sound Arrow file"):
        read(tmp_path, arrow(pa.table({"c": column})), "arrow")


VIEWS: dict[str, tuple[pa.DataType, pa.DataType, list[Any]]] = {
    "text": (pa.string_view(), pa.string(), ["a", "longer than twelve bytes", None]),
    "binary": (pa.binary_view(), pa.binary(), [b"\xff", b"", None]),
    "list of text": (pa.large_list(pa.string_view()), pa.large_list(pa.string()), [["q", None], [], None]),
    "struct": (pa.struct([("x", pa.string_view())]), pa.struct([("x", pa.string())]), [{"x": "a"}, None]),
    "fixed": (pa.list_(pa.binary_view(), 2), pa.list_(pa.binary(), 2), [[b"a", b"b"], None]),
    "map": (pa.map_(pa.string_view(), pa.int8()), pa.map_(pa.string(), pa.int8()), [[("k", 1)], None]),
}


@pytest.mark.parametrize("case", VIEWS)
@pytest.mark.parametrize("stream", [False, True])
def test_views_become_what_they_view(tmp_path: Path, case: str, stream: bool) -> None:
    """Text and bytes that a file has as views, as other programs write them by default, are plain ones of the same values."""
    kind, plain, values = VIEWS[case]
    data = arrow(pa.table({"x": pa.array(values, kind)}), stream=stream)
    table = read(tmp_path, data, "arrow")
    expected = read(tmp_path, arrow(pa.table({"x": pa.array(values, plain)})), "arrow")
    assert table.schema == expected.schema
    assert table["x"].to_pylist() == values


def test_views_of_parquet(tmp_path: Path) -> None:
    """Views that a Parquet file remembers are plain, too, whether its columns are taken as they are or not."""
    data = parquet(pa.table({"x": pa.array(["a", None], pa.string_view()), "n": [1, 2]}))
    table = read(tmp_path, data, "parquet")
    assert table.schema.field("x").type == pa.string() and table["x"].to_pylist() == ["a", None]
    assert read(tmp_path, data, "parquet", drop=("n",)).equals(table.select(["x"]))
