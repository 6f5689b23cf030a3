"""A local file, folder or glob pattern as a source.

What is taken: every regular file below a folder, or every file that a pattern matches. Names that start with a dot are
left out, as a shell's ``*`` leaves them out (``.git``, ``.DS_Store``), unless the pattern itself starts with one there. A
symbolic link is read as the file it points to if that lies within the source's own folder; a link that leaves it is an error, so
that an unpacked archive cannot smuggle in ``/etc/passwd``.
"""

from __future__ import annotations

import os
import re
import stat as stat_module
import time
from collections.abc import Iterator
from pathlib import Path

from mldata.errors import SourceError
from mldata.sources.base import FileStat, Listing

_MAGIC = re.compile(r"[*?\[]")


class LocalSource:
    """Files on this machine.

    Args:
        text: a path to a file or folder, or a glob pattern (``*``, ``?``, ``[...]``, and ``**`` for any depth).
        root: the folder that a relative ``text`` starts from.
    """

    def __init__(self, text: str, root: Path) -> None:
        self.text = text
        full = os.path.normpath(os.path.join(root, os.path.expanduser(text)))
        self.base, self._pattern = _split_pattern(full)
        self.key = full

    def listing(self) -> Listing:
        """List the files now, one ``stat`` each, reading no content."""
        taken_ns = time.time_ns()
        if self._pattern is None:
            found = self._plain()
        else:
            if not os.path.isdir(self.base):
                raise self._missing(f"the folder {self.base} does not exist")
            found = list(self._glob(self.base, "", self._pattern))
        if not found:
            what = "no file matches this pattern" if self._pattern else "the folder has no files"
            raise SourceError(
                f"{what}: expected at least one file (names starting with a dot are left out)",
                where=self.text,
                hint=f"Look at what is there: ls {self.base}",
            )
        found.sort()
        for name, path, _ in found:
            _check_name(name, path)
        return Listing(
            tuple(f[0] for f in found), tuple(f[1] for f in found), tuple(f[2] for f in found), taken_ns
        )

    def _plain(self) -> list[tuple[str, str, FileStat]]:
        try:
            info = os.stat(self.base)
        except FileNotFoundError:
            raise self._missing("no such file or folder") from None
        except OSError as error:
            raise _unreadable(self.base, error) from None
        if stat_module.S_ISDIR(info.st_mode):
            return list(self._walk(self.base, ""))
        if not stat_module.S_ISREG(info.st_mode):
            raise SourceError("expected a file or a folder, found a device, pipe or socket", where=self.base)
        return [(os.path.basename(self.base), self.base, _file_stat(info))]

    def _walk(self, folder: str, prefix: str) -> Iterator[tuple[str, str, FileStat]]:
        for entry in _scan(folder):
            name = entry.name
            if name[0] == ".":
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(entry.path, f"{prefix}{name}/")
            else:
                found = self._file(entry, prefix + name)
                if found is None:  # a link to a folder inside the source: its files are listed under their own name
                    continue
                yield found

    def _glob(self, folder: str, prefix: str, pattern: tuple[str, ...]) -> Iterator[tuple[str, str, FileStat]]:
        head, rest = pattern[0], pattern[1:]
        if head == "**":
            if rest:
                yield from self._glob(folder, prefix, rest)
            for entry in _scan(folder):
                if entry.name[0] == ".":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._glob(entry.path, f"{prefix}{entry.name}/", pattern)
                elif not rest and (found := self._file(entry, prefix + entry.name)):
                    yield found
            return
        match = _segment(head)
        hidden = head[0] == "."
        for entry in _scan(folder):
            name = entry.name
            if (name[0] == "." and not hidden) or match(name) is None:
                continue
            if entry.is_dir(follow_symlinks=False):
                if rest:
                    yield from self._glob(entry.path, f"{prefix}{name}/", rest)
            elif not rest and (found := self._file(entry, prefix + name)):
                yield found

    def _file(self, entry: os.DirEntry[str], name: str) -> tuple[str, str, FileStat] | None:
        try:
            if not entry.is_symlink():
                info = entry.stat(follow_symlinks=False)
            else:
                target = os.path.realpath(entry.path)
                home = os.path.realpath(self.base)
                if os.path.commonpath([target, home]) != home:
                    raise SourceError(
                        f"the symbolic link {name} leaves the source folder (it points to {target})",
                        where=self.text,
                        hint="Name the link's target itself as a source, or copy the file into the folder.",
                    )
                info = entry.stat()
        except OSError as error:
            raise _unreadable(entry.path, error) from None
        if stat_module.S_ISDIR(info.st_mode):
            return None
        if not stat_module.S_ISREG(info.st_mode):
            raise SourceError(
                "expected only files and folders, found a device, pipe or socket", where=entry.path
            )
        return name, entry.path, _file_stat(info)

    def _missing(self, why: str) -> SourceError:
        return SourceError(
            f"{why}: expected a file, a folder or a pattern that matches files",
            where=self.text,
            hint="Relative sources start at the folder of mldata.yaml.",
        )


def _split_pattern(full: str) -> tuple[str, tuple[str, ...] | None]:
    """The folder before the first wildcard, and the wildcard segments after it (None when there are none)."""
    if os.path.lexists(full) or not _MAGIC.search(full):  # a real name may hold brackets
        return full, None
    segments = full.split(os.sep)
    first = next(i for i, segment in enumerate(segments) if _MAGIC.search(segment))
    return os.sep.join(segments[:first]) or os.sep, tuple(segments[first:])


def _segment(pattern: str) -> re.Pattern[str].match:  # type: ignore[valid-type]
    import fnmatch

    return re.compile(fnmatch.translate(pattern)).match


def _scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise _unreadable(folder, error) from None


def _file_stat(info: os.stat_result) -> FileStat:
    return FileStat(info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def _check_name(name: str, path: str) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise SourceError(
            f"expected a UTF-8 file name, found {os.fsencode(path)!r}",
            where=os.path.dirname(path).encode("utf-8", "replace").decode(),
            hint="Rename the file; names are part of the dataset and must mean the same on every machine.",
        ) from None


def _unreadable(path: str, error: OSError) -> SourceError:
    return SourceError(f"cannot be read: {error.strerror or error}", where=path)
