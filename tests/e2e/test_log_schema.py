"""``mldata log NAME --schema``: how the schema moved over the kept builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  d:
    source: data.csv
    normalize: {NORMALIZE}
    export: {to: out/d}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four builds: the second has other rows, the third a column of another name and another type, the fourth a column more."""
    project = Project(tmp_path_factory.mktemp("log") / "project")
    rows = "".join(f"{n},{'ab'[n % 2]}{n % 5}\n" for n in range(30))
    project.write("data.csv", "x,y\n" + rows)
    for more, normalize in (("", ""), ("99,a1\n", ""), ("", "rename: {y: label}, types: {x: int8}")):
        project.write("mldata.yaml", SPEC.replace("NORMALIZE", normalize))
        project.write("data.csv", (project / "data.csv").read_text() + more)
        project.build()
    header, *lines = (project / "data.csv").read_text().splitlines()
    project.write("data.csv", "\n".join([f"{header},z", *(f"{line},1.5" for line in lines)]) + "\n")
    project.build()
    return project


def test_newest_first(built: Project) -> None:
    """Each build that changed it, with what it was compared to; the first is where it begins."""
    told = built.json("log", "d", "--schema")["result"]
    moves = told["schema"]
    assert [(it["build"], it["since"], it["columns"]) for it in moves] == [(4, 3, 3), (3, 2, 2), (1, None, 2)]
    assert [it["path"] for it in moves[0]["schema"]["added"]] == ["z"]
    assert moves[0]["schema"]["breaking"] is False
    assert [(it["old"], it["new"]) for it in moves[1]["schema"]["renamed"]] == [("y", "label")]
    assert [it["change"] for it in moves[1]["schema"]["type_changes"]] == ["narrower"]
    assert moves[1]["schema"]["breaking"] is True
    assert moves[2]["schema"] is None
    assert [it["build"] for it in told["builds"]] == [4, 3, 2, 1]
    assert "schema" not in built.json("log", "d")["result"]


def test_for_people(built: Project) -> None:
    """What breaks is said; builds that changed nothing are counted."""
    lines = built.run("log", "d", "--schema").out.splitlines()
    assert lines[0].startswith("d@4  2") and lines[0].endswith(
        "3 columns; since d@3: 1 added; nothing breaking"
    )
    assert lines[1] == "  + z  double  nobody reads it yet"
    assert lines[2].endswith("since d@2: 1 renamed (a guess), 1 of another type; 2 breaking")
    assert lines[-2].endswith("2 columns; the first build that is kept")
    assert lines[-1] == "builds that kept the schema of the one before: 1"


def test_builds_that_are_gone(built: Project, tmp_path: Path) -> None:
    """What gc removed is skipped: the next one is compared with the last before it."""
    project = built.copy(tmp_path / "copy")
    (project / ".mldata/store/refs/datasets/d/2").unlink()
    (project / ".mldata/store/refs/datasets/d/3").unlink()
    told = project.json("log", "d", "--schema")["result"]
    assert [(it["build"], it["since"]) for it in told["schema"]] == [(4, 1), (1, None)]
    assert told["removed"] == [[2, 3]]
    assert [(it["old"], it["new"]) for it in told["schema"][0]["schema"]["renamed"]] == [("y", "label")]


def test_an_unknown_dataset(built: Project) -> None:
    """A dataset that is none is an error, as without the schema."""
    assert "not a dataset" in built.run("log", "nope", "--schema", expect=3).err
