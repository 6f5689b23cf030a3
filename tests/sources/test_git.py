"""What a git repository is as a source."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from mldata.errors import AuthError, MissingExtra, MldataError, SourceError
from mldata.sources import open_source
from mldata.sources.base import RemoteSource
from mldata.testing import RemotePlace, RemoteSourceContract
from mldata.testing.expect import raises
from mldata.testing.places import fetch
from mldata.testing.remote import SECRET
from tests.servers.git import PROGRAM, GitServer, Repository, git_server

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="git is not installed")


class TestGit(RemoteSourceContract):
    """``git+http://`` from git's own server program."""

    malformed = (
        "git+https://", "git+https://host", "git+https://host/r.git@", "git+https://host/r.git@--upload-pack=x",
        "git+https://host/r.git#", "git+https://host/r.git#../x", "git+https://host/r.git#--x", "git+https://u:secret@host/r.git",
        "git+https://token@host/r.git", "git+ssh://-oProxyCommand=x/r", "git+file://host/r", "git+https://host/r.git@a..b",
        "git+ssh://u:secret@host/r.git", "git+https://host/r.git@a b", "git+https://host/a b.git",
    )  # fmt: skip
    unsafe = ("con.csv", "a\\..\\x.csv", "C:\\x.csv", "sub/nul.csv")
    lacks: ClassVar[Mapping[str, str]] = {
        "gate": "a repository has no terms to accept",
        "rename": "a redirect is git's own business",
        "move": "bytes come from the server itself",
    }
    place: GitServer
    home: Path

    @contextmanager
    def serve(self, folder: Path) -> Iterator[RemotePlace]:
        self.home = folder / "home"
        with git_server(folder) as self.place:
            yield self.place

    @contextmanager
    def login(self, token: str) -> Iterator[None]:
        (self.home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
        there = self.place.address.replace("://", f"://penguin:{token}@")
        (self.home / ".git-credentials").write_text(f"{there}\n")
        try:
            yield
        finally:
            (self.home / ".git-credentials").unlink(missing_ok=True)

    def test_tokens_stay_where_they_belong(self, tmp_path: Path) -> None:
        """A token is shown to the server alone; it is in nothing that is kept or told."""
        with self.serve(tmp_path) as place, self.login(SECRET):
            place.put(self.files)
            place.require_token(SECRET)
            source = self.open(place.uri, tmp_path)
            resolved = source.resolve()
            assert fetch(source, resolved) == self.expected(self.files)
            origins = [source.origin(file) for file in resolved.files]
            told = [
                source.text,
                source.key,
                resolved,
                *((origin.name, origin.identity) for origin in origins),
            ]
            for path in (tmp_path / "home" / ".cache").rglob("*"):
                told.append(path.read_bytes() if path.is_file() else path.name)
            place.fail(500, None)
            told += [str(raises(MldataError, call)) for call in (source.resolve, source.about)]
            assert SECRET not in repr(told)
            said = [asked.headers.get("authorization", "") for asked in place.requests]
            assert any(text.startswith("Basic ") for text in said)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with an empty home."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Repository:
    """An empty repository on this machine."""
    return Repository(tmp_path / "r.git")


def opened(repository: Repository, rest: str = "") -> RemoteSource:
    return cast(RemoteSource, cast(Any, open_source(f"git+file://{repository.path}{rest}", Path("/"))))


def read(source: RemoteSource) -> dict[str, bytes]:
    return fetch(source, source.resolve())


def clones(home: Path) -> list[Path]:
    """The clones that are kept."""
    return [path for path in (home / ".cache" / "mldata" / "git").glob("*") if path.is_dir()]


FILES = {"data/a.csv": b"a", "data/b.csv": b"b", "data/sub/c.csv": b"c", "data/sub/d.txt": b"d", "README.md": b"r"}  # fmt: skip


@pytest.mark.parametrize(
    ("rest", "names"),
    [
        ("", ["README.md", *sorted(FILES)[1:]]),
        ("#data", ["a.csv", "b.csv", "sub/c.csv", "sub/d.txt"]),
        ("#data/", ["a.csv", "b.csv", "sub/c.csv", "sub/d.txt"]),
        ("#data/sub/c.csv", ["c.csv"]),
        ("#data/*.csv", ["a.csv", "b.csv"]),
        ("#data/**/*.csv", ["a.csv", "b.csv", "sub/c.csv"]),
        ("#**/c%2Ecsv", ["data/sub/c.csv"]),
    ],
)
def test_paths(repository: Repository, rest: str, names: list[str]) -> None:
    """What stands behind # is a file, a folder or a pattern, and names are relative to it as on this machine."""
    repository.put(FILES)
    assert [file.name for file in opened(repository, rest).resolve().files] == names


def test_a_path_that_is_not_there(repository: Repository) -> None:
    """A path that the commit does not have is an error that says so."""
    repository.put(FILES)
    with pytest.raises(SourceError, match="path behind #"):
        opened(repository, "#date").resolve()


def test_revisions(repository: Repository) -> None:
    """A branch, a tag (of either kind, and before a branch of the same name) and a whole hash are pinned as the commit that they mean."""
    first = repository.put({"a.csv": b"1"})
    repository.git("tag", "plain", first)
    repository.git("-c", "user.name=p", "-c", "user.email=p@x", "tag", "-a", "-m", "x", "v1.0", first)
    second = repository.put({"a.csv": b"2"}, branch="feature/x")
    repository.put({"a.csv": b"3"}, branch="plain")
    third = repository.put({"a.csv": b"4"})
    found = {rest: opened(repository, rest).resolve().revision for rest in ("", "@plain", "@v1.0", "@feature/x", f"@{second}")}  # fmt: skip
    assert found == {"": third, "@plain": first, "@v1.0": first, "@feature/x": second, f"@{second}": second}
    assert read(opened(repository, "@feature/x")) == {"a.csv": b"2"}
    with pytest.raises(SourceError, match=r"a branch, a tag or a whole commit hash, found 'gone'"):
        opened(repository, "@gone").resolve()
    with pytest.raises(SourceError, match="the hash of a commit, found 'main'"):
        opened(repository).resolve("main")


def test_a_revision_as_pull_says_it(repository: Repository) -> None:
    """``mldata pull -r v1`` is ``@v1``, also behind a path; one that is said twice is refused."""
    repository.put(FILES)
    repository.git("tag", "v1", "main")
    repository.put({"data/a.csv": b"new"})
    source = opened(repository, "#data/*.csv?revision=v1")
    assert source.key == opened(repository, "@v1#data/*.csv").key
    assert read(source) == {"a.csv": b"a", "b.csv": b"b"}
    for rest in ("@v1?revision=v1", "?revision=", "?revision=--upload-pack%3Dx"):
        with pytest.raises(SourceError, match="found"):
            opened(repository, rest)


def test_links(repository: Repository) -> None:
    """A symbolic link to a file of the source is that file; one to a folder brings nothing twice; one that leaves the source is refused."""
    links = {"l.csv": b"data/a.csv", "data/m.csv": b"../l.csv", "folder": b"data"}
    modes = dict.fromkeys([*links, "out", "root", "gone", "round"], "120000")
    repository.put({"data/a.csv": b"a", **links}, modes=modes)
    assert read(opened(repository)) == {"data/a.csv": b"a", "data/m.csv": b"a", "l.csv": b"a"}
    for name, target in {
        "out": b"../x",
        "root": b"/etc/passwd",
        "gone": b"nothing",
        "round": b"round",
    }.items():
        repository.put({"a.csv": b"a", name: target}, modes=modes)
        with pytest.raises(SourceError, match=f"the symbolic link {name} leads to no file of this source"):
            opened(repository).resolve()
    repository.put({"data/l.csv": b"../secret", "secret": b"s"}, modes={"data/l.csv": "120000"})
    with pytest.raises(SourceError, match=r"l\.csv"):
        opened(repository, "#data").resolve()


def test_submodules_are_told_of(repository: Repository) -> None:
    """The files of a submodule are not there, and a warning says so; the submodule is not asked for."""
    commit = repository.put({"a.csv": b"a"})
    tree = repository.git("ls-tree", commit) + f"\n160000 commit {commit}\tother\n"
    made = repository.git("mktree", "--missing", given=tree.encode())
    repository.git("update-ref", "refs/heads/main", repository.git("-c", "user.name=p", "-c", "user.email=p@x", "commit-tree", "-m", "x", made))  # fmt: skip
    found = opened(repository).resolve()
    assert [file.name for file in found.files] == ["a.csv"]
    assert found.warnings[0].startswith("other is a submodule")


def test_hidden_files_are_left_out_and_counted(repository: Repository) -> None:
    """What is no data in a local folder is none in a repository."""
    repository.put({".gitignore": b"x", ".github/w.yml": b"x", "a.csv": b"1", "Thumbs.db": b"x"})
    found = opened(repository).resolve()
    assert [file.name for file in found.files] == ["a.csv"]
    assert found.facts == {"ignored": {".*": 2, "Thumbs.db": 1}}


def lfs_pointer(data: bytes) -> bytes:
    told = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{told}\nsize {len(data)}\n".encode()


def with_lfs(repository: Repository, data: bytes) -> None:
    """Commit a file as Git LFS does."""
    told = hashlib.sha256(data).hexdigest()
    path = repository.path / "lfs" / "objects" / told[:2] / told[2:4] / told
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    rules = b"*.bin filter=lfs diff=lfs merge=lfs -text\n"
    repository.put({".gitattributes": rules, "a.bin": lfs_pointer(data), "raw.bin": b"not a pointer", "b.csv": b"b"})  # fmt: skip


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_files_of_lfs(repository: Repository, home: Path) -> None:
    """Of what Git LFS keeps the data comes, with the size and the SHA-256 that its pointer states, and any part of it."""
    data = bytes(range(256)) * 4096
    with_lfs(repository, data)
    source = opened(repository)
    resolved = source.resolve()
    file = resolved.files[0]
    assert (file.name, file.size, dict(file.digests)) == ("a.bin", len(data), {"sha256": hashlib.sha256(data).hexdigest()})  # fmt: skip
    assert fetch(source, resolved) == {"a.bin": data, "raw.bin": b"not a pointer", "b.csv": b"b"}
    with source.origin(file).open(1000, 2000) as body:
        assert (body.start, b"".join(body)) == (1000, data[1000:2000])


def test_lfs_without_its_program(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git-lfs is missing, a pointer is not taken for data: the error names the program."""
    with_lfs(repository, b"x" * 5000)
    source = opened(repository)
    file = source.resolve().files[0]
    found = shutil.which
    monkeypatch.setattr("shutil.which", lambda name: None if name == "git-lfs" else found(name))
    with pytest.raises(MissingExtra, match="found a pointer of Git LFS"):
        source.origin(file).open()


def test_git_is_missing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git the error says what to install."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(MissingExtra, match="the program git"):
        opened(repository).resolve()


def test_only_what_is_read_is_fetched(repository: Repository, home: Path) -> None:
    """Listing brings no file; reading one brings that one and those that are asked for with it."""
    repository.put({"a.csv": b"a" * 9000, "b.csv": b"b", "c.csv": b"c"})
    source = opened(repository)
    files = source.resolve().files
    assert all(file.size is None for file in files)  # git would fetch every file to know
    assert missing(home) == {file.version for file in files}
    origins = [source.origin(file) for file in files[:2]]
    with origins[0].open() as body:
        assert b"".join(body) == b"a" * 9000
    assert missing(home) == {files[2].version}


def missing(home: Path) -> set[str]:
    [clone] = clones(home)
    listed = subprocess.run(
        ["git", "-C", str(clone), "rev-list", "--objects", "--missing=print", next(clone.glob("has-*")).name[4:]],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return {line[1:] for line in listed.split() if line.startswith("?")}


def test_a_killed_download_goes_on(repository: Repository, home: Path, tmp_path: Path) -> None:
    """What a process had fetched before it was killed is not fetched again; what was read to the end is not kept."""
    repository.put({"a.csv": b"a", "b.csv": b"b"})
    code = (
        "import os, sys; from pathlib import Path; from mldata.sources import open_source\n"
        f"source = open_source('git+file://{repository.path}', Path('/'))\n"
        "origins = [source.origin(file) for file in source.resolve().files]\n"
        "origins[0].open(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert len(clones(home)) == 1 and not missing(home)
    repository.git("config", "uploadpack.packObjectsHook", "false")
    source = opened(repository)
    resolved = source.resolve()
    assert fetch(source, resolved) == {"a.csv": b"a", "b.csv": b"b"}
    del source
    assert not clones(home)


def test_a_repository_cannot_make_git_run_anything(repository: Repository, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Hooks, filters and variables of the user's git are not run for a source, and another protocol is not spoken behind the user's back."""
    proof, hooks = tmp_path / "proof", tmp_path / "hooks"
    hooks.mkdir()
    repository.put({".gitattributes": b"* filter=x\n", "a.csv": b"a"})
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {proof}\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f'[core]\n\thooksPath = {hooks}\n\tfsmonitor = touch {proof}\n[filter "x"]\n\tsmudge = touch {proof}\n'
    )
    for name, value in {
        "GIT_DIR": "/nonexistent",
        "GIT_INDEX_FILE": "/x",
        "GIT_EXTERNAL_DIFF": f"touch {proof}",
    }.items():
        monkeypatch.setenv(name, value)
    assert read(opened(repository)) == {"a.csv": b"a"}
    assert not proof.exists()
    (home / ".gitconfig").write_text(f'[url "ext::touch {proof} "]\n\tinsteadOf = file://\n')
    raises(MldataError, opened(repository).resolve)
    assert not proof.exists()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("git+ssh://git@host/o/r.git@v1#data", "ssh://git@host/o/r.git"),
        ("git+ssh://host:2222/r", "ssh://host:2222/r"),
        ("git+https://HOST/r.git/", "https://host/r.git"),
    ],
)
def test_what_git_is_told(text: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address goes to git behind --, and over SSH nothing is asked of the user."""
    asked: list[tuple[list[str], dict[str, str]]] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            if "ls-remote" in command:
                asked.append((command, options["env"]))
                said = "Host key verification failed.\nfatal: Could not read from remote repository."
                command = [sys.executable, "-c", f"import sys; sys.exit({said!r})"]
            super().__init__(command, **options)

    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    monkeypatch.setattr("subprocess.Popen", Popen)
    source = cast(RemoteSource, cast(Any, open_source(text, Path("/"))))
    assert "known_hosts" in str(raises(AuthError, source.resolve).hint)
    command, environment = asked[0]
    assert command[command.index("--") + 1] == url and command.index("ls-remote") < command.index("--")
    assert ("BatchMode=yes" in environment.get("GIT_SSH_COMMAND", "")) == text.startswith("git+ssh")
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    assert environment["GIT_ALLOW_PROTOCOL"] == url.partition(":")[0]


def test_the_users_own_ssh_is_used(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that the user's git has for ssh is run as it stands, and what it says is the error."""
    program = tmp_path / "ssh"
    program.write_text(
        f"#!/bin/sh\necho \"$@\" > {tmp_path / 'asked'}\necho 'Permission denied (publickey).' >&2\nexit 255\n"
    )
    program.chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\tsshCommand = {program} -i key\n")
    source = cast(RemoteSource, cast(Any, open_source("git+ssh://git@host.invalid/o/r.git", Path("/"))))
    assert "ssh agent" in str(raises(AuthError, source.resolve).hint)
    assert (tmp_path / "asked").read_text().startswith("-i key")


def test_no_secret_is_told(tmp_path: Path) -> None:
    """A password or token in the text is refused, and the error does not repeat it."""
    for text in ("git+https://u:hunter2@host/r.git", "git+https://hunter2@host/r.git", "git+ssh://u:hunter2@host/r"):  # fmt: skip
        assert "hunter2" not in str(raises(SourceError, lambda text=text: open_source(text, tmp_path)))  # type: ignore[misc]


def test_a_server_that_gives_only_whole_commits(repository: Repository) -> None:
    """Where the server cannot leave files out, all of the one commit come, and the same is read."""
    repository.put({"a.csv": b"a", "b.csv": b"b"})
    for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        repository.git("config", setting, "false")
    assert read(opened(repository, "#a.csv")) == {"a.csv": b"a"}


def test_an_old_clone_is_removed(repository: Repository, home: Path) -> None:
    """What an unfinished download left is kept for a while, and not for ever; a clone that is in use is not touched."""
    repository.put({"a.csv": b"a"})
    opened(repository).resolve()  # nothing was read, so it stays
    [old] = clones(home)
    used = opened(repository)
    used.resolve()
    other = Repository(repository.path.parent / "other.git")
    other.put({"a.csv": b"a"})
    os.utime(old, (0, 0))
    opened(other).resolve()
    assert old in clones(home)
    del used
    os.utime(old, (0, 0))
    opened(other).resolve()
    assert old not in clones(home) and len(clones(home)) == 1


def test_two_processes_use_one_clone(repository: Repository, home: Path) -> None:
    """Both read all files, whichever of them fetches."""
    files = {f"{number}.csv": b"%d" % number for number in range(50)}
    repository.put(files)
    code = (
        "from pathlib import Path; from mldata.sources import open_source; from mldata.testing.places import fetch\n"
        f"source = open_source('git+file://{repository.path}', Path('/'))\n"
        "found = fetch(source, source.resolve())\n"
        "assert len(found) == 50 and found['7.csv'] == b'7'"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in running] == [(b"", 0)] * 3


def test_what_is_fetched_does_not_outlive_the_process(
    repository: Repository, home: Path, tmp_path: Path
) -> None:
    """A process that ends while git fetches ends git too, and ssh below it."""
    repository.put({"a.csv": b"a"})
    slow = tmp_path / "slow"
    slow.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path / 'pid.new'}; mv {tmp_path / 'pid.new'} {tmp_path / 'pid'}; exec sleep 100\n"
    )
    slow.chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\tsshCommand = {slow}\n")
    code = (
        "import os, sys, threading, time; from pathlib import Path; from mldata.sources import open_source\n"
        "source = open_source('git+ssh://host/r', Path('/'))\n"
        "threading.Thread(target=source.resolve, daemon=True).start()\n"
        f"while not os.path.exists({str(tmp_path / 'pid')!r}): time.sleep(0.01)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 60
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = _alive(pid)
    if left:
        os.kill(pid, 9)
    assert not left


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except OSError:
        return False
