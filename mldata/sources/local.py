"""A local file, folder or glob pattern as a source.

What is taken: every regular file below a folder, or every file that a pattern matches. Hidden files and what programs leave behind
(:mod:`mldata.litter`) are left out, as a shell's ``*`` leaves out names that start with a dot, unless the pattern itself names them. A
symbolic link is read as the file it points to if that lies within the source's own folder; a link that leaves it is an error, so
that an unpacked archive cannot smuggle in ``/etc/passwd``.
"""

from __future__ import annotations

import os
import re
import stat as stat_module
import time
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from mldata.errors import SourceError
from mldata.litter import litter, litter_among, litter_text
from mldata.sources.base import Listing

_MAGIC = re.compile(r"[*?\[]")
_EVERYTHING = ("**",)
_BY_HANDLE = os.scandir in os.supports_fd


class LocalSource:
    """Files on this machine.

    Args:
        text: a path to a file or folder, or a glob pattern (``*``, ``?``, ``[...]``, and ``**`` for any depth).
        root: the folder that a relative ``text`` starts from.
    """

    def __init__(self, text: str, root: Path) -> None:
        self.text = text
        self._root = root
        full = os.path.normpath(os.path.join(root, os.path.expanduser(text)))
        self.base, self._pattern = _split_pattern(full)
        self.key = full

    def listing(self) -> Listing:
        """List the files now, one ``stat`` each, reading no content."""
        taken_ns = time.time_ns()
        found = _Found()
        if self._pattern is None:
            self._plain(found)
        elif os.path.isdir(self.base):
            self._folder(found, self.base, "", self._pattern)
        else:
            raise self._missing(f"the folder {self.base} does not exist")
        if not found.names:
            what = "no file matches this pattern" if self._pattern else "the folder has no files"
            left = f" but what is left out: {litter_text(found.ignored)}" if found.ignored else ""
            raise SourceError(
                f"{what}{left}: expected at least one file (hidden files and the like are left out)",
                where=self.text,
                hint=f"Look at what is there: ls {self.base}",
            )
        return found.listing(taken_ns)

    def _plain(self, found: _Found) -> None:
        try:
            info = os.stat(self.base)
        except FileNotFoundError:
            raise self._missing("no such file or folder") from None
        except OSError as error:
            raise _unreadable(self.base, error) from None
        if stat_module.S_ISDIR(info.st_mode):
            self._folder(found, self.base, "", _EVERYTHING)
        elif stat_module.S_ISREG(info.st_mode):
            found.add(os.path.basename(self.base), self.base, info)
        else:
            raise SourceError("expected a file or a folder, found a device, pipe or socket", where=self.base)

    def _folder(self, found: _Found, folder: str, prefix: str, pattern: tuple[str, ...]) -> None:
        """Add the files below ``folder`` that match; ``pattern`` is what is left of it, a segment a level."""
        head, rest = pattern[0], pattern[1:]
        deep = head == "**"
        if deep and rest:
            self._folder(found, folder, prefix, rest)
        match = _segment(head)
        asked = head not in ("*", "**") and litter(head) is not None
        takes_files = not rest
        below = pattern if deep else rest
        add, regular = found.add, stat_module.S_ISREG
        folders = []
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY) if _BY_HANDLE else -1
            try:
                # Through a handle the kernel looks up one name a file instead of the whole path.
                with os.scandir(handle if _BY_HANDLE else folder) as scan:
                    entries = list(scan)
                    left = {} if asked else litter_among([entry.name for entry in entries])
                    for entry in entries:
                        name = entry.name
                        if match is not None and match(name) is None:
                            continue
                        if name in left:
                            # "**" looks at a folder twice, once for what is in it and once for folders in it.
                            if below if entry.is_dir(follow_symlinks=False) else takes_files:
                                found.ignored[left[name]] += 1
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(name)
                        elif takes_files:
                            info = entry.stat(follow_symlinks=False)
                            if regular(info.st_mode):
                                add(prefix + name, f"{folder}{os.sep}{name}", info)
                            else:
                                self._special(found, prefix + name, os.path.join(folder, name))
            finally:
                if handle >= 0:
                    os.close(handle)
        except OSError as error:
            raise _unreadable(folder, error) from None
        if below:
            for name in folders:
                self._folder(found, os.path.join(folder, name), f"{prefix}{name}/", below)

    def _special(self, found: _Found, name: str, path: str) -> None:
        """Something that is neither a file nor a folder: a link to a file of this source is one, all else is refused."""
        try:
            if os.path.islink(path):
                target, home = os.path.realpath(path), os.path.realpath(self.base)
                if os.path.commonpath([target, home]) != home:
                    raise SourceError(
                        f"the symbolic link {name} leaves the source folder (it points to {target})",
                        where=self.text,
                        hint="Name the link's target itself as a source, or copy the file into the folder.",
                    )
            info = os.stat(path)
        except OSError as error:
            raise _unreadable(path, error) from None
        if stat_module.S_ISREG(info.st_mode):
            found.add(name, path, info)
        elif not stat_module.S_ISDIR(info.st_mode):  # a linked folder's files are listed under their own name
            raise SourceError("expected only files and folders, found a device, pipe or socket", where=path)

    def _missing(self, why: str) -> SourceError:
        return SourceError(
            f"{why}: expected a file, a folder or a pattern that matches files",
            where=self.text,
            hint=f"Relative paths start at {self._root}.",
        )


def _split_pattern(full: str) -> tuple[str, tuple[str, ...] | None]:
    """The folder before the first wildcard, and the wildcard segments after it (None when there are none)."""
    if os.path.lexists(full) or not _MAGIC.search(full):  # a real name may hold brackets
        return full, None
    segments = full.split(os.sep)
    first = next(i for i, segment in enumerate(segments) if _MAGIC.search(segment))
    return os.sep.join(segments[:first]) or os.sep, tuple(segments[first:])


def _segment(pattern: str) -> Callable[[str], object] | None:
    """What tells whether a name matches one segment; None when every name does."""
    if pattern in ("*", "**"):
        return None
    import fnmatch

    return re.compile(fnmatch.translate(pattern)).match


class _Found:
    """Files as they are found, in any order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.paths: list[str] = []
        self.stats: list[os.stat_result] = []
        self.ignored = Counter[str]()

    def add(self, name: str, path: str, info: os.stat_result) -> None:
        self.names.append(name)
        self.paths.append(path)
        self.stats.append(info)

    def listing(self, taken_ns: int) -> Listing:
        """The files sorted by name; one that two ways lead to is listed once."""
        names, paths, stats = self.names, self.paths, self.stats
        order = sorted(range(len(names)), key=names.__getitem__)
        if len(set(names)) < len(names):
            order = list({names[i]: i for i in order}.values())
        sorted_names = [names[i] for i in order]
        try:
            "\0".join(sorted_names).encode()
        except UnicodeEncodeError:
            _refuse_names(sorted_names)
        numbers = array(
            "q",
            [
                number
                for info in map(stats.__getitem__, order)
                for number in (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
            ],
        )
        return Listing(sorted_names, [paths[i] for i in order], numbers, taken_ns, dict(self.ignored))


def _refuse_names(names: list[str]) -> NoReturn:
    bad = next(name for name in names if not name.isascii() and any("\ud800" <= c <= "\udfff" for c in name))
    raise SourceError(
        f"expected UTF-8 file names, found {os.fsencode(bad)!r}",
        hint="Rename the file; names are part of the dataset and must mean the same on every machine.",
    )


def _unreadable(path: str, error: OSError) -> SourceError:
    return SourceError(f"cannot be read: {error.strerror or error}", where=path)
