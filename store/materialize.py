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
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Literal, NamedTuple

from store.atomic import FOLDER_FLAGS, checkpoint, explain, explained
from store.digest import Digest, hash_fd
from store.errors import ObjectCorrupt, ObjectMissing, StrPath, UnsafeName
from store.names import MAX_DEPTH
from store.objects import Objects
from store.placing import LINKS, OPEN_FOLDER, Link, Materialized, Placer, sweep
from store.seal import is_sealed, reseal
from store.trees import KIND_TREE, Tree, TreeEntry, walk

_OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


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
    previous: Digest | Mapping[str, TreeEntry] | None = None,
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
        sweep(out_fd)
        if previous is not None and previous != tree:
            try:
                earlier = dict(previous if isinstance(previous, Mapping) else walk(previous, read_tree))
            except (ObjectMissing, ObjectCorrupt):
                done.skipped.append(("", "the earlier tree is gone, so files that only it had are left"))
            _remove_earlier(earlier, {path for path, _ in walk(tree, read_tree)}, out_fd, done)
        elif previous is not None and not force:
            earlier = dict(walk(tree, read_tree))
        with Placer(objects, out_fd, where, link, done) as placer:
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
        placer: Placer,
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
            below = os.open(entry.name, OPEN_FOLDER, dir_fd=folder)
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
        regular, old = stat_module.S_ISREG(found.st_mode), self._earlier.get(path)
        if (
            regular
            and old is not None
            and old.digest != entry.digest
            and is_sealed(found, old.digest, old.size)
        ):
            return True  # it is still the earlier file, which is another: that need not be read
        if is_right(entry, folder, found):
            if not self._placer.suits(entry, found):
                return True
            self._done.kept += 1
            return False
        if not self._force and (old is None or not is_right(old, folder, found)):
            self._done.skipped.append(
                (path, "a file that was not written by an export, or edited since, stands there")
            )
            return False
        return True


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
            below = os.open(part, OPEN_FOLDER, dir_fd=fd)
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
                below = os.open(entry.name, OPEN_FOLDER, dir_fd=folder)
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
