"""What stands in the way of a commit with Git LFS although all files are as they should be, and what to do about it.

Invariant: it looks, and changes nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mldata.errors import MissingExtra, UsageError
from mldata.tracking.gitlfsplace import number_of_files
from mldata.tracking.gitrepository import Git

__all__ = ["check_git", "check_git_lfs", "committed", "ignored", "not_installed"]

NAMED = 3


def check_git_lfs(git: Git) -> None:
    """Raise ``MissingExtra`` if there is no git-lfs."""
    if shutil.which("git-lfs") is None:
        beside = os.fsdecode(git.run("--exec-path").rstrip(b"\n"))
        if not os.access(os.path.join(beside, "git-lfs"), os.X_OK):
            raise MissingExtra(
                "Git LFS needs the program git-lfs, which is not installed",
                where=str(git.repository.root),
                hint="Install it: apt-get install git-lfs, brew install git-lfs, or https://git-lfs.com; then: git lfs install",
            )


def check_git(git: Git, config: Mapping[str, str]) -> None:
    """Raise ``UsageError`` for a repository whose files are elsewhere than around its ``.git``."""
    repository = git.repository
    if repository.git_dir != repository.common_dir:
        return  # a worktree that was added, for which the settings of the main one say nothing
    other = config.get("core.worktree")
    if config.get("core.bare", "false").lower() == "true" and other is None:
        raise UsageError(
            "expected a repository with files, found a bare one",
            where=str(repository.git_dir),
            hint="Export into a clone of it.",
        )
    if other is not None and os.path.realpath(repository.git_dir / other) != str(repository.root):
        raise UsageError(
            f"expected the files of this repository around its folder .git, found core.worktree = {other}",
            where=str(repository.git_dir),
            hint="Export below that folder, or unset it: git config --unset core.worktree",
        )


def not_installed(git: Git, config: Mapping[str, str]) -> Iterator[str]:
    """Warn where ``git lfs install`` was not run, or cannot do all: git would take the files in whole, or push pointers without what they
    point to. (Where there is no hook yet, the first ``git add`` of a file that LFS keeps puts it there.)"""
    root = shlex.quote(str(git.repository.root))
    if not (config.get("filter.lfs.process") or config.get("filter.lfs.clean")):
        yield f"git does not know Git LFS yet, and would take the files in whole; before git add run: git -C {root} lfs install"
    hooks = os.path.expanduser(config.get("core.hookspath", str(git.repository.common_dir / "hooks")))
    hook = git.repository.root / hooks / "pre-push"
    try:
        other = b"lfs" not in hook.read_bytes()
    except OSError:
        return
    if other:
        yield f"a push would not send the files to the LFS server, since {hook} does not; what to add to it says: git -C {root} lfs update --manual"


def ignored(git: Git, paths: Iterable[str]) -> Iterator[str]:
    """Warn of files that git does not have and ignores, by the line that says so."""
    asked = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)  # as it is, whatever it begins with
    # For each path it would look through the whole index whether git has it, which the caller knows.
    command = ("check-ignore", "--no-index", "--verbose", "-z", "--stdin")
    out = git.run(*command, given=asked, may_fail=(1,)).split(b"\0") if asked else []
    rows = zip(out[0::4], out[1::4], out[2::4], strict=False)
    said = Counter(tuple(map(os.fsdecode, row)) for row in rows if row[0] and not row[2].startswith(b"!"))
    for (source, number, pattern), count in said.items():
        yield f"git ignores {number_of_files(count)} of the export (line {number} of {source}: {pattern}); take that line out, or use: git add --force"


def committed(git: Git, paths: list[str], folder: str) -> Iterator[str]:
    """Warn of files that git has with their content."""
    if not paths:
        return
    root, place = shlex.quote(str(git.repository.root)), shlex.quote(folder or ".")
    named = ", ".join(sorted(paths)[:NAMED]) + (
        f" and {len(paths) - NAMED:,} more" if len(paths) > NAMED else ""
    )
    include = ",".join(sorted(paths)) if len(paths) <= NAMED else f"{folder}/**" if folder else "**"
    yield (
        f"git has {number_of_files(len(paths))} of the export whole, from before Git LFS: {named}; from now on: git -C {root} add --renormalize -- {place}; "
        f"in all earlier commits too, which rewrites them: git -C {root} lfs migrate import --include={shlex.quote(include)}"
    )
