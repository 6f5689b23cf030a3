"""TFRecord files: framing, mapping and what is lost."""

from __future__ import annotations

import gzip
import json
import struct
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import BuildError, DataError, MissingExtra
from mldata.exports import EXPORTS, load_export
from mldata.exports.base import Compression, Exported, Writing
from mldata.testing.exports import ExportContract, Sink, export_table
from tests.exports.columns import ALL
from tests.exports.tfrecords import features, records

HELD = [pa.bool_(), pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.string(), pa.binary()]


class Files:
    """Media of tests."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def read(self, path: str) -> bytes:
        return self._files[path]


class TestTfRecordExport(ExportContract):
    info = EXPORTS["tfrecord"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        rows = [features(record) for record in records(data)]
        return pa.table(
            {field.name: [self.value(row, field) for row in rows] for field in schema}, self.kinds(schema)
        )

    def kinds(self, schema: pa.Schema) -> pa.Schema:
        return pa.schema(
            [(field.name, field.type if self.held(field.type) else pa.string()) for field in schema]
        )

    def held(self, kind: pa.DataType) -> bool:
        return kind in HELD or (pa.types.is_list(kind) and kind.value_type in HELD)

    def value(self, row: dict[str, list[Any]], field: pa.Field) -> Any:
        values = row.get(field.name)
        if values is None or not self.held(field.type):
            return None if values is None else repr(values)
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        if inner == pa.uint64():
            values = [value % 2**64 for value in values]
        gone = row.get(f"{field.name}/missing", [])
        values = [None if place in gone else value for place, value in enumerate(values)]
        if inner == pa.bool_():
            values = [value == 1 for value in values]
        if inner == pa.string():
            values = [value.decode() for value in values]
        return values if inner != field.type else values[0]

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        return column if self.held(column.type) else None


def rows_of(table: pa.Table, writing: Writing | None = None) -> list[dict[str, list[Any]]]:
    """The features of each row."""
    return [features(it) for it in records(export_table(EXPORTS["tfrecord"], table, writing=writing))]


def test_records_have_the_masked_checksums_of_the_format() -> None:
    """Of the length and of the data; computed here bit by bit."""
    data = export_table(EXPORTS["tfrecord"], pa.table({"a": [1, None, 3], "t": ["x" * 200, "", None]}))
    assert len(list(records(data, check=True))) == 3


def test_what_each_type_becomes() -> None:
    """The table in the documentation, by example."""
    [first, nothing, last] = rows_of(pa.table(ALL))
    assert nothing == {}
    assert first["bool"] == [1] and first["int64"] == [-(2**63)] and last["uint64"] == [-1]
    assert first["half"] == [1.5] and first["float"] == first["double"] == [
        struct.unpack("f", struct.pack("f", 0.1))[0]
    ]
    assert first["text"] == ['a "b", c\nd\té'.encode()] and first["category"] == [b"u"]
    assert first["binary"] == [b"\x00\xff"] and first["fixed"] == [b"ab"]
    assert first["decimal"] == [b"1.20"] and first["date"] == first["date64"] == [b"2024-02-29"]
    assert first["time32"] == [b"01:02:03"] and first["micros"] == [b"2024-02-29T23:59:58.000001"]
    assert first["zoned"][0].endswith(b"Z") and first["duration"] == [1] and "null" not in first
    assert first["list"] == [1, 0] and first["list/missing"] == [1]
    assert last["list"] == [] and "list/missing" not in last and last["texts/missing"] == [0]
    assert first["fixed_list"] == [1.5, 2] and last["fixed_list/missing"] == [0]
    assert json.loads(first["struct"][0]) == {"a": 1, "b": ["x"]}
    assert json.loads(first["map"][0]) == [{"key": "k", "value": 1}]
    assert json.loads(first["deep"][0]) == [{"d": "2024-02-29"}]


def test_features_are_in_the_order_of_their_names() -> None:
    """So equal rows are equal bytes, whatever the order of the columns."""
    table = pa.table({"b": [1], "é": [2], "a": [3], "B": [4]})
    assert list(rows_of(table)[0]) == ["B", "a", "b", "é"]
    info = EXPORTS["tfrecord"]
    assert export_table(info, table) == export_table(info, table.select(["a", "B", "é", "b"]))


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(width=32, allow_nan=False),
            st.none() | st.text(max_size=200),
            st.none() | st.lists(st.none() | st.integers(-300, 2**40), max_size=4),
            st.none() | st.lists(st.none() | st.binary(max_size=140), max_size=3),
        ),
        max_size=6,
    )
)
def test_values_come_back(rows: list[tuple[Any, ...]]) -> None:
    """Whatever they are, and however long."""
    kinds = [pa.int64(), pa.float32(), pa.string(), pa.list_(pa.int64()), pa.list_(pa.binary())]
    schema = pa.schema(list(zip("ifsln", kinds, strict=True)))
    table = pa.table(
        [pa.array([row[n] for row in rows], kind) for n, kind in enumerate(kinds)], schema=schema
    )
    contract = TestTfRecordExport()
    assert contract.read(contract.export(table), schema).equals(table)


def test_doubles_that_are_no_floats_are_counted_or_kept() -> None:
    """What is infinite as ``float32`` is told; ``exact_floats`` keeps every bit, in lists too."""
    values = [0.1, 1e300, None, -1e300]
    table = pa.table({"x": values, "l": [[1e-300], [], None, [None, 0.2]]})
    sink: Any = Sink()
    file = load_export("tfrecord").open(sink, table.schema, Compression("none"), writing=Writing("train"))  # type: ignore[call-arg]
    file.write(table.to_batches()[0])
    assert file.close() == {"overflows": 2}
    exact = rows_of(table, Writing("train", options={"exact_floats": True}))
    assert [struct.unpack("<d", row["x"][0])[0] if "x" in row else None for row in exact] == values
    assert [struct.unpack("<d", it)[0] for it in exact[0]["l"]] == [1e-300]
    assert exact[3]["l/missing"] == [0]


def test_labels_have_numbers() -> None:
    """Those of the classes of the whole dataset; a missing label has none."""
    table = pa.table({"label": ["b", None, "c"]})
    rows = rows_of(table, Writing("test", classes={"label": ("a", "b", "c")}))
    assert rows == [{"label": [b"b"], "label/index": [1]}, {}, {"label": [b"c"], "label/index": [2]}]


def test_media_are_in_the_records() -> None:
    """The bytes of the file and the end of its name; a file that is not there is an error that names it."""
    media = Files({"a/x.PNG": b"\x89PNG", "y": b"?"})
    table = pa.table({"path": ["a/x.PNG", None, "y"]})
    rows = rows_of(table, Writing("train", "images", media))
    assert rows[0] == {"path": [b"a/x.PNG"], "image/encoded": [b"\x89PNG"], "image/format": [b"png"]}
    assert rows[1] == {} and rows[2]["image/format"] == [b"bin"]
    assert rows_of(table.slice(2), Writing("train", "audio", media))[0]["audio/encoded"] == [b"?"]
    with pytest.raises(DataError, match=r"'gone\.png'"):
        rows_of(pa.table({"path": ["gone.png"]}), Writing("train", "images", media))


@pytest.mark.parametrize("name", ["tfrecord", "webdataset", "huggingface"])
def test_files_that_are_too_large_are_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which names the file, and formats that do not hold files."""
    monkeypatch.setattr("mldata.exports.embedded.MOST_BYTES", 3)
    writing = Writing("train", "images", Files({"a.png": b"four"}))
    with pytest.raises(DataError, match=r"'a\.png' is of 4 bytes") as caught:
        export_table(EXPORTS[name], pa.table({"path": ["a.png"]}), writing=writing)
    assert "parquet" in str(caught.value.hint)


def test_media_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is cut leaves no trace in the file."""
    media = Files({f"{n}.png": bytes([n]) * 100 for n in range(20)})
    table = pa.table({"path": [f"{n}.png" for n in range(20)]})
    told = Writing("train", "images", media)
    whole = export_table(EXPORTS["tfrecord"], table, writing=told)
    monkeypatch.setattr("mldata.exports.embedded.HELD_BYTES", 300)
    assert export_table(EXPORTS["tfrecord"], table, writing=told, rows=7) == whole


def test_two_columns_of_one_name_are_an_error() -> None:
    """Nothing is overwritten in silence."""
    table = pa.table({"label": ["a"], "label/index": [1]})
    with pytest.raises(BuildError, match="'label' and 'label/index' would both be the feature 'label/index'"):
        rows_of(table, Writing("train", classes={"label": ("a",)}))


def test_compressed_files_hold_the_same_records() -> None:
    """One member of gzip, at any level."""
    table = pa.table({"a": list(range(50))})
    plain = export_table(EXPORTS["tfrecord"], table)
    assert gzip.decompress(export_table(EXPORTS["tfrecord.gz"], table)) == plain
    assert gzip.decompress(export_table(EXPORTS["tfrecord.gz"], table, compression="gzip:9")) == plain


def test_the_features_are_told() -> None:
    """Type, column, encoding and classes of each, in ``features.json``."""
    schema = pa.schema(
        [("label", pa.string()), ("x", pa.float64()), ("when", pa.date32()), ("l", pa.list_(pa.int8()))]
    )
    said = Exported("d", "images", schema, {"train": 3}, [], {"label": ("a", "b")}, {"exact_floats": True})
    export: Any = load_export("tfrecord")
    made = json.loads(export.companions(said)["features.json"])
    told = made["features"]
    assert made["rows"] == {"train": 3} and sorted(told) == list(told)
    assert told["label/index"]["dtype"] == "int64" and told["label/index"]["classes"] == ["a", "b"]
    assert (told["x"]["dtype"], told["x"]["value"]) == ("bytes", "double")
    assert told["when"] == {
        "dtype": "bytes",
        "column": "when",
        "type": "date32[day]",
        "value": "text",
        "list": False,
    }
    assert (
        told["l"]["list"]
        and told["l/missing"]["dtype"] == "int64"
        and told["image/encoded"]["dtype"] == "bytes"
    )


def test_without_the_package_for_checksums_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a byte is written; whether columns fit can still be told."""
    monkeypatch.setitem(__import__("sys").modules, "google_crc32c", None)
    assert load_export("tfrecord").unfit(pa.decimal128(5)) is False
    with pytest.raises(MissingExtra) as caught:
        export_table(EXPORTS["tfrecord"], pa.table({"a": [Decimal(1)]}))
    assert "mldata-cli[tfrecord]" in str(caught.value.hint)
