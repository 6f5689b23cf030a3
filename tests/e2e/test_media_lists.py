"""Pictures from several sources: folders, and other datasets of pictures."""

from __future__ import annotations

import csv

import pytest
from PIL import Image

from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  pets: {source: pets, split: {column: label}}
  birds: {source: birds}
  all:
    source: SOURCE
    export: {to: out, formats: [csv]}
"""


def picture(project: Project, name: str, shade: int) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (2 + shade, 3), shade).save(path)


@pytest.fixture
def zoo(project: Project) -> Project:
    """Two folders of pictures, one file of equal name and content in both, and one more folder."""
    for number, name in enumerate(("pets/cat/1.png", "pets/cat/2.png", "pets/dog/1.png", "birds/owl/1.png")):
        picture(project, name, number)
    picture(project, "birds/cat/1.png", 0)
    picture(project, "more/cat/1.png", 9)
    return project


def build(project: Project, source: str) -> list[tuple[str, str]]:
    """Path and label of each row of ``all``; its files are exactly those of the rows."""
    project.write("mldata.yaml", SPEC.replace("SOURCE", source))
    project.build("all")
    with open(project / "out/data.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(project.files("out")) == {"data.csv", "manifest.yaml", *(row["path"] for row in rows)}
    assert all(len(project.files("out")[row["path"]]) == int(row["size"]) for row in rows)
    return [(row["path"], row["label"]) for row in rows]


def test_folders(zoo: Project) -> None:
    """Of several folders the label is that of each by itself; the paths say which folder."""
    assert build(zoo, "[more, birds]") == [
        ("0/cat/1.png", "cat"),
        ("1/cat/1.png", "cat"),
        ("1/owl/1.png", "owl"),
    ]


def test_a_part(zoo: Project) -> None:
    """Of a part only the files of its rows are there."""
    assert build(zoo, "dataset://pets#dog") == [("dog/1.png", "dog")]


def test_a_folder_between_datasets(zoo: Project) -> None:
    """Rows come in the order of the list, under one schema; equal files under one path are one."""
    found = build(zoo, "[dataset://pets#cat, more, dataset://birds]")
    assert found == [
        ("cat/1.png", "cat"),
        ("cat/2.png", "cat"),
        ("1/cat/1.png", "cat"),
        ("cat/1.png", "cat"),
        ("owl/1.png", "owl"),
    ]


def test_different_files_of_one_path(zoo: Project) -> None:
    """Two datasets that have different files under one path are an error that names both, and the path."""
    picture(zoo, "birds/cat/1.png", 5)
    zoo.write("mldata.yaml", SPEC.replace("SOURCE", "[dataset://pets#cat, dataset://birds]"))
    said = zoo.run("build", "all", expect=1).err
    assert "dataset://pets#cat and dataset://birds have different files called 'cat/1.png'" in said


def test_pictures_and_tables(zoo: Project) -> None:
    """Sources of several kinds are an error that names them."""
    zoo.write("t.csv", "x\n1\n")
    zoo.write("mldata.yaml", SPEC.replace("SOURCE", "[t.csv, dataset://birds]"))
    said = zoo.run("build", "all", expect=1).err
    assert "expected sources of one kind, found tables (the files), images (dataset://birds)" in said


def test_captions_in_a_list_with_datasets(zoo: Project) -> None:
    """What describes the pictures of a folder joins the table; what describes nothing is an error that names it."""
    zoo.write("more/metadata.csv", "file_name,caption\ncat/1.png,a cat\n")
    build(zoo, "[dataset://pets#dog, more]")
    with open(zoo / "out/data.csv", newline="") as file:
        assert [(row["path"], row["caption"]) for row in csv.DictReader(file)] == [
            ("dog/1.png", ""),
            ("1/cat/1.png", "a cat"),
        ]
    zoo.write("notes/metadata.csv", "file_name,caption\n1.png,a cat\n")
    zoo.write("mldata.yaml", SPEC.replace("SOURCE", "[dataset://pets#dog, more, notes]"))
    said = zoo.run("build", "all", expect=1).err
    assert "2/metadata.csv" in said and "expected media files that this table describes" in said
