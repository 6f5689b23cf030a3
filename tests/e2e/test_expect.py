"""Contracts with a build, in a real project: what stops a build, what is read for it, and what stays with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mldata.project import load_project
from mldata.reporter import QuietReporter
from mldata.subjects import open_subject
from tests.e2e.project import Project
from tests.e2e.small import assert_sound
from tests.e2e.test_validate import runs, status

FILES = 3
SPEC = """\
version: 1
datasets:
  d:
    source: data/*.csv
    export: {formats: [csv]}
"""
EXPECT = "    expect: {against: 1, drift: {max: moderate}, rows: {max_change: 50%}}\n"


def data(number: int, *, shift: int = 0, columns: str = "id,value,kind") -> str:
    rows = (f"{number}{row:02d},{row % 40 + shift},{'abc'[row % 3]}" for row in range(60))
    return "\n".join([columns, *rows]) + "\n"


def leaf_runs(told: dict[str, Any]) -> int:
    """Actions of the validation."""
    return runs(told)["validate"]


@pytest.fixture(scope="session")
def built_pinned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A build, and another one that is held to it."""
    project = Project(tmp_path_factory.mktemp("pinned") / "project")
    for number in range(FILES):
        project.write(f"data/{number}.csv", data(number))
    project.write("mldata.yaml", SPEC)
    assert "validate" not in project.build()["d"]["stages"]
    project.write("mldata.yaml", SPEC + EXPECT)
    told = project.build()
    assert told["d"]["stages"]["validate"]["actions"]["run"] == FILES + 1
    return project


@pytest.fixture
def pinned(built_pinned: Project, tmp_path: Path) -> Project:
    """A built copy."""
    return built_pinned.copy(tmp_path / "pinned")


def test_a_breach_stops_the_build(pinned: Project) -> None:
    """Data that moved too far is not exported, the error names what moved, and the exit code says so, now and later."""
    before = pinned.files()
    edit(pinned, 30)
    for _ in range(2):
        done = pinned.run("build", expect=2)
        assert "expect (1 error)" in done.err and "'value' has moved far since d@1 (PSI" in done.err
    assert pinned.files() == before
    told = pinned.json("validate", "d", expect=2)["result"]
    [finding] = told["checks"]["expect"]["findings"]
    assert (finding["code"], finding["column"]) == ("drift-major", "value")
    assert "## expect" in pinned.run("validate", "d", "--checks", "expect", expect=2).out
    assert "did not pass" in pinned.run("status").out


@pytest.mark.no_cover
def test_another_contract_reads_nothing(pinned: Project) -> None:
    """A changed limit is told by explain, judged anew and no more; within it the build goes on with a note."""
    edit(pinned, 30)
    pinned.run("build", expect=2)
    pinned.replace("mldata.yaml", "{max: moderate}", "{max: moderate, columns: {value: major}}")
    assert (
        'expect.drift.columns.value changed from (not set) to "major"'
        in pinned.run("explain", "d", "validate").out
    )
    envelope = pinned.json("build")
    told = envelope["result"]["datasets"]
    assert leaf_runs(told) == 0 and status(told)["export"] == "ran"
    assert any("'value' has moved far since d@1" in it for it in envelope["warnings"])
    assert_sound(pinned)


def test_one_edited_file(pinned: Project) -> None:
    """It alone is sketched; what the build was is known."""
    pinned.write("data/1.csv", data(1).replace("100,0,a", "100,1,a"))
    assert leaf_runs(pinned.build()) == 2


def test_schema_and_rows(pinned: Project) -> None:
    """A column that is gone and too many rows are two breaches; allowed, they are none."""
    for number in range(2 * FILES):
        pinned.write(f"data/{number}.csv", data(number, columns="id,value,sort"))
    err = pinned.run("build", expect=2).err
    assert "'kind' of d@1 seems to be called 'sort' now" in err
    assert "there are 360 rows, 180 (100%) more than in d@1; expected are at most 50%" in err
    pinned.replace("mldata.yaml", "rows: {max_change: 50%}", "allow: [renamed]")
    assert status(pinned.build())["validate"] == "ran"


def lose_rows(project: Project, build: str) -> None:
    """Let the rows of a build be gone."""
    with open_subject(build, load_project(project.root), QuietReporter()) as subject:
        for fragment in subject.table.fragments:
            subject.store.path(fragment.digest).unlink()


def edit(project: Project, shift: int) -> None:
    """Other rows in every file."""
    for number in range(FILES):
        project.write(f"data/{number}.csv", data(number, shift=shift))


def test_summaries_that_a_build_keeps_are_all_that_is_read(pinned: Project) -> None:
    """Where both builds keep summaries, each file is sketched once, and the rows of the first build may be gone."""
    edit(pinned, 1)
    pinned.write("mldata.yaml", SPEC + "    profile: true\n")
    pinned.build()
    edit(pinned, 2)
    lose_rows(pinned, "d@3")
    pinned.write("mldata.yaml", SPEC + "    profile: true\n" + EXPECT.replace("against: 1", "against: 3"))
    told = pinned.build()
    assert leaf_runs(told) + runs(told)["profile"] == FILES + 1


@pytest.mark.no_cover
def test_gc_keeps_what_the_data_is_held_against(pinned: Project) -> None:
    """When no sketch is left, those of the data are made again, and none of the build that it is held against."""
    edit(pinned, 1)
    pinned.build()
    pinned.run("gc")
    lose_rows(pinned, "d@1")
    edit(pinned, 2)
    assert leaf_runs(pinned.build()) == FILES + 1


def test_a_damaged_build_is_told(pinned: Project) -> None:
    """Rows of a build that are lost, and needed, are an error that says so."""
    edit(pinned, 1)
    pinned.write("mldata.yaml", SPEC)
    pinned.build()
    edit(pinned, 2)
    lose_rows(pinned, "d@3")
    pinned.write("mldata.yaml", SPEC + EXPECT.replace("against: 1", "against: 3"))
    err = pinned.run("build", expect=1).err
    assert "expect: d@3: expected the data of d@3 in the store, found it lost or damaged" in err
    assert "mldata check" in err


def test_a_build_that_is_not_there(pinned: Project) -> None:
    """It is a mistake of the spec: where it stands, which builds there are, what to do."""
    pinned.replace("mldata.yaml", "against: 1", "against: 7")
    err = pinned.run("build", expect=1).err
    assert "mldata.yaml:6:23: expected the build d@7, which 'd' is to be held against" in err
    assert "builds kept: 1, 2" in err and "mldata log d" in err
    pinned.replace("mldata.yaml", "against: 7", "against: other@1")
    assert "dataset 'other' has no build" in pinned.run("build", expect=1).err


def test_a_column_that_is_nowhere(pinned: Project) -> None:
    """It is a mistake of the spec, too, at its place."""
    pinned.replace("mldata.yaml", "{max: moderate}", "{columns: {vlaue: major}}")
    assert (
        "mldata.yaml:6:51: expected a column, found none called 'vlaue'" in pinned.run("build", expect=1).err
    )


def test_it_is_made_again_without_its_build(pinned: Project) -> None:
    """A build is verified to the byte by what it keeps, also when the one that it was held against is no more."""
    pinned.write("data/1.csv", data(1).replace("100,0,a", "100,1,a"))
    assert pinned.build()["d"]["stages"]["validate"]["status"] == "ran"
    (pinned / ".mldata/store/refs/datasets/d/1").unlink()
    pinned.run("gc")
    told = pinned.json("rebuild", "d", "--verify")["result"]
    assert told["verified"] and told["stages"]["validate"]["got"] == told["stages"]["validate"]["expected"]


def test_checks_that_are_asked_for(pinned: Project) -> None:
    """All checks of a dataset with a contract have it among them; of another dataset it cannot be made."""
    told = pinned.json("validate", "d", "--checks", "missing,expect")["result"]
    assert list(told["checks"]) == ["missing", "expect"]
    assert list(pinned.json("validate", "d", "--checks", "all")["result"]["checks"])[-1] == "expect"
    pinned.replace("mldata.yaml", EXPECT, "")
    assert "has no 'expect:'" in pinned.run("validate", "d", "--checks", "expect", expect=3).err
    assert (
        "expect"
        not in json.loads(pinned.run("validate", "d", "--checks", "all", "--json").out)["result"]["checks"]
    )
