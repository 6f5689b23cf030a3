"""Rows handed to PyTorch and to Hugging Face's datasets, with the real libraries: one module, since importing them takes seconds."""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import soundfile

import mldata
from mldata.dataset import Dataset
from mldata.errors import UsageError
from tests.e2e.project import Project, copy_examples
from tests.handing.data import DAY, PARTS, Built, mixed
from tests.workers import worker_options

ROWS = 300
torch: Any
hf: Any


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Imported by the process that runs these tests, and not by every one that collects them."""
    global torch, hf
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    hf = pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example datasets, built."""
    project = Project(copy_examples(tmp_path_factory.mktemp("examples")))
    project.run("build", "-q")
    return project


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the library's files go."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=["picked", "parquet", "arrow"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """A table of many types, kept in each way."""
    formats = () if request.param == "picked" else (request.param,)
    built = Built(tmp_path_factory.mktemp("built"), mixed(ROWS), *formats)
    with built.open() as opened:
        yield opened


def places(project: Project, name: str) -> list[Dataset]:
    """A dataset from the store and from its export folder."""
    return [mldata.open(name, project=project.root), Dataset.from_export(project / "artifacts" / name)]


def batches(dataset: Any, workers: int) -> list[Any]:
    """All batches of a DataLoader."""
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, **worker_options(workers))
    return list(loader)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_iterates_every_row(examples: Project, workers: int) -> None:
    """Of every part of the penguins and the images, with and without workers, in order, as they are; no number is infinite."""
    for name in ("penguins", "fashion"):
        data = places(examples, name)[workers // 2]
        for part, count in data.parts.items():
            found = batches(data.to_torch(part), workers)
            rows = data.table(part).to_pylist()
            key = "path" if name == "fashion" else "species"
            assert [it for batch in found for it in batch[key]] == [row[key] for row in rows]
            assert sum(len(batch[key]) for batch in found) == count
            for batch in found:
                for values in batch.values():
                    assert not torch.is_tensor(values) or not values.isinf().any()
        if name == "fashion":
            assert found[0]["image"].shape == (16, 1, 28, 28) and found[0]["image"].dtype == torch.uint8
            classes = data.to_torch("train").classes["label"]
            assert len(classes) == 10 and list(classes) == sorted(classes)
            labels = [classes[it] for batch in found for it in batch["label"]]
            assert labels == [row["label"] for row in rows]


def test_recordings_are_decoded(examples: Project) -> None:
    """The samples of each recording are those of its file, also after the dataset was sent to another process."""
    for data in places(examples, "spoken-digits"):
        handed = pickle.loads(pickle.dumps(data.to_torch("test")))
        data.close()
        for row in (handed[0], handed[-1]):
            expected, _ = soundfile.read(examples / "spoken-digits/data" / row["path"], dtype="float32")
            assert row["audio"].tolist() == [expected.tolist()]


def test_values_have_the_types_that_are_documented(data: Dataset) -> None:
    """Each type of column, with and without missing values, by what stands for it."""
    handed = data.to_torch("train")
    expected = data.table("train").to_pylist()
    assert len(handed) == len(expected)
    dtypes = {name: value.dtype for name, value in handed[0].items() if torch.is_tensor(value)}
    assert dtypes == {
        "id": torch.int64,
        "small": torch.int16,
        "small_some": torch.float64,
        "half": torch.float32,
        "half_some": torch.float64,
        "flag": torch.bool,
        "flag_some": torch.int8,
        "kind_some": torch.int64,
        "day_some": torch.int64,
        "price": torch.float64,
    }
    for index in (0, 1, 2, 57, len(expected) - 1, -1):
        got, row = handed[index], expected[index]
        for name in ("id", "small", "half", "flag", "price"):
            assert got[name].item() == row[name]
        for name in ("small_some", "half_some"):
            assert math.isnan(got[name]) if row[name] is None else got[name].item() == row[name]
        assert got["flag_some"].item() == (-1 if row["flag_some"] is None else int(row["flag_some"]))
        days = -(2**63) if row["day_some"] is None else (DAY - DAY.replace(1970, 1, 1)).days
        assert got["day_some"].item() == days
        kind = got["kind_some"].item()
        assert (None if kind == -1 else handed.classes["kind_some"][kind]) == row["kind_some"]
        assert got["text_some"] == (row["text_some"] or "")
        assert (got["raw"], got["tags"]) == (row["raw"], row["tags"])
    with pytest.raises(IndexError, match="found 1,000"):
        handed[1000]


def test_items_are_the_callers_own(data: Dataset) -> None:
    """Changing an item, in place, changes no other and no file; a transform is given the row, and its result is the item."""
    handed = data.to_torch("val", ["id", "tags"])
    first = handed[0]
    before = first["id"].item()
    first["id"] += 1000
    first["tags"].append("more")
    assert (handed[0]["id"].item(), len(handed[0]["tags"])) == (before, 2)
    doubled = data.to_torch("val", ["id"], transform=lambda row: row["id"].item() * 2)
    assert [doubled[it] for it in range(3)] == [2 * handed[it]["id"].item() for it in range(3)]
    classed = data.to_torch("val", ["text_some"], classes=["text_some"], missing_text=None)
    assert classed[0]["text_some"].dtype == torch.int64
    assert None in [
        row["text_some"] for row in map(data.to_torch("val", missing_text=None).__getitem__, range(9))
    ]


def test_a_sent_dataset_holds_no_rows(data: Dataset) -> None:
    """Pickled it is small, whatever has been read, and gives the same rows when the dataset is closed."""
    handed = data.to_torch("train", ["id", "half"])
    fresh = len(pickle.dumps(handed))
    values = [handed[it]["id"].item() for it in range(len(handed))]
    sent = pickle.dumps(handed)
    assert len(sent) == fresh < 10_000
    again = pickle.loads(sent)
    assert [again[it]["id"].item() for it in reversed(range(len(again)))] == values[::-1]


def test_little_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups that do not fit are let go of, and read again when they are asked for."""
    from mldata.rowpieces import Piece

    monkeypatch.setattr("mldata.handing.torch.CACHED_BYTES", 1)
    handed = Built(tmp_path, mixed(30)).open().to_torch(columns=["id"])
    read: list[int] = []
    group = Piece.group

    def counting(self: Piece, *args: Any) -> Any:
        read.append(1)
        return group(self, *args)

    monkeypatch.setattr(Piece, "group", counting)
    assert [handed[it]["id"].item() for it in (0, 1, 29, 28, 0)] == [0, 1, 29, 28, 0]
    assert len(read) == 3


def test_names_that_do_not_go_together(examples: Project, data: Dataset) -> None:
    """Media without their path, classes without text, parts and columns that are not there: errors that say so."""
    fashion = places(examples, "fashion")[0]
    with pytest.raises(UsageError, match=r"'path'(?s:.*)media=False"):
        fashion.to_torch("train", ["label"])
    assert set(fashion.to_torch("train", ["label"], media=False)[0]) == {"label"}
    for method in (data.to_torch, data.to_hf):
        with pytest.raises(UsageError, match=r"classes, found 'id': int64"):
            method("train", classes=["id"])
        with pytest.raises(UsageError, match=r"no part 'dev'(?s:.*)train, val"):
            method("dev")
        with pytest.raises(UsageError, match=r"no column 'x'(?s:.*)It has id"):
            method("train", ["x"])


def test_hf_has_the_same_rows(data: Dataset, cache: Path) -> None:
    """Every part, by name, with the features of its columns, over a mapped file; a second call writes nothing."""
    found = data.to_hf(cache_dir=cache)
    assert isinstance(found, hf.DatasetDict) and list(found) == list(PARTS)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*.arrow")}
    for part in PARTS:
        made = found[part]
        expected = data.table(part).to_pylist()
        kinds = made.features["kind_some"]
        for row in expected:
            row["kind_some"] = None if row["kind_some"] is None else kinds.str2int(row["kind_some"])
        assert made.to_list() == expected
        assert str(made.split) == part
        assert made.features["small"] == hf.Value("int16")
        assert data.to_hf(part, cache_dir=cache).cache_files == made.cache_files != []
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.arrow")} == before
    memory = pa.total_allocated_bytes()
    again = data.to_hf("train", ["id"], cache_dir=cache)
    assert again.column_names == ["id"] and pa.total_allocated_bytes() - memory < 10_000
    assert not list(cache.rglob("*.tmp"))


def test_hf_decodes_media(examples: Project, cache: Path) -> None:
    """Pictures come decoded, labels as ``ClassLabel``; recordings by the path of their file; from the store and from a folder."""
    for data in places(examples, "fashion"):
        made = data.to_hf("val", cache_dir=cache)
        assert isinstance(made.features["label"], hf.ClassLabel) and made.features["label"].num_classes == 10
        row = made[0]
        assert row["image"].size == (28, 28)
        assert row["image"].tobytes() == data.to_torch("val")[0]["image"].numpy().tobytes()
        assert made.features["label"].int2str(row["label"]) == row["path"].split("/")[0]
    for data in places(examples, "spoken-digits"):
        made = data.to_hf("test", cache_dir=cache).cast_column("audio", hf.Audio(decode=False))
        sound = Path(made[0]["audio"]["path"]).read_bytes()
        assert soundfile.info(io.BytesIO(sound)).samplerate == 8000


def test_an_undivided_dataset(tmp_path: Path, cache: Path) -> None:
    """Without parts, the rows come without naming one, and Hugging Face's is no dict."""
    data = Built(tmp_path, mixed(30), split=False).open()
    assert isinstance(data.to_hf(cache_dir=cache), hf.Dataset)
    assert len(data.to_torch()) == len(data.to_torch("data")) == 30
