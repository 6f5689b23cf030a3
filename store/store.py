"""Store: opens a folder as an object store and wires its parts.

Invariant: a folder that is not a store of a version this package knows is left exactly as it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from store import layout as layout_module
from store.actions import ActionCache
from store.atomic import explained, publish_text
from store.batch import Batch
from store.digest import CHUNK, Digest, Hashes, ObjectId
from store.errors import ObjectCorrupt, ObjectMissing, StoreReadOnly, StoreVersionError, StrPath
from store.index import Index
from store.layout import FORMAT_LINE, Layout
from store.leases import Lease, Leases
from store.lock import StoreLock
from store.objects import Objects
from store.refs import Refs
from store.trees import KIND_TREE, Tree, TreeEntry, nest, walk

if TYPE_CHECKING:
    from store.ahead import Ahead
    from store.check import CheckReport
    from store.gc import GcPlan
    from store.handing import HandedOver
    from store.materialize import Difference
    from store.partials import Partials
    from store.placing import Link, Materialized
    from store.source import Ingested


Named = Digest | ObjectId
"""How callers may name an object: what ``put`` and ``ingest`` returned does as well as the digest in it."""


def _digest(named: Named) -> Digest:
    return named.digest if isinstance(named, ObjectId) else named


class Store:
    """An open object store. A context manager. Threads may share one; a forked child may go on using it.

    Attributes:
        root: the store's folder.
        read_only: nothing is written: not even a lost seal is put back.
        actions: what each action made.
        refs: named roots.
        index: the disposable cache of secondary digests and stat caches.
    """

    def __init__(self, layout: Layout, *, read_only: bool, lock: StoreLock | None) -> None:
        """Not for callers: use :meth:`open`."""
        self.root = layout.root
        self.layout = layout
        self.read_only = read_only
        self._lock = lock
        self._ahead: Ahead | None = None
        self.index = Index(layout.index, read_only=read_only)
        self.objects = Objects(layout, self.index, read_only=read_only)
        self.leases = Leases(layout, read_only=read_only)
        self.actions = ActionCache(layout, self, self.leases, read_only=read_only)
        self.refs = Refs(layout, read_only=read_only, gate=self.leases.gate, present=self.has)

    @classmethod
    def open(cls, path: StrPath, *, create: bool = True, read_only: bool = False) -> Store:
        """Open the store in the folder ``path``.

        Args:
            create: make the store when there is none.
            read_only: write nothing. Also what happens on a filesystem or in a folder that cannot be written.

        Raises:
            StoreVersionError: the folder holds something else, or a store of another version. Nothing was touched.
            StoreReadOnly, StoreFull: there is no store and it cannot be made.
        """
        layout = Layout(Path(os.path.abspath(path)))
        if not _is_store(layout):
            if read_only or not create:
                raise StoreVersionError(
                    f"expected an object store in {layout.root}, found none; run `mldata build` to make it, or name another folder"
                )
            _create(layout)
        if read_only or not _writable(layout):
            return cls(layout, read_only=True, lock=None)
        lock = StoreLock(layout.lock)
        try:
            _prepare(layout, lock)
            return cls(layout, read_only=False, lock=lock)
        except BaseException:
            lock.close()
            raise

    def close(self) -> None:
        """Let go of the lock and of open files. The store must not be used afterwards."""
        if self._ahead is not None:
            self._ahead.close()
        self.index.close()
        self.objects.close()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def partials(self) -> Partials:
        """What came of downloads that were cut off."""
        from store.partials import Partials

        return Partials(self.layout, read_only=self.read_only)

    # -- objects

    def put(self, data: bytes | BinaryIO, *, hashes: Collection[str] = ()) -> ObjectId:
        """Store bytes, or what a stream still holds. Durable and visible on return.

        Args:
            hashes: secondary digests (``md5``, ``sha256``) to compute in the same pass; :meth:`hashes` returns them.
        """
        with self.batch() as batch:
            if isinstance(data, (bytes, bytearray, memoryview)):
                return batch.put(data, hashes=hashes)
            with batch.writer(hashes=hashes) as writer:
                while chunk := data.read(CHUNK):
                    writer.write(chunk)
            return writer.id

    def put_file(self, path: StrPath, *, hashes: Collection[str] = ()) -> ObjectId:
        """Store a file's content: by reflink where the filesystem can, else by copying. The file stays as it is.

        Raises:
            SourceChanged, SourceUnreadable, UnsafeName: it keeps changing, cannot be read, or is no regular file.
        """
        from store.collecting import seldom_collecting
        from store.ingest import ingest_files

        with seldom_collecting(), self.batch() as batch:
            return ingest_files(batch, [(os.fspath(path), path)], hashes=hashes)[0].id

    def has(self, digest: Named) -> bool:
        """Whether an object of this name is there; its content is not looked at."""
        return self.objects.has(_digest(digest))

    def intact(self, digest: Named, size: int | None = None) -> bool:
        """Whether the object is there and untouched since it was published. One ``stat``; nothing is read."""
        return self.objects.intact(_digest(digest), size)

    def read(self, digest: Named) -> bytes:
        """The object's bytes, verified by hashing. Raises :class:`ObjectMissing`, :class:`ObjectCorrupt`."""
        return self.objects.read(_digest(digest))

    def path(self, digest: Named) -> Path:
        """Where the object is, to be read only. Verified by its seal, else by hashing.

        Raises:
            ObjectMissing: there is none.
            ObjectCorrupt: its bytes were others; it has been moved to ``quarantine/``.
        """
        return self.objects.path(_digest(digest))

    def verify(self, digest: Named) -> None:
        """Hash the object whatever its seal says, for those who make another of its bytes. Raises as :meth:`path`."""
        wanted = _digest(digest)
        if self._ahead is None or not self._ahead.verified(wanted):
            self.objects.verify_content(wanted)

    def verify_ahead(self, digests: Iterable[Digest]) -> None:
        """Begin to :meth:`verify` objects while something else is done. What nobody asks for before the store is closed is dropped."""
        if self._ahead is None:
            from store.ahead import Ahead

            self._ahead = Ahead(self.objects)
        self._ahead.begin(digests)

    def open_object(self, digest: Named) -> BinaryIO:
        """The object opened for reading; verified, and raises, as :meth:`path`."""
        return self.objects.open(_digest(digest))

    def hashes(self, digests: Iterable[Digest], names: Collection[str]) -> dict[Digest, Hashes]:
        """Secondary digests of objects: remembered, or computed once and then remembered. Raises as :meth:`path`."""
        return self.objects.hashes(digests, names)

    def batch(self) -> Batch:
        """Group commit: many objects, trees and results made durable together. Raises :class:`StoreReadOnly`."""
        return Batch(self.objects, self.leases, self.actions)

    # -- trees

    def ingest(
        self, folder: StrPath, *, hashes: Collection[str] = (), ignore: Callable[[str], bool] | None = None
    ) -> ObjectId:
        """Store a folder with all below it; returns its tree. Folders without files are left out, as in git.

        Args:
            hashes: secondary digests to compute in the same pass.
            ignore: called with the name ``a/b`` of each file and folder; true leaves it out.

        Raises:
            UnsafeName, NameCollision, SourceChanged, SourceUnreadable: naming the file.
        """
        from store.collecting import seldom_collecting
        from store.ingest import ingest_files
        from store.source import scan

        with seldom_collecting(), self.batch() as batch:
            files = ingest_files(batch, scan(folder, ignore), hashes=hashes)
            return nest(((file.name, file.id, file.executable) for file in files), batch.put_tree)

    def ingest_files(
        self,
        files: Iterable[tuple[str, StrPath]],
        *,
        hashes: Collection[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Ingested]:
        """Store files, each read once, and say what each became, in their order. Durable on return.

        Args:
            files: (name to report it by, path). A link is followed.
            progress: called with the number of files and of bytes taken in so far.

        Raises:
            UnsafeName: not a regular file. SourceChanged, SourceUnreadable: naming the path.
        """
        from store.collecting import seldom_collecting
        from store.ingest import ingest_files

        with seldom_collecting(), self.batch() as batch:
            return ingest_files(batch, files, hashes=hashes, progress=progress)

    def put_tree(self, entries: Iterable[TreeEntry]) -> ObjectId:
        """Store one level of a tree; what it lists must be stored before. Raises :class:`UnsafeName`, :class:`NameCollision`."""
        with self.batch() as batch:
            return batch.put_tree(entries)

    def put_paths(self, files: Iterable[tuple[str, ObjectId, bool]]) -> ObjectId:
        """Store the trees that (path ``a/b/c``, object, executable) need; returns the outermost.

        Raises:
            UnsafeName, NameCollision: naming the path.
        """
        with self.batch() as batch:
            return batch.put_paths(files)

    def tree(self, digest: Named) -> Tree:
        """The tree that an object holds. Raises as :meth:`read`, and :class:`BadEncoding` if it is no tree."""
        return Tree.decode(self.objects.read(_digest(digest)))

    def walk(self, digest: Named) -> Iterator[tuple[str, TreeEntry]]:
        """Every file below a tree as (path, entry), depth first."""
        return walk(_digest(digest), self.tree)

    def missing(self, tree: Named, limit: int | None = None) -> list[ObjectId]:
        """Objects below a tree, and the tree itself, that are absent or not what their names say (those are moved aside).

        Args:
            limit: stop after so many.
        """
        found: list[ObjectId] = []
        seen: set[Digest] = set()
        stack: list[TreeEntry] = [TreeEntry("", KIND_TREE, _digest(tree), -1)]
        while stack and (limit is None or len(found) < limit):
            entry = stack.pop()
            if entry.digest in seen:
                continue
            seen.add(entry.digest)
            if entry.kind == KIND_TREE:
                try:
                    stack.extend(reversed(self.tree(entry.digest).entries))
                except (ObjectMissing, ObjectCorrupt):
                    found.append(ObjectId(entry.digest, max(entry.size, 0)))
            elif not self.objects.sound(entry.digest, entry.size):
                found.append(ObjectId(entry.digest, entry.size))
        return found

    def borrow(self, other: Store, ids: Iterable[ObjectId]) -> Iterator[ObjectId]:
        """Take over objects of another store, hashed on the way, by hardlink where that can be. Yields each when it is done; all are
        visible when the iterator ends.

        Raises:
            ObjectMissing, ObjectCorrupt: of ``other``. StoreFull, StoreReadOnly: of this one.
        """
        from store.borrow import borrow

        with self.batch() as batch:
            yield from borrow(other.objects, batch, ids)

    def materialize(
        self,
        tree: Named,
        out: StrPath,
        *,
        link: Link = "auto",
        previous: Named | Mapping[str, TreeEntry] | None = None,
        force: bool = True,
    ) -> Materialized:
        """Make the folder ``out`` hold what ``tree`` says. Files that are right already are not touched.

        Args:
            link: ``reflink``, ``hardlink`` (read-only files) or ``copy``; ``auto`` takes the first that works. Programs
                are never hardlinked, since permission bits are shared.
            previous: the tree that was materialized here before, or its files by path where the tree itself is not known: those that are
                not in ``tree`` are removed, unless somebody edited them.
            force: replace files that stand in the way; else those that neither ``previous`` nor ``tree`` put there are
                left and reported as skipped.

        Raises:
            UnsafeName, NameCollision: a name in the tree, or a link or folder in the way.
            ObjectMissing, ObjectCorrupt: content is not there.
            StoreError: ``link`` asks for what the filesystem cannot do. StoreFull, StoreReadOnly: of ``out``.
        """
        from store.materialize import materialize

        before = _digest(previous) if isinstance(previous, str | ObjectId) else previous
        return materialize(
            self.objects, self.tree, _digest(tree), out, link=link, previous=before, force=force
        )

    def verify_export(self, tree: Named, out: StrPath) -> list[Difference]:
        """Which files of ``tree`` are missing in ``out`` or changed: by seal, else by hashing. Other files do not matter."""
        from store.materialize import verify_export

        return verify_export(self.tree, _digest(tree), out)

    def hand_over(
        self, files: Iterable[tuple[str, ObjectId]], folder: StrPath, *, force: bool = False
    ) -> HandedOver:
        """Make objects stand in the object folder of another program as well, by hardlink, else reflink, else copy, read-only.

        Args:
            files: (path below ``folder``, object). A path that stands there with the right content is not touched.
            force: replace what has other content; else it is left. Either way it is reported.

        Raises:
            UnsafeName: a path, or a link or file where a folder is to be.
            ObjectMissing, ObjectCorrupt: an object is not there. StoreFull, StoreReadOnly: of ``folder``.
        """
        from store.collecting import seldom_collecting
        from store.handing import hand_over

        with seldom_collecting():
            return hand_over(self.objects, files, folder, force=force)

    # -- keeping and removing

    def lease(self, why: str) -> AbstractContextManager[Lease]:
        """Keep everything that is found or stored meanwhile from a gc in another process. See ``store.leases``."""
        return self.leases.lease(why)

    def plan_gc(
        self,
        *,
        keep_last: int | None = None,
        max_age: timedelta | None = None,
        max_size: int | None = None,
        extra_roots: Mapping[str, Digest] | None = None,
        now: datetime | None = None,
    ) -> GcPlan:
        """What a garbage collection would remove, and why. Removes nothing. See ``store.gc``."""
        from store.gc import plan_gc

        return plan_gc(
            self,
            keep_last=keep_last,
            max_age=max_age,
            max_size=max_size,
            extra_roots=extra_roots,
            now=now,
        )

    def execute_gc(self, plan: GcPlan) -> GcPlan:
        """Remove what a plan lists and nothing needs since; returns what was really removed."""
        from store.gc import execute_gc

        if self.read_only:
            raise StoreReadOnly(self.root)
        return execute_gc(self, plan)

    def check(
        self,
        *,
        read_data: bool = False,
        sample: float | None = None,
        max_duration: float | None = None,
        repair: bool = False,
    ) -> CheckReport:
        """Look for missing, altered and stray files; ``repair`` moves bad ones aside. See ``store.check``."""
        from store.check import check

        return check(self, read_data=read_data, sample=sample, max_duration=max_duration, repair=repair)


def _is_store(layout: Layout) -> bool:
    """False when there is nothing; raises for anything but a store of this version."""
    try:
        with open(layout.format, "rb") as file:
            line = file.read(200)
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        raise StoreVersionError(
            f"expected a folder at {layout.root}, found a file; name another folder"
        ) from None
    except OSError as error:
        raise StoreVersionError(
            f"expected to read {layout.format}: {error.strerror}; check its permissions"
        ) from error
    else:
        if line == FORMAT_LINE.encode():
            return True
        raise StoreVersionError(
            f"expected {FORMAT_LINE.strip()!r} in {layout.format}, found {line!r:.60}; nothing was touched: "
            "use the version of mldata that made this store, or another folder"
        )
    try:
        there = os.listdir(layout.root)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreVersionError(f"expected to list {layout.root}: {error.strerror}; check it") from error
    strangers = sorted(name for name in there if not _ours_while_creating(name))
    if strangers:
        if _is_store_now(layout):
            return True
        raise StoreVersionError(
            f"expected an object store or an empty folder at {layout.root}, found {strangers[0]!r} and no format file; "
            "nothing was touched: name another folder, or put the format file back if it was lost"
        )
    return False


def _ours_while_creating(name: str) -> bool:
    return name.startswith(".format.") and name.endswith(".tmp")


def _is_store_now(layout: Layout) -> bool:
    """Somebody else may have finished making it since we looked."""
    try:
        return layout.format.read_bytes() == FORMAT_LINE.encode()
    except OSError:
        return False


def _create(layout: Layout) -> None:
    """Make an empty store. Safe for several at once: each publishes the same format file, then what is missing is made."""
    with explained(layout.root):
        os.makedirs(layout.root, exist_ok=True)
    publish_text(layout.format, FORMAT_LINE)


def _writable(layout: Layout) -> bool:
    """Whether this process may write here; on a filesystem mounted read-only even root may not."""
    folders = [layout.root, *(layout.root / name for name in layout_module.FOLDERS)]
    return all(os.access(folder, os.W_OK | os.X_OK) for folder in folders if folder.exists())


def _prepare(layout: Layout, lock: StoreLock) -> None:
    """Make what is missing, and remove what killed processes left, if nobody else has the store open."""
    there = set(os.listdir(layout.root))
    with explained(layout.root):
        for folder in layout_module.FOLDERS:
            if folder not in there:
                os.makedirs(layout.root / folder, exist_ok=True)
    if layout.cachedir_tag.name not in there:
        publish_text(layout.cachedir_tag, layout_module.CACHEDIR_TAG)
    if os.listdir(layout.tmp) and lock.try_alone():
        for entry in os.scandir(layout.tmp):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(entry.path)
    lock.share()
