"""Datasets as Python users see them: from a build, and from an export folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.dataset import Dataset
from mldata.errors import DataError, UsageError
from mldata.manifest import BadManifest
from mldata.stages.export import Export
from mldata.stages.split import Split
from store import Digest, Store
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

PARTS = {"train": 0.8, "val": 0.2}
MEDIA = {"a/1.png": b"one", "2.png": b"two"}


def people(rows: int) -> pa.Table:
    """A small table."""
    return pa.table({"id": pa.array(range(rows), pa.int64()), "text": [f"é{row}" for row in range(rows)]})


class Built:
    """A dataset that has gone through split and export, and its folder."""

    def __init__(
        self,
        folder: Path,
        *formats: str,
        split: bool = True,
        pieces: list[pa.Table] | None = None,
        media: dict[str, bytes] | None = None,
        **params: Any,
    ) -> None:
        self.store = Store.open(folder / "store")
        self.folder = folder / "out"
        kind = "images" if media else "tabular"
        table = put_table(
            self.store, pieces or [people(30).slice(0, 10), people(30).slice(10)], kind=kind, media=media
        )
        self.trees: dict[str, Digest] = {"normalize": table}
        self.params: dict[str, Any] = {}
        if split:
            self.params["split"] = split_params(PARTS)
            job = PlainJob(self.store, "split", self.params["split"], self.trees)
            self.trees["split"] = Split().build(job).output.digest
        if formats:
            self.params["export"] = export_params(*formats, **params)
            job = PlainJob(self.store, "export", self.params["export"], self.trees)
            made = Export().build(job).output.digest
            self.trees["export"] = made
            self.store.materialize(made, self.folder, link="copy")

    def open(self, folder: bool = True) -> Dataset:
        """As ``mldata.open`` does."""
        return Dataset(self.store, "demo", self.trees, self.folder if folder else None, self.params)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """Two parts, two formats."""
    return Built(tmp_path, "parquet", "csv")


def test_a_built_dataset_tells_what_it_is(built: Built) -> None:
    """Name, parts, rows, schema, parameters, manifest."""
    with built.open() as data:
        assert data.name == "demo"
        assert data.parts == {"train": 24, "val": 6}
        assert data.rows == 30
        assert data.schema == people(1).schema
        assert data.params["split"]["seed"] == 42
        assert data.manifest.parts[0].name == "train"
        assert repr(data) == "<Dataset 'demo': 2 columns, train: 24, val: 6 rows>"


def test_parts_are_tables(built: Built) -> None:
    """All rows, or those of a part, in source order; some columns in the order asked for; in batches."""
    data = built.open()
    assert data.table() == people(30)
    for part in PARTS:
        indices = data.indices(part)
        assert data.table(part)["id"].to_pylist() == indices.tolist()
        assert data.table(part, ["text", "id"]).column_names == ["text", "id"]
    assert sorted(np.concatenate([data.indices(part) for part in PARTS]).tolist()) == list(range(30))
    batches = list(data.batches("train", ["id"], batch_rows=4))
    assert max(batch.num_rows for batch in batches) <= 4
    assert sum(batch.num_rows for batch in batches) == 24


def test_fragments_without_the_part_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small part of a large table is read by itself."""
    built = Built(tmp_path, pieces=[people(30).slice(row, 1) for row in range(30)])
    data = built.open()
    read: list[int] = []
    from mldata.table import Table

    whole = Table.fragment_batches

    def counting(self: Table, fragment: Any, *more: Any) -> Any:
        read.append(1)
        return whole(self, fragment, *more)

    monkeypatch.setattr(Table, "fragment_batches", counting)
    assert data.table("val").num_rows == len(read) == 6


def test_a_dataset_without_a_split_is_one_part(tmp_path: Path) -> None:
    """Called data; its rows are all rows."""
    data = Built(tmp_path, "csv", split=False).open()
    assert data.parts == {"data": 30}
    assert data.table("data") == data.table() == people(30)
    assert data.indices("data").tolist() == list(range(30))
    assert data.path() == data.path("data", "csv") == tmp_path / "out" / "data.csv"


def test_paths_of_exported_files(built: Built) -> None:
    """The first format if none is named."""
    data = built.open()
    assert data.path("val") == built.folder / "val.parquet"
    assert data.path("val", "csv").read_text().startswith("id,text\n")


def test_unknown_names_are_errors(built: Built) -> None:
    """Parts, columns, formats and media that are not there, with those that are or the command that makes them."""
    data = built.open()
    for call in (lambda: data.table("dev"), lambda: data.indices("dev"), lambda: data.path("dev")):
        with pytest.raises(UsageError, match=r"no part 'dev'(?s:.*)train, val"):
            call()
    with pytest.raises(UsageError, match=r"no column 'x'(?s:.*)id, text"):
        data.table(columns=["id", "x"])
    with pytest.raises(UsageError, match=r"2 parts, a file each(?s:.*)train, val"):
        data.path()
    with pytest.raises(
        UsageError, match=r"not been exported as arrow, only as parquet, csv(?s:.*)mldata build demo"
    ):
        data.path("val", "arrow")
    with pytest.raises(UsageError, match=r"no media file 'x\.png'"):
        data.media_path("x.png")


def test_what_was_not_exported_is_an_error(tmp_path: Path, built: Built) -> None:
    """Files of an older build, of no export, and files that were deleted."""
    with pytest.raises(UsageError, match="has not been exported as parquet"):
        built.open(folder=False).path("train")
    assert built.open(folder=False).manifest.dataset == "demo"
    bare = Built(tmp_path / "bare").open()
    with pytest.raises(UsageError, match=r"has not been exported as parquet(?s:.*)mldata build"):
        bare.path("train")
    with pytest.raises(UsageError, match=r"has not been exported(?s:.*)mldata build demo"):
        _ = bare.manifest
    (built.folder / "val.csv").unlink()
    with pytest.raises(UsageError, match=r"val.csv(?s:.*)mldata build demo"):
        built.open().path("val", "csv")


def images() -> list[pa.Table]:
    """Rows for MEDIA."""
    return [pa.table({"path": list(MEDIA), "label": ["a", ""]})]


def test_media_are_found_by_their_rows(tmp_path: Path) -> None:
    """From the store as from the export folder; a folder is no media file."""
    built = Built(tmp_path, "parquet", pieces=images(), media=MEDIA)
    for data in (built.open(), Dataset.from_export(built.folder)):
        for path in data.table(columns=["path"])["path"].to_pylist():
            assert data.media_path(path).read_bytes() == MEDIA[path]
        for path in ("a", "a/2.png", "b/1.png", "2.png/x", "train.parquet"):
            with pytest.raises(UsageError, match="no media file"):
                data.media_path(path)


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_an_export_folder_is_a_dataset(tmp_path: Path, name: str) -> None:
    """Anywhere, without the store that made it."""
    built = Built(tmp_path, name, "csv", row_index=True)
    moved = shutil.move(built.folder, tmp_path / "elsewhere")
    expected = built.open()
    with Dataset.from_export(moved, verify=True) as data:
        assert (data.name, data.rows, data.parts) == ("demo", 30, {"train": 24, "val": 6})
        assert data.schema.names == ["id", "text", "row_index"]
        for part in PARTS:
            assert data.indices(part).tolist() == expected.indices(part).tolist()
            assert data.table(part, ["text"]) == expected.table(part, ["text"])
        assert data.table().num_rows == 30
        assert max(batch.num_rows for batch in data.batches(batch_rows=5)) == 5
        assert data.manifest.dataset == "demo"
        assert data.path("train", name) == Path(moved) / f"train.{name}"


def test_an_export_without_row_numbers_says_so(tmp_path: Path) -> None:
    """Only a dataset of one part has them anyway."""
    data = Dataset.from_export(Built(tmp_path / "a", "parquet").folder)
    with pytest.raises(UsageError, match="row_index: true"):
        data.indices("train")
    data = Dataset.from_export(Built(tmp_path / "b", "parquet", split=False).folder)
    assert data.indices("data").tolist() == list(range(30))


def test_an_export_of_texts_only_cannot_be_read_as_tables(tmp_path: Path) -> None:
    """Types would be guesses; the message names the format to add."""
    data = Dataset.from_export(Built(tmp_path, "csv").folder)
    assert data.rows == 30
    with pytest.raises(UsageError, match=r"parquet, arrow or feather, found csv(?s:.*)Add parquet"):
        data.table("train")


def test_a_damaged_export_is_noticed(built: Built) -> None:
    """Other sizes at once, other bytes when asked to verify, missing files, no manifest."""
    path = built.folder / "train.csv"
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data.replace(b"id", b"ID"))
    Dataset.from_export(built.folder)
    with pytest.raises(DataError, match="expected content with BLAKE3"):
        Dataset.from_export(built.folder, verify=True)
    path.write_bytes(data + b"\n")
    with pytest.raises(DataError, match=r"expected \d+ bytes, found \d+"):
        Dataset.from_export(built.folder)
    path.unlink()
    with pytest.raises(DataError, match=r"train.csv(?s:.*)mldata build"):
        Dataset.from_export(built.folder)
    (built.folder / "manifest.yaml").chmod(0o644)
    (built.folder / "manifest.yaml").write_text("x")
    with pytest.raises(BadManifest):
        Dataset.from_export(built.folder)
    with pytest.raises(UsageError, match="found no such file"):
        Dataset.from_export(built.folder.parent)
