"""The real git lfs with a store in place of a server."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mldata.lfsagent.place import ref_name
from store import Store
from tests.e2e.project import Project, environment
from tests.lfsagent.session import oid_of, repository

pytestmark = pytest.mark.skipif(
    shutil.which("git-lfs") is None, reason="git lfs is not installed: apt install git-lfs"
)
FILES = {"big file.bin": os.urandom(3_000_000), "a/small.bin": b"small", "b.bin": b"b" * 70_000}

DIES = """
import subprocess, sys
with subprocess.Popen({command!r}, stdout=subprocess.PIPE) as agent:
    sys.stdout.buffer.write(agent.stdout.readline())
    sys.stdout.flush()
    agent.stdout.readline()
    agent.kill()
"""
"""A program that passes the answer to `init` on, and kills the agent when it has begun with a transfer."""


class Team:
    """A remote repository, and clones of it that share a store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = root / "team store"
        self.env = {
            **environment(),
            "HOME": str(root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self.git(root, "lfs", "install", "--skip-repo")
        self.git(root, "init", "-q", "--bare", "-b", "main", "origin.git")

    def git(self, folder: Path, *args: str, expect: int | None = 0) -> str:
        """Run git; what it printed."""
        done = subprocess.run(
            ["git", *args], cwd=folder, env=self.env, capture_output=True, text=True, timeout=60
        )
        assert expect is None or done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def clone(self, name: str) -> Path:
        """A clone that uses the store."""
        self.git(self.root, "clone", "-q", "origin.git", name)
        folder = self.root / name
        Project(folder).run("lfs-agent", "--setup", "--store", str(self.store))
        self.git(folder, "config", "lfs.concurrenttransfers", "2")
        return folder


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A team of which one member has pushed, after a push that was cut off."""
    team = Team(tmp_path_factory.mktemp("team"))
    first = team.clone("first")
    team.git(first, "lfs", "track", "*.bin")
    for name, data in FILES.items():
        (first / name).parent.mkdir(exist_ok=True)
        (first / name).write_bytes(data)
    team.git(first, "add", ".")
    team.git(first, "commit", "-q", "-m", "files")
    program = team.git(first, "config", "lfs.customtransfer.mldata.path").strip()
    args = team.git(first, "config", "lfs.customtransfer.mldata.args").strip()
    script = team.root / "agent that dies"
    script.write_text(f"#!{sys.executable} -I\n{DIES.format(command=[program, *shlex.split(args)])}")
    script.chmod(0o755)
    team.git(first, "config", "lfs.customtransfer.mldata.path", str(script))
    team.git(first, "push", "-q", "origin", "main", expect=1)
    team.git(first, "config", "lfs.customtransfer.mldata.path", program)
    with Store.open(team.store) as store:
        assert store.check(read_data=True).ok
    team.git(first, "push", "-q", "origin", "main")
    return team


def test_a_push_brings_every_object(team: Team) -> None:
    """After an agent that died and one that did not, each file is in the store under its ref, and the store is sound."""
    with Store.open(team.store) as store:
        assert set(store.refs.names("lfs/")) == {ref_name(oid_of(data)) for data in FILES.values()}
        assert store.check(read_data=True).ok


def test_another_clone_pulls_the_same_bytes(team: Team) -> None:
    """Elsewhere, after a gc, `git lfs pull` gives the same files; git and git lfs find nothing to complain about; a second push sends nothing new."""
    with Store.open(team.store) as store:
        store.execute_gc(store.plan_gc(keep_last=1, max_size=0))
    other = team.clone("other")
    assert (other / "b.bin").read_bytes().startswith(b"version https://git-lfs")
    team.git(other, "lfs", "pull")
    assert {name: (other / name).read_bytes() for name in FILES} == FILES
    assert "OK" in team.git(other, "lfs", "fsck")
    assert team.git(other, "status", "--short") == ""
    assert not [path for path in (other / ".git/lfs/tmp").iterdir() if path.name.startswith("mldata-")]
    team.git(other, "lfs", "push", "--all", "origin")
    # Git lfs checks files out as copies: editing one leaves the store alone.
    (other / "b.bin").write_bytes(b"edited")
    with Store.open(team.store) as store:
        assert store.check(read_data=True).ok


def test_damage_in_the_store(team: Team) -> None:
    """A damaged object is refused with what to do, the other files come; a push from who has it mends the store."""
    data = FILES["b.bin"]
    with Store.open(team.store) as store:
        tree = store.refs.get(ref_name(oid_of(data)))
        assert tree is not None
        path = store.path(next(iter(store.tree(tree))).digest)
    path.unlink()  # not written to: another clone may share the bytes
    path.write_bytes(b"x" * len(data))
    third = team.clone("third")
    told = team.git(third, "lfs", "pull", expect=2)
    assert "git lfs push --all" in told and oid_of(data) in told
    assert (third / "a/small.bin").read_bytes() == FILES["a/small.bin"]
    team.git(team.root / "first", "lfs", "push", "--all", "origin")
    team.git(third, "lfs", "pull")
    assert (third / "b.bin").read_bytes() == data


def test_setup(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting up changes this repository's settings only, shows them first if asked, and leaves another agent alone."""
    monkeypatch.setenv("HOME", str(team.root))
    project = Project(repository(tmp_path / "repo"))
    before = (project / ".git/config").read_bytes()
    shown = project.run("lfs-agent", "--setup", "--store", "../my store", "--dry-run").out
    assert (project / ".git/config").read_bytes() == before and not (tmp_path / "my store").exists()
    subprocess.run(["sh", "-ec", shown], cwd=project.root, check=True)
    by_hand = (project / ".git/config").read_bytes()
    told = project.json("lfs-agent", "--setup", "--store", "../my store")["result"]
    assert (project / ".git/config").read_bytes() == by_hand != before
    assert told["store"] == str(tmp_path / "my store") and (tmp_path / "my store/format").exists()
    assert told["settings"]["lfs.standalonetransferagent"] == "mldata"
    subprocess.run(["git", "-C", project.root, "config", "lfs.standalonetransferagent", "mine"], check=True)
    refused = project.run("lfs-agent", "--setup", "--store", "../my store", expect=3).err
    assert "'mine'" in refused and "--unset-all" in refused


def test_setup_where_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, no git lfs, no git: each says what to do, and no store is made."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    project = Project(tmp_path / "plain")
    assert "git init" in project.run("lfs-agent", "--setup", "--store", "s", expect=3).err
    repository(project.root)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").symlink_to(shutil.which("git") or "git")
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("GIT_EXEC_PATH", str(tools))
    assert "https://git-lfs.com" in project.run("lfs-agent", "--setup", "--store", "s", expect=3).err
    (tools / "git").unlink()
    assert "https://git-scm.com" in project.run("lfs-agent", "--setup", "--store", "s", expect=3).err
    assert not (project / "s").exists()


def test_the_program_by_hand(tmp_path: Path) -> None:
    """Options that make no sense are refused; a conversation that ends at once is no failure, and prints nothing."""
    project = Project(tmp_path)
    assert project.run("lfs-agent", "--dry-run", expect=3).out == ""
    assert project.json("lfs-agent", expect=3)["errors"][0]["code"] == "usage"
    done = project.spawn("lfs-agent", "--store", "s")
    assert (done.out, done.err) == ("", "")


def test_ctrl_c(tmp_path: Path) -> None:
    """An agent that is interrupted says so where git lfs does not read it as an answer, and leaves the store to others."""
    Store.open(tmp_path / "s").close()
    command = [sys.executable, "-m", "mldata", "lfs-agent", "--store", "s"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), text=True, **pipes) as agent:
        assert agent.stdin and agent.stdout and agent.stderr
        agent.stdin.write('{"event": "init", "operation": "upload"}\n')
        agent.stdin.flush()
        assert agent.stdout.readline() == "{}\n"
        agent.send_signal(signal.SIGINT)
        assert agent.stdout.read() == ""
        assert "interrupted" in agent.stderr.read()
        assert agent.wait(60) == 130
    with Store.open(tmp_path / "s") as store:
        assert store.plan_gc().roots == ()
