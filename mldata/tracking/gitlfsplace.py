"""What git's configuration and files with attributes say that matters to Git LFS in one repository.

Format of ``lfs.storage`` (git-lfs-config(5)): the folder of LFS's own files, ``lfs`` by default, below the git folder that all worktrees
share where it is not absolute; objects are in ``objects`` there.

Invariant: settings are git's own answer. Whether they may have changed is seen from the lines of its files that could say them, without
starting it; a file that another one includes is not looked at, only that it is included.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mldata.tracking.gitattributes import ATTRIBUTES, AttributesFile, Stack, parse, read_regular
from mldata.tracking.gitrepository import Repository

__all__ = [
    "Settings",
    "attribute_files",
    "folders_of",
    "marks",
    "number_of_files",
    "read_settings",
    "stack_of",
    "stamps",
]

FILTER = b"filter"
LFS = b"lfs"
_SYSTEM = "/etc"
_SAYING = re.compile(
    rb"(?:^|\])\s*(?:\[include|(?:path|storage|attributesfile|ignorecase)\s*=)", re.IGNORECASE
)


@dataclass(frozen=True)
class Settings:
    """What git's configuration says."""

    objects: str
    """The folder of LFS's objects."""
    attributes: str
    """The user's own file with attributes, for all repositories."""
    ignore_case: bool


def number_of_files(count: int) -> str:
    """``1 file``, ``50,000 files``."""
    return f"{count:,} file{'' if count == 1 else 's'}"


def read_settings(repository: Repository, config: Mapping[str, str]) -> Settings:
    """The settings that a configuration (:meth:`mldata.tracking.gitrepository.Git.config`) gives a repository."""
    storage = os.path.join(repository.common_dir, config.get("lfs.storage") or "lfs")
    own = config.get("core.attributesfile")
    return Settings(
        objects=os.path.join(os.path.normpath(storage), "objects"),
        attributes=os.path.join(repository.root, os.path.expanduser(own))
        if own
        else os.path.join(_user_folder(), "attributes"),
        ignore_case=config.get("core.ignorecase", "false").lower() in ("true", "yes", "on", "1"),
    )


def _user_folder() -> str:
    return os.path.join(
        os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config"), "git"
    )


def marks(repository: Repository) -> list[bytes]:
    """The lines of git's configuration that could change the settings, file by file."""
    files: list[str | Path] = []
    if not os.environ.get("GIT_CONFIG_NOSYSTEM"):
        files.append(os.environ.get("GIT_CONFIG_SYSTEM") or os.path.join(_SYSTEM, "gitconfig"))
    if own := os.environ.get("GIT_CONFIG_GLOBAL"):
        files.append(own)
    else:
        files += [os.path.join(_user_folder(), "config"), os.path.expanduser("~/.gitconfig")]
    files += [repository.common_dir / "config", repository.git_dir / "config.worktree"]
    found = []
    for file in files:
        found.append(b"")
        try:
            with open(file, "rb") as opened:
                lines = opened.read().splitlines()
        except OSError:
            continue
        found += [line for line in lines if _SAYING.search(line)]
    return found


def folders_of(prefix: str, paths: Iterable[str]) -> list[str]:
    """The folders, from the root on, whose files with attributes count for an export; empty or with ``/`` at the end.

    Args:
        prefix: the export's folder, in the same way.
        paths: of its files, below it.
    """
    found = {""}
    for at in {prefix + path[: path.rfind("/") + 1] for path in paths} | {prefix}:
        while at not in found:
            found.add(at)
            at = at[: at.rfind("/", 0, -1) + 1]
    return sorted(found)


def attribute_files(repository: Repository, settings: Settings, folders: Iterable[str]) -> list[str]:
    """All files with attributes that count, whether they are there or not: ``info/attributes`` first, those of folders, then the user's and
    the system's."""
    system = [] if os.environ.get("GIT_ATTR_NOSYSTEM") else [os.path.join(_SYSTEM, "gitattributes")]
    return [
        os.path.join(repository.common_dir, "info", "attributes"),
        *(os.path.join(repository.root, folder, ATTRIBUTES) for folder in folders),
        settings.attributes,
        *system,
    ]


def stamps(files: Iterable[str]) -> list[list[int]]:
    """What a file that is written to cannot keep as it is; empty for one that is not there."""
    found: list[list[int]] = []
    for path in files:
        try:
            stat = os.lstat(path)
        except OSError:
            found.append([])
        else:
            found.append([stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino])
    return found


def stack_of(
    repository: Repository,
    settings: Settings,
    folders: Iterable[str],
    instead: Mapping[str, bytes] | None = None,
) -> Stack:
    """The attribute ``filter`` of files.

    Args:
        folders: whose ``.gitattributes`` count.
        instead: content of the ``.gitattributes`` of a folder, in place of what it has.

    Raises:
        OSError: a file with attributes cannot be read.
    """
    below = {}
    for folder in folders:
        data = (instead or {}).get(folder)
        if data is None:
            data = read_regular(os.path.join(repository.root, folder, ATTRIBUTES))
        if data is not None:
            base = os.fsencode(folder)
            below[base] = AttributesFile(folder + ATTRIBUTES, base, tuple(parse(data, macros=not base)))
    info, *outside = attribute_files(repository, settings, ())
    return Stack(FILTER, list(_outside([info])), list(_outside(outside)), below, settings.ignore_case)


def _outside(files: Iterable[str]) -> Iterable[AttributesFile]:
    """Files that are not part of the repository; of these, links are followed."""
    for path in files:
        data = read_regular(os.path.realpath(path))
        if data is not None:
            yield AttributesFile(path, b"", tuple(parse(data)), shared=False)
