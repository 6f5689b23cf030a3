"""Placing: one object becomes one file in a folder, whole, by reflink, hardlink or copy.

Copies are written into a private folder below the destination, synced together and renamed; a link needs no temporary where
nothing stands yet. The private folder is locked while it is used, so that a later run can remove what a killed one left.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from store import atomic
from store.atomic import FOLDER_FLAGS, checkpoint, explain, explained, sync_many, unique_name, write_all
from store.copying import clone
from store.digest import CHUNK
from store.errors import StoreError
from store.layout import object_name
from store.objects import Objects
from store.seal import is_sealed, reseal
from store.trees import TreeEntry

Link = Literal["auto", "reflink", "hardlink", "copy"]
LINKS = ("auto", "reflink", "hardlink", "copy")

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
OPEN_FOLDER = FOLDER_FLAGS | _NOFOLLOW
_OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | _NOFOLLOW
_HOLD_FILES = 1024
_HOLD_FOLDERS = 64
"""Copies wait for a common sync until so many files or folders are open."""

_CANNOT_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}
)
_TEMP_PREFIX, _TEMP_SUFFIX = ".mldata-", ".tmp"


@dataclass
class Materialized:
    """What was done to the folder."""

    linked: int = 0
    """Files made by reflink or hardlink."""
    copied: int = 0
    kept: int = 0
    """Files that were right already."""
    removed: int = 0
    """Files of the earlier tree that are not in this one."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """(path, why): files left alone because somebody else made or edited them."""


class Placer:
    """Puts files in place, each whole, by the cheapest way the filesystem allows."""

    def __init__(
        self,
        objects: Objects,
        out_fd: int,
        where: str,
        link: Link,
        done: Materialized,
        *,
        mode: int | None = None,
    ) -> None:
        """``mode``: permission bits of every file, which nobody will write to; a hardlink then comes before a reflink."""
        self._objects = objects
        self._out_fd = out_fd
        self._where = where
        self._link = link
        self._done = done
        self._mode = mode
        self._reflink = link in ("auto", "reflink")
        self._hardlink = link in ("auto", "hardlink")
        self._temp_folder: str | None = None
        self._temp_fd = -1
        self._numbers = 0
        self._copies: list[tuple[str, int, str]] = []
        """Copies that wait for their sync: (temporary, folder descriptor, name)."""
        self._folders: dict[str, int] = {}
        """Descriptors of the folders they go to, by prefix."""

    def suits(self, entry: TreeEntry, found: os.stat_result) -> bool:
        """Whether a file with the right content is also linked to the store, or not, as ``link`` asks."""
        if self._link != "hardlink" and found.st_nlink == 1:
            return True
        own = self._objects.stat(entry.digest)
        linked = own is not None and os.path.samestat(own, found)
        if self._link == "auto":
            # What is linked to something else may be so to an object that was moved aside: its seal tells nothing.
            return linked or own is None
        return linked == (self._link == "hardlink" and not entry.executable)

    def place(self, entry: TreeEntry, folder: int, prefix: str) -> None:
        """Make or replace one file."""
        if (
            self._hardlink
            and (self._mode is not None or not self._reflink)
            and not entry.executable
            and self._place_link(entry, folder, prefix)
        ):
            return
        self._place_copy(entry, folder, prefix)

    def link_new(self, entries: Iterable[TreeEntry], folder: int) -> list[TreeEntry]:
        """Hardlink what nothing stands for yet in one folder, if that is the way; returns what has to be placed one by one.

        By one thread: the kernel makes links in a filesystem one after the other.
        """
        left: list[TreeEntry] = []
        if not self._hardlink or (self._reflink and self._mode is None) or atomic.on_checkpoint is not None:
            return list(entries)
        link, look, root = os.link, os.stat, self._objects.root_fd
        linked = 0
        for entry in entries:
            source = object_name(entry.digest)
            try:
                found = look(source, dir_fd=root, follow_symlinks=False)
                if (
                    not is_sealed(found, entry.digest, entry.size)
                    or found.st_mode & 0o222
                    or entry.executable
                ):
                    left.append(entry)
                    continue
                link(source, entry.name, src_dir_fd=root, dst_dir_fd=folder, follow_symlinks=False)
            except OSError:  # looked at again, and explained, by :meth:`place`
                left.append(entry)
            else:
                linked += 1
        self._done.linked += linked
        return left

    def _place_link(self, entry: TreeEntry, folder: int, prefix: str) -> bool:
        """False if this file cannot be linked."""
        source = object_name(entry.digest)
        root = self._objects.root_fd
        found = self._objects.stat(entry.digest)
        if found is None or not is_sealed(found, entry.digest, entry.size):
            self._objects.verify_content(entry.digest)
        elif found.st_mode & 0o222:
            with suppress(OSError):
                os.chmod(source, 0o444, dir_fd=root)
        checkpoint("out.link:before")
        try:
            try:
                os.link(source, entry.name, src_dir_fd=root, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                temp = self._temp()
                os.link(source, temp, src_dir_fd=root, dst_dir_fd=self._temp_fd, follow_symlinks=False)
                checkpoint("out.rename:before")
                os.rename(temp, entry.name, src_dir_fd=self._temp_fd, dst_dir_fd=folder)
        except OSError as error:
            if error.errno == errno.EMLINK:
                return False
            path = os.path.join(self._where, prefix, entry.name)
            if error.errno not in _CANNOT_LINK:
                raise explain(error, path, entry.size) from error
            if self._link == "hardlink":
                raise _impossible("hardlink", path, error) from error
            self._hardlink = False
            return False
        checkpoint("out.link:after")
        self._done.linked += 1
        return True

    def _place_copy(self, entry: TreeEntry, folder: int, prefix: str) -> None:
        """By reflink if possible, else by copying; visible after the next :meth:`flush`."""
        path = os.path.join(self._where, prefix, entry.name)
        self._objects.verify(entry.digest, entry.size)
        source = os.open(object_name(entry.digest), _OPEN_FILE, dir_fd=self._objects.root_fd)
        try:
            with explained(path, entry.size):
                temp = self._temp()
                checkpoint("out.write:before")
                mode = self._mode or (0o755 if entry.executable else 0o644)
                target = os.open(temp, _CREATE, mode, dir_fd=self._temp_fd)
                try:
                    cloned = self._reflink and clone(source, target)
                    if self._reflink and not cloned:
                        if self._link == "reflink":
                            raise _impossible("reflink", path, None)
                        self._reflink = False
                        if self._hardlink and not entry.executable:
                            self._unlink_temp(temp)
                            return self.place(entry, folder, prefix)
                    if not cloned:
                        copy_bytes(source, target)
                    reseal(target, entry.digest)
                finally:
                    os.close(target)
                checkpoint("out.write:after")
        finally:
            os.close(source)
        if cloned:
            self._done.linked += 1
        else:
            self._done.copied += 1
        held = self._folders.get(prefix)
        if held is None:
            held = self._folders[prefix] = os.dup(folder)
        self._copies.append((temp, held, entry.name))
        if len(self._copies) >= _HOLD_FILES or len(self._folders) >= _HOLD_FOLDERS:
            self.flush()

    def flush(self) -> None:
        """Sync the copies made so far, then rename them into place."""
        with explained(self._where):
            if self._copies:
                checkpoint("out.sync:before")
                sync_many([temp for temp, _, _ in self._copies], self._temp_fd)
                checkpoint("out.sync:after")
            for temp, folder, name in self._copies:
                checkpoint("out.rename:before")
                os.rename(temp, name, src_dir_fd=self._temp_fd, dst_dir_fd=folder)
                checkpoint("out.rename:after")
        self._release()

    def _release(self) -> None:
        self._copies.clear()
        for fd in self._folders.values():
            os.close(fd)
        self._folders.clear()

    def _temp(self) -> str:
        """A new name in the private folder, which is made when first needed."""
        while self._temp_folder is None:
            name = f"{_TEMP_PREFIX}{unique_name()}{_TEMP_SUFFIX}"
            os.mkdir(name, 0o700, dir_fd=self._out_fd)
            # Before it is locked, another process may take it for one that was left, and sweep it.
            with suppress(FileNotFoundError):
                self._temp_fd = os.open(name, OPEN_FOLDER, dir_fd=self._out_fd)
                _try_flock(self._temp_fd, wait=True)
                if os.fstat(self._temp_fd).st_nlink:
                    self._temp_folder = name
                else:
                    os.close(self._temp_fd)
        self._numbers += 1
        return str(self._numbers)

    def _unlink_temp(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(name, dir_fd=self._temp_fd)

    def __enter__(self) -> Placer:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._release()
            if self._temp_folder is not None:
                if self._temp_fd >= 0:
                    with suppress(OSError):
                        for name in os.listdir(self._temp_fd):
                            self._unlink_temp(name)
                    os.close(self._temp_fd)
                with suppress(OSError):
                    os.rmdir(self._temp_folder, dir_fd=self._out_fd)


def _impossible(link: str, path: str, error: OSError | None) -> StoreError:
    why = f" ({error.strerror})" if error is not None else ""
    return StoreError(
        f"cannot make {path} by {link}{why}: expected the store and the folder on one filesystem that can; "
        "use `link: auto` or `link: copy`"
    )


def copy_bytes(source: int, target: int) -> None:
    """Copy a whole file, in the kernel where possible."""
    offset = 0
    with suppress(OSError, AttributeError):
        while step := os.copy_file_range(source, target, 1 << 30, offset, offset):
            offset += step
    while data := os.pread(source, CHUNK, offset):
        os.lseek(target, offset, os.SEEK_SET)
        write_all(target, data)
        offset += len(data)


def _try_flock(fd: int, *, wait: bool = False) -> bool:
    """Lock a folder for as long as it is open. False if another process has it, or nobody can tell."""
    try:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False
    return True


def sweep(out_fd: int) -> None:
    """Remove temporary folders that a killed process left."""
    for name in os.listdir(out_fd):
        if name.startswith(_TEMP_PREFIX) and name.endswith(_TEMP_SUFFIX):
            with suppress(OSError):
                fd = os.open(name, OPEN_FOLDER, dir_fd=out_fd)
                try:
                    if _try_flock(fd):
                        for left in os.listdir(fd):
                            os.unlink(left, dir_fd=fd)
                        os.rmdir(name, dir_fd=out_fd)
                finally:
                    os.close(fd)
