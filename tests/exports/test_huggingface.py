"""The layout of the ``datasets`` library, looked at without it. See ``test_record_peers.py`` for the library's own view."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
import yaml

from mldata.cardhead import card_head
from mldata.exports import EXPORTS, load_export, split_name
from mldata.exports.base import Exported, Writing, Written
from mldata.exports.hffeatures import stored
from mldata.testing.exports import ExportContract, export_table
from tests.exports.test_tfrecord import Files

INFO = EXPORTS["huggingface"]


class TestHuggingFaceExport(ExportContract):
    info = INFO

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        return pa.ipc.open_stream(data).read_all()

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        return column.cast(stored(column.type))


@pytest.mark.parametrize(
    ("part", "split"),
    [("train", "train"), ("data", "train"), ("fold-1", "fold_1"), ("v1.2", "v1_2"), ("ALL", "all_")],
)
def test_parts_are_splits(part: str, split: str) -> None:
    """Under names that the library takes; what is not split is ``train``."""
    assert split_name(part) == split
    assert INFO.file_path(part) == f"{split}/data-00000-of-00001.arrow"
    assert INFO.file_path(part, 1, 12) == f"{split}/data-00001-of-00012.arrow"


def test_batches_of_rows_with_files_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch ends after so many rows, or with the file that makes it large; it depends on the rows alone."""
    monkeypatch.setattr("mldata.exports.embedded.HELD_BYTES", 300)
    media = Files({f"{n}": bytes(100 if n < 5 else 1) for n in range(250)})
    table = pa.table({"path": [str(n) for n in range(250)]})
    told = Writing("train", "images", media)
    data = export_table(INFO, table, writing=told)
    assert [batch.num_rows for batch in pa.ipc.open_stream(data)] == [3, 100, 100, 47]
    assert data == export_table(INFO, table, writing=told, rows=3)


def test_files_are_in_the_first_column() -> None:
    """As bytes and name, under a name that no other column has."""
    media = Files({"a/x.png": b"\x89PNG"})
    table = pa.table({"image": [1, 2], "path": ["a/x.png", None]})
    found = pa.ipc.open_stream(export_table(INFO, table, writing=Writing("data", "images", media))).read_all()
    assert found.column_names == ["image_file", "image", "path"]
    assert found["image_file"].to_pylist() == [{"bytes": b"\x89PNG", "path": "x.png"}, None]
    said = json.loads(found.schema.metadata[b"huggingface"])["info"]["features"]
    assert said["image_file"] == {"_type": "Image"} and said["path"] == {"dtype": "string", "_type": "Value"}


def exported(*files: Written) -> Exported:
    """A dataset of one column that was written as these files."""
    parts = {file.part: file.rows for file in files}
    return Exported("d", "tabular", pa.schema([("a", pa.int8())]), parts, files)


def companions(said: Exported) -> dict[str, bytes]:
    """The small files."""
    export: Any = load_export("huggingface")
    return dict(export.companions(said))


def test_fingerprints_are_of_the_content() -> None:
    """The library takes results from its cache by them, so other files have another; without digests there is none."""
    first, second, third = (
        json.loads(companions(exported(Written("t/data-0.arrow", "t", 1, 9, digest)))["t/state.json"])
        for digest in ("ab", "cd", "")
    )
    assert len(first["_fingerprint"]) == 16 and first["_fingerprint"] != second["_fingerprint"]
    assert third["_fingerprint"] is None


def test_splits_without_rows_are_not_offered_to_load_dataset() -> None:
    """It refuses them; ``load_from_disk`` does not. The head of a card says the same."""
    files = [Written("b/data-0.arrow", "b", 1, 9), Written("a/data-0.arrow", "a", 0, 9)]
    made = companions(exported(*files))
    assert json.loads(made["dataset_dict.json"]) == {"splits": ["b", "a"]}
    said = yaml.safe_load(made[".huggingface.yaml"])
    assert said["configs"] == [
        {"config_name": "default", "data_files": [{"split": "b", "path": "b/data-*.arrow"}]}
    ]
    assert next(yaml.safe_load_all(card_head(["b/data-0.arrow"]))) == said


def test_what_load_dataset_starts_from_changes_with_the_content() -> None:
    """It keeps what it made by that, and looks at no file."""
    first, second = (
        companions(exported(Written("t/data-0.arrow", "t", 1, 9, digest)))[".huggingface.yaml"]
        for digest in ("ab", "cd")
    )
    assert first != second
    assert yaml.safe_load(first)["configs"][0]["description"].startswith("content ")
