"""Folders of pictures as people have them, from the spec to the export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.stages.test_normalize import jpeg, png

SPEC = """\
version: 1
datasets:
  pets:
    source: data
    split: {column: split, values: {val: validation}}
    export: {formats: [csv, parquet]}
"""
LAYOUT = {
    "train/cat/1.png": png(1, 1),
    "train/dog/2.jpg": jpeg(6),
    "val/cat/3.png": png(3, 3),
    "train/metadata.csv": b"file_name,caption\ncat/1.png,one\ndog/2.jpg,two\n",
    "val/metadata.csv": b"file_name,caption\ncat/3.png,three\n",
    "notes.txt": b"x",
    "Thumbs.db": b"x",
    "train/cat/.DS_Store": b"x",
}


@pytest.fixture
def pets(tmp_path: Path) -> Project:
    """A project with pictures in the layout of hubs; not built yet."""
    project = Project(tmp_path / "p")
    project.write("mldata.yaml", SPEC)
    for name, data in LAYOUT.items():
        path = project / f"data/{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return project


def test_the_layout_of_hubs(pets: Project) -> None:
    """Parts come from the folders at the top, labels from those below, captions from metadata.csv; the files stand beside the tables."""
    pets.build()
    files = pets.files("artifacts/pets")
    assert {name for name in files if "/" in name} == {n for n in LAYOUT if n.endswith(("png", "jpg"))}
    head, *lines = files["train.csv"].decode().splitlines()
    assert head == "path,label,split,digest,size,width,height,mode,orientation,caption"
    assert [(line.split(",")[:3], line.split(",")[5:]) for line in lines] == [
        (["train/cat/1.png", "cat", "train"], ["1", "1", "RGB", "", "one"]),
        (["train/dog/2.jpg", "dog", "train"], ["6", "4", "RGB", "6", "two"]),
    ]
    assert files["validation.csv"].count(b"\n") == 2


def test_what_is_told(pets: Project) -> None:
    """What was left out, skipped, labelled, described and is to be turned is in the build's lines, show, manifest and info."""
    told = pets.run("build", "-v").err
    assert "fetch:pets  left out of the source: .DS_Store 1, Thumbs.db 1" in told
    assert "skipped: 1 .txt (notes.txt)" in told and "3 rows, 1 file skipped" in told
    shown = pets.run("show", "pets").out
    for line in (
        "ignored .DS_Store 1, Thumbs.db 1",
        "skipped 1: 1 .txt (notes.txt)",
        "labels  2: cat, dog",
        "metadata 1 column of 2 files",
        "turned  1 (EXIF orientation other than 1)",
    ):
        assert f"  {line}\n" in shown
    assert '"skipped": {".txt": 1}' in (pets / "artifacts/pets/manifest.yaml").read_text()
    (info,) = pets.json("info", "pets")["result"]["sources"]
    assert (info["metadata"], info["skipped"]) == (["train/metadata.csv", "val/metadata.csv"], ["notes.txt"])
    assert info["ignored"] == {".DS_Store": 1, "Thumbs.db": 1}
    head = (pets / "artifacts/pets/train.csv").read_text().splitlines()[0]
    assert [column["name"] for column in info["columns"]] == head.split(",")
    assert "metadata train/metadata.csv, val/metadata.csv" in pets.run("info", "pets").out


def test_labels_of_the_metadata(pets: Project) -> None:
    """Labels that the metadata gives in place of the folders', and files that it says nothing of, are shown."""
    (pets / "data/train/metadata.csv").write_text("file_name,label\ncat/1.png,tabby\n")
    pets.build()
    assert (
        "  metadata 2 columns of 2 files; label not from folders; 1 media file without\n"
        in pets.run("show", "pets").out
    )
    assert b"train/cat/1.png,tabby,train," in (pets / "artifacts/pets/train.csv").read_bytes()


def test_what_an_edit_runs(pets: Project) -> None:
    """Nothing runs for what is left out; an edited caption reads its file, cuts it and joins one group, and opens no picture."""
    pets.build()
    (pets / "data/val/cat/.DS_Store").write_bytes(b"x")
    (pets / "data/train/Thumbs.db").write_bytes(b"x")
    assert set(pets.stages("pets").values()) == {"up-to-date"}
    pets.replace("data/train/metadata.csv", "one", "another")
    told = pets.build()["pets"]["stages"]
    assert told["fetch"]["actions"]["run"] == 1
    assert told["normalize"]["actions"] == {"hit": 3, "run": 3}
    assert b",another\n" in (pets / "artifacts/pets/train.csv").read_bytes()
    pets.replace("data/train/metadata.csv", "cat/1.png", "cat/9.png")
    failed = pets.run("build", expect=1).text
    assert "train/metadata.csv:2: file_name: expected one of the files" in failed
    assert "did you mean 'cat/1.png'?" in failed


def test_a_file_in_no_part(pets: Project) -> None:
    """A picture at the top has no part, which the split refuses by name."""
    (pets / "data/cover.png").write_bytes(png(2, 2))
    assert "'split'" in pets.run("build", expect=1).text
