"""Exports of the examples and of a table of many types, read by the libraries that the formats are for.

One module, so that TensorFlow is imported by one process of a test run only.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.project import EXAMPLES, Project

SPEC = """\
version: 1
datasets:
  fashion:
    source: fashion
    split: {train: 0.7, test: 0.3, seed: 42, stratify: label}
    export: {to: out/fashion, formats: [parquet, tfrecord, webdataset, huggingface]}
  digits:
    source: digits
    export: {to: out/digits, formats: [parquet, tfrecord, webdataset, huggingface]}
  cut:
    source: fashion
    export: {to: out/cut, formats: [tfrecord, webdataset, huggingface], shard_size: 10KB}
  mixed:
    source: mixed.parquet
    export: {to: out/mixed, formats: [parquet, tfrecord, tfrecord.gz, webdataset, huggingface], exact_floats: true}
"""
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 58, 1, tzinfo=datetime.UTC)
MIXED = pa.table(
    {
        "label": pa.array(["b", "a", None]),
        "group": pa.array(["u", None, "v"]).dictionary_encode(),
        "n": pa.array([-(2**63), None, 2**63 - 1]),
        "u": pa.array([0, None, 2**64 - 1], pa.uint64()),
        "x": pa.array([0.1, None, 1e300]),
        "half": pa.array([0.5, None, -1], pa.float32()),
        "yes": pa.array([True, None, False]),
        "text": pa.array(["é\n", None, ""]),
        "bytes": pa.array([b"\x00\xff", None, b""]),
        "price": pa.array([Decimal("1.20"), None, Decimal("-0.03")]),
        "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31)]),
        "at": pa.array([MOMENT, None, MOMENT], pa.timestamp("us", "UTC")),
        "list": pa.array([[1, None, 3], None, []]),
        "words": pa.array([["x", ""], None, [None]]),
        "deep": pa.array([{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}]),
        "map": pa.array([[("k", 1)], None, [("k", None)]], pa.map_(pa.string(), pa.int64())),
    }
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the exports."""
    project = Project(tmp_path_factory.mktemp("records"))
    shutil.copytree(EXAMPLES / "fashion" / "data", project / "fashion")
    shutil.copytree(EXAMPLES / "spoken-digits" / "data", project / "digits")
    pq.write_table(MIXED, project / "mixed.parquet")
    project.write("mldata.yaml", SPEC)
    project.build()
    return project / "out"


@pytest.fixture(scope="module")
def tf() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("tensorflow", reason="TensorFlow is not installed")


@pytest.fixture(scope="module")
def wds() -> Any:
    return pytest.importorskip("webdataset", reason="the package webdataset is not installed")


@pytest.fixture(scope="module")
def moved(out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each dataset's export elsewhere, without other formats and media files."""
    target = tmp_path_factory.mktemp("moved")
    for folder in out.iterdir():
        for path in [*folder.glob("*/data-*.arrow"), *folder.glob("*/*.json")]:
            (target / folder.name / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target / folder.name / path.parent.name)
        for name in ("dataset_dict.json", ".huggingface.yaml"):
            shutil.copy(folder / name, target / folder.name)
    return target


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Both functions, which have to agree: rows and features by split."""
    datasets = pytest.importorskip("datasets", minversion="4.0", reason="datasets 4 is not installed")
    cache = str(tmp_path_factory.mktemp("cache"))

    def both(folder: Path) -> Any:
        mapped = datasets.load_from_disk(str(folder))
        built = datasets.load_dataset(str(folder), cache_dir=cache)
        assert list(mapped) == list(built)
        for split in mapped:
            assert mapped[split].features == built[split].features
            assert mapped[split].with_format("arrow")[:].equals(built[split].with_format("arrow")[:])
        return mapped

    return both


def rows_of(folder: Path, part: str) -> list[dict[str, Any]]:
    """What Parquet has."""
    return pq.read_table(folder / f"{part}.parquet").to_pylist()


def classes_of(folder: Path) -> list[str]:
    """Of the column that is to be learnt."""
    classes: list[str] = json.loads((folder / "webdataset.json").read_text())["classes"]
    return classes


class TestShards:
    """All files of a part together, in the order of their names, are what one file is."""

    @staticmethod
    def paths(out: Path) -> list[str]:
        """Of every picture, in order."""
        rows = [row for part in ("train", "test") for row in rows_of(out / "fashion", part)]
        return sorted(row["path"] for row in rows)

    def test_of_records(self, tf: Any, out: Path) -> None:
        """``TFRecordDataset`` reads any number of files."""
        files = sorted(map(str, (out / "cut").glob("*.tfrecord")))
        spec = {"path": tf.io.FixedLenFeature([], tf.string)}
        records = tf.data.TFRecordDataset(files).batch(1000)
        [found] = [tf.io.parse_example(record, spec)["path"].numpy().tolist() for record in records]
        assert len(files) > 3 and [path.decode() for path in found] == self.paths(out)

    def test_of_webdataset(self, wds: Any, out: Path) -> None:
        """The library's own notation for a range of files; keys go on from one to the next."""
        count = len(list((out / "cut").glob("*.tar")))
        shards = str(out / "cut" / f"data-{{000000..{count - 1:06d}}}.tar")
        found = list(wds.WebDataset(shards, shardshuffle=False).decode())
        assert count > 3 and [it["json"]["path"] for it in found] == self.paths(out)
        assert [it["__key__"] for it in found] == [f"{number:09d}" for number in range(100)]

    def test_of_datasets(self, load: Any, out: Path) -> None:
        """Both ways."""
        found = load(out / "cut")["train"]
        assert len(list((out / "cut" / "train").glob("*.arrow"))) > 3 and found["path"][:] == self.paths(out)


class TestTensorFlow:
    """``tf.data`` and its parser."""

    @staticmethod
    def parsed(tf: Any, folder: Path, part: str, suffix: str = "", codec: str = "") -> list[dict[str, Any]]:
        """Rows, by a specification that is made of ``features.json`` alone. A missing value is an empty list."""
        said = json.loads((folder / f"features{suffix}.json").read_text())["features"]
        kinds = {"int64": tf.int64, "float32": tf.float32, "bytes": tf.string}
        spec = {key: tf.io.VarLenFeature(kinds[it["dtype"]]) for key, it in said.items()}
        records = tf.data.TFRecordDataset(str(folder / f"{part}.tfrecord{suffix}"), compression_type=codec)
        parsed = [tf.io.parse_single_example(record, spec) for record in records]
        return [{key: value.values.numpy().tolist() for key, value in row.items()} for row in parsed]

    def test_pictures_and_labels(self, tf: Any, out: Path) -> None:
        """Every row of every part, in order, with the file's own bytes, which decode."""
        folder = out / "fashion"
        classes = classes_of(folder)
        assert classes == sorted(it.name for it in (EXAMPLES / "fashion" / "data").iterdir())
        for part in ("train", "test"):
            rows = rows_of(folder, part)
            found = self.parsed(tf, folder, part)
            assert [it["path"] for it in found] == [[row["path"].encode()] for row in rows]
            for it, row in zip(found, rows, strict=True):
                assert it["label"] == [row["label"].encode()] and it["image/format"] == [b"png"]
                assert classes[it["label/index"][0]] == row["label"] and it["width"] == [28]
                assert it["image/encoded"] == [(EXAMPLES / "fashion" / "data" / row["path"]).read_bytes()]
        assert tf.io.decode_image(found[0]["image/encoded"][0]).shape == (28, 28, 1)

    def test_recordings(self, tf: Any, out: Path) -> None:
        """They are in ``audio/encoded``, and decode."""
        found = {it["path"][0].decode(): it for it in self.parsed(tf, out / "digits", "data")}
        assert len(found) == 50
        wav = next(path for path in sorted(found) if path.endswith(".wav"))
        sound, _ = tf.audio.decode_wav(found[wav]["audio/encoded"][0])
        assert sound.shape[0] > 1000 and found[wav]["audio/format"] == [b"wav"]

    def test_fixed_features_with_defaults(self, tf: Any, out: Path) -> None:
        """The usual specification works: a feature that is not there takes the default."""
        spec = {
            "n": tf.io.FixedLenFeature([], tf.int64, -1),
            "text": tf.io.FixedLenFeature([], tf.string, "?"),
        }
        records = tf.data.TFRecordDataset(str(out / "mixed" / "data.tfrecord")).batch(3)
        [batch] = [tf.io.parse_example(record, spec) for record in records]
        assert batch["n"].numpy().tolist() == [-(2**63), -1, 2**63 - 1]
        assert batch["text"].numpy().tolist() == ["é\n".encode(), b"?", b""]

    def test_every_type_comes_back(self, tf: Any, out: Path) -> None:
        """By the way back that is documented; compressed files hold the same."""
        found = self.parsed(tf, out / "mixed", "data")
        assert found == self.parsed(tf, out / "mixed", "data", ".gz", "GZIP")
        first, nothing, last = found
        assert not any(nothing[key] for key in nothing if not key.startswith("label"))
        assert tf.bitcast(tf.constant(last["u"], tf.int64), tf.uint64).numpy().tolist() == [2**64 - 1]
        assert [tf.io.decode_raw(it["x"][0], tf.float64).numpy().tolist() for it in (first, last)] == [
            [0.1],
            [1e300],
        ]
        assert (first["half"], first["yes"], first["bytes"]) == ([0.5], [1], [b"\x00\xff"])
        assert (first["price"], first["day"], first["group"]) == ([b"1.20"], [b"2024-02-29"], [b"u"])
        assert first["at"] == [b"2024-02-29T23:59:58.000001Z"]
        assert (first["list"], first["list/missing"], last["list"]) == ([1, 0, 3], [1], [])
        assert (first["words"], last["words/missing"]) == ([b"x", b""], [0])
        assert json.loads(first["deep"][0]) == {"a": 1, "b": ["x"]}
        assert json.loads(last["map"][0]) == [{"key": "k", "value": None}]
        assert (first["label/index"], nothing["label/index"], last["label/index"]) == ([1], [0], [])


class TestWebDataset:
    """The ``webdataset`` library."""

    @staticmethod
    def samples(wds: Any, path: Path, decoder: str | None = None) -> list[dict[str, Any]]:
        made = wds.WebDataset(str(path), shardshuffle=False)
        return list(made.decode(decoder) if decoder is not None else made.decode())

    def test_pictures_and_labels(self, wds: Any, out: Path) -> None:
        """Every row of every part is a sample, in order, which the library decodes by itself."""
        folder = out / "fashion"
        classes = classes_of(folder)
        for part in ("train", "test"):
            rows = rows_of(folder, part)
            found = self.samples(wds, folder / f"{part}-000000.tar", "pil")
            assert [it["json"] for it in found] == rows
            assert [it["__key__"] for it in found] == [f"{number:09d}" for number in range(len(rows))]
            assert [classes[it["cls"]] for it in found] == [row["label"] for row in rows]
            assert {it["png"].size for it in found} == {(28, 28)}

    def test_recordings_and_rows_without_files(self, wds: Any, out: Path) -> None:
        """A file is under the end of its own name; a table has JSON alone."""
        found = list(wds.WebDataset(str(out / "digits" / "data-000000.tar"), shardshuffle=False))
        for it in found:
            path = json.loads(it["json"])["path"]
            data = it[path.rsplit(".")[-1]]
            assert data == (EXAMPLES / "spoken-digits" / "data" / path).read_bytes()
        mixed = self.samples(wds, out / "mixed" / "data-000000.tar")
        assert [it.get("cls") for it in mixed] == [1, 0, None] and len(found) == 50
        assert [set(it) - {"__key__", "__url__", "__local_path__", "cls"} for it in mixed] == [{"json"}] * 3
        assert [it["json"]["deep"] for it in mixed] == MIXED["deep"].to_pylist()


class TestDatasets:
    """The ``datasets`` library, both ways, on a folder that was moved."""

    def test_another_export_in_the_same_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Any
    ) -> None:
        """It is read anew, although the library keeps what it made of a folder by its path."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        for rows in (2, 3):
            text = "x\n" + "".join(f"{row}\n" for row in range(rows))
            Project(tmp_path).write("d.csv", text)
            Project(tmp_path).run("export", "d.csv", "-o", "out", "--formats", "huggingface")
            assert load(Path("out"))["train"]["x"][:] == list(range(rows))

    def test_pictures_and_labels(self, load: Any, moved: Path, out: Path) -> None:
        """``Image`` and ``ClassLabel``; all rows of all splits."""
        import datasets

        found = load(moved / "fashion")
        classes = classes_of(out / "fashion")
        assert {split: found[split].num_rows for split in found} == {"train": 70, "test": 30}
        for split in found:
            features = found[split].features
            assert features["image"] == datasets.Image() and features["label"] == datasets.ClassLabel(
                names=classes
            )
            assert features["path"] == datasets.Value("string")
            rows = rows_of(out / "fashion", split)
            plain = found[split].cast_column("image", datasets.Image(decode=False))
            for it, row in zip(plain, rows, strict=True):
                assert it["image"]["bytes"] == (EXAMPLES / "fashion" / "data" / row["path"]).read_bytes()
                assert {**it, "label": classes[it["label"]]} == {"image": it["image"], **row}
        assert found["train"][0]["image"].size == (28, 28)

    def test_recordings(self, load: Any, moved: Path, out: Path) -> None:
        """``Audio``; what is not split is ``train``."""
        import datasets
        import soundfile

        found = load(moved / "digits")
        assert list(found) == ["train"] and found["train"].features["audio"] == datasets.Audio()
        plain = found["train"].cast_column("audio", datasets.Audio(decode=False))
        assert [it["path"] for it in plain] == [row["path"] for row in rows_of(out / "digits", "data")]
        assert soundfile.info(io.BytesIO(plain[0]["audio"]["bytes"])).frames > 1000

    def test_every_type_comes_back(self, load: Any, moved: Path) -> None:
        """Under its own type; a label and a category as classes, a map as a list of pairs."""
        import datasets

        made = load(moved / "mixed")["train"]
        assert made.features["label"] == datasets.ClassLabel(names=["a", "b"])
        assert made.features["group"] == datasets.ClassLabel(names=["u", "v"])
        assert made.features["price"] == datasets.Value("decimal128(3, 2)")
        assert made.features["deep"] == {
            "a": datasets.Value("int64"),
            "b": datasets.List(datasets.Value("string")),
        }
        found = made.with_format("arrow")[:]
        assert (found["label"].to_pylist(), found["group"].to_pylist()) == ([1, 0, None], [0, None, 1])
        assert found["map"].to_pylist() == [[{"key": "k", "value": 1}], None, [{"key": "k", "value": None}]]
        for name in set(MIXED.column_names) - {"label", "group", "map"}:
            assert found[name].type == MIXED[name].type, name
            assert found[name].to_pylist() == MIXED[name].to_pylist(), name

    def test_among_other_files(self, load: Any, out: Path) -> None:
        """Parquet files, records, media and the manifest in the same folder are not taken for data."""
        assert load(out / "fashion")["train"].num_rows == 70
