"""Batches: many objects, their trees and the action results that name them, made durable together.

Order of a commit, which keeps "objects are durable before the tree that lists them, trees before the result":
1. sync the data of everything staged; 2. rename objects into place, sync their folders; 3. the same for trees; 4. the
same for action results. Before step 2 nothing is visible. With more than a few files each sync is one ``syncfs``.

Content that the store has already is not written again, if its seal is intact or its bytes are still right; else the
bad one goes to quarantine and the new one takes its place. What a batch relies on or publishes is in the current
lease before it is looked for, so a gc beside it cannot take it away.
"""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext, suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from store.actions import ActionCache, ActionResult, Recorded, encode_result
from store.atomic import Staging, checkpoint, explained, start_writeback, write_all
from store.copying import copy_in
from store.digest import CHUNK, Digest, Hashes, MultiHasher, ObjectId, hash_bytes
from store.errors import SourceChanged, StoreReadOnly, StrPath, UnsafeName
from store.layout import action_name, object_name
from store.objects import Objects
from store.seal import reseal, seal_times
from store.source import kind_of, open_source, unchanged
from store.trees import KIND_TREE, Tree, TreeEntry, nest

WRITEBACK_BYTES = 16 << 20
"""A large object goes to the disk while it is written, so many bytes at a time, so that its batch waits less for it."""

if TYPE_CHECKING:
    from store.leases import Leases


class _Staged(NamedTuple):
    temp: str
    size: int
    is_tree: bool


class Batch:
    """Stages objects, trees and results; :meth:`commit` publishes them. A context manager: leaving it commits, an
    exception aborts. ``put``, ``put_tree``, ``writer`` and ``add_result`` may be called from several threads at once."""

    def __init__(
        self, objects: Objects, leases: Leases | None = None, actions: ActionCache | None = None
    ) -> None:
        if objects.read_only:
            raise StoreReadOnly(objects.layout.root)
        self.objects = objects
        """The store's objects."""
        self._leases = leases
        self._actions = actions
        self._lock = threading.Lock()
        self._staging: Staging | None = None
        self._staged: dict[Digest, _Staged] = {}
        self._results: dict[Digest, tuple[str, ActionResult]] = {}
        self.recorded: dict[Digest, Recorded] = {}
        """What became of each result that was committed: the first one of an action stays."""
        self._reused: set[str] = set()
        """Folders of objects that were there already: whoever published them may not have synced the name yet."""
        self._hashes: list[Hashes] = []

    # -- staging

    def put(self, data: bytes | memoryview, *, hashes: Collection[str] = ()) -> ObjectId:
        """Stage bytes. Visible after :meth:`commit`."""
        found = hash_bytes(data, hashes)
        return self.put_hashed([(found, data)])[0]

    def put_file(
        self, path: StrPath, *, hashes: Collection[str] = (), progress: Callable[[int], None] | None = None
    ) -> Hashes:
        """Stage one file's content, by reflink where the filesystem can, and say all its digests before anything is visible.

        Args:
            progress: called with the bytes hashed so far.

        Raises:
            SourceChanged, SourceUnreadable, UnsafeName: it is being written to, cannot be read, or is no regular file.
        """
        name = os.fspath(path)
        fd = open_source(name)
        try:
            before = os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                raise UnsafeName(name, f"it is {kind_of(before.st_mode)}, expected a regular file")
            temp, found = copy_in(self.staging, fd, before.st_size, name, hashes, progress)
            if found.size != before.st_size or not unchanged(before, os.fstat(fd)):
                self.staging.discard(temp)
                raise SourceChanged(name)
        finally:
            os.close(fd)
        self.adopt(found, temp)
        return found

    def put_tree(self, entries: Iterable[TreeEntry]) -> ObjectId:
        """Stage one level of a tree, of objects that exist or are staged here. Names are checked."""
        data = Tree(entries).encode()
        return self.put_hashed([(hash_bytes(data), data)], is_tree=True)[0]

    def put_paths(self, files: Iterable[tuple[str, ObjectId, bool]]) -> ObjectId:
        """Stage the trees that (path ``a/b/c``, object, executable) need; returns the outermost.

        Raises:
            UnsafeName, NameCollision: naming the path.
        """
        return nest(files, self.put_tree)

    def put_hashed(
        self, items: list[tuple[Hashes, bytes | memoryview]], *, is_tree: bool = False
    ) -> list[ObjectId]:
        """Stage several byte strings whose digests the caller computed from these very bytes."""
        ids = [ObjectId(hashes.digest, hashes.size) for hashes, _ in items]
        new = self.missing(ids, is_tree=is_tree)
        if new:
            staging = self.staging
            second = int(time.time())
            staged: dict[Digest, _Staged] = {}
            with explained(staging.folder, sum(id.size for id in new)):
                for id, (_, data) in zip(ids, items, strict=True):
                    if id in new and id.digest not in staged:
                        temp, fd = staging.create()
                        try:
                            write_all(fd, data)
                            checkpoint("temp.write:after")
                            os.utime(fd, ns=seal_times(id.digest, second))
                        finally:
                            os.close(fd)
                        staged[id.digest] = _Staged(temp, id.size, is_tree)
            self._add(staged)
        self.remember(hashes for hashes, _ in items)
        return ids

    def missing(self, ids: Iterable[ObjectId], *, is_tree: bool = False) -> set[ObjectId]:
        """Which of these must be written: neither staged here nor soundly in the store. All become needed."""
        wanted = {id for id in ids if id.digest not in self._staged}
        if not wanted:
            return wanted
        with self._needed([id.digest for id in wanted], "tree" if is_tree else "object"):
            there = {id for id in wanted if self._is_there(id)}
        with self._lock:
            self._reused.update(f"objects/{id.digest[:2]}" for id in there)
        return wanted - there

    def _is_there(self, id: ObjectId) -> bool:
        found = self.objects.stat(id.digest)
        if found is None:
            return False
        return self.objects.intact(id.digest, id.size) or self.objects.sound(id.digest, id.size)

    def _needed(self, digests: list[Digest], kind: Any) -> Any:
        """Within this, gc deletes nothing; the digests are in the current lease, if there is one."""
        leases = self._leases
        if leases is None or leases.current is None:
            return nullcontext()
        stack = _Gate(leases, digests, kind)
        return stack

    def writer(
        self,
        *,
        hashes: Collection[str] = (),
        threads: int = 1,
        checkpoint: Callable[[], None] | None = None,
    ) -> ObjectWriter:
        """A file-like object to write one object to; ``close()`` stages it, ``.id`` says what it became.

        Args:
            threads: that may hash what is written, where it comes in large pieces.
            checkpoint: called now and then while it is written to; may raise to stop that.
        """
        return ObjectWriter(self, hashes, threads, checkpoint)

    def add_result(self, key: Digest, result: ActionResult) -> None:
        """Stage an action result, published after everything else in this batch. See :attr:`recorded`."""
        if self._actions is None:
            raise TypeError("this batch was made without an action cache")
        data = encode_result(key, result)
        staging = self.staging
        with explained(staging.folder, len(data)):
            name, fd = staging.create()
            try:
                write_all(fd, data)
                checkpoint("temp.write:after")
            finally:
                os.close(fd)
        with self._lock:
            self._results[key] = (name, result)

    def adopt_many(self, items: Collection[tuple[ObjectId, str]]) -> set[Digest]:
        """:meth:`adopt` for many, where an empty name says that the store was seen to have the content.

        Returns:
            Those of which that is no longer true: a gc was faster. They must be put again.
        """
        made = {id.digest: _Staged(temp, id.size, False) for id, temp in items if temp}
        for id, temp in items:
            if temp and made[id.digest].temp != temp:
                self.staging.discard(temp)
        with self._needed(list(made), "object"):
            pass
        gone = {id.digest for id in self.missing([id for id, temp in items if not temp])} - made.keys()
        self._add(made)
        return gone

    def adopt(self, hashes: Hashes, temp: str) -> ObjectId:
        """Stage a temporary of :attr:`staging`, already written and sealed, unless the store has the content."""
        id = ObjectId(hashes.digest, hashes.size)
        if self.missing([id]):
            self._add({id.digest: _Staged(temp, id.size, False)})
        else:
            self.staging.discard(temp)
        self.remember([hashes])
        return id

    @property
    def staging(self) -> Staging:
        """Where temporaries of this batch are made."""
        with self._lock:
            if self._staging is None:
                self._staging = Staging(self.objects.layout.root, self.objects.layout.tmp)
            return self._staging

    def _add(self, new: dict[Digest, _Staged]) -> None:
        """Take temporaries in. Another thread may have been faster with the same content: then its one stays."""
        with self._lock:
            late = [item for digest, item in new.items() if self._staged.setdefault(digest, item) is not item]
        for item in late:
            self.staging.discard(item.temp)

    def remember(self, hashes: Iterable[Hashes]) -> None:
        """Keep secondary digests for the index, which learns them when the batch commits."""
        secondary = [item for item in hashes if item.md5 or item.sha256]
        if secondary:
            with self._lock:
                self._hashes += secondary

    # -- publishing

    def start_sync(self) -> None:
        """Let the disk begin with what is staged; :meth:`commit` then waits less. Worth it for thousands of objects."""
        self.staging.start_sync()

    def commit(self) -> None:
        """Publish everything staged so far, durably. The batch can be used again afterwards."""
        with self._lock:
            staging, staged, results = self._staging, self._staged, self._results
            reused, hashes = self._reused, self._hashes
            self._staged, self._results, self._reused, self._hashes = {}, {}, set(), []
        if staging is None and reused:
            staging = self.staging
        if staging is None:
            return
        plain = [(item.temp, object_name(digest)) for digest, item in staged.items() if not item.is_tree]
        trees = [(item.temp, object_name(digest)) for digest, item in staged.items() if item.is_tree]
        with explained(self.objects.layout.objects, sum(item.size for item in staged.values())):
            temps = [temp for temp, _ in (*plain, *trees, *results.values())]
            if temps:
                staging.sync(temps)
            # In order of folder and name, so that the filesystem touches each folder's blocks once.
            staging.publish(sorted(plain, key=_destination), "objects", reused)
            staging.publish(sorted(trees, key=_destination), "trees")
            if results:
                self._publish_results(staging, results)
        self.objects.index.put_hashes(hashes)

    def _publish_results(self, staging: Staging, results: dict[Digest, tuple[str, ActionResult]]) -> None:
        """Publish the results of actions that have none yet; what they name is visible by now."""
        actions = self._actions
        assert actions is not None
        with self._leases.gate() if self._leases is not None else nullcontext():
            moves = []
            for key, (temp, result) in results.items():
                recorded = self.recorded[key] = actions.first(key, result)
                if recorded.status == "new":
                    moves.append((temp, action_name(key)))
            staging.publish(moves, "results")
            if self._leases is not None and self._leases.current is not None:
                for key in results:
                    self._leases.need([key], "result")
                    for output in self.recorded[key].result.outputs.values():
                        self._leases.need([output.digest], "tree" if output.kind == KIND_TREE else "file")

    def abort(self) -> None:
        """Drop everything that is not committed, and the temporaries."""
        with self._lock:
            staging, self._staging = self._staging, None
            self._staged, self._results, self._reused, self._hashes = {}, {}, set(), []
        if staging is not None:
            staging.close()

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.abort()


def _destination(move: tuple[str, str]) -> str:
    return move[1]


class _Gate:
    """Inside: the gate is held and the digests are leased."""

    def __init__(self, leases: Leases, digests: list[Digest], kind: Any) -> None:
        self._gate = leases.gate()
        self._leases = leases
        self._digests = digests
        self._kind = kind

    def __enter__(self) -> None:
        self._gate.__enter__()
        try:
            self._leases.need(self._digests, self._kind)
        except BaseException:
            self._gate.__exit__(None, None, None)
            raise

    def __exit__(self, *details: Any) -> None:
        self._gate.__exit__(None, None, None)


class ObjectWriter(io.RawIOBase, BinaryIO):
    """A file to write one object to, hashed on the way. For one thread at a time.

    ``close()`` stages the object, after which :attr:`id` and :attr:`hashes` are set. Leaving a ``with`` by an exception,
    :meth:`discard` or being forgotten drops it.
    """

    def __init__(
        self,
        batch: Batch,
        hashes: Collection[str] = (),
        threads: int = 1,
        checkpoint: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._fd = -1
        self._batch = batch
        self._hasher = MultiHasher(hashes, threads=threads)
        self._buffer = bytearray()
        self._size = 0
        self._written_back = 0
        self._staging = batch.staging
        self.hashes: Hashes | None = None
        """Digests of what was written, after ``close()``."""
        with explained(self._staging.folder):
            self._temp, self._fd = self._staging.create()

    @property
    def id(self) -> ObjectId:
        """The object that was staged. ``ValueError`` before ``close()`` and after :meth:`discard`."""
        if self.hashes is None:
            raise ValueError("the object has no digest before close()")
        return ObjectId(self.hashes.digest, self.hashes.size)

    def write(self, data: Any) -> int:
        """Take all of ``data`` (bytes or a buffer of bytes) and return its length."""
        if self._fd < 0:
            raise ValueError("write to a closed object writer")
        view = memoryview(data).cast("B")
        self._size += len(view)
        if len(view) >= CHUNK:
            self._drain()
            self._emit(view)
        else:
            self._buffer += view
            if len(self._buffer) >= CHUNK:
                self._drain()
        return len(view)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing is promised before the batch commits."""

    def close(self) -> None:
        """Stage the object. A second call does nothing."""
        if self._fd < 0:
            return
        try:
            self._drain()
            hashes = self._hasher.finish()
            reseal(self._fd, hashes.digest)
        except BaseException:
            self.discard()
            raise
        os.close(self._fd)
        self._fd = -1
        self._batch.adopt(hashes, self._temp)
        self.hashes = hashes
        super().close()

    def discard(self) -> None:
        """Drop what was written."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._staging.discard(self._temp)
            super().close()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        # RawIOBase would close, and so stage half an object.
        with suppress(Exception):
            self.discard()

    def _drain(self) -> None:
        if self._buffer:
            data, self._buffer = self._buffer, bytearray()
            self._emit(data)

    def _emit(self, data: bytearray | memoryview) -> None:
        if self._checkpoint is not None:
            self._checkpoint()
        with explained(self._staging.folder, len(data)):
            self._hasher.update(data, partial(write_all, self._fd, data))
        checkpoint("temp.write:after")
        if (behind := self._size - self._written_back) >= WRITEBACK_BYTES:
            start_writeback(self._fd, self._written_back, behind)
            self._written_back = self._size
