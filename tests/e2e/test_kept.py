"""Builds that the store keeps: listed, shown, opened and exported, whatever was built since; and what gc leaves of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import mldata
from mldata.dataset import Dataset
from mldata.errors import UsageError
from store import Store
from tests.e2e.project import Project, tree_bytes
from tests.e2e.small import small_project

Exports = dict[str, dict[str, bytes]]
PARQUET = {"train.parquet", "test.parquet"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three builds of one dataset: by other data, by another spec, and without split. Beside it, the exports of the first two."""
    made = small_project(tmp_path_factory.mktemp("built") / "project")
    made.build()
    made.copy(made.root.parent / "was-first")
    made.write("data/3.csv", "x,y\n100,a\n101,b\n")
    made.replace("mldata.yaml", "formats: [parquet, csv]", "formats: [jsonl]")
    made.build()
    made.copy(made.root.parent / "was-second")
    made.replace("mldata.yaml", "    split: {train: 0.6, test: 0.4, seed: 1, stratify: y}\n", "")
    made.build()
    return made


@pytest.fixture
def three(built: Project, tmp_path: Path) -> Project:
    """A copy of it that a test may change."""
    return built.copy(tmp_path / "project")


@pytest.fixture
def was(built: Project) -> Exports:
    """The exports as the builds left them."""
    return {which: tree_bytes(built.root.parent / f"was-{which}" / "out/d") for which in ("first", "second")}


def test_every_build_is_listed_and_shown(three: Project) -> None:
    """Newest first, each with its own stages, parameters and files."""
    assert [it["build"] for it in three.json("log", "d")["result"]["builds"]] == [3, 2, 1]
    assert "train.csv" in three.run("show", "d@1").out
    assert "train.jsonl" in three.run("show", "d@2").out
    assert "parts   train 20, test 12" in three.run("show", "d@2").out
    newest = three.run("show", "d@latest").out
    assert "data.jsonl  32 rows" in newest
    assert newest == three.run("show", "d").out
    three.write("mldata.yaml", "version: 1\ndatasets: {}\n")  # also of a dataset that the spec no longer has
    assert three.json("show", "d@1")["result"]["stages"]["split"]["params"]["seed"] == 1
    assert len(three.json("log", "d")["result"]["builds"]) == 3


def test_show_names_the_code(project: Project) -> None:
    """The files that a transform's functions ran, with their digests."""
    made = small_project(project.root)
    made.write("clean.py", "def f(table):\n    return table\n")
    made.replace("mldata.yaml", "    split:", "    transform: clean.py:f\n    split:")
    made.build()
    digest = made.json("show", "d")["result"]["stages"]["transform"]["params"]["code"]["clean.py"]
    assert f"  code    clean.py  {digest[:12]}" in made.run("show", "d").out


def test_a_build_is_exported_as_it_was(three: Project, tmp_path: Path, was: Exports) -> None:
    """The same bytes, manifest included, in a folder that is new; the project and its store stay as they are."""
    for build, which in (("d@1", "first"), ("d@2", "second")):
        told = three.json("export", build, "-o", str(tmp_path / which / "new"))["result"]
        assert tree_bytes(tmp_path / which / "new") == was[which]
        assert told["failed"] == []
        assert {file["path"] for file in told["files"]} | {"manifest.yaml"} == was[which].keys()
    assert set(told["files"][0]) == {"path", "format", "split", "rows", "size", "digest", "sha256"}
    assert len(three.json("log", "d")["result"]["builds"]) == 3
    assert {it["status"] for it in three.build()["d"]["stages"].values()} == {"up-to-date"}
    assert "train.jsonl  20 rows" in three.run("export", "d@2", "-o", str(tmp_path / "text")).out


def test_another_build_takes_the_place_of_an_export(three: Project, tmp_path: Path, was: Exports) -> None:
    """A folder with an export, of whichever build and formats, is brought in line, without what only the old one had."""
    out = tmp_path / "out"
    three.run("export", "d@1", "-o", str(out))
    three.run("export", "d@1", "-o", str(out))
    three.run("export", "d@3", "-o", str(out), "--formats", "csv,arrow")
    assert set(tree_bytes(out)) == {"data.csv", "data.arrow", "manifest.yaml"}
    three.run("export", "d@2", "-o", str(out))
    assert tree_bytes(out) == was["second"]


def test_other_formats_and_compression(three: Project, tmp_path: Path, was: Exports) -> None:
    """What was not made then is made of the build's own table and split; the second time it comes from the cache."""
    done = three.run("export", "d@1", "-o", str(tmp_path / "a"), "--formats", "arrow,csv")
    assert "export:d  2 run, 1 from cache" in done.err  # the CSV files are those of then
    files = tree_bytes(tmp_path / "a")
    assert set(files) == {"train.arrow", "test.arrow", "train.csv", "test.csv", "manifest.yaml"}
    assert files["train.csv"] == was["first"]["train.csv"]
    done = three.run("export", "d@1", "-o", str(tmp_path / "b"), "--formats", "csv,arrow")
    assert "export:d  0 run, 3 from cache" in done.err
    assert tree_bytes(tmp_path / "b") == files
    three.run("export", "d@1", "-o", str(tmp_path / "c"), "--compression", "none")
    assert set(tree_bytes(tmp_path / "c")) == was["first"].keys()
    assert tree_bytes(tmp_path / "c")["train.parquet"] != was["first"]["train.parquet"]
    with Dataset.from_export(tmp_path / "c", verify=True) as data:
        assert (data.parts, data.params["export"]["compression"]) == ({"train": 18, "test": 12}, "none")


def test_what_was_made_then_is_what_is_asked_for(three: Project, tmp_path: Path, was: Exports) -> None:
    """The formats of then, said, are the very export of then."""
    three.run("export", "d@1", "-o", str(tmp_path / "a"), "--formats", "csv,parquet", "--compression", "zstd")
    assert tree_bytes(tmp_path / "a") == was["first"]


def test_a_dataset_that_is_not_exported_by_its_spec(project: Project, tmp_path: Path) -> None:
    """Its builds can be: as Parquet unless told otherwise."""
    made = small_project(project.root)
    made.replace("mldata.yaml", "    export: {to: out/d, formats: [parquet, csv]}\n", "")
    made.build()
    made.run("export", "d", "-o", str(tmp_path / "a"))
    assert set(tree_bytes(tmp_path / "a")) == PARQUET | {"manifest.yaml"}


def test_media_are_exported(examples: Project, tmp_path: Path) -> None:
    """The files that rows name come along, in one line for people and each for programs."""
    files = examples.files("artifacts/fashion")
    assert "100 media files" in examples.run("export", "fashion", "-o", str(tmp_path / "f")).out
    assert tree_bytes(tmp_path / "f") == files
    told = examples.json("export", "fashion", "-o", str(tmp_path / "f"), "--formats", "jsonl")["result"][
        "files"
    ]
    assert sum(file["format"] == "media" for file in told) == 100


@pytest.mark.parametrize("link", ["copy", "hardlink"])
def test_link_is_followed(link: str, three: Project, tmp_path: Path) -> None:
    """Files come out of the store as ``link:`` says."""
    three.replace("mldata.yaml", "version: 1", f"version: 1\nlink: {link}")
    three.run("export", "d@1", "-o", str(tmp_path / "a"))
    assert os.stat(tmp_path / "a/train.csv").st_nlink == (1 if link == "copy" else 2)


def test_foreign_files_are_not_touched(three: Project, tmp_path: Path) -> None:
    """A folder with anything but an export as it was written is refused, and stays as it is."""
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub/mine").write_text("x")
    told = three.run("export", "d@1", "-o", str(out), expect=3).err
    assert "found sub/mine" in told and "Name another folder" in told
    (out / "sub/mine").unlink()
    (out / "train.csv").write_text("mine\n")
    assert "found train.csv" in three.run("export", "d@1", "-o", str(out), expect=3).err
    assert tree_bytes(out) == {"train.csv": b"mine\n"}
    (out / "train.csv").unlink()
    three.run("export", "d@1", "-o", str(out))
    (out / "test.csv").unlink()
    (out / "test.csv").write_text("edited\n")
    assert "found test.csv" in three.run("export", "d@2", "-o", str(out), expect=3).err
    assert (out / "test.csv").read_text() == "edited\n"
    (out / "test.csv").unlink()
    os.symlink(tmp_path, out / "link")
    assert "found link" in three.run("export", "d@2", "-o", str(out), expect=3).err
    assert "found something else" in three.run("export", "d", "-o", str(out / "train.csv"), expect=3).err


@pytest.mark.parametrize("what", ["no digest", "no manifest", "a pipe", "a link"])
def test_a_manifest_is_not_believed(what: str, three: Project, tmp_path: Path) -> None:
    """What lists files of one's own as those of an export is a foreign file, like them."""
    out = tmp_path / "out"
    three.run("export", "d@1", "-o", str(out))
    manifest = out / "manifest.yaml"
    text = manifest.read_text()
    manifest.unlink()
    if what == "no digest":
        first = text.index('"blake3": "') + 11
        manifest.write_text(f"{text[:first]}../../{text[first + 6 :]}")
    elif what == "no manifest":
        manifest.write_text("mine: 1\n")
    elif what == "a pipe":
        os.mkfifo(manifest)
    else:
        (tmp_path / "elsewhere").write_text(text)
        manifest.symlink_to(tmp_path / "elsewhere")
    assert "found manifest.yaml" in three.run("export", "d@2", "-o", str(out), expect=3).err
    assert os.path.lexists(manifest)


def test_an_export_that_was_interrupted_goes_on(three: Project, tmp_path: Path, was: Exports) -> None:
    """Files of the same export that are there already are not in the way."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "train.csv").write_bytes(was["first"]["train.csv"])
    (out / ".mldata-1.tmp").mkdir()
    (out / ".mldata-1.tmp/1").write_text("half")
    three.run("export", "d@1", "-o", str(out))
    assert tree_bytes(out) == was["first"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("data", "would be read as part of the source 'data/*.csv' of 'd'"),
        ("out/d", "where `mldata build` keeps the export of 'd'"),
        ("out", "where `mldata build` keeps the export of 'd'"),
        ("out/d/x", "where `mldata build` keeps the export of 'd'"),
        (".mldata/x", "apart from the project's state"),
        (".", "apart from the project's state"),
        ("..", "apart from the project's state"),
    ],
)
def test_places_that_are_taken(place: str, says: str, three: Project) -> None:
    """Nothing is written where the project has something else."""
    before = three.files(".")
    assert says in three.run("export", "d@1", "-o", place, expect=3).err
    assert three.files(".").keys() == before.keys()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("d",), "expected a folder to write to"),
        (("d@9", "-o", "x"), "has no build 9; builds kept: 1, 2, 3"),
        (("e", "-o", "x"), "not a dataset"),
        (("d", "-o", "x", "--formats", "csx"), "did you mean 'csv'?"),
        (("d", "-o", "x", "--formats", ""), "expected one of parquet"),
        (("d", "-o", "x", "--compression", "zap"), "expected none, zstd"),
        (("d", "-o", "x", "--formats", "arrow", "--compression", "gzip"), "it has zstd[:1-22], lz4, none"),
        (("d", "-o", "x", "--formats", "csv", "--compression", "gzip"), "write csv.gz: --formats csv.gz"),
        (("d", "-o", "x", "-j", "0"), "expected -j of at least 1"),
    ],
)
def test_bad_arguments(args: tuple[str, ...], says: str, three: Project) -> None:
    """Each is told, with exit code 3, and no folder is made."""
    assert says in three.run("export", *args, expect=3).err
    assert not (three / "x").exists()


def test_gc_keeps_what_kept_builds_need(three: Project, tmp_path: Path, was: Exports) -> None:
    """After gc every build is exported as it was, and made again."""
    three.run("gc")
    for build, which in (("d@1", "first"), ("d@2", "second")):
        three.run("export", build, "-o", str(tmp_path / which))
        assert tree_bytes(tmp_path / which) == was[which]
        assert three.json("rebuild", build, "--verify")["result"]["verified"] is True
    three.run("export", "d@1", "-o", str(tmp_path / "other"), "--formats", "jsonl")


def test_builds_that_gc_removed_are_told_as_such(three: Project, tmp_path: Path) -> None:
    """log says which, and whoever asks for one is told that it was there and how to have it again."""
    three.run("gc", "--keep-last", "1")
    assert "no longer kept, removed by gc: 1 to 2" in three.run("log", "d").out
    assert three.json("log", "d")["result"]["removed"] == [[1, 2]]
    for command in (("show",), ("rebuild", "--verify"), ("export", "-o", str(tmp_path / "x"))):
        told = three.run(command[0], "d@2", *command[1:], expect=3).err
        assert "build 2 of 'd' is no longer kept: gc removed it; builds kept: 3" in told
        assert "mldata build d" in told
    assert "has no build 4" in three.run("show", "d@4", expect=3).err
    assert "has no build 0" in three.run("show", "d@0", expect=3).err
    three.run("export", "d@3", "-o", str(tmp_path / "x"))
    with pytest.raises(UsageError, match="no longer kept"):
        mldata.open("d@1", project=three.root)


def test_gc_leaves_what_is_being_exported(three: Project) -> None:
    """A build stays whole while it is used, also if its record goes meanwhile."""
    from mldata.keptbuild import open_build

    with Store.open(three / ".mldata/store") as store, open_build(store, "d", 1) as kept:
        three.run("gc", "--keep-last", "1")
        assert three.json("log", "d")["result"]["removed"] == [[1, 2]]
        assert store.missing(kept.root) == []
    three.run("gc")
    with Store.open(three / ".mldata/store") as store:
        assert store.missing(kept.root) != []


def test_a_read_only_store_is_exported_from(three: Project, tmp_path: Path, was: Exports) -> None:
    """Where nothing can be written, what was made then comes out."""
    from mldata.keptbuild import open_build

    with (
        Store.open(three / ".mldata/store", read_only=True) as store,
        open_build(store, "d", 1) as kept,
    ):
        store.materialize(kept.record.outputs["export"], tmp_path / "x")
        assert tree_bytes(tmp_path / "x") == was["first"]


def test_kept_builds_from_python(three: Project) -> None:
    """A build opened by its number has the rows of then; files only as long as they are in the export folder."""
    for build, rows in (
        ("d@1", {"train": 18, "test": 12}),
        ("d@3", {"data": 32}),
        ("d@latest", {"data": 32}),
    ):
        with mldata.open(build, project=three.root) as data:
            assert data.parts == rows
            assert {part: data.table(part).num_rows for part in data.parts} == rows
            if build != "d@1":
                assert data.path() == three / "out/d/data.jsonl"
                continue
            assert data.table("train", ["x"]).column_names == ["x"]
            assert {file.path for file in data.manifest.files} == {*PARQUET, "train.csv", "test.csv"}
            with pytest.raises(
                UsageError, match=r"build 1 of dataset 'd' is not in its export folder"
            ) as told:
                data.path("train")
            assert "mldata export d@1 -o DIR" in str(told.value)
