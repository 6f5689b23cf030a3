"""Exports that Git LFS keeps: the real git and git-lfs take them as their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mldata.errors import BuildError, MissingExtra, UsageError
from mldata.lfspointer import object_path
from mldata.tracking.base import Place, Tracked
from mldata.tracking.gitlfs import GitLfs
from store import ObjectMissing, Store
from tests.tracking.lfs import ABOVE, Repo, git, only_own_settings

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("git-lfs") is None, reason="git or git-lfs is not installed"
)

FILES = {
    "train.parquet": b"PAR1" * 100,
    "test.csv": b"a,b\n",
    "train.csv": b"a,b\n" * ABOVE,
    '"odd" #1?.jsonl': b"{}\n" * ABOVE,
    "cats/a b#1.png": b"cat" * 50,
    "dogs [x]!/d.png": b"dog",
    "dogs [x]!/empty.png": b"",
    "README.md": b"read me",
}
LFS = [name for name in FILES if name not in ("test.csv", "README.md")]
TO = "artifacts/penguins"


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git knows a person, Git LFS, and nothing else of this machine; a hook's variables are of another repository."""
    only_own_settings(tmp_path, monkeypatch)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    """A repository without a commit, and a store."""
    root = tmp_path / "repo"
    git(tmp_path, "init", "--quiet", str(root))
    with Store.open(tmp_path / "store") as store:
        yield Repo(root, store)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def inodes(folder: Path) -> dict[str, int]:
    """Which file stands at which path."""
    return {str(path): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def track(repo: Repo, **more: object) -> Tracked:
    """An export of :data:`FILES` that was made known to Git LFS."""
    return GitLfs().track(repo.export(FILES, TO, ("cats", "dogs"), **more))


def test_commit_push_and_clone(repo: Repo, tmp_path: Path) -> None:
    """What git-lfs makes of the files is what was prepared: it adds no object, its check passes, and a clone has the same bytes."""
    told = track(repo)
    objects = repo.root / ".git" / "lfs" / "objects"
    before = inodes(objects)
    stored = {path.stat().st_ino for path in (repo.store.root / "objects").rglob("*") if path.is_file()}
    assert set(before.values()) <= stored
    repo.git("add", ".")
    listed = {
        words[2]: words[0]
        for line in repo.git("-c", "core.quotePath=false", "lfs", "ls-files", "--long").splitlines()
        if (words := line.split(" ", 2))
    }
    facts = {it["path"]: it["oid"] for it in told.facts["tracked"] if it["size"]}
    assert set(listed.values()) == set(facts.values())
    assert len(listed) == len(LFS) - 1
    assert {it["path"] for it in told.facts["tracked"]} == {f"{TO}/{name}" for name in LFS}
    repo.git("commit", "--quiet", "-m", "data")
    assert repo.git("status", "--short") == ""
    assert inodes(objects) == before
    assert "OK" in repo.git("lfs", "fsck")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    repo.git("push", "--quiet", f"file://{tmp_path}/remote.git", "HEAD:refs/heads/main")
    git(tmp_path, "clone", "--quiet", "--branch", "main", f"file://{tmp_path}/remote.git", "clone")
    assert content(tmp_path / "clone" / TO) == content(repo.root / TO)


def test_what_is_told(repo: Repo) -> None:
    """The lines name the patterns and the next commands; the facts have them all, and the bytes that a server needs."""
    told = track(repo)
    assert told.warnings == ()
    assert told.facts["root"] == str(repo.root)
    assert told.facts["attributes"] == [".gitattributes"]
    assert told.facts["patterns_added"] == repo.attributes()
    assert repo.attributes() == [
        "*.parquet",
        f'{TO}/"odd"[[:space:]]\\#1\\?.jsonl',
        f"{TO}/train.csv",
        f"{TO}/cats/**",
        f"{TO}/dogs[[:space:]]\\[x\\]!/**",
    ]
    assert told.facts["bytes"] == sum(len(FILES[name]) for name in LFS)
    assert told.lines[0].startswith(".gitattributes: added *.parquet, ")
    assert f"  git -C {repo.root} add -- .gitattributes {TO}" in told.lines


def test_again_changes_nothing(repo: Repo) -> None:
    """What is told already is left as it is, also by patterns of the user that say it in other words."""
    (repo.root / ".gitattributes").write_bytes(b"[attr]big filter=lfs -text\r\n*.parquet big\r\n*.png big")
    published = repo.export(FILES, TO, ("cats", "dogs"))
    tracker = GitLfs()
    assert tracker.lacking(published.place, repo.store, published.tree) is not None
    told = tracker.track(published)
    assert len(told.facts["patterns_added"]) == 2
    text = (repo.root / ".gitattributes").read_bytes()
    assert text.startswith(b"[attr]big filter=lfs -text\r\n*.parquet big\r\n*.png big\r\nartifacts")
    assert text.count(b"\n") == text.count(b"\r\n") == 5
    assert tracker.lacking(published.place, repo.store, published.tree) is None
    again = tracker.track(published)
    assert again.facts == {**told.facts, "attributes": [], "patterns_added": []}
    assert (repo.root / ".gitattributes").read_bytes() == text


def test_what_is_lacking(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost object, a line taken out and another place of LFS's objects are seen, without starting a program; a line added is fine."""
    published = repo.export(FILES, TO, ("cats", "dogs"))
    tracker = GitLfs()
    told = tracker.track(published)

    def lacking() -> str | None:
        with monkeypatch.context() as patched:
            patched.setattr("subprocess.Popen", None)
            return tracker.lacking(published.place, repo.store, published.tree)

    assert lacking() is None
    lost = repo.root / ".git" / "lfs" / "objects" / object_path(told.facts["tracked"][0]["oid"])
    lost.unlink()
    assert lacking() == "Git LFS does not have 1 of 6 files"
    tracker.track(published)
    assert lacking() is None
    attributes = repo.root / ".gitattributes"
    text = attributes.read_text()
    attributes.write_text(f"*.md text\n{text}")
    assert lacking() is None
    attributes.write_text(text.replace(f"{TO}/train.csv filter=lfs", f"{TO}/train.csv -filter"))
    assert lacking() == f".gitattributes does not give {TO}/train.csv to Git LFS"
    attributes.write_text(text)
    repo.git("config", "lfs.storage", "elsewhere")
    assert lacking() == "git's configuration is another one"
    tracker.track(published)
    elsewhere = repo.root / ".git" / "elsewhere" / "objects"
    assert elsewhere.is_dir()
    assert f"LocalMediaDir={elsewhere}\n" in repo.git("lfs", "env")
    repo.git("config", "branch.main.remote", "origin")
    assert lacking() is None
    shutil.rmtree(repo.root / ".git")
    assert lacking() == "the export is in no git repository"


def test_last_match_wins(repo: Repo) -> None:
    """A later line of the user that takes a file out is overruled, in the file that has the last word, and told."""
    (repo.root / ".gitattributes").write_text("*.parquet filter=lfs\n*.parquet !filter\n")
    nested = repo.root / TO / ".gitattributes"
    nested.parent.mkdir(parents=True)
    nested.write_text("*.csv -filter\n")
    told = track(repo)
    assert told.facts["attributes"] == [".gitattributes", f"{TO}/.gitattributes"]
    assert nested.read_text() == "*.csv -filter\n/train.csv filter=lfs diff=lfs merge=lfs -text\n"
    assert (repo.root / ".gitattributes").read_text().splitlines()[2].startswith("*.parquet filter=lfs ")
    assert {warning.partition(" keeps ")[0] for warning in told.warnings} == {
        "line 2 of .gitattributes ('*.parquet')",
        f"line 1 of {TO}/.gitattributes ('*.csv')",
    }
    assert {it["path"] for it in told.facts["tracked"]} == {f"{TO}/{name}" for name in LFS}
    said = repo.git("check-attr", "filter", f"{TO}/train.csv", f"{TO}/train.parquet", f"{TO}/test.csv")
    assert [line.rpartition(" ")[2] for line in said.splitlines()] == ["lfs", "lfs", "unset"]


def test_attributes_outside_the_repository(repo: Repo) -> None:
    """What info/attributes says is heeded: a file that it covers needs no line, one that it takes out gets none; both are told."""
    (repo.root / ".git" / "info" / "attributes").write_text("*.png filter=lfs\n*.csv -filter\n")
    told = track(repo)
    assert "train.csv" not in str(told.facts) and "cats/**" not in str(told.facts["patterns_added"])
    assert len(told.warnings) == 2
    assert told.warnings[0].startswith("line 2 of ")
    assert "keeps 1 file out of Git LFS; change that" in told.warnings[0]
    assert "alone gives 3 files to Git LFS" in told.warnings[1]


def test_files_of_others_stay_in_git(repo: Repo) -> None:
    """A pattern is bound to the export where another file that git has would become one of LFS."""
    (repo.root / "fixture.parquet").write_bytes(b"PAR1")
    repo.git("add", "fixture.parquet")
    repo.git("commit", "--quiet", "-m", "fixture")
    track(repo)
    assert repo.attributes()[0] == f"{TO}/*.parquet"
    assert repo.git("check-attr", "filter", "fixture.parquet").endswith("unspecified\n")


def test_from_before_lfs(repo: Repo) -> None:
    """Files that git has whole or ignores are named with what to do; the advice works."""
    published = repo.export(FILES, TO, ("cats", "dogs"))
    (repo.root / ".gitignore").write_text("*.parquet\n")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "-m", "whole")
    told = GitLfs().track(published)
    assert [warning[:30] for warning in told.warnings] == [
        "git ignores 1 file of the expo",
        "git has 4 files of the export ",
    ]
    assert f"git -C {repo.root} add --renormalize -- {TO}" in told.warnings[1]
    repo.git("add", ".gitattributes")
    repo.git("add", "--renormalize", "--", TO)
    repo.git("add", "--force", "--", f"{TO}/train.parquet")
    assert GitLfs().track(published).warnings == ()
    assert len(repo.git("lfs", "ls-files").splitlines()) == len(LFS) - 1


def test_pointers_are_staged(repo: Repo) -> None:
    """With pointers, git's index has what git add would put there, and the folder has its data; asked for once, it is not done again."""
    published = repo.export(FILES, TO, ("cats", "dogs"))
    tracker = GitLfs()
    tracker.track(published)
    with_pointers = repo.export(FILES, TO, ("cats", "dogs"), pointers=True)
    assert tracker.lacking(with_pointers.place, repo.store, with_pointers.tree) is not None
    told = tracker.track(with_pointers)
    assert "pointers staged in git's index: 6" in told.lines
    assert tracker.lacking(with_pointers.place, repo.store, with_pointers.tree) is None
    staged = repo.git("ls-files", "--stage", "-z")
    assert repo.store.verify_export(published.tree, published.place.folder) == []
    assert repo.git("diff", "--name-only") == ""
    shutil.copy(repo.root / ".git" / "index", repo.root / ".git" / "mine")
    (repo.root / ".git" / "index").unlink()
    repo.git("add", "--", *(f":(literal){TO}/{name}" for name in LFS))
    assert repo.git("ls-files", "--stage", "-z") == staged


def test_worktree_submodule_and_link(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a worktree, a submodule and behind a link, lines go to the root there, and objects to where git-lfs looks for them."""
    repo.git("commit", "--quiet", "--allow-empty", "-m", "begin")
    repo.git("worktree", "add", "--quiet", str(tmp_path / "tree"))
    allow = ("-c", "protocol.file.allow=always")
    repo.git(*allow, "submodule", "--quiet", "add", str(repo.root), "sub/module")
    (tmp_path / "link").symlink_to(repo.root / "sub")
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    places = [
        (tmp_path / "tree", tmp_path / "tree", ".git/lfs"),
        (tmp_path / "link" / "module", repo.root / "sub" / "module", ".git/modules/sub/module/lfs"),
    ]
    for root, really, lfs in places:
        told = track(Repo(root, repo.store))
        assert told.facts["root"] == str(really)
        assert (really / ".gitattributes").is_file()
        assert all(
            (repo.root / lfs / "objects" / object_path(it["oid"])).is_file()
            for it in told.facts["tracked"]
            if it["size"]
        )
        with monkeypatch.context() as patched:
            patched.delenv("GIT_DIR")
            git(really, "add", ".")
            assert f"{TO}/train.csv" in git(really, "lfs", "ls-files")
    assert not (repo.root / ".gitattributes").exists()


def test_damaged_objects_are_replaced(repo: Repo) -> None:
    """An object of LFS that has not the bytes of its name is replaced and told."""
    told = track(repo)
    objects = repo.root / ".git" / "lfs" / "objects"
    bad = objects / object_path(told.facts["tracked"][0]["oid"])
    bad.unlink()
    bad.write_bytes(b"x" * told.facts["tracked"][0]["size"])
    again = track(repo)
    assert any("damaged objects of Git LFS were replaced: 1 in" in warning for warning in again.warnings)
    assert bad.read_bytes() != b"x" * told.facts["tracked"][0]["size"]


def test_two_at_once(repo: Repo) -> None:
    """Exports that are made known at the same time both get their lines."""
    places = [repo.export({"big.csv": b"a,b\n" * ABOVE}, f"out/{number}") for number in range(4)]
    with ThreadPoolExecutor(len(places)) as pool:
        told = list(pool.map(GitLfs().track, places))
    assert sorted(repo.attributes()) == [f"out/{number}/big.csv" for number in range(4)]
    assert [it.facts["patterns_added"] for it in told] == [[f"out/{number}/big.csv"] for number in range(4)]


def test_lost_objects_are_for_the_build(repo: Repo) -> None:
    """An object that the store has lost is reported as such, so that a build makes it again; nothing is written."""
    published = repo.export(FILES, TO, ("cats", "dogs"))
    lost = dict(repo.store.walk(published.tree))["train.csv"].digest
    os.unlink(repo.store.path(lost))
    with pytest.raises(ObjectMissing):
        GitLfs().track(published)
    assert repo.attributes() == []


def test_no_repository_or_program(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository, git-lfs or git there is an error that says what to do; nothing is written."""
    place = Place(repo.root / TO, {"above": ABOVE, "pointers": False})
    GitLfs().check(place)
    with pytest.raises(UsageError, match="git init"):
        GitLfs().check(Place(tmp_path / "apart" / "out", place.settings))
    with pytest.raises(UsageError, match="git init"):
        GitLfs().check(Place(repo.root / ".git" / "out", place.settings))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(MissingExtra, match=r"git-lfs, which is not installed\n.*git lfs install"):
        GitLfs().check(place)
    (programs / "git").unlink()
    with pytest.raises(MissingExtra, match="program git, which is not installed"):
        GitLfs().check(place)
    assert sorted(os.listdir(repo.root)) == [".git"]


def test_lfs_not_installed_in_git(repo: Repo, tmp_path: Path) -> None:
    """Where git does not know LFS, or a hook of the user keeps a push from sending the files, the command that mends it is named."""
    (tmp_path / "gitconfig").write_text("")
    assert ["before git add run: git -C" in warning for warning in track(repo).warnings] == [True]
    hook = repo.root / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    assert track(repo).warnings[1].endswith(f"git -C {repo.root} lfs update --manual")


@pytest.mark.parametrize("way", ["mode", "link", "folder"])
def test_attributes_that_cannot_be_written(repo: Repo, way: str) -> None:
    """A read-only file, a link or a folder in the place of .gitattributes is an error that has the lines; nothing is written."""
    path = repo.root / ".gitattributes"
    if way == "mode":
        path.write_text("# mine\n")
        path.chmod(0o444)
    elif way == "link":
        path.symlink_to("other")
    else:
        path.mkdir()
    with pytest.raises(UsageError, match=r"\*\.parquet filter=lfs diff=lfs merge=lfs -text") as found:
        track(repo)
    assert str(found.value.where) == str(path)
    assert not (repo.root / ".git" / "lfs").exists()
    assert way != "mode" or path.read_text() == "# mine\n"


def test_objects_that_cannot_be_written(repo: Repo) -> None:
    """Where LFS's folder cannot be filled, .gitattributes stays as it is."""
    (repo.root / ".git" / "lfs").write_text("in the way")
    with pytest.raises(BuildError, match="the export stands, but Git LFS was not told"):
        track(repo)
    assert not (repo.root / ".gitattributes").exists()
