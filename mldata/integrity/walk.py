"""The files below a folder, whatever is there: links, pipes, loops, names that are no text. Nothing but regular files is ever opened.

A link to a file inside the folder is looked at as that file: a program that reads the folder would read it twice, too. One to a folder inside is passed over, as what is in there is
found under its own name, so that a loop of links is never walked into. A link that leads out of the folder, or nowhere, is told and not followed.
Hidden files and what programs leave behind (:mod:`mldata.litter`) are left out and counted.

Invariant: at most the names of one folder and of the folders above it are held.
"""

from __future__ import annotations

import os
import stat as stat_module
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mldata.errors import UsageError
from mldata.integrity.base import FileCheckResult, skipped
from mldata.integrity.look import special
from mldata.integrity.target import Target
from mldata.litter import litter_among

__all__ = ["shown_path", "walk"]

LUMP = 500
"""Files that are asked for their state at a time."""
_BY_HANDLE = os.stat in os.supports_dir_fd


def walk(root: Path, left: Counter[str] | None = None) -> Iterator[Target | FileCheckResult]:
    """Each file below ``root`` (or ``root`` itself, a file) in the order of the paths' bytes; what is no file that could be opened as a result.

    Paths in results start below ``root``; of a file that is ``root`` itself, it is its name.

    Args:
        left: counts what was left out, by kind (:mod:`mldata.litter`).

    Raises:
        UsageError: there is nothing at ``root``.
    """
    try:
        info = os.stat(root)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            "expected a file or a folder, found nothing", where=str(root), hint=f"ls {root.parent}"
        ) from None
    except OSError as error:
        yield _unreadable(root.name, "unknown", error)
        return
    except ValueError as error:
        raise UsageError(f"expected the path of a file or a folder: {error}", where=repr(str(root))) from None
    if stat_module.S_ISDIR(info.st_mode):
        yield from _Walk(root, Counter() if left is None else left).found()
    elif stat_module.S_ISREG(info.st_mode):
        yield Target(shown_path(root.name), os.fspath(root), stat=info)
    else:
        yield _other(shown_path(root.name), info.st_mode)


def shown_path(path: str) -> str:
    """A path as results have it: what is no Unicode in it as ``\\xNN``."""
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass
class _Folder:
    """One that is being walked."""

    prefix: str
    """Its path below the root, with ``/`` at the end; empty for the root."""
    path: str
    entries: list[os.DirEntry[str]]
    """What is left of it, the last first."""


class _Walk:
    def __init__(self, root: Path, left: Counter[str]) -> None:
        self._left = left
        self._root = os.fspath(root)
        self._home: str | None = None

    def found(self) -> Iterator[Target | FileCheckResult]:
        """What is in the folder, and in those below it."""
        stack: list[_Folder] = []
        below: tuple[str, str] | None = "", self._root
        while stack or below is not None:
            if below is not None:
                try:
                    stack.append(self._listed(*below))
                except OSError as error:
                    yield _unreadable(below[0].rstrip("/") or ".", "folder", error)
                below = None
                continue
            entries = stack[-1].entries
            if not entries:
                stack.pop()
            elif entries[-1].is_dir(follow_symlinks=False):
                entry = entries.pop()
                below = f"{stack[-1].prefix}{entry.name}/", entry.path
            else:
                yield from self._files(stack[-1])

    def _listed(self, prefix: str, path: str) -> _Folder:
        """Raises ``OSError``."""
        with os.scandir(path) as listing:
            entries = list(listing)
        litter = litter_among([entry.name for entry in entries])
        if litter:
            self._left.update(litter.values())
            entries = [entry for entry in entries if entry.name not in litter]
        return _Folder(prefix, path, _last_first(entries))

    def _files(self, folder: _Folder) -> list[Target | FileCheckResult]:
        """Some of the files that come next in a folder; at least one is taken."""
        entries, prefix, regular = folder.entries, folder.prefix, stat_module.S_ISREG
        found: list[Target | FileCheckResult] = []
        # Through a handle the kernel looks up one name a file instead of the whole path.
        try:
            handle = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY) if _BY_HANDLE else None
        except OSError:
            handle = None
        try:
            for _ in range(LUMP):
                if not entries or entries[-1].is_dir(follow_symlinks=False):
                    break
                entry = entries.pop()
                name, file = entry.name, entry.path
                path = prefix + name
                if not path.isascii():
                    path = shown_path(path)
                try:
                    info = os.stat(file if handle is None else name, dir_fd=handle, follow_symlinks=False)
                except OSError as error:
                    found.append(_unreadable(path, "unknown", error))
                    continue
                if regular(info.st_mode):
                    found.append(Target(path, file, None, info, False))
                elif not stat_module.S_ISLNK(info.st_mode):
                    found.append(_other(path, info.st_mode))
                elif (link := self._link(path, file)) is not None:
                    found.append(link)
        finally:
            if handle is not None:
                os.close(handle)
        return found

    def _link(self, path: str, file: str) -> Target | FileCheckResult | None:
        if self._home is None:
            self._home = os.path.realpath(self._root).rstrip("/") + "/"
        try:
            target = os.path.realpath(file, strict=True)
            info = os.lstat(target)
        except OSError as error:
            loop = not isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError)
            why = (
                "it is a link that leads in a circle"
                if loop
                else "it is a link to where nothing can be found"
            )
            return skipped(path, "link", why, error_class="link-loop" if loop else "dangling-link")
        if not target.startswith(self._home):
            if target + "/" == self._home:
                return None
            return skipped(
                path,
                "link",
                "it is a link that leads out of the folder",
                error_class="link-outside",
            )
        if stat_module.S_ISDIR(info.st_mode):
            return None
        if not stat_module.S_ISREG(info.st_mode):
            return _other(path, info.st_mode)
        return Target(path, target, stat=info, follow=False)


def _last_first(entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    """By the bytes of the paths, so that ``pop`` gives them in order: a folder ``a`` comes where ``a/`` would."""
    named = [(entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name) for entry in entries]
    keys = named if "".join(named).isascii() else [os.fsencode(name) for name in named]
    order = sorted(range(len(entries)), key=keys.__getitem__, reverse=True)
    return [entries[place] for place in order]


def _other(path: str, mode: int) -> FileCheckResult:
    there = special(mode)
    return skipped(path, there, f"expected a file, found a {there}", error_class=there)


def _unreadable(path: str, what: str, error: OSError) -> FileCheckResult:
    code = "gone" if isinstance(error, FileNotFoundError) else "unreadable"
    return skipped(shown_path(path), what, f"cannot be read: {error.strerror or error}", error_class=code)
