"""Where DVC tracks an export: the repositories around its folder, and the files beside it that are somebody's already.

Invariant: a ``.dvc`` file of somebody else is not taken for one of mldata's; a file is written whole, and only if it has to be.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.dvcfile import SUFFIX, read_dvc
from mldata.dvcrepo import find_dvc
from mldata.errors import BuildError, MldataError, UsageError
from mldata.tracking.dvccache import NAMED, cached

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mldata.dvcfile import DvcFile, Out
    from mldata.dvcrepo import DvcRepository
    from mldata.tracking.base import Place
    from mldata.tracking.gitrepository import Repository
    from store import HandedOver

__all__ = [
    "Ground",
    "check_untracked",
    "dvc_files",
    "git_files",
    "git_status",
    "own",
    "shown",
    "verify",
    "write",
]


@dataclass(frozen=True)
class Ground:
    """Where an export lies."""

    folder: Path
    """Absolute, without links but the folder itself."""
    file: Path
    """The ``.dvc`` file of the whole folder."""
    dvc: DvcRepository | None
    git: Repository | None

    @classmethod
    def of(cls, place: Place) -> Ground:
        """Look around. Raises ``UsageError``."""
        from mldata.tracking.gitrepository import find_repository

        parent = Path(os.path.realpath(place.folder.parent))
        folder = parent / place.folder.name
        dvc = find_dvc(parent)
        git = None if dvc is not None and dvc.no_scm else find_repository(dvc.root if dvc else parent)
        return cls(folder, parent / (folder.name + SUFFIX), dvc, git)

    def facts(self, done: HandedOver | None) -> dict[str, Any]:
        """What is told of the repository and of its cache."""
        cache = self.dvc.cache if self.dvc is not None else None
        return {
            "repository": str(self.dvc.root) if self.dvc is not None else None,
            "remote": self.dvc.remote if self.dvc is not None else None,
            "cache": None
            if done is None
            else {"folder": str(cache), "linked": done.linked, "copied": done.copied, "kept": done.kept},
        }

    def cache_lines(self, done: HandedOver | None) -> list[str]:
        """What was put into the cache, for people."""
        if done is None:
            return []
        return [f"DVC's cache: {done.linked:,} linked, {done.copied:,} copied, {done.kept:,} there already"]

    def push_lines(self, done: HandedOver | None) -> list[str]:
        """What to do when all is committed."""
        if self.dvc is None or done is None:
            return []
        return ["Then: dvc push" if self.dvc.remote else "Then: dvc remote add -d NAME URL && dvc push"]

    def warnings(self, name: str, hidden: Sequence[str], *, below: bool = False) -> list[str]:
        """What DVC cannot do here.

        Args:
            name: what is said to be in no repository.
            hidden: files that ``.dvcignore`` names.
            below: it is a folder with ``.dvc`` files in it.
        """
        found = []
        commit = f"-R {name}" if below else name
        if hidden:
            more = f" and {len(hidden) - NAMED:,} more" if len(hidden) > NAMED else ""
            found.append(f"{name} leaves out what .dvcignore names: {', '.join(hidden[:NAMED])}{more}")
        if self.dvc is None:
            init = "dvc init" if self.git is not None else "git init && dvc init, or dvc init --no-scm"
            found.append(
                f"{name} is in no DVC repository, so no cache was filled: run {init}, then `mldata build` or the export again"
            )
        elif self.dvc.cache is None:
            found.append(
                f"DVC's cache is at {self.dvc.cache_url}, which is not filled from here: run `dvc commit {commit}`"
            )
        if self.git is None and not (self.dvc is not None and self.dvc.no_scm):
            found.append(f"{name} is in no git repository, so no version of it is kept: run `git init`")
        if self.dvc is not None and self.dvc.remote is None:
            found.append(
                "DVC has no default remote, so `dvc push` has nowhere to go: dvc remote add -d NAME URL"
            )
        return found


def own(path: Path, *, force: bool) -> DvcFile | None:
    """A ``.dvc`` file as mldata left it; None: it is to be written anew. Raises ``UsageError`` for somebody else's."""
    try:
        file = read_dvc(path)
    except MldataError:
        if not force or path.is_symlink() or not path.is_file():
            raise
        return None
    if file is not None and not file.is_own:
        if not force:
            raise UsageError(
                "expected no file, or one that mldata wrote; found one of somebody else's",
                where=str(path),
                hint=f"Export to another folder, or stop tracking what it names: dvc remove {shlex.quote(shown(path))}. "
                "`mldata export` replaces it with --force.",
            )
        return None
    return file


def dvc_files(folder: Path) -> Iterator[Path]:
    """The ``.dvc`` files in a folder and below, in order."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(SUFFIX) and name != SUFFIX:
                yield Path(where, name)


def git_files(folder: Path, git: Repository) -> list[str]:
    """Files of the folder that git has, by their paths in it."""
    from shutil import which

    if which("git") is None or not folder.is_dir():
        return []
    from mldata.tracking.gitrepository import Git

    name = git.name(folder)
    told = Git(git).run("ls-files", "-z", "--", name or ".")
    return [os.fsdecode(path).removeprefix(f"{name}/") for path in told.split(b"\0") if path]


def check_untracked(folder: Path, found: Sequence[str], path: Path) -> None:
    """Raise ``UsageError`` where git has what DVC is to track: DVC would refuse to.

    Args:
        found: of the folder's files, those that git has.
        path: what is to be taken out of git: the folder, or one of its files.
    """
    if found:
        name = shlex.quote(shown(path))
        raise UsageError(
            "git tracks files of this folder, so DVC cannot",
            where=str(path),
            hint=f"Take them out of git, which leaves them on disk: git rm -r --cached {name} && git commit -m 'Stop tracking {folder.name}'",
        )


def write(path: Path, data: bytes, before: bytes | None) -> bool:
    """Write a file, keeping its permission bits; whether it had to be."""
    from store import publish_bytes

    if data == before:
        return False
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        mode = 0o644
    publish_bytes(path, data, mode=mode)
    return True


def verify(path: Path, out: Out, mark: str, dvc: DvcRepository | None) -> None:
    """Read again what was written. Raises ``BuildError``."""
    file = read_dvc(path)
    if file is None or file.outs != (out,) or file.tree != mark:
        raise BuildError("the file does not say what was written to it", where=str(path), hint="Build again.")
    # The objects were verified when they were linked: here it is about what `dvc gc` may have done meanwhile.
    if dvc is not None and dvc.cache is not None and not cached(dvc, out):
        raise BuildError("DVC's cache lost what was put into it", where=str(dvc.cache),
                         hint="Is `dvc gc` running? Build again when it is done.")  # fmt: skip


def git_status(git: Repository | None, paths: Iterable[Path]) -> list[str]:
    """What git says of paths, as ``git status --short`` shows it; nothing where there is no git, or all is committed."""
    from shutil import which

    if git is None or which("git") is None:
        return []
    from mldata.errors import harmless
    from mldata.tracking.gitrepository import Git

    names = [git.name(path) or "." for path in paths]
    told = Git(git).run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--", *names)
    return [harmless(os.fsdecode(line)) for line in told.split(b"\0") if line]


def shown(path: Path) -> str:
    """A path as it can be typed here."""
    return os.path.relpath(path)
