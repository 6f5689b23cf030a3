"""Copying large files into the store: by sharing blocks, else by the kernel, hashed while they arrive.

What is hashed is the copy, so an object is what its name says even if the source changes under the reader.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from store.atomic import Staging, explained, start_writeback, write_all
from store.digest import Hashes, MultiHasher, hash_threads
from store.errors import SourceUnreadable, StrPath
from store.seal import reseal

if TYPE_CHECKING:
    from queue import SimpleQueue
    from threading import Event

COPY_CHUNK = 16 << 20
"""Bytes that are copied before the hashing thread hears of them."""

_HASH_CHUNK = 4 << 20
_FICLONE = 0x40049409


def copy_in(
    staging: Staging,
    source: int,
    size: int,
    path: str,
    names: Collection[str],
    progress: Callable[[int], None] | None = None,
) -> tuple[str, Hashes]:
    """Copy an open file into a sealed temporary: its name in ``staging``, and the digests of the copy.

    Args:
        size: bytes to copy; less if the file has become shorter.
        path: the source's, for messages.
        progress: called with the bytes hashed so far.
    """
    temp, target = staging.create()
    try:
        hasher = MultiHasher(names, threads=hash_threads(size))
        if clone(source, target):
            _hash_up_to(target, hasher, os.fstat(target).st_size, progress)
        else:
            _copy_and_hash(source, target, size, hasher, path, staging.folder, progress)
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
    source: int,
    target: int,
    size: int,
    hasher: MultiHasher,
    path: str,
    where: StrPath,
    progress: Callable[[int], None] | None = None,
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
            _hash_up_to(target, hasher, news, progress)
    finally:
        stop.set()
        thread.join()


def _copy(
    source: int,
    target: int,
    size: int,
    arrived: SimpleQueue[int | BaseException | None],
    stop: Event,
    path: str,
    where: StrPath,
) -> None:
    """Copy ``size`` bytes (less if the file shrank), telling how far it is and starting the disk early."""
    offset = 0
    in_kernel = hasattr(os, "copy_file_range")
    while offset < size and not stop.is_set():
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


def _hash_up_to(
    fd: int, hasher: MultiHasher, end: int, progress: Callable[[int], None] | None = None
) -> None:
    """Hash the file from where the hasher is up to ``end``."""
    buffer = memoryview(bytearray(min(_HASH_CHUNK, max(1, end - hasher.size))))
    while hasher.size < end:
        read = os.preadv(fd, [buffer[: end - hasher.size]], hasher.size)
        if read == 0:
            return
        hasher.update(buffer[:read])
        if progress is not None:
            progress(hasher.size)
