"""Publishing: how bytes become visible, whole or not at all. The only file that renames anything into view.

The one order, everywhere: write a temporary on the same filesystem, sync its data, rename it, sync the folder. A batch
does each step for all its files before the next, with one ``syncfs`` in place of many ``fsync`` when that is cheaper;
so nothing is visible under its name before its bytes are durable, and nothing is reported before its name is.

Every step calls :func:`checkpoint` before and after, so that a test can stop the process there. Failures of the disk
come out as :class:`StoreFull`, :class:`StoreReadOnly` or :class:`StoreError`, with the path.
"""

from __future__ import annotations

import errno
import itertools
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import StoreError, StoreFull, StoreReadOnly, StrPath

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

on_checkpoint: Callable[[str], None] | None = None
"""Called with the name of each publish step, ``"<step>:before"`` or ``"<step>:after"``. For fault injection."""

STEPS = (
    "temp.create", "temp.write",
    "batch.sync", "objects.rename", "objects.folders", "trees.rename", "trees.folders",
    "results.rename", "results.folders",
    "file.write", "file.sync", "file.rename", "file.folder",
    "partial.claim", "partial.save",
    "out.remove", "out.link", "out.write", "out.sync", "out.rename",
)  # fmt: skip
"""Every step there is."""

FEW = 16
"""Up to this many files are synced one by one; more are cheaper with one ``syncfs`` of the whole filesystem."""

FOLDER_FLAGS = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0)
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def checkpoint(step: str) -> None:
    """Tell the test that is listening, if any, that this step is reached."""
    if on_checkpoint is not None:
        on_checkpoint(step)


@contextmanager
def explained(path: StrPath, needed: int | None = None) -> Iterator[None]:
    """Turn an ``OSError`` of writing at ``path`` into the store's error for it.

    Args:
        path: what was to be written.
        needed: bytes that had to fit, if known.
    """
    try:
        yield
    except OSError as error:
        raise explain(error, path, needed) from error


def explain(error: OSError, path: StrPath, needed: int | None = None) -> StoreError:
    """The store's error for an ``OSError`` that came from writing at ``path``."""
    if error.errno in _FULL:
        free, files = _free(path)
        return StoreFull(path, needed, free, out_of_files=files == 0)
    if error.errno in _DENIED:
        return StoreReadOnly(path, error.strerror or str(error))
    return StoreError(
        f"cannot write {os.fspath(path)}: {error.strerror or error}; expected a healthy local disk; "
        "look at the disk, then run `mldata check`"
    )


def _free(path: StrPath) -> tuple[int | None, int | None]:
    """Bytes and files (inodes) that still fit on the disk of ``path``; None where unknown."""
    folder = Path(path)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with suppress(OSError):
        state = os.statvfs(folder)
        # Filesystems that make inodes as they need them say that they have none at all.
        return state.f_bavail * state.f_frsize, state.f_favail if state.f_files else None
    return None, None


def write_all(fd: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte (a single ``write`` may stop early, at the size limit of the kernel or of the disk)."""
    written = os.write(fd, data)
    if written != len(data):
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]


def write_at(fd: int, data: ReadableBuffer, offset: int) -> None:
    """:func:`write_all` at an offset; the file's own is left alone."""
    rest = memoryview(data).cast("B")
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written


def sync_fd(fd: int) -> None:
    """Make an open file durable, through the disk's own cache."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fsync(fd)


def sync_path(name: StrPath, dir_fd: int | None = None) -> None:
    """Make a closed file or a folder durable."""
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        sync_fd(fd)
    finally:
        os.close(fd)


def sync_many(names: Sequence[str], dir_fd: int) -> None:
    """Make closed files or folders durable: one by one when few, else the whole filesystem at once.

    ``dir_fd`` must have been opened before they were written: Linux reports a failed write-back to descriptors that
    were open when it happened.
    """
    if len(names) > FEW and _syncfs(dir_fd):
        return
    for name in names:
        sync_path(name, dir_fd)


def _syncfs(fd: int) -> bool:
    """Linux ``syncfs(2)``; False where there is none."""
    if not sys.platform.startswith("linux"):
        return False
    call = _libc_call("syncfs")
    if call is None:
        return False
    if call(fd) != 0:
        import ctypes

        number = ctypes.get_errno()
        if number in (errno.ENOSYS, errno.EINVAL):
            return False
        raise OSError(number, os.strerror(number))
    return True


def start_writeback(fd: int, offset: int, size: int) -> None:
    """Ask the kernel to begin writing a range to disk, without waiting. A hint: failure means nothing."""
    if sys.platform.startswith("linux"):
        call = _libc_call("sync_file_range")
        if call is not None:
            import ctypes

            sync_file_range_write = 2
            call(fd, ctypes.c_int64(offset), ctypes.c_int64(size), sync_file_range_write)


_libc: Any = None


def _libc_call(name: str) -> Any:
    """A function of the C library, or None. Loaded late: a build with nothing to do never needs it."""
    global _libc
    if _libc is None:
        import ctypes

        _libc = ctypes.CDLL(None, use_errno=True)
    return getattr(_libc, name, None)


def unique_name() -> str:
    """A name that nobody else uses for a temporary, in this process or another."""
    return f"{os.getpid()}-{os.urandom(6).hex()}"


class Staging:
    """A private folder below ``tmp/`` for files that are not published yet.

    Names given out are relative to it; destinations are relative to the store's root. Several threads may create.
    """

    def __init__(self, root: Path, tmp: Path) -> None:
        self.folder = tmp / unique_name()
        self._numbers = itertools.count()
        self._own = threading.local()
        self._complete: set[str] = set()
        self._syncing: threading.Thread | None = None
        self._sync_error: OSError | None = None
        with explained(self.folder):
            try:
                os.mkdir(self.folder)
            except FileNotFoundError:
                tmp.mkdir(parents=True, exist_ok=True)
                os.mkdir(self.folder)
            self.fd = os.open(self.folder, FOLDER_FLAGS)
            try:
                self.root_fd = os.open(root, FOLDER_FLAGS)
            except BaseException:
                os.close(self.fd)
                raise

    def create(self) -> tuple[str, int]:
        """A new empty file, read-only for those who open it later: its name, and a descriptor to write and read it."""
        # A folder for each thread: creating in one and the same would make them wait for each other.
        own: str | None = getattr(self._own, "folder", None)
        if own is None:
            own = self._own.folder = self.new_folder()
        name = f"{own}/{next(self._numbers)}"
        checkpoint("temp.create:before")
        fd = os.open(name, _CREATE, 0o444, dir_fd=self.fd)
        checkpoint("temp.create:after")
        return name, fd

    def new_folder(self) -> str:
        """A folder of its own for one who makes temporaries by himself: its name."""
        name = f"t{next(self._numbers)}"
        os.mkdir(name, dir_fd=self.fd)
        return name

    def outside(self, path: Path) -> str:
        """The name by which a file elsewhere on the same filesystem is published as if it were a temporary of this folder."""
        return os.path.relpath(path, self.folder)

    def complete(self, folder: str) -> None:
        """Say that nobody writes below a :meth:`new_folder` any more, and that files in it have their final names, in
        folders of the name that they will be in: what is published from there may be moved a folder at a time."""
        self._complete.add(folder)

    def discard(self, name: str) -> None:
        """Remove a temporary that is not wanted any more."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self.fd)

    def start_sync(self) -> None:
        """Let the disk begin while more is staged. A failure is raised by :meth:`sync`, which is needed all the same."""
        if self._syncing is not None and self._syncing.is_alive():
            return
        self._wait_for_sync()

        def work() -> None:
            try:
                _syncfs(self.fd)
            except OSError as error:
                # The kernel reports a failed write to each descriptor once, so it must not be lost here.
                self._sync_error = error

        self._syncing = threading.Thread(target=work, name="store-sync", daemon=True)
        self._syncing.start()

    def _wait_for_sync(self) -> None:
        if self._syncing is not None:
            self._syncing.join()
            self._syncing = None
        if self._sync_error is not None:
            raise self._sync_error

    def sync(self, names: Sequence[str]) -> None:
        """Make the data of these temporaries durable."""
        checkpoint("batch.sync:before")
        self._wait_for_sync()
        sync_many(names, self.fd)
        checkpoint("batch.sync:after")

    def publish(self, moves: Iterable[tuple[str, str]], step: str, also: Iterable[str] = ()) -> None:
        """Rename synced temporaries into view, then make the names durable.

        Args:
            moves: (temporary, destination relative to the root).
            step: what they are, for the checkpoints: ``objects``, ``trees`` or ``results``.
            also: more folders, relative to the root, whose names must be durable too: those of objects that another
                process published and may not have synced yet.
        """
        renaming, renamed = f"{step}.rename:before", f"{step}.rename:after"
        folders = set(also)
        groups = _by_folder(moves)
        # Whole folders first, as long as the store does not have them.
        for source, folder in sorted(groups, key=lambda group: not self._is_complete(group[0])):
            names = groups[source, folder]
            folders.add(folder)
            if self._is_complete(source):
                checkpoint(renaming)
                if self._move_folder(source, folder, names.keys()):
                    folders.add(os.path.dirname(folder))
                    checkpoint(renamed)
                    continue
            for name, temp in names.items():
                checkpoint(renaming)
                target = f"{folder}/{name}"
                try:
                    os.rename(temp, target, src_dir_fd=self.fd, dst_dir_fd=self.root_fd)
                except FileNotFoundError:
                    self._make_folder(folder)
                    folders.add(os.path.dirname(folder))
                    os.rename(temp, target, src_dir_fd=self.fd, dst_dir_fd=self.root_fd)
                checkpoint(renamed)
        if folders:
            checkpoint(f"{step}.folders:before")
            sync_many(sorted(folders), self.root_fd)
            checkpoint(f"{step}.folders:after")

    def _is_complete(self, source: str) -> bool:
        return source.partition("/")[0] in self._complete

    def _move_folder(self, source: str, target: str, names: Collection[str]) -> bool:
        """Publish a whole folder of temporaries by one rename, if it holds these and nothing else, and ``target`` is not there
        yet (or is empty). False if nothing was done."""
        try:
            if set(os.listdir(self.folder / source)) != set(names):
                return False  # somebody was killed while he wrote here
            os.rename(source, target, src_dir_fd=self.fd, dst_dir_fd=self.root_fd)
        except OSError:
            return False
        return True

    def _make_folder(self, folder: str) -> None:
        parent = os.path.dirname(folder)
        for name in (parent, folder):
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=self.root_fd)

    def close(self) -> None:
        """Remove what was not published, and the folder. What cannot be removed is swept by a later run."""
        if self._syncing is not None:
            self._syncing.join()
        import shutil  # late: workers never need it

        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.fd)
        os.close(self.root_fd)


def _by_folder(moves: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """Temporaries by final name, for each folder they are in and folder they go to; in the order of ``moves``."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for temp, target in moves:
        folder, _, name = target.rpartition("/")
        groups.setdefault((temp.rpartition("/")[0], folder), {})[name] = temp
    return groups


def publish_bytes(path: StrPath, data: bytes, *, tmp: StrPath | None = None, mode: int = 0o644) -> None:
    """Put ``data`` at ``path`` durably: readers see the old content or the new, never a part. Makes missing folders.

    Args:
        path: the file to write or replace.
        tmp: folder on the same filesystem for the temporary; the file's own folder by default.
        mode: permission bits of the new file, before the umask.

    Raises:
        StoreFull, StoreReadOnly, StoreError: it could not be written; ``path`` is as it was.
    """
    target = os.fspath(path)
    parent, base = os.path.split(target)
    parent = parent or "."
    temp = os.path.join(os.fspath(tmp) if tmp is not None else parent, f".{base[:80]}.{unique_name()}.tmp")
    with explained(target, len(data)):
        os.makedirs(parent, exist_ok=True)
        try:
            checkpoint("file.write:before")
            fd = os.open(temp, _CREATE, mode)
            try:
                write_all(fd, data)
                checkpoint("file.write:after")
                sync_fd(fd)
                checkpoint("file.sync:after")
            finally:
                os.close(fd)
            checkpoint("file.rename:before")
            os.replace(temp, target)
            checkpoint("file.rename:after")
        except BaseException:
            with suppress(OSError):
                os.unlink(temp)
            raise
        sync_path(parent)
        checkpoint("file.folder:after")


def publish_text(path: StrPath, text: str, *, tmp: StrPath | None = None) -> None:
    """:func:`publish_bytes` of UTF-8 text, line ends as they are."""
    publish_bytes(path, text.encode("utf-8"), tmp=tmp)
