"""``mldata export PATH``: what no spec names, straight into a folder, and what stands in its way."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mldata.manifest import read_manifest
from tests.disks import small_disk as small_disk
from tests.e2e.project import Project, tree_bytes

ROWS = "x,y\n1,a\n2,b\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder of data without a spec."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Project(tmp_path / "work")
    made.write("data/1.csv", ROWS)
    made.write("data/2.csv", "x,y\n3,c\n")
    return made


def test_a_folder_becomes_files(place: Project) -> None:
    """All rows of a folder in each format that was asked for, described by a manifest; what was read stays as it was."""
    told = place.json("export", "data", "-o", "out", "--formats", "parquet,jsonl")["result"]
    assert [(it["path"], it["format"], it["rows"]) for it in told["files"]] == [
        ("data.jsonl", "jsonl", 3),
        ("data.parquet", "parquet", 3),
    ]
    assert told["failed"] == [] and told["folder"] == str(place / "out")
    assert pq.read_table(place / "out/data.parquet")["x"].to_pylist() == [1, 2, 3]
    lines = (place / "out/data.jsonl").read_text().splitlines()
    assert [json.loads(line)["y"] for line in lines] == ["a", "b", "c"]
    assert tree_bytes(place / "data").keys() == {"1.csv", "2.csv"}


def test_several_paths_become_one_table(place: Project) -> None:
    """Paths that a shell made of a pattern are read as the pattern is."""
    place.run("export", "data/1.csv", "data/2.csv", "-o", "out")
    place.run("export", "data/*.csv", "-o", "out2")
    assert pq.read_table(place / "out/data.parquet").equals(pq.read_table(place / "out2/data.parquet"))


def test_own_parts_stay_parts(place: Project) -> None:
    """Files named as parts of a split are written part by part, and so they are read back from the export."""
    place.write("parts/train.csv", ROWS)
    place.write("parts/test.csv", "x,y\n9,z\n")
    place.run("export", "parts", "-o", "out", "--formats", "arrow")
    place.run("export", "out", "-o", "again", "--formats", "csv")
    assert (place / "again/train.csv").read_text() == ROWS
    assert [(it.name, it.rows) for it in read_manifest(place / "again/manifest.yaml").parts] == [
        ("train", 2),
        ("test", 1),
    ]


def test_a_second_run_writes_what_is_new(place: Project) -> None:
    """The same again runs nothing; one more format runs that one alone."""
    place.run("export", "data", "-o", "out", "--formats", "parquet,csv")
    before = (place / "out/data.csv").stat()
    told = place.run("export", "data", "-o", "out", "--formats", "parquet,csv,jsonl").err
    assert "export:out  2 run, 2 from cache" in told  # the format, and the manifest that tells of it
    after = (place / "out/data.csv").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_what_is_in_the_way_stays(place: Project) -> None:
    """A file of one's own is replaced only by --force, and only where a file is to be written; others stay all the same."""
    place.write("out/data.parquet", "mine")
    place.write("out/notes.txt", "mine too")
    told = place.run("export", "data", "-o", "out", expect=3).text
    assert "data.parquet" in told and "--force" in told
    assert (place / "out/data.parquet").read_text() == "mine"
    place.run("export", "data", "-o", "out", "--force")
    assert pq.read_table(place / "out/data.parquet").num_rows == 3
    assert (place / "out/notes.txt").read_text() == "mine too"


def test_nothing_is_read_from_where_it_is_written(place: Project) -> None:
    """A folder cannot be exported to itself."""
    place.run("export", "data", "-o", "out")
    before = tree_bytes(place / "out")
    for source in ("out", "out/data.parquet"):
        assert "apart from what is read" in place.run("export", source, "-o", "out", expect=3).text
    assert tree_bytes(place / "out") == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nothing-here"], "no mldata.yaml"),
        (["./nothing-here"], "no such file"),
        (["data", "--formats", "parket"], "did you mean 'parquet'?"),
        (["data", "--compression", "csv=gzip"], "'csv' is not among the formats"),
        (["data", "--shard-size", "0"], "expected a size such as 500MB"),
        (["data", "--dvc", "--git-lfs"], "DVC and Git LFS would both keep"),
    ],
)
def test_mistakes(place: Project, words: list[str], expected: str) -> None:
    """Bad arguments are told before anything is written."""
    assert expected in place.run("export", *words, "-o", "out", expect=None).text
    assert not (place / "out").exists()


@pytest.mark.no_cover
def test_no_room(place: Project, small_disk: Path) -> None:
    """Where the disk of the folder has no room for the files, it is said before the first one is written."""
    noise = "".join(f"{hash((number, 7)) % 10**15},t{number}\n" for number in range(200_000))
    place.write("data/1.csv", "x,y\n" + noise)
    told = place.run("export", "data", "-o", str(small_disk / "out"), "--formats", "csv", expect=1).text
    assert "needs about" in told and "are free" in told
    assert not (small_disk / "out").exists()


def test_a_format_that_cannot_leaves_the_others(place: Project) -> None:
    """What can be written is there whole, what cannot is told with its format, and the exit code is 1: for a place and for a kept build."""
    place.write("deep/a.jsonl", '{"x": 1, "list": [1, 2]}\n')
    done = place.run("export", "deep", "-o", "out", "--formats", "parquet,csv,jsonl", expect=1)
    assert "csv was not written" in done.err and "'list'" in done.err
    assert {"data.parquet", "data.jsonl", "manifest.yaml"} == tree_bytes(place / "out").keys()
    assert {it.path for it in read_manifest(place / "out/manifest.yaml").files} == {
        "data.parquet",
        "data.jsonl",
    }
    place.run("export", "deep", "-o", "out", "--formats", "csv", expect=1)
    assert "data.parquet" in tree_bytes(place / "out")
    place.run("init")
    place.run("add", "deep", "deep", "--split", "none")
    place.run("build", "-q")
    told = place.json("export", "deep", "-o", "kept", "--formats", "csv,arrow", expect=1)
    assert [it["format"] for it in told["result"]["failed"]] == ["csv"] and not told["success"]
    assert [it["path"] for it in told["result"]["files"]] == ["data.arrow"]
