"""Tar shards: keys, members, determinism."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.exports import EXPORTS, load_export
from mldata.exports.base import Exported, Writing, Written
from mldata.exports.webdataset import member
from mldata.testing.exports import ExportContract, export_table
from tests.exports.test_tfrecord import Files
from tests.exports.webdatasets import members

HELD = [pa.bool_(), pa.int8(), pa.int64(), pa.uint64(), pa.float64(), pa.string()]


class TestWebDatasetExport(ExportContract):
    info = EXPORTS["webdataset"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        rows = [json.loads(text) for name, text in members(data) if name.endswith(".json")]
        assert all(list(row) == schema.names for row in rows)
        kinds = [(it.name, it.type if it.type in HELD else pa.string()) for it in schema]
        return pa.table(
            {
                name: [
                    row[name] if kind in HELD[:5] or it.type in HELD else json.dumps(row[name])
                    for row in rows
                ]
                for (name, kind), it in zip(kinds, schema, strict=True)
            },
            pa.schema(kinds),
        )

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        return column if column.type in HELD else None


MEDIA = Files({"cat/1.PNG": b"one", "dog/2.tar.gz": b"two", "dog/1": b"three"})
ROWS = pa.table({"path": ["cat/1.PNG", "dog/2.tar.gz", "dog/1", None], "label": ["cat", "dog", None, "dog"]})
CLASSES = {"label": ("bird", "cat", "dog")}


def test_a_sample_is_a_row_with_its_file_and_class() -> None:
    """Members of one key in the order of their names; the end of a file's name is a short word, or ``bin``."""
    data = export_table(
        EXPORTS["webdataset"], ROWS, writing=Writing("train", "images", MEDIA, classes=CLASSES)
    )
    found = dict(members(data))
    assert (
        list(found)
        == sorted(found)
        == [
            *("000000000.cls", "000000000.json", "000000000.png"),
            *("000000001.cls", "000000001.gz", "000000001.json"),
            *("000000002.bin", "000000002.json"),
            *("000000003.cls", "000000003.json"),
        ]
    )
    assert found["000000000.cls"] == b"1" and found["000000000.png"] == b"one"
    assert json.loads(found["000000001.json"]) == {"path": "dog/2.tar.gz", "label": "dog"}


def test_headers_tell_nothing_of_the_machine() -> None:
    """No time, no owner; plain USTAR, which every reader of tar files knows."""
    data = export_table(EXPORTS["webdataset"], pa.table({"a": [1]}))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        [member] = archive
    assert (member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode) == (
        0,
        0,
        0,
        "",
        "",
        0o644,
    )
    assert data[257:265] == b"ustar\x0000" and len(data) == 512 * 4 and not any(data[-1024:])


@settings(max_examples=20)
@given(st.from_regex(r"[0-9]{9}\.[a-z0-9]{1,16}", fullmatch=True), st.integers(0, (8 << 30) - 1))
def test_headers_are_as_python_makes_them(name: str, size: int) -> None:
    """To the byte; a file that has no place in one is an error."""
    info = tarfile.TarInfo(name)
    info.size = size
    assert member(name, size) == info.tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(DataError, match="below 8 GiB"):
        member(name, size + (8 << 30))


def test_keys_go_on_in_later_shards() -> None:
    """A key is the number of the row in its part, in whichever shard it is."""
    data = export_table(EXPORTS["webdataset"], pa.table({"a": [1, 2]}), writing=Writing("train", first=41))
    assert [name for name, _ in members(data)] == ["000000041.json", "000000042.json"]
    assert EXPORTS["webdataset"].file_path("data") == "data-000000.tar"
    assert EXPORTS["webdataset"].file_path("train", 3, 9) == "train-000003.tar"


def test_classes_and_shards_are_told() -> None:
    """In ``webdataset.json``."""
    files = [Written("train-000000.tar", "train", 4, 99), Written("test-000000.tar", "test", 0, 7)]
    said = Exported("d", "images", ROWS.schema, {"train": 4, "test": 0}, files, CLASSES)
    export: Any = load_export("webdataset")
    made = json.loads(export.companions(said)["webdataset.json"])
    assert (made["label"], made["classes"]) == ("label", ["bird", "cat", "dog"])
    assert made["shards"]["train"] == [{"path": "train-000000.tar", "rows": 4, "size": 99}]


def test_numbers_that_json_lacks_are_counted() -> None:
    """As in JSON Lines, they are null."""
    data = export_table(EXPORTS["webdataset"], pa.table({"x": [float("nan"), 1.0]}))
    assert [json.loads(text) for _, text in members(data)] == [{"x": None}, {"x": 1.0}]
