"""--offline: nothing but what this machine has."""

from __future__ import annotations

import shutil

import pytest

from mldata.sources import SOURCES
from tests.e2e.project import Project
from tests.far import INFO

SPEC = """\
version: 1
datasets:
  d:
    source: [far://far, here]
    export: {to: out/d, formats: [csv]}
  alone:
    source: far://far
    export: {to: out/alone, formats: [csv]}
"""


@pytest.fixture
def far(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with sources on that network and here."""
    monkeypatch.setitem(SOURCES, "far", INFO)
    project.write("far/a.csv", "x\n1\n2\n")
    project.write("far/sub/b.csv", "x\n3\n")
    project.write("here/c.csv", "x\n4\n")
    project.write("mldata.yaml", SPEC)
    return project


def test_what_was_fetched_is_taken_from_the_store(far: Project) -> None:
    """With the network down, --offline builds the same from what the lock pins, also without receipts; local files are still looked at."""
    before = far.build()
    files = far.files("out")
    far.write("down", "")
    shutil.rmtree(far / "far")
    assert "far://far: cannot be reached" in far.run("update", expect=5).err
    again = far.build("--offline")
    assert {told["status"] for told in again["d"]["stages"].values()} == {"up-to-date"}
    shutil.rmtree(far / ".mldata/receipts")
    again = far.build("--offline")
    for name in before:
        for stage, told in before[name]["stages"].items():
            assert again[name]["stages"][stage]["output"] == told["output"], f"{stage}:{name}"
    assert far.files("out") == files
    far.write("here/c.csv", "x\n5\n")
    changed = far.build("--offline")
    assert changed["d"]["stages"]["normalize"]["actions"] == {"hit": 2, "run": 1}
    assert changed["alone"]["stages"]["fetch"]["status"] == "up-to-date"


def test_what_changed_there_is_not_seen(far: Project) -> None:
    """The lock decides, not what the network would say: only an update looks there again."""
    far.build()
    far.write("far/a.csv", "x\n100\n")
    for flags in (["--offline"], []):
        told = far.build(*flags)["alone"]["stages"]
        assert told["fetch"]["status"] == told["export"]["status"] == "up-to-date"
    assert "a.csv was changed" in far.run("update", "alone").out
    assert far.build()["alone"]["stages"]["normalize"]["status"] == "ran"


def test_what_was_never_fetched_is_an_error(far: Project) -> None:
    """Without an entry in the lock, or without the objects, the source is named and what to do."""
    err = far.run("build", "alone", "--offline", expect=1).err
    assert "far://far" in err and "mldata.lock pins nothing for it" in err and "without --offline" in err
    far.build()
    shutil.rmtree(far / ".mldata")
    err = far.run("build", "alone", "--offline", expect=1).err
    assert "the store does not have" in err


def test_local_sources_need_nothing(project: Project) -> None:
    """A project without remote sources builds offline as it does otherwise."""
    project.write("data/a.csv", "x\n1\n")
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: data, export: {}}\n")
    assert project.build("--offline")["d"]["build"] == 1
    assert project.stages("d")["fetch"] == "up-to-date"
