"""Splits by group, time, column and fold, from the spec to the files and the commands that tell of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import yaml

from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  group: {source: data/*.csv, split: {train: 0.6, test: 0.4, group: user}, export: {formats: csv}}
  time: {source: data/*.csv, split: {train: 0.5, val: 0.25, test: 0.25, time: day}, export: {formats: csv}}
  cuts: {source: data/*.csv, split: {time: day, cuts: [11], parts: [old, new]}, export: {formats: csv}}
  column: {source: data/*.csv, split: {column: side, values: {validation: val}}, export: {formats: csv}}
  folds: {source: data/*.csv, split: {folds: 3, stratify: side}, export: {formats: csv}}
"""
SIDES = ("train", "train", "validation", "test")


def rows_of(number: int) -> str:
    """A source file of ten days."""
    rows = [f"{number * 10 + row},u{row % 7},{SIDES[row % 4]}" for row in range(10)]
    return "\n".join(["day,user,side", *rows]) + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four files of ten rows, not built."""
    project = Project(tmp_path / "p")
    for number in range(4):
        project.write(f"data/{number}.csv", rows_of(number))
    project.write("mldata.yaml", SPEC)
    return project


def exported(project: Project, name: str) -> dict[str, list[dict[str, str]]]:
    """The rows of each part's file."""
    folder = project / f"artifacts/{name}"
    return {
        path.stem: list(csv.DictReader(io.StringIO(path.read_text())))
        for path in sorted(folder.glob("*.csv"))
    }


@pytest.mark.no_cover
def test_from_the_spec_to_the_files(project: Project) -> None:
    """Every row is in one file, the one that the method says."""
    told = project.build("-j", "2")
    parts = {name: exported(project, name) for name in told}
    for name, files in parts.items():
        days = [int(row["day"]) for rows in files.values() for row in rows]
        assert sorted(days) == list(range(40)), name
    users = [{row["user"] for row in rows} for rows in parts["group"].values()]
    assert not users[0] & users[1]
    assert {int(row["day"]) for row in parts["time"]["train"]} == set(range(20))
    assert {int(row["day"]) for row in parts["time"]["test"]} == set(range(30, 40))
    assert {int(row["day"]) for row in parts["cuts"]["old"]} == set(range(11))
    assert {name: {row["side"] for row in rows} for name, rows in parts["column"].items()} == {
        "train": {"train"},
        "val": {"validation"},
        "test": {"test"},
    }
    assert sorted(map(len, parts["folds"].values())) == [13, 13, 14]


def test_what_tells_of_the_parts(project: Project) -> None:
    """The build, `show`, the manifest and the Python API list them in order; a share only where one was asked for."""
    done = project.run("build")
    assert "train 24, val 8, test 8" in done.text
    assert "train 24, val 8, test 8" in project.run("show", "column").text
    shown = project.run("show", "time").text
    assert "starts  val 20" in shown
    assert "starts  test 30" in shown
    manifest = yaml.safe_load((project / "artifacts/column/manifest.yaml").read_text())
    assert manifest["parts"] == [
        {"name": "train", "rows": 24},
        {"name": "val", "rows": 8},
        {"name": "test", "rows": 8},
    ]
    manifest = yaml.safe_load((project / "artifacts/group/manifest.yaml").read_text())
    assert [part["ratio"] for part in manifest["parts"]] == [0.6, 0.4]


@pytest.mark.no_cover
def test_workers_change_nothing(project: Project, tmp_path: Path) -> None:
    """The same bytes with one worker and with four."""
    other = project.copy(tmp_path / "q")
    project.build("-j", "1")
    other.build("-j", "4")
    assert project.files() == other.files()


@pytest.mark.no_cover
def test_a_changed_file(project: Project) -> None:
    """Columns and cuts look at the changed file alone; a build with nothing to do does nothing."""
    project.build()
    project.write("data/3.csv", rows_of(3).replace("39,", "40,"))
    told = project.build()
    runs = {name: it["stages"]["split"]["actions"]["run"] for name, it in told.items()}
    assert runs == {"group": 1, "time": 1, "cuts": 1, "column": 2, "folds": 1}
    told = project.build()
    assert {stage["status"] for it in told.values() for stage in it["stages"].values()} == {"up-to-date"}


def test_mistakes_are_told(project: Project) -> None:
    """A column that is not there, and a group that leaves a part without its share: what, and what to do."""
    project.replace("mldata.yaml", "group: user", "group: usr")
    done = project.run("build", "group", expect=None)
    assert done.code
    assert "Did you mean 'user'?" in done.err
    project.replace("mldata.yaml", "group: usr", "group: side")
    project.replace("mldata.yaml", "train: 0.6, test: 0.4", "train: 0.6, val: 0.2, test: 0.1, more: 0.1")
    done = project.run("build", "group", expect=None)
    assert done.code
    assert "part 'more' would have 0 of 40 rows where its share is 4" in done.err
    assert "the largest, 'train', has 24 rows" in done.err
    assert "Traceback" not in done.text
