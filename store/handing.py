"""Handing over: objects stand in the object folder of another program too, under the names that it has for them.

Invariants: what is right there stays untouched, what is wrong is reported and replaced only when asked; each file appears whole, and
all are durable on return; no link below the folder is followed. A file is the object itself where the filesystem can link, since
neither side ever writes to it, else a read-only reflink or copy.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from store.atomic import FOLDER_FLAGS, explained, sync_many
from store.digest import Digest, ObjectId, hash_fd
from store.errors import StrPath, UnsafeName
from store.names import check_names, split_path
from store.objects import Objects
from store.placing import OPEN_FOLDER, Materialized, Placer, sweep
from store.seal import is_sealed
from store.trees import KIND_FILE, TreeEntry

_OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_MODE = 0o444


@dataclass
class HandedOver:
    """What was done to the folder."""

    linked: int = 0
    """Files made by hardlink or reflink."""
    copied: int = 0
    kept: int = 0
    """Files that were right already."""
    wrong: list[str] = field(default_factory=list)
    """Paths at which something else stands; it was left, or replaced with ``force``."""


def hand_over(
    objects: Objects, files: Iterable[tuple[str, ObjectId]], folder: StrPath, *, force: bool = False
) -> HandedOver:
    """See :meth:`store.store.Store.hand_over`."""
    where = os.fspath(folder)
    done, told = Materialized(), HandedOver()
    groups: dict[str, dict[str, ObjectId]] = {}
    for path, id in files:
        head, slash, name = path.rpartition("/")
        if slash and not head:
            split_path(path, where)  # raises
        groups.setdefault(head, {})[name] = id
    for head, named in groups.items():
        check_names(list(named), head or where)
    heads = sorted(groups)
    with explained(where):
        os.makedirs(where, exist_ok=True)
        out_fd = os.open(where, FOLDER_FLAGS)
    try:
        sweep(out_fd)
        with Placer(objects, out_fd, where, "auto", done, mode=_MODE) as placer:
            for head in heads:
                below = _open_below(head, out_fd, where)
                try:
                    _fill(placer, groups[head], below, head, told, force=force)
                finally:
                    os.close(below)
        # Whether new or found: another process may have made a name that is not durable yet.
        with explained(where):
            sync_many([head or "." for head in heads], out_fd)
    finally:
        os.close(out_fd)
    told.linked, told.copied = done.linked, done.copied
    return told


def _fill(
    placer: Placer,
    files: dict[str, ObjectId],
    folder: int,
    head: str,
    told: HandedOver,
    *,
    force: bool,
) -> None:
    """Bring the files of one folder, open as ``folder``, in line."""
    there = frozenset(os.listdir(folder))
    prefix = f"{head}/" if head else ""
    new, again, kept = [], [], 0
    for name, (digest, size) in files.items():
        if name not in there:
            new.append(TreeEntry(name, KIND_FILE, digest, size))
        elif _holds(folder, name, digest, size):
            kept += 1
        else:
            again.append(TreeEntry(name, KIND_FILE, digest, size))
    told.kept += kept
    told.wrong += [prefix + entry.name for entry in again]
    for entry in [*placer.link_new(new, folder), *(again if force else ())]:
        placer.place(entry, folder, prefix)


def _holds(folder: int, name: str, digest: Digest, size: int) -> bool:
    """Whether a file has the content of an object: by seal, else by hashing. It is not touched."""
    with suppress(OSError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat_module.S_ISREG(found.st_mode) or found.st_size != size:
            return False
        if is_sealed(found, digest, size):
            return True
        fd = os.open(name, _OPEN_FILE, dir_fd=folder)
        try:
            return hash_fd(fd).digest == digest
        finally:
            os.close(fd)
    return False


def _open_below(head: str, out_fd: int, where: str) -> int:
    """Open a folder below ``where``, made if it is missing, without following any link."""
    fd = os.dup(out_fd)
    for part in split_path(head) if head else ():
        try:
            with explained(os.path.join(where, head)):
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=fd)
                try:
                    below = os.open(part, OPEN_FOLDER, dir_fd=fd)
                except OSError as error:
                    if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                        raise
                    why = "a link or file stands where a folder is to be; nothing is written through links"
                    raise UnsafeName(head, why, where) from None
        finally:
            os.close(fd)
        fd = below
    return fd
