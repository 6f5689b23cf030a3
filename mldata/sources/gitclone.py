"""A bare, shallow clone without files, that lasts as long as it is needed.

It is kept in the user's cache below ``git/``, under the digest of the repository's address, so that a download that was killed goes on with what
had come. Trees come with a commit; files are fetched together when the first of them is read, a group at a time, each group kept once it is
complete. When everything that was asked for was read, the clone is removed; one that nobody used for :data:`KEPT_DAYS` days too.

Invariant: whoever uses a clone holds ``KEY.used`` shared, who adds to it holds ``KEY.fetch``, who removes it holds both alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from mldata.errors import SourceError
from mldata.projectlock import ProjectLock
from mldata.sources.again import again
from mldata.sources.gitprogram import Git
from mldata.userfolders import cache_folder

__all__ = ["Blob", "Clone"]

KEPT_DAYS = 14
GROUP = 256
"""Files that are fetched together: so many are lost at most when the process is killed."""
PIECE = 1 << 20


class Clone:
    """The clone of one repository. Safe among threads, and among processes where the file system has locks."""

    def __init__(self, git: Git) -> None:
        from store import digest_bytes

        self._git = git
        self._home = cache_folder() / "git"
        self.path = self._home / digest_bytes(git.url.encode())[:32]
        self._lock = threading.RLock()
        self._used: ProjectLock | None = None
        self._wanted: dict[str, str] = {}
        self._here: set[str] = set()
        self._read: set[str] = set()
        self._idle: list[subprocess.Popen[bytes]] = []

    # What is in it.

    def commit(self, commit: str, ref: str | None) -> None:
        """Have a commit with its trees.

        Args:
            ref: that leads to it, for servers that give out nothing else.
        """
        with self._lock:
            self._enter()
            done = self.path / f"has-{commit}"
            if done.exists():
                return
            self._fetched([commit] + ([ref] if ref else []), commit)
            done.touch()

    def _fetched(self, ways: list[str], commit: str) -> None:
        for way in ways:
            try:
                self._fetch("--depth", "1", names=[way])
                self._git.run("rev-parse", "--verify", "-q", f"{commit}^{{tree}}", folder=str(self.path))
                return
            except SourceError:
                if way == ways[-1]:
                    raise

    def tree(self, commit: str) -> bytes:
        """All entries below a commit, as ``git ls-tree -r -z`` has them. (Not with sizes: git would fetch every file for them.)"""
        return self._git.run("ls-tree", "-r", "-z", "--full-tree", commit, folder=str(self.path))

    def attribute(self, name: str, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """A gitattribute of each path. The files ``.gitattributes`` must have been fetched."""
        given = "\0".join(paths).encode()
        index = {"GIT_INDEX_FILE": str(self.path / f"index-{os.getpid()}")}
        with self._lock:
            self._git.run("read-tree", commit, folder=str(self.path), variables=index)
            told = self._git.run(
                "check-attr", "--cached", "-z", "--stdin", name, folder=str(self.path), given=given, variables=index
            ).decode().split("\0")  # fmt: skip
            with suppress(OSError):
                os.unlink(index["GIT_INDEX_FILE"])
        return dict(zip(told[0::3], told[2::3], strict=False))

    # Its files.

    def want(self, blob: str, commit: str) -> None:
        """Say that a file will be read: it is fetched with the others that are wanted."""
        with self._lock:
            self._wanted[blob] = commit

    def fetch(self, blobs: Iterable[str], commit: str) -> None:
        """Have these files, and none else."""
        with self._lock:
            self._enter()
            missing = self._missing(commit)
            groups = sorted(set(blobs) & missing)
            for start in range(0, len(groups), GROUP):
                self._fetch("--stdin", given="\n".join(groups[start : start + GROUP]).encode())

    def open(self, blob: str) -> Blob:
        """A file, fetched if it is not there, and then with all that are wanted."""
        with self._lock:
            self._enter()
            if blob not in self._here and (commit := self._wanted.get(blob)) is not None:
                want = {one for one, of in self._wanted.items() if of == commit} - self._here
                self.fetch(want, commit)
                self._here |= want
            process = self._idle.pop() if self._idle else self._process()
        return Blob(self, process, blob)

    def read(self, blob: str) -> bytes:
        """A small file that is there."""
        with self.open(blob) as opened:
            return b"".join(opened)

    def _missing(self, commit: str) -> set[str]:
        options = ("--objects", "--no-object-names", "--missing=print")
        listed = self._git.run("rev-list", *options, commit, folder=str(self.path)).decode().split()
        return {line[1:] for line in listed if line.startswith("?")}

    def _fetch(self, *options: str, names: Iterable[str] = (), given: bytes = b"") -> None:
        alone = ProjectLock(self._home / f"{self.path.name}.fetch")
        try:
            alone.acquire(wait=True)
            words = (
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--recurse-submodules=no",
                "--filter=blob:none",
                *options,
            )
            again(
                lambda: self._git.run("fetch", *words, "origin", *names, folder=str(self.path), given=given)
            )
        finally:
            alone.release()

    def lacks(self, blob: str) -> SourceError:
        """The error for a file that does not come."""
        return SourceError(
            f"the repository does not give the file {blob[:12]}",
            where=self._git.where,
            hint="Run the same command again.",
        )

    def _process(self) -> subprocess.Popen[bytes]:
        command = self._git.command("-C", str(self.path), "cat-file", "--batch")
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._git.environment(),
        )

    def was_read(self, blob: str) -> None:
        """Note that the end of a file was read."""
        with self._lock:
            self._read.add(blob)

    def give_back(self, process: subprocess.Popen[bytes]) -> None:
        """Let another file be read by this process."""
        with self._lock:
            self._idle.append(process)

    # How long it is there.

    def _enter(self) -> None:
        """Have the folder, and hold it."""
        if self._used is not None:
            return
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._remove_old()
            used = ProjectLock(self._home / f"{self.path.name}.used")
            used.acquire(wait=True, shared=True)
            self._used = used
            if not (self.path / "ready").exists():
                self._make()
            os.utime(self.path)
        except OSError as error:
            raise SourceError(f"cannot write {self.path}: {error.strerror}", where=self._git.where,
                              hint="XDG_CACHE_HOME names another folder for caches.") from None  # fmt: skip

    def _make(self) -> None:
        alone = ProjectLock(self._home / f"{self.path.name}.fetch")
        try:
            alone.acquire(wait=True)
            if (self.path / "ready").exists():
                return
            shutil.rmtree(self.path, ignore_errors=True)
            self._git.run("init", "--quiet", "--bare", "--template=", "--", str(self.path))
            self._git.run("config", "remote.origin.url", self._git.url, folder=str(self.path))
            (self.path / "ready").touch()
        finally:
            alone.release()

    def leave(self) -> None:
        """Let go of it; remove it if all that was wanted of it was read."""
        self._git.stop()  # at the end of the process a thread may still wait for a fetch
        with self._lock:
            for process in self._idle:
                _end(process)
            self._idle.clear()
            if self._used is None:
                return
            self._used.release()
            self._used = None
            if self._wanted and self._wanted.keys() <= self._read:
                self._remove(self.path)

    def _remove_old(self) -> None:
        for path in self._home.iterdir():
            with suppress(OSError):
                if path.suffix == "" and time.time() - path.stat().st_mtime > KEPT_DAYS * 86_400:
                    self._remove(path)

    def _remove(self, path: Path) -> None:
        """Remove a clone that nobody uses."""
        used, alone = (ProjectLock(self._home / f"{path.name}.{kind}") for kind in ("used", "fetch"))
        try:
            if used.acquire(wait=False) and alone.acquire(wait=False):
                with suppress(OSError):
                    (path / "ready").unlink(missing_ok=True)
                shutil.rmtree(path, ignore_errors=True)
        finally:
            used.release()
            alone.release()


class Blob:
    """A file that is being read. Its size is known at once."""

    def __init__(self, clone: Clone, process: subprocess.Popen[bytes], blob: str) -> None:
        self._clone, self._blob = clone, blob
        self._process: subprocess.Popen[bytes] | None = process
        assert process.stdin is not None and process.stdout is not None
        self._out: IO[bytes] = process.stdout
        self.size = self._left = -1
        try:
            process.stdin.write(f"{blob}\n".encode())
            process.stdin.flush()
            said = self._out.readline().split()
        except OSError:
            said = []
        if len(said) != 3 or said[1] != b"blob":
            self.close()
            raise clone.lacks(blob)
        self.size = self._left = int(said[2])

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0:
            data = self._out.read(min(PIECE, self._left))
            if not data:
                raise self._clone.lacks(self._blob)
            self._left -= len(data)
            yield data

    def close(self) -> None:
        """Give the process back, or end it where bytes are left."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._left == 0 and self._out.read(1) == b"\n":
            self._clone.was_read(self._blob)
            self._clone.give_back(process)
        else:
            _end(process)

    def interrupt(self) -> None:
        """Make a reader in another thread fail soon."""
        process = self._process
        if process is not None:
            process.kill()

    def __enter__(self) -> Blob:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    process.wait()
