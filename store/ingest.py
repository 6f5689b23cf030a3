"""Ingest: files from outside become objects of a batch, each read once.

Small files are read whole and staged in groups, so that looking up, leasing and syncing are paid once a group; thousands of
them by worker processes (``store.bulk``), fewer by threads. Large ones are copied while they are hashed (``store.copying``).

Invariant: no object is made from a file that changed while it was read: size and times are compared before and after, a
file that moved is read again, and :class:`SourceChanged` ends it after :data:`TRIES`.
"""

from __future__ import annotations

import itertools
import os
import stat as stat_module
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from store import atomic
from store.batch import Batch
from store.bulk import Bulk, File, Group
from store.copying import copy_in
from store.digest import Hashes, hash_bytes
from store.errors import SourceChanged, SourceUnreadable, StrPath, UnsafeName
from store.source import SMALL, FileStat, Ingested, kind_of, open_source, read_small, unchanged
from store.workers import worker_count

TRIES = 3
"""How often a changing file is read before giving up."""

GROUP_FILES = 256
GROUP_BYTES = 16 << 20
"""A group of small files ends at either limit; it is also what a thread holds in memory."""

BULK_FILES = 4096
"""From so many files on, starting worker processes pays."""

SYNC_FILES = 16_384
"""So many files are staged before the disk is asked to begin with them."""

THREADS = 4
"""At most so many threads or workers: more wait for the same disk."""


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
    """Stage every file in ``batch``. Visible once the batch commits.

    Args:
        files: (name to report it by, path). A link is followed; only regular files are taken.
        hashes: secondary digests to compute in the same pass.

    Returns:
        One line a file, in the order of ``files``.

    Raises:
        SourceChanged, SourceUnreadable, UnsafeName: naming the path.
    """
    intake = _Intake(batch, hashes, progress)
    listing = ((position, name, os.fspath(path)) for position, (name, path) in enumerate(files))
    listed = list(itertools.islice(listing, BULK_FILES))
    if len(listed) == BULK_FILES:
        listed = intake.in_bulk(itertools.chain(listed, listing))
    if len(listed) < 32:
        intake.collect(_take_group(batch, listed, hashes))
    else:
        intake.by_threads(listed)
    return [intake.found[position] for position in range(len(intake.found))]


class _Intake:
    """What has been taken in so far, and how more is."""

    def __init__(self, batch: Batch, hashes: Collection[str], progress: Progress | None) -> None:
        self.found: dict[int, Ingested] = {}
        """What has been taken in, by position."""
        self._batch = batch
        self._hashes = hashes
        self._progress = progress
        self._files = 0
        self._bytes = 0
        self._unsynced = 0

    def collect(self, items: Sequence[tuple[int, Ingested]]) -> None:
        """Take note of some files."""
        self.found.update(items)
        self._bytes += sum(item.id.size for _, item in items)
        self._files += len(items)
        self._unsynced += len(items)
        if self._unsynced >= SYNC_FILES:
            self._unsynced = 0
            self._batch.start_sync()
        if self._progress is not None and items:
            self._progress(self._files, self._bytes)

    def in_bulk(self, files: Iterable[File]) -> list[File]:
        """Take in what is plain and simple, while ``files`` are still being listed. Returns the others."""
        # Workers cannot tell a test in this process which step they have reached.
        workers = worker_count(THREADS) if atomic.on_checkpoint is None else 0
        listed: list[File] = []
        with Bulk(self._batch, self._hashes, workers) as bulk:
            self._run(bulk.stage, _noted(files, listed), workers or 1)
            self._batch.start_sync()  # while the caller makes trees of them
        return [file for file in listed if file[0] not in self.found]

    def by_threads(self, files: Iterable[File]) -> None:
        """Take in all of these, or raise."""
        self._run(
            lambda group: _take_group(self._batch, group, self._hashes),
            files,
            min(THREADS, os.cpu_count() or 1),
        )

    def _run(
        self, take: Callable[[Group], list[tuple[int, Ingested]]], files: Iterable[File], threads: int
    ) -> None:
        from concurrent.futures import Future, ThreadPoolExecutor

        waiting: deque[Future[list[tuple[int, Ingested]]]] = deque()
        with ThreadPoolExecutor(threads, thread_name_prefix="ingest") as pool:
            try:
                for group in _groups(files):
                    waiting.append(pool.submit(take, group))
                    while waiting and waiting[0].done():
                        self.collect(waiting.popleft().result())
                for future in waiting:
                    self.collect(future.result())
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _groups(files: Iterable[File]) -> Iterator[Group]:
    rest = iter(files)
    while group := list(itertools.islice(rest, GROUP_FILES)):
        yield group


def _noted(files: Iterable[File], listed: list[File]) -> Iterator[File]:
    """The same files, each noted in ``listed``."""
    for file in files:
        listed.append(file)
        yield file


def _take_group(batch: Batch, group: Group, names: Collection[str]) -> list[tuple[int, Ingested]]:
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
                raise UnsafeName(path, f"it is {kind_of(before.st_mode)}, expected a regular file")
            if before.st_size <= SMALL:
                try:
                    data = read_small(fd, before)
                except OSError as error:
                    raise SourceUnreadable(path, error.strerror or str(error)) from error
                if data is not None:
                    return _Read(position, name, hash_bytes(data, names), data, before)
                continue
            temp, hashes = copy_in(batch.staging, fd, before.st_size, path, names)
            if hashes.size == before.st_size and unchanged(before, os.fstat(fd)):
                id = batch.adopt(hashes, temp)
                return Ingested(name, id, bool(before.st_mode & 0o100), FileStat.of(before))
            batch.staging.discard(temp)
        finally:
            os.close(fd)
    raise SourceChanged(path)
