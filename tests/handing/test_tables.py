"""Rows handed to Arrow, pandas and polars: the same rows, and what is copied."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mldata
from mldata.dataset import Dataset
from mldata.errors import MissingExtra, UsageError
from mldata.manifest import ManifestFile, manifest_text, read_manifest
from store import hash_file
from tests.e2e.project import Project
from tests.handing.data import PARTS, Built, mixed
from tests.stages.jobs import put_table

ROWS = 300
WAYS = {
    "picked from fragments": ((), {}),
    "parquet": (("parquet",), {}),
    "parquet with row numbers": (("parquet",), {"row_index": True}),
    "arrow": (("arrow", "parquet"), {"compression": "none"}),
    "compressed arrow": (("arrow",), {}),
    "csv": (("csv",), {}),
}


@pytest.fixture(scope="module")
def flat() -> pa.Table:
    """A table that every format can hold."""
    return mixed(ROWS).drop_columns(["raw", "tags"])


def large() -> pa.Table:
    """More than a megabyte."""
    numbers = pa.array(range(100_000))
    some = pa.array([None if row % 3 == 1 else row % 100 for row in range(100_000)], pa.int16())
    return pa.table({"id": numbers, "half": numbers.cast(pa.float32()), "small_some": some})


def opened(folder: Path, table: pa.Table, way: str) -> list[Dataset]:
    """The dataset from its store, and from its export folder if that can be read back."""
    formats, params = WAYS[way]
    built = Built(folder, table, *formats, **params)
    return [built.open(), *([Dataset.from_export(built.folder)] if formats and formats != ("csv",) else [])]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_rows(tmp_path: Path, flat: pa.Table, way: str) -> None:
    """However the rows are kept, Arrow, pandas and polars get those of each part, in order, and of the columns that are asked for."""
    polars = pytest.importorskip("polars")
    pytest.importorskip("pandas")
    for data in opened(tmp_path, flat, way):
        names = ["text_some", "id"]
        for part in PARTS:
            whole = data.table(part, flat.column_names)
            table = data.to_arrow(part, flat.column_names)
            assert (table.schema, table.to_pylist()) == (whole.schema, whole.to_pylist())
            assert data.to_arrow(part, names) == whole.select(names)
            frame = data.to_polars(part, flat.column_names)
            assert isinstance(frame, polars.LazyFrame)
            assert frame.collect().to_dicts() == whole.to_pylist()
            assert data.to_polars(part, names).collect().columns == names
            picked = frame.filter(polars.col("id") > 100).select("half").collect()["half"].to_list()
            assert picked == [row["half"] for row in whole.to_pylist() if row["id"] > 100]
            assert data.to_polars(part).head(3).collect().height == 3
            assert data.to_pandas(part, names)["id"].tolist() == whole["id"].to_pylist()
        assert data.to_arrow().num_rows == data.to_polars().collect().height == ROWS
        assert sorted(data.to_arrow(columns=["id"])["id"].to_pylist()) == list(range(ROWS))


def test_an_arrow_export_is_mapped(tmp_path: Path) -> None:
    """A table of an uncompressed Arrow export is the file: no memory of Arrow's is taken, and two tables are at one place."""
    built = Built(tmp_path, large(), "arrow", compression="none")
    for data in (built.open(), Dataset.from_export(built.folder)):
        before = pa.total_allocated_bytes()
        table = data.to_arrow("train")
        assert pa.total_allocated_bytes() - before < 10_000 < 1_000_000 < table.nbytes
        chunk = table["half"].chunk(0).buffers()[1]
        assert not chunk.is_mutable
        del data
        assert table["id"].to_pylist() == built.open().table("train")["id"].to_pylist()


def test_pandas_over_arrow_copies_nothing(tmp_path: Path) -> None:
    """With ``dtype_backend="pyarrow"`` a frame holds the mapped file's memory; without, a copy that may be written to."""
    pytest.importorskip("pandas")
    data = Built(tmp_path, large(), "arrow", compression="none").open()
    before = pa.total_allocated_bytes()
    frame = data.to_pandas("train", dtype_backend="pyarrow")
    assert pa.total_allocated_bytes() - before < 10_000
    assert str(frame["small_some"].dtype) == "int16[pyarrow]"
    plain = data.to_pandas("train")
    plain.loc[0, "half"] = 7.0
    assert (str(plain["half"].dtype), str(plain["small_some"].dtype)) == ("float32", "float64")
    with pytest.raises(UsageError, match="numpy or pyarrow, found 'arrow'"):
        data.to_pandas("train", dtype_backend="arrow")  # type: ignore[arg-type]


def test_polars_reads_what_the_query_needs(tmp_path: Path, flat: pa.Table) -> None:
    """Polars scans the files themselves, with its own pushdown; a lazy frame outlives the dataset, however the rows are kept."""
    polars = pytest.importorskip("polars")
    for way in ("parquet", "picked from fragments"):
        with opened(tmp_path / way, flat, way)[0] as data:
            frame = data.to_polars("val")
        plan = frame.select("id").filter(polars.col("id") > 5).explain()
        assert "SELECTION" in plan and "1/" in plan
        assert ("Parquet SCAN" in plan) == (way == "parquet")
        assert frame.collect().height == data.parts["val"] == 60


def test_an_export_of_an_earlier_build_is_not_used(tmp_path: Path, flat: pa.Table) -> None:
    """Where the export is not of the tables that are there now, the rows come from these."""
    old = Built(tmp_path / "old", flat, "parquet", split=False)
    new = flat.set_column(0, "id", pa.array(range(1000, 1000 + ROWS)))
    old.trees["normalize"] = put_table(old.store, [new])
    assert old.open(current=False).to_arrow("data", ["id"])["id"][0].as_py() == 1000


def test_an_export_that_was_overtaken(tmp_path: Path) -> None:
    """After a command that brings only the tables up to date, rows are those of the tables, not of the older export."""
    project = Project(tmp_path)
    project.write("d.csv", "x\n" + "1\n" * 20)
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets: {d: {source: d.csv, split: {a: 0.5, b: 0.5}, export: {to: out, formats: [parquet]}}}\n",
    )
    project.run("build", "-q")
    with mldata.open("d", project=tmp_path) as data:
        assert data.to_arrow("a") == data.table("a")
    project.write("d.csv", "x\n" + "2\n" * 20)
    project.run("validate", "d", expect=None)
    with mldata.open("d", project=tmp_path) as data:
        assert data.to_arrow("a")["x"].to_pylist() == data.table("a")["x"].to_pylist() == [2] * 10


def test_unknown_names_are_errors(tmp_path: Path, flat: pa.Table) -> None:
    """Parts and columns that are not there are errors of each method, with those that are."""
    data = Built(tmp_path, flat).open()
    for method in (data.to_arrow, data.to_pandas, data.to_polars):
        with pytest.raises(UsageError, match=r"no part 'dev'(?s:.*)train, val"):
            method("dev")
        with pytest.raises(UsageError, match=r"no column 'x'(?s:.*)It has id"):
            method("train", ["x"])


@pytest.mark.parametrize("name", ["pandas", "polars", "torch", "datasets"])
def test_a_library_that_is_not_installed(
    tmp_path: Path, flat: pa.Table, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the method and how to install the library."""
    data = Built(tmp_path, flat).open()
    monkeypatch.setitem(sys.modules, name, None)
    method = {"datasets": "to_hf"}.get(name, f"to_{name}")
    with pytest.raises(MissingExtra, match=rf"{method} needs the package {name}(?s:.*)pip install {name}"):
        getattr(data, method)("train")


def test_a_part_in_several_files(tmp_path: Path, flat: pa.Table) -> None:
    """A part that is cut into shards is read from all of them, in order; ``paths`` names them, ``path`` says so."""
    polars = pytest.importorskip("polars")
    built = Built(tmp_path, flat, "parquet")
    whole = built.open().to_arrow("train")
    (built.folder / "train.parquet").unlink()
    manifest = read_manifest(built.folder / "manifest.yaml")
    files = [file for file in manifest.files if file.part != "train"]
    for number in range(3):
        path = built.folder / f"train-{number:05d}-of-00003.parquet"
        pq.write_table(whole.slice(number * 80, 80), path)
        digest = hash_file(path, ("sha256",))
        assert digest.sha256
        files.append(
            ManifestFile(path.name, digest.digest, digest.sha256, digest.size, "parquet", "train", 80)
        )
    text = manifest_text(replace(manifest, files=tuple(files)))
    (built.folder / "manifest.yaml").chmod(0o644)
    (built.folder / "manifest.yaml").write_text(text)
    data = Dataset.from_export(built.folder, verify=True)
    assert data.to_arrow("train").to_pylist() == data.table("train").to_pylist() == whole.to_pylist()
    assert (
        data.to_polars("train").select(polars.col("id")).collect()["id"].to_list() == whole["id"].to_pylist()
    )
    assert [path.name[:11] for path in data.paths("train")] == ["train-00000", "train-00001", "train-00002"]
    assert [path.name for path in data.paths()][3:] == ["val.parquet"]
    with pytest.raises(UsageError, match=r"is 3 files(?s:.*)paths"):
        data.path("train")
