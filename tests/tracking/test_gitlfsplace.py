"""What matters to Git LFS of git's settings and files with attributes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldata.tracking.gitlfsplace import folders_of, marks, number_of_files, read_settings, stack_of
from mldata.tracking.gitrepository import Repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A worktree beside the main one."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "own"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    common = tmp_path / "main" / ".git"
    own = common / "worktrees" / "tree"
    own.mkdir(parents=True)
    (tmp_path / "tree").mkdir()
    return Repository(tmp_path / "tree", own, common)


@pytest.mark.parametrize(
    ("storage", "objects"), [(None, "lfs/objects"), ("../x", "../x/objects"), ("/a/b", "/a/b/objects")]
)
def test_where_objects_are(repository: Repository, storage: str | None, objects: str) -> None:
    """Objects are in the folder that worktrees share, or where lfs.storage says."""
    config = {} if storage is None else {"lfs.storage": storage}
    found = read_settings(repository, config).objects
    assert Path(found) == (repository.common_dir / objects).resolve()


def test_files_outside(repository: Repository, tmp_path: Path) -> None:
    """The user's own file counts least, the repository's info/attributes most; neither is shared."""
    own = tmp_path / "xdg" / "git" / "attributes"
    info = repository.common_dir / "info" / "attributes"
    for path, text in ((own, "* filter=own\n"), (info, "*.b filter=info\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    (repository.root / ".gitattributes").write_text("*.a filter=lfs\n*.b filter=lfs\n")
    stack = stack_of(repository, read_settings(repository, {}), [""])
    found = {name: stack.find(name) for name in (b"x.a", b"x.b", b"x.c")}
    assert [it.state for it in found.values()] == [b"lfs", b"info", b"own"]
    assert [it.file and it.file.shared for it in found.values()] == [True, False, False]
    other = tmp_path / "elsewhere"
    other.write_text("*.c filter=else\n")
    stack = stack_of(repository, read_settings(repository, {"core.attributesfile": str(other)}), [""])
    assert stack.find(b"x.c").state == b"else"


def test_marks(repository: Repository, tmp_path: Path) -> None:
    """Only lines of settings that matter are marks, in whichever file and way they are written."""
    config = repository.common_dir / "config"
    config.write_text('[remote "a"]\n\turl = https://host/path/storage = 1\n[branch "b"]\n\tmerge = x\n')
    before = marks(repository)
    config.write_text("[user]\n\tname = b\n")
    assert marks(repository) == before
    for text in (
        "[lfs] storage = x\n",
        "[core]\n\tAttributesFile=x\n",
        "[include]\n",
        '[includeIf "a"]\n\tpath = b\n',
    ):
        config.write_text(text)
        assert marks(repository) != before
    config.unlink()
    (tmp_path / "own").write_text("[core]\nignoreCase = true\n")
    assert marks(repository) != before


def test_folders() -> None:
    """Each folder from the root to a file is looked at once."""
    assert folders_of("", ["a"]) == [""]
    assert folders_of("out/x/", ["a", "b/c/d", "b/e"]) == ["", "out/", "out/x/", "out/x/b/", "out/x/b/c/"]


def test_number_of_files() -> None:
    """One file is one file."""
    assert [number_of_files(count) for count in (0, 1, 50_000)] == ["0 files", "1 file", "50,000 files"]
