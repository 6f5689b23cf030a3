"""Ingest: files from outside become objects of a batch, each read once.

Small files are read whole, hashed, and written by a few threads in groups, so that looking up, leasing and syncing
are paid once a group. Large ones are cloned or copied by the kernel while another thread hashes what has arrived:
what is hashed is the copy, so the object is what its name says even if the source changes under the reader.

Invariant: no object is made from a file that changed while it was read: size, times and inode are compared before and
after, a file that moved is read again, and :class:`SourceChanged` ends it after :data:`TRIES`.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from store.atomic import explained, start_writeback, write_all
from store.batch import Batch
from store.digest import Hashes, MultiHasher, ObjectId, hash_bytes, hash_threads
from store.errors import SourceChanged, SourceUnreadable, StrPath, UnsafeName
from store.names import check_names
from store.seal import reseal

if TYPE_CHECKING:
    from concurrent.futures import Future
    from queue import SimpleQueue

TRIES = 3
"""How often a changing file is read before giving up."""

SMALL = 1 << 20
"""Files up to this many bytes are read whole."""

GROUP_FILES = 256
GROUP_BYTES = 16 << 20
"""A group of small files ends at either limit; it is also what a thread holds in memory."""

COPY_CHUNK = 16 << 20
"""Bytes of a large file that are copied before the hashing thread hears of them."""

_READ = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)
_FICLONE = 0x40049409


class FileStat(NamedTuple):
    """What tells a file from an edited one, together: nothing else about the file enters a decision."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> FileStat:
        """The four from an ``os.stat_result``."""
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


class Ingested(NamedTuple):
    """One file that was taken in."""

    name: str
    id: ObjectId
    executable: bool
    stat: FileStat
    """The file as it was when these bytes were read."""


class _Read(NamedTuple):
    position: int
    name: str
    hashes: Hashes
    data: bytes
    stat: os.stat_result


Progress = Callable[[int, int], None]
"""Called with the files and the bytes taken in so far."""


def ingest_files(
    batch: Batch,
    files: Iterable[tuple[str, StrPath]],
    *,
    hashes: Collection[str] = (),
    progress: Progress | None = None,
) -> list[Ingested]:
    """Stage every file in ``batch``, in order. Visible once the batch commits.

    Args:
        files: (name to report it by, path). A link is followed; only regular files are taken.
        hashes: secondary digests to compute in the same pass.

    Raises:
        SourceChanged, SourceUnreadable, UnsafeName: naming the path.
    """
    from concurrent.futures import ThreadPoolExecutor

    found: dict[int, Ingested] = {}
    done_bytes = 0

    def collect(group: list[tuple[int, Ingested]]) -> None:
        nonlocal done_bytes
        found.update(group)
        done_bytes += sum(item.id.size for _, item in group)
        if progress is not None:
            progress(len(found), done_bytes)

    groups = _groups(files)
    first = next(groups, None)
    if first is None:
        return []
    second = next(groups, None)
    if second is None and len(first) < 32:
        collect(_take_group(batch, first, hashes))
    else:
        pending: list[Future[list[tuple[int, Ingested]]]] = []
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="ingest") as pool:
            try:
                for group in (first, *(() if second is None else (second,)), *groups):
                    pending.append(pool.submit(_take_group, batch, group, hashes))
                for future in pending:
                    collect(future.result())
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return [found[position] for position in range(len(found))]


def _groups(files: Iterable[tuple[str, StrPath]]) -> Iterator[list[tuple[int, str, str]]]:
    group: list[tuple[int, str, str]] = []
    for position, (name, path) in enumerate(files):
        group.append((position, name, os.fspath(path)))
        if len(group) == GROUP_FILES:
            yield group
            group = []
    if group:
        yield group


def _take_group(
    batch: Batch, group: list[tuple[int, str, str]], names: Collection[str]
) -> list[tuple[int, Ingested]]:
    """Stage a group: the small ones together, each large one on its own."""
    taken: list[tuple[int, Ingested]] = []
    small: list[_Read] = []
    held = 0
    for position, name, path in group:
        read = _read(batch, path, position, name, names)
        if isinstance(read, _Read):
            small.append(read)
            held += len(read.data)
            if held > GROUP_BYTES:
                taken += _stage(batch, small)
                small, held = [], 0
        else:
            taken.append((position, read))
    return taken + _stage(batch, small)


def _stage(batch: Batch, reads: list[_Read]) -> list[tuple[int, Ingested]]:
    ids = batch.put_hashed([(read.hashes, read.data) for read in reads])
    return [
        (position, Ingested(name, id, bool(stat.st_mode & 0o100), FileStat.of(stat)))
        for (position, name, _, _, stat), id in zip(reads, ids, strict=True)
    ]


def _read(batch: Batch, path: str, position: int, name: str, names: Collection[str]) -> _Read | Ingested:
    """Read one file until it holds still: a small one into memory, a large one into the batch."""
    for _ in range(TRIES):
        fd = open_source(path)
        try:
            before = os.fstat(fd)
            if not stat_module.S_ISREG(before.st_mode):
                raise UnsafeName(path, f"it is {_kind(before.st_mode)}, expected a regular file")
            try:
                if before.st_size <= SMALL:
                    data = os.read(fd, before.st_size + 1)
                    if len(data) < before.st_size:
                        data = _read_rest(fd, data, before.st_size + 1)
                    if len(data) == before.st_size and _same(before, os.fstat(fd)):
                        return _Read(position, name, hash_bytes(data, names), data, before)
                    continue
            except OSError as error:
                raise SourceUnreadable(path, error.strerror or str(error)) from error
            temp, hashes = copy_in(batch, fd, before.st_size, path, names)
            if hashes.size == before.st_size and _same(before, os.fstat(fd)):
                id = batch.adopt(hashes, temp)
                return Ingested(name, id, bool(before.st_mode & 0o100), FileStat.of(before))
            batch.staging.discard(temp)
        finally:
            os.close(fd)
    raise SourceChanged(path)


def open_source(path: str) -> int:
    """Open a file for reading without hanging on a pipe. Raises :class:`SourceUnreadable`."""
    try:
        return os.open(path, _READ)
    except OSError as error:
        raise SourceUnreadable(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise UnsafeName(path, str(error)) from error


def _read_rest(fd: int, data: bytes, limit: int) -> bytes:
    parts = [data]
    size = len(data)
    while size < limit and (part := os.read(fd, limit - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _same(a: os.stat_result, b: os.stat_result) -> bool:
    return a.st_mtime_ns == b.st_mtime_ns and a.st_size == b.st_size and a.st_ctime_ns == b.st_ctime_ns


def _kind(mode: int) -> str:
    for test, text in (
        (stat_module.S_ISDIR, "a folder"),
        (stat_module.S_ISFIFO, "a pipe"),
        (stat_module.S_ISSOCK, "a socket"),
        (stat_module.S_ISLNK, "a symbolic link"),
    ):
        if test(mode):
            return text
    return "a device"


# -- large files


def copy_in(batch: Batch, source: int, size: int, path: str, names: Collection[str]) -> tuple[str, Hashes]:
    """Copy an open file into a sealed temporary of the batch: its name there, and the digests of the copy."""
    staging = batch.staging
    temp, target = staging.create()
    try:
        hasher = MultiHasher(names, threads=hash_threads(size))
        if clone(source, target):
            _hash_up_to(target, hasher, os.fstat(target).st_size)
        else:
            _copy_and_hash(source, target, size, hasher, path, staging.folder)
        hashes = hasher.finish()
        with explained(staging.folder):
            reseal(target, hashes.digest)
        return temp, hashes
    except BaseException:
        staging.discard(temp)
        raise
    finally:
        os.close(target)


def clone(source: int, target: int) -> bool:
    """Share the source's blocks with the target, where the filesystem can (btrfs, XFS: ``FICLONE``)."""
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


def _copy_and_hash(
    source: int, target: int, size: int, hasher: MultiHasher, path: str, where: StrPath
) -> None:
    """One thread copies, this one hashes what has arrived."""
    from queue import SimpleQueue
    from threading import Event, Thread

    arrived: SimpleQueue[int | BaseException | None] = SimpleQueue()
    stop = Event()

    def copy() -> None:
        try:
            _copy(source, target, size, arrived, stop, path, where)
            arrived.put(None)
        except BaseException as error:
            arrived.put(error)

    thread = Thread(target=copy, name="ingest-copy")
    thread.start()
    try:
        while (news := arrived.get()) is not None:
            if isinstance(news, BaseException):
                raise news
            _hash_up_to(target, hasher, news)
    finally:
        stop.set()
        thread.join()


def _copy(
    source: int,
    target: int,
    size: int,
    arrived: SimpleQueue[int | BaseException | None],
    stop: object,
    path: str,
    where: StrPath,
) -> None:
    """Copy ``size`` bytes (less if the file shrank), telling how far it is and starting the disk early."""
    offset = 0
    in_kernel = hasattr(os, "copy_file_range")
    while offset < size and not stop.is_set():  # type: ignore[attr-defined]
        want = min(COPY_CHUNK, size - offset)
        step = 0
        if in_kernel:
            try:
                step = os.copy_file_range(source, target, want, offset, offset)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    with explained(where, size):
                        raise
                in_kernel = False
                continue
        else:
            try:
                data = os.pread(source, want, offset)
            except OSError as error:
                raise SourceUnreadable(path, error.strerror or str(error)) from error
            with explained(where, size):
                os.lseek(target, offset, os.SEEK_SET)
                write_all(target, data)
            step = len(data)
        if step == 0:
            return
        start_writeback(target, offset, step)
        offset += step
        arrived.put(offset)


_HASH_CHUNK = 4 << 20


def _hash_up_to(fd: int, hasher: MultiHasher, end: int) -> None:
    """Hash the file from where the hasher is up to ``end``."""
    buffer = memoryview(bytearray(min(_HASH_CHUNK, max(1, end - hasher.size))))
    while hasher.size < end:
        read = os.preadv(fd, [buffer[: end - hasher.size]], hasher.size)
        if read == 0:
            return
        hasher.update(buffer[:read])


# -- folders


def scan(folder: StrPath, ignore: Callable[[str], bool] | None = None) -> Iterator[tuple[str, str]]:
    """Every file below a folder as (name ``a/b/c``, path), sorted within each folder.

    A link to a file inside the folder counts as that file. Folders without files leave no trace, as in git.

    Args:
        ignore: called with each file's or folder's name ``a/b``; true leaves it out.

    Raises:
        UnsafeName, NameCollision: a name that cannot be kept; a link that leaves the folder, dangles or points to a folder; a pipe, socket or device.
        SourceUnreadable: a folder that cannot be listed.
    """
    base = os.fspath(folder)
    real: str | None = None
    stack = [("", base)]
    while stack:
        prefix, path = stack.pop()
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise SourceUnreadable(path, error.strerror or str(error)) from error
        if ignore is not None:
            entries = [entry for entry in entries if not ignore(prefix + entry.name)]
        check_names([entry.name for entry in entries], path)
        below = []
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                below.append((name + "/", entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield name, entry.path
            elif entry.is_symlink():
                if real is None:
                    real = os.path.realpath(base)
                yield name, _inside(entry.path, name, real)
            else:
                mode = entry.stat(follow_symlinks=False).st_mode
                raise UnsafeName(name, f"it is {_kind(mode)}, expected a file or folder", base)
        stack += reversed(below)


def _inside(path: str, name: str, base: str) -> str:
    """Where a link inside the folder ``base`` leads, if that is a file in it."""
    target = os.path.realpath(path)
    if target != base and not target.startswith(base.rstrip("/") + "/"):
        raise UnsafeName(name, f"it is a link that leaves the folder, to {target}", base)
    if not os.path.lexists(target) or os.path.islink(target):
        raise UnsafeName(name, f"it is a link to {os.readlink(path)!r}, where nothing is", base)
    if os.path.isdir(target):
        raise UnsafeName(name, "it is a link to a folder, expected a link to a file", base)
    return target
