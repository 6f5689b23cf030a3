"""``git_lfs`` in the spec and on the command line: exports become files of Git LFS, and stay it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.tracking.lfs import git, only_own_settings

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("git-lfs") is None, reason="git or git-lfs is not installed"
)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git knows Git LFS, and nothing else of this machine."""
    only_own_settings(tmp_path, monkeypatch)


def test_builds_with_git_lfs(plain: Project) -> None:
    """A build makes its export known; the next one has nothing to do, until a line is taken out of .gitattributes."""
    git(plain.root, "init", "--quiet")
    plain.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  d:\n    source: data\n    export: {formats: [parquet, csv], git_lfs: {above: 100}}\n",
    )
    assert plain.stages("d")["export"] == "ran"
    attributes = plain / ".gitattributes"
    text = attributes.read_text()
    assert [line.split(" ")[0] for line in text.splitlines()] == ["*.parquet", "artifacts/d/data.csv"]
    git(plain.root, "add", ".gitattributes", "artifacts")
    assert len(git(plain.root, "lfs", "ls-files").splitlines()) == 2
    assert set(plain.stages("d").values()) == {"up-to-date"}
    attributes.write_text("")
    reasons = plain.json("explain", "d")["result"]["datasets"]["d"]["stages"]["export"]["reasons"]
    assert reasons == [
        {
            "code": "tracking",
            "text": ".gitattributes does not give artifacts/d/data.csv to Git LFS",
            "tracker": "git_lfs",
        }
    ]
    assert plain.stages("d")["export"] == "ran"
    assert attributes.read_text() == text


def test_pointers_on_the_command_line(plain: Project) -> None:
    """``--pointers`` stages what a commit needs, and is nothing without ``--git-lfs``."""
    git(plain.root, "init", "--quiet")
    told = plain.run("build", "data", "-o", "out", "--pointers", expect=3)
    assert "--pointers: it says how --git-lfs is to be done" in told.text
    plain.run("build", "data", "-o", "out", "--git-lfs", "--pointers")
    assert git(plain.root, "ls-files").splitlines() == ["out/data.parquet"]
    assert git(plain.root, "cat-file", "blob", ":out/data.parquet").startswith("version https://git-lfs")


def test_no_repository(plain: Project) -> None:
    """Outside a repository nothing is exported."""
    told = plain.run("build", "data", "-o", "out", "--git-lfs", expect=1)
    assert "git init" in told.text
    assert not (plain / "out").exists()
