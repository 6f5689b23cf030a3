"""The repository of a folder is the one that git finds from there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mldata.errors import BuildError, UsageError
from mldata.tracking.gitlfsadvice import check_git
from mldata.tracking.gitrepository import Git, Repository, find_repository
from tests.tracking.lfs import git, only_own_settings

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a commit."""
    only_own_settings(tmp_path, monkeypatch)
    git(tmp_path, "init", "--quiet", "repo")
    git(tmp_path / "repo", "commit", "--quiet", "--allow-empty", "-m", "begin")
    return tmp_path / "repo"


def said(folder: Path) -> Repository:
    """What git finds."""
    words = ("--show-toplevel", "--absolute-git-dir", "--git-common-dir")
    top, own, common = git(folder, "rev-parse", *words).splitlines()
    return Repository(Path(top), Path(own), (folder / common).resolve())


def test_as_git_finds_it(root: Path, tmp_path: Path) -> None:
    """From a folder below, a worktree, a repository whose git folder is elsewhere, and one within another."""
    git(root, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    git(tmp_path, "init", "--quiet", "--separate-git-dir", str(tmp_path / "apart"), "work")
    git(root, "init", "--quiet", "inner")
    for start in (root, tmp_path / "tree", tmp_path / "work", root / "inner"):
        folder = start / "a" / "b"
        folder.mkdir(parents=True)
        assert find_repository(folder) == find_repository(folder / "not" / "yet") == said(folder)


def test_files_elsewhere(root: Path, tmp_path: Path) -> None:
    """A repository whose settings put its files elsewhere is refused; a worktree of a bare one is fine."""
    git(tmp_path, "clone", "--quiet", "--bare", str(root), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "--quiet", "-b", "b", str(tmp_path / "tree"))
    assert find_repository(tmp_path / "tree") == said(tmp_path / "tree")
    for setting, value in ((None, ""), ("core.worktree", str(tmp_path)), ("core.bare", "true")):
        for folder, fine in ((tmp_path / "tree", True), (root, setting is None)):
            repository = find_repository(folder)
            assert repository is not None
            program = Git(repository)
            if fine:
                check_git(program, program.config())
            else:
                with pytest.raises(UsageError, match="expected"):
                    check_git(program, program.config() | {str(setting): value})


def test_what_is_none(root: Path, tmp_path: Path) -> None:
    """A bare repository, a git folder itself, and a .git that is none, are no place for files."""
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    assert find_repository(tmp_path / "bare.git") is None
    assert find_repository(root / ".git" / "lfs") is None
    broken = tmp_path / "broken"
    (broken / ".git").mkdir(parents=True)
    assert find_repository(broken) is None
    (broken / ".git").rmdir()
    (broken / ".git").write_text("gitdir: /nowhere\n")
    assert find_repository(broken) is None
    lost = root / "lost"
    lost.mkdir()
    (lost / ".git").write_text("gitdir: /nowhere\n")
    assert find_repository(lost) is None
    below = root / "empty"
    (below / ".git").mkdir(parents=True)
    assert find_repository(below) == said(below)


def test_links_are_resolved(root: Path, tmp_path: Path) -> None:
    """A folder behind a link is where it really is, as git sees it."""
    (root / "data").mkdir()
    (tmp_path / "link").symlink_to(root / "data")
    assert find_repository(tmp_path / "link") == said(root)
    (root / "out").symlink_to(tmp_path)
    assert find_repository(root / "out") is None


def test_git_that_fails(root: Path) -> None:
    """What git says is in the error, with what to do."""
    repository = find_repository(root)
    assert repository is not None
    with pytest.raises(BuildError, match=r"git cat-file failed: fatal: .*\n.*status"):
        Git(repository).run("cat-file", "blob", "none")


def test_config(root: Path) -> None:
    """Keys are as git compares them, values as git reads them."""
    git(root, "config", "lfs.https://A/b.LocksVerify", "true")
    git(root, "config", "LFS.Storage", 'a "b"\nc')
    repository = find_repository(root)
    assert repository is not None
    found = Git(repository).config()
    assert found["lfs.https://A/b.locksverify"] == "true"
    assert found["lfs.storage"] == 'a "b"\nc'
