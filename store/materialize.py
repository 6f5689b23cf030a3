"""Materialize: a tree becomes a folder, by reflink, hardlink or copy.

Invariants: nothing is written outside the folder or through a symbolic link in it; each file appears whole; a file that
is right already is not touched; a file of the earlier tree is removed only if nobody edited it. Every file carries its
seal, so that a later look needs one ``stat`` a file. A hardlinked file is the object itself, and read-only for that
reason; what must have other permission bits (programs) is copied.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from store.atomic import FOLDER_FLAGS, checkpoint, explain, explained, sync_many, unique_name, write_all
from store.digest import CHUNK, Digest, hash_fd
from store.errors import ObjectCorrupt, ObjectMissing, StoreError, StrPath, UnsafeName
from store.ingest import clone
from store.layout import object_name
from store.names import MAX_DEPTH
from store.objects import Objects
from store.seal import is_sealed, reseal
from store.trees import KIND_TREE, Tree, TreeEntry, walk

Link = Literal["auto", "reflink", "hardlink", "copy"]
LINKS = ("auto", "reflink", "hardlink", "copy")

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_OPEN_FOLDER = FOLDER_FLAGS | _NOFOLLOW
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


class Difference(NamedTuple):
    """A file that is not what the tree says."""

    path: str
    kind: Literal["missing", "changed"]


ReadTree = Callable[[Digest], Tree]


def materialize(
    objects: Objects,
    read_tree: ReadTree,
    tree: Digest,
    out: StrPath,
    *,
    link: Link = "auto",
    previous: Digest | None = None,
    force: bool = True,
) -> Materialized:
    """Make the folder ``out`` hold what ``tree`` says. See :meth:`store.store.Store.materialize`."""
    if link not in LINKS:
        raise ValueError(f"unknown link {link!r}; expected one of {', '.join(LINKS)}")
    where = os.fspath(out)
    done = Materialized()
    with explained(where):
        os.makedirs(where, exist_ok=True)
        out_fd = os.open(where, FOLDER_FLAGS)
    earlier: dict[str, TreeEntry] = {}
    try:
        _sweep(out_fd)
        if previous is not None and previous != tree:
            try:
                earlier = dict(walk(previous, read_tree))
            except (ObjectMissing, ObjectCorrupt):
                done.skipped.append(("", "the earlier tree is gone, so files that only it had are left"))
            _remove_earlier(earlier, {path for path, _ in walk(tree, read_tree)}, out_fd, done)
        elif previous is not None and not force:
            earlier = dict(walk(previous, read_tree))
        with _Placer(objects, out_fd, where, link, done) as placer:
            writer = _Writer(read_tree, placer, where, earlier, force, done)
            writer.level(read_tree(tree), out_fd, "", fresh=False, depth=0)
    finally:
        os.close(out_fd)
    return done


class _Writer:
    """Decides, folder by folder, what has to be placed."""

    def __init__(
        self,
        read_tree: ReadTree,
        placer: _Placer,
        where: str,
        earlier: dict[str, TreeEntry],
        force: bool,
        done: Materialized,
    ) -> None:
        self._read_tree = read_tree
        self._placer = placer
        self._where = where
        self._earlier = earlier
        self._force = force
        self._done = done

    def level(self, tree: Tree, folder: int, prefix: str, *, fresh: bool, depth: int) -> None:
        """Bring one folder, open as ``folder``, and those below it in line. ``fresh``: it was made just now."""
        there = frozenset() if fresh else frozenset(os.listdir(folder))
        for entry in tree:
            if entry.kind == KIND_TREE:
                self._below(entry, folder, prefix, depth)
            elif entry.name not in there or self._wants(entry, folder, prefix):
                self._placer.place(entry, folder, prefix)

    def _below(self, entry: TreeEntry, folder: int, prefix: str, depth: int) -> None:
        path = prefix + entry.name
        if depth >= MAX_DEPTH:
            raise UnsafeName(path, f"it is more than {MAX_DEPTH} folders deep", self._where)
        fresh = True
        with explained(os.path.join(self._where, path)):
            try:
                os.mkdir(entry.name, dir_fd=folder)
            except FileExistsError:
                fresh = False
        try:
            below = os.open(entry.name, _OPEN_FOLDER, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise explain(error, os.path.join(self._where, path)) from error
            why = "a link or file stands where a folder is to be written; nothing is written through links"
            raise UnsafeName(path, why, self._where) from None
        try:
            self.level(self._read_tree(entry.digest), below, path + "/", fresh=fresh, depth=depth + 1)
        finally:
            os.close(below)

    def _wants(self, entry: TreeEntry, folder: int, prefix: str) -> bool:
        """Whether a file that stands there must be replaced."""
        path = prefix + entry.name
        try:
            found = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return True
        if stat_module.S_ISDIR(found.st_mode):
            raise UnsafeName(
                path, "a folder stands where the file is to be written; move it away", self._where
            )
        if is_right(entry, folder, found):
            if not self._placer.suits(entry, found):
                return True
            self._done.kept += 1
            return False
        if not self._force:
            old = self._earlier.get(path)
            if old is None or not is_right(old, folder, found):
                self._done.skipped.append(
                    (path, "a file that was not written by an export, or edited since, stands there")
                )
                return False
        return True


class _Placer:
    """Puts files in place, each whole, by the cheapest way the filesystem allows."""

    def __init__(self, objects: Objects, out_fd: int, where: str, link: Link, done: Materialized) -> None:
        self._objects = objects
        self._out_fd = out_fd
        self._where = where
        self._link = link
        self._done = done
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
        if self._link == "auto" or (self._link != "hardlink" and found.st_nlink == 1):
            return True
        own = self._objects.stat(entry.digest)
        linked = own is not None and os.path.samestat(own, found)
        return linked == (self._link == "hardlink" and not entry.executable)

    def place(self, entry: TreeEntry, folder: int, prefix: str) -> None:
        """Make or replace one file."""
        if (
            self._hardlink
            and not self._reflink
            and not entry.executable
            and self._place_link(entry, folder, prefix)
        ):
            return
        self._place_copy(entry, folder, prefix)

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
                mode = 0o755 if entry.executable else 0o644
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
                        _copy_bytes(source, target)
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
        if self._temp_folder is None:
            name = f"{_TEMP_PREFIX}{unique_name()}{_TEMP_SUFFIX}"
            os.mkdir(name, 0o700, dir_fd=self._out_fd)
            self._temp_folder = name
            self._temp_fd = os.open(name, _OPEN_FOLDER, dir_fd=self._out_fd)
            _try_flock(self._temp_fd)
        self._numbers += 1
        return str(self._numbers)

    def _unlink_temp(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(name, dir_fd=self._temp_fd)

    def __enter__(self) -> _Placer:
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


def _copy_bytes(source: int, target: int) -> None:
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


def _sweep(out_fd: int) -> None:
    """Remove temporary folders that a killed process left."""
    for name in os.listdir(out_fd):
        if name.startswith(_TEMP_PREFIX) and name.endswith(_TEMP_SUFFIX):
            with suppress(OSError):
                fd = os.open(name, _OPEN_FOLDER, dir_fd=out_fd)
                try:
                    if _try_flock(fd):
                        for left in os.listdir(fd):
                            os.unlink(left, dir_fd=fd)
                        os.rmdir(name, dir_fd=out_fd)
                finally:
                    os.close(fd)


def is_right(entry: TreeEntry, folder: int, found: os.stat_result) -> bool:
    """Whether a file is what its entry says: by seal, else by hashing, after which it is sealed again."""
    if not stat_module.S_ISREG(found.st_mode) or found.st_size != entry.size:
        return False
    if entry.executable and not found.st_mode & 0o100:
        return False
    if is_sealed(found, entry.digest, entry.size):
        return True
    try:
        fd = os.open(entry.name, _OPEN_FILE, dir_fd=folder)
    except OSError:
        return False
    try:
        if hash_fd(fd).digest != entry.digest:
            return False
        if os.fstat(fd).st_mtime_ns == found.st_mtime_ns:
            reseal(fd, entry.digest)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


def _remove_earlier(earlier: dict[str, TreeEntry], now: set[str], out_fd: int, done: Materialized) -> None:
    """Remove files that only the earlier tree has, unless edited, and the folders that this empties."""
    folders: set[str] = set()
    for path, entry in earlier.items():
        if path in now:
            continue
        head = path.rpartition("/")[0]
        try:
            folder = _open_below(head, out_fd)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            done.skipped.append((path, "it is behind a link"))
            continue
        try:
            found = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
            if is_right(entry, folder, found):
                checkpoint("out.remove:before")
                with explained(path):
                    os.unlink(entry.name, dir_fd=folder)
                checkpoint("out.remove:after")
                done.removed += 1
                folders.add(head)
            else:
                done.skipped.append((path, "it was edited since it was exported, so it is left"))
        except FileNotFoundError:
            folders.add(head)
        finally:
            os.close(folder)
    for folder_path in sorted(_with_parents(folders), key=len, reverse=True):
        _remove_empty(folder_path, out_fd)


def _with_parents(folders: set[str]) -> set[str]:
    every = set()
    for folder in folders:
        while folder:
            every.add(folder)
            folder = folder.rpartition("/")[0]
    return every


def _remove_empty(folder: str, out_fd: int) -> None:
    head, _, name = folder.rpartition("/")
    with suppress(OSError):
        parent = _open_below(head, out_fd)
        try:
            os.rmdir(name, dir_fd=parent)
        finally:
            os.close(parent)


def _open_below(folder: str, out_fd: int) -> int:
    """Open a folder below ``out`` without following any link. ``OSError`` if it is not there or a link is in the way."""
    fd = os.dup(out_fd)
    for part in folder.split("/") if folder else ():
        try:
            below = os.open(part, _OPEN_FOLDER, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def verify_export(read_tree: ReadTree, tree: Digest, out: StrPath) -> list[Difference]:
    """Which files of the tree are missing in the folder or not what they were. See :meth:`store.store.Store.verify_export`."""
    try:
        fd = os.open(out, FOLDER_FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return [Difference(path, "missing") for path, _ in walk(tree, read_tree)]
    except OSError as error:
        raise explain(error, out) from error
    try:
        return list(_differences(read_tree, read_tree(tree), fd, ""))
    finally:
        os.close(fd)


def _differences(read_tree: ReadTree, tree: Tree, folder: int, prefix: str) -> Iterator[Difference]:
    for entry in tree:
        path = prefix + entry.name
        if entry.kind == KIND_TREE:
            try:
                below = os.open(entry.name, _OPEN_FOLDER, dir_fd=folder)
            except OSError:
                for name, _ in walk(entry.digest, read_tree):
                    yield Difference(f"{path}/{name}", "missing")
                continue
            try:
                yield from _differences(read_tree, read_tree(entry.digest), below, path + "/")
            finally:
                os.close(below)
            continue
        try:
            found = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            yield Difference(path, "missing")
            continue
        if not is_right(entry, folder, found):
            yield Difference(path, "changed")
