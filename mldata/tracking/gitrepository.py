"""The git repository that a folder is in, found as git finds it from there; and running git in it.

Format (gitrepository-layout(5)): ``.git`` is a folder, or a file ``gitdir: PATH`` in worktrees and submodules; ``commondir`` in it names
the folder that all worktrees share.

Invariant: the folder alone says which repository it is: neither the working folder nor ``GIT_DIR`` and its like, which a hook has set for
another one, have a say. Finding starts no program.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mldata.errors import BuildError, MissingExtra, UsageError, brief

__all__ = ["Git", "Repository", "find_repository"]

_SAID = frozenset(
    {
        "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT", "GIT_EXEC_PATH", "GIT_ATTR_NOSYSTEM",
    }
)  # fmt: skip
"""What may be said of git by the environment; any other variable of its own may belong to a repository that this runs in."""


@dataclass(frozen=True)
class Repository:
    """A repository with a work tree."""

    root: Path
    """Of the work tree; absolute, without links."""
    git_dir: Path
    common_dir: Path
    """Equal to ``git_dir`` but in a worktree that was added: there, that of the main one."""

    def name(self, path: Path) -> str:
        """A path below the root as git has it: relative, with ``/``; empty for the root itself."""
        relative = path.relative_to(self.root).as_posix()
        return "" if relative == "." else relative

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other builds from changing it meanwhile, in threads and processes. Git does not heed this; it has locks of its own."""
        fd = os.open(self.common_dir, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(ImportError, OSError):  # where there are no locks, two at once are rare
                import fcntl

                fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def find_repository(folder: Path) -> Repository | None:
    """The repository that ``folder`` is in or will be in; None if there is none, or it has no work tree here."""
    start = Path(os.path.realpath(folder))
    for root in (start, *start.parents):
        git = root / ".git"
        if root.name == ".git" and _is_git_dir(root):
            return None
        found = git if git.is_dir() else _named(git)
        if found is not None and (common := _common(found)) is not None:
            return Repository(root, found, common)
        if git.is_file():
            return None  # git does not look further either
    return None


def _named(file: Path) -> Path | None:
    """The folder that a file ``.git`` names."""
    text = _text(file)
    if text is None or not text.startswith("gitdir: "):
        return None
    return Path(os.path.normpath(file.parent / text.removeprefix("gitdir: ").rstrip("\r\n")))


def _common(git_dir: Path) -> Path | None:
    """The folder that worktrees share; None if ``git_dir`` is no such folder."""
    text = _text(git_dir / "commondir")
    common = git_dir if text is None else Path(os.path.normpath(git_dir / text.rstrip("\r\n")))
    return common if os.path.lexists(git_dir / "HEAD") and _is_git_dir(common) else None


def _is_git_dir(folder: Path) -> bool:
    return (folder / "objects").is_dir() and (folder / "refs").is_dir() and os.path.lexists(folder / "HEAD")


def _text(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > 1 << 16:
            return None
        return os.fsdecode(path.read_bytes())
    except OSError:
        return None


class Git:
    """The program, in one repository."""

    def __init__(self, repository: Repository) -> None:
        """Raises ``MissingExtra`` where there is no git."""
        import shutil

        self.repository = repository
        program = shutil.which("git")
        if program is None:
            raise MissingExtra(
                "Git LFS needs the program git, which is not installed",
                where=str(repository.root),
                hint="Install it: https://git-scm.com/downloads",
            )
        self._program = program

    def run(self, *words: str, given: bytes | None = None, may_fail: Iterable[int] = ()) -> bytes:
        """What it prints. Raises ``BuildError`` with what it says where it ends with other codes than 0 and ``may_fail``."""
        import subprocess  # late: a build with nothing to do starts no program

        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("GIT_")
            or key in _SAID
            or key.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"))
        } | {"LC_ALL": "C", "LANGUAGE": "", "GIT_TERMINAL_PROMPT": "0"}
        command = [self._program, "-C", str(self.repository.root), *words]
        try:
            done = subprocess.run(
                command,
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                env=environment,
                check=False,
            )
        except OSError as error:
            raise BuildError(
                f"git cannot be run: {error.strerror}", where=self._program, hint="Try: git --version"
            ) from None
        if done.returncode and done.returncode not in may_fail:
            raise self._fault(words[0], done.stderr)
        return done.stdout

    def _fault(self, word: str, stderr: bytes) -> UsageError | BuildError:
        said = " ".join(stderr.decode("utf-8", "replace").split())
        where = str(self.repository.root)
        if "dubious ownership" in said or "safe.directory" in said:
            return UsageError(
                "expected a repository of your own; this one belongs to somebody else on this machine",
                where=where,
                hint=f"If you trust it: git config --global --add safe.directory {where}",
            )
        shown = brief("".join(char for char in said if char.isprintable()), 300)
        return BuildError(
            f"git {word} failed: {shown}", where=where, hint=f"Look at the repository: git -C {where} status"
        )

    def config(self) -> dict[str, str]:
        """All that git's configuration says for this repository, by key in lower case; the last value where there are more."""
        found = {}
        for item in self.run("config", "--list", "-z", "--includes").split(b"\0"):
            key, mark, value = item.partition(b"\n")
            if key:
                section, _, name = os.fsdecode(key).rpartition(".")
                head, dot, rest = section.partition(".")
                found[f"{head.lower()}{dot}{rest}.{name.lower()}"] = os.fsdecode(value) if mark else "true"
        return found
