"""Stager: what a worker of a bulk intake does: small files are read, hashed and written as temporaries.

It leaves out whatever is not plain and simple (large files, odd ones, files that change, a full disk): ``store.bulk`` hands
those to the one place that decides about errors. A worker is a fresh interpreter, so this module imports little.
"""

from __future__ import annotations

import gc
import os
import stat as stat_module
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

from store.atomic import FOLDER_FLAGS, checkpoint, write_all
from store.digest import Digest, digest_bytes, hash_bytes
from store.layout import object_name
from store.seal import is_sealed, seal_times
from store.source import READ, SMALL, unchanged
from store.workers import serve

Row = tuple[int, str, int, str | None, str | None, bool, tuple[int, int, int, int], str]
"""What a worker reports of a file: position, digest, size, MD5, SHA-256, program, the fields of FileStat, and the name of its
temporary, which is empty if the store had the content."""

Request = tuple[int, int, str, list[tuple[int, str]], list[str]]
"""What a worker is asked: the arguments of :func:`stage_files`."""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


def be_worker() -> None:  # pragma: no cover  # runs in the worker
    """Answer requests with what :func:`stage_files` says."""
    gc.disable()  # nothing here has cycles
    serve(lambda request: stage_files(*request))


def stage_files(
    root: int, staging: int, folder: str, files: Sequence[tuple[int, str]], names: Sequence[str]
) -> list[Row]:
    """Read, hash and write small files, leaving out what is not plain and simple.

    Written flat, and without the objects that are used elsewhere: it runs once a file, and each microsecond shows.

    Args:
        root: descriptor of the store's root.
        staging: descriptor of the folder for temporaries.
        folder: where in it.
        files: (position, path).
        names: secondary digests to compute.
    """
    rows: list[Row] = []
    second = int(time.time())
    folders = _folders(root)
    for position, path in files:
        try:
            fd = os.open(path, READ)
        except (OSError, ValueError):
            continue
        try:
            stat = os.fstat(fd)
            size = stat.st_size
            if size > SMALL or not stat_module.S_ISREG(stat.st_mode):
                continue
            data = os.read(fd, size + 1)
            if len(data) != size or not unchanged(stat, os.fstat(fd)):
                continue
        except OSError:
            continue
        finally:
            os.close(fd)
        md5 = sha256 = None
        if names:
            hashes = hash_bytes(data, names)
            digest, md5, sha256 = hashes.digest, hashes.md5, hashes.sha256
        else:
            digest = digest_bytes(data)
        found = _stat(root, digest) if digest[:2] in folders else None
        temp = ""
        if found is None:
            temp = f"{folder}/{digest[:2]}/{digest}"
            try:
                _write(staging, temp, data, digest, second)
            except FileExistsError:
                continue  # equal content, or what a lost worker left
            except OSError:
                break  # a full disk, most likely: the parent finds out and says so
        elif not (stat_module.S_ISREG(found.st_mode) and is_sealed(found, digest, size)):
            continue
        marks = (size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        rows.append((position, digest, size, md5, sha256, bool(stat.st_mode & 0o100), marks, temp))
    return rows


def _folders(root: int) -> Collection[str]:
    """Where objects are: no need to look for others one by one. One that comes meanwhile is written again, no harm done."""
    try:
        fd = os.open("objects", FOLDER_FLAGS, dir_fd=root)
    except OSError:
        return ()
    try:
        return frozenset(os.listdir(fd))
    finally:
        os.close(fd)


def _stat(root: int, digest: Digest) -> os.stat_result | None:
    try:
        return os.stat(object_name(digest), dir_fd=root, follow_symlinks=False)
    except OSError:
        return None


def _write(staging: int, temp: str, data: bytes, digest: Digest, second: int) -> None:
    checkpoint("temp.create:before")
    try:
        fd = os.open(temp, _CREATE, 0o444, dir_fd=staging)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(os.path.dirname(temp), dir_fd=staging)
        fd = os.open(temp, _CREATE, 0o444, dir_fd=staging)
    checkpoint("temp.create:after")
    try:
        write_all(fd, data)
        checkpoint("temp.write:after")
        os.utime(fd, ns=seal_times(digest, second))
    except OSError:
        os.unlink(temp, dir_fd=staging)
        raise
    finally:
        os.close(fd)
