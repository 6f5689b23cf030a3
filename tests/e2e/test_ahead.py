"""What a build takes over from the last export, and how early it looks whether that is what it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldata.build import Session
from mldata.buildoptions import Options
from mldata.project import load_project
from mldata.tasks import build_datasets
from store import Digest, Store
from tests.damage import flip, sneak
from tests.e2e.project import Project, tree_bytes

SPEC = """\
version: 1
datasets:
  d:
    source: data
    split: {train: 0.8, test: 0.2, seed: 1}
    export: {to: out/d, formats: [parquet, csv]}
"""


@pytest.fixture
def ten(tmp_path: Path) -> Project:
    """Ten source files, built."""
    project = Project(tmp_path / "project")
    for number in range(10):
        project.write(
            f"data/{number}.csv", "x,y\n" + "".join(f"{number * 50 + n},{n % 7}\n" for n in range(50))
        )
    project.write("mldata.yaml", SPEC)
    project.build()
    return project


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Digest]:
    """Digests of what was begun to be looked at."""
    digests: list[Digest] = []
    ahead = Store.verify_ahead

    def noted(self: Store, them: list[Digest]) -> None:
        digests.extend(them)
        ahead(self, them)

    monkeypatch.setattr(Store, "verify_ahead", noted)
    return digests


def build(project: Project, options: Options | None = None) -> None:
    with Session(load_project(project.root), options) as session:
        assert build_datasets(session, []) == 0


def parquet(project: Project) -> set[Digest]:
    files = project.json("show", "d")["result"]["stages"]["export"]["facts"]["files"]
    return {file["digest"] for file in files if file["format"] == "parquet"}


def test_one_edited_file_has_the_last_export_looked_at(ten: Project, begun: list[Digest]) -> None:
    """As soon as it is known that most files are as they were; of formats that take something over. Not without a need."""
    build(ten)
    assert begun == []
    before = parquet(ten)
    ten.replace("data/3.csv", "\n151,1\n", "\n-151,1\n")
    build(ten)
    assert set(begun) == before and len(begun) == 2


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ("most files", Options()),
        ("compression", Options()),
        ("one file", Options(force=True)),
        ("one file", Options(executor="processes")),
    ],
)
def test_nothing_is_looked_at_in_vain(
    ten: Project, begun: list[Digest], change: str, options: Options
) -> None:
    """Where little or nothing can be taken over, or another process would not hear of it."""
    for number in range(8 if change == "most files" else 1):
        ten.replace(f"data/{number}.csv", "x,y\n", "x,y\n-1,1\n")
    if change == "compression":
        ten.replace("mldata.yaml", "formats: [parquet, csv]", "formats: [parquet, csv], compression: snappy")
    build(ten, options)
    assert begun == []


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("edit", ["a row", "a file more"])
def test_a_damaged_export_is_noticed_and_made_anew(
    ten: Project, tmp_path: Path, edit: str, sealed: bool
) -> None:
    """A flipped bit in the last export, seen by its seal or not, is in no file that is made beside it; the bad object is moved aside."""
    with Store.open(ten / ".mldata/store") as store:
        damaged = [store.layout.object(digest) for digest in parquet(ten)]
    for path in damaged:
        (sneak if sealed else flip)(path)
    if edit == "a row":
        ten.replace("data/3.csv", "\n151,1\n", "\n-151,1\n")
    else:
        ten.write("data/a.csv", "x,y\n-1,1\n")
    clean = ten.copy(tmp_path / "clean")
    for name in (".mldata", "out"):
        os.rename(clean / name, tmp_path / f"was-{name}")
    ten.build()
    clean.build()
    assert tree_bytes(ten / "out/d") == tree_bytes(clean / "out/d")
    told = ten.json("check", "--read-data", expect=None)["result"]
    lost = {it["digest"] for it in told["findings"]}
    # The first build has lost them, but for a file that the second one has, too.
    assert lost == {path.name for path in damaged} - parquet(ten)
    assert {it["kind"] for it in told["findings"]} <= {"missing"}
    aside = (ten / ".mldata/store/quarantine").iterdir()
    assert {path.name.partition(".")[0] for path in aside} == {path.name for path in damaged}
