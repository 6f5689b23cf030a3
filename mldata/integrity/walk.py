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
from pathlib import Path

from mldata.errors import UsageError
from mldata.integrity.base import FileCheckResult, skipped
from mldata.integrity.look import special
from mldata.integrity.target import Target
from mldata.litter import litter_among

__all__ = ["shown_path", "walk"]


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
        yield from _Walk(root, Counter() if left is None else left).folder("", os.fspath(root))
    elif stat_module.S_ISREG(info.st_mode):
        yield Target(shown_path(root.name), os.fspath(root), stat=info)
    else:
        yield _other(shown_path(root.name), info.st_mode)


def shown_path(path: str) -> str:
    """A path as results have it: what is no Unicode in it as ``\\xNN``."""
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class _Walk:
    def __init__(self, root: Path, left: Counter[str]) -> None:
        self._left = left
        self._root = os.fspath(root)
        self._home: str | None = None

    def folder(self, prefix: str, folder: str) -> Iterator[Target | FileCheckResult]:
        """What is in the folder, and in those below it. ``prefix``: its path below the root, with ``/`` at the end; empty for the root."""
        stack = [iter(self._listed(prefix, folder))]
        while stack:
            for item in stack[-1]:
                if isinstance(item, tuple):
                    stack.append(iter(self._listed(*item)))
                    break
                yield item
            else:
                stack.pop()

    def _listed(self, prefix: str, folder: str) -> Iterator[Target | FileCheckResult | tuple[str, str]]:
        """What is in one folder; of a folder, its prefix and path."""
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError as error:
            yield _unreadable(prefix.rstrip("/") or ".", "folder", error)
            return
        litter = litter_among([entry.name for entry in entries])
        if litter:
            self._left.update(litter.values())
            entries = [entry for entry in entries if entry.name not in litter]
        base = folder.rstrip("/") + "/"
        for name, entry in _in_order(entries):
            path = prefix + name
            if entry.is_dir(follow_symlinks=False):
                yield path + "/", base + name
            elif entry.is_symlink():
                found = self._link(path, base + name)
                if found is not None:
                    yield found
            else:
                yield _file(path, base + name, entry)

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
            return skipped(
                shown_path(path), "link", why, error_class="link-loop" if loop else "dangling-link"
            )
        if not target.startswith(self._home):
            if target + "/" == self._home:
                return None
            return skipped(
                shown_path(path),
                "link",
                "it is a link that leads out of the folder",
                error_class="link-outside",
            )
        if stat_module.S_ISDIR(info.st_mode):
            return None
        if not stat_module.S_ISREG(info.st_mode):
            return _other(shown_path(path), info.st_mode)
        return Target(shown_path(path), target, stat=info, follow=False)


def _in_order(entries: list[os.DirEntry[str]]) -> list[tuple[str, os.DirEntry[str]]]:
    """By the bytes of the paths: a folder ``a`` comes where ``a/`` would."""
    named = [
        (entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name, entry) for entry in entries
    ]
    if all(name.isascii() for name, _ in named):
        named.sort(key=lambda item: item[0])
    else:
        named.sort(key=lambda item: os.fsencode(item[0]))
    return [(entry.name, entry) for _, entry in named]


def _file(path: str, file: str, entry: os.DirEntry[str]) -> Target | FileCheckResult:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError as error:
        return _unreadable(path, "unknown", error)
    if not stat_module.S_ISREG(info.st_mode):
        return _other(shown_path(path), info.st_mode)
    return Target(shown_path(path), file, None, info, False)


def _other(path: str, mode: int) -> FileCheckResult:
    there = special(mode)
    return skipped(path, there, f"expected a file, found a {there}", error_class=there)


def _unreadable(path: str, what: str, error: OSError) -> FileCheckResult:
    code = "gone" if isinstance(error, FileNotFoundError) else "unreadable"
    return skipped(shown_path(path), what, f"cannot be read: {error.strerror or error}", error_class=code)
