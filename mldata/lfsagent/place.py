"""Where an agent keeps the objects of Git LFS and takes them from: a :class:`Place`. The store is one; what is elsewhere can be another.

In the store the object with the LFS id (the SHA-256) OID is the ref ``lfs/AB/OID``, AB being the first two digits. It names a tree of one
file called OID, so that garbage collection keeps the content for as long as the ref is there, and never takes the content itself for a
tree. Git's history may need a file for ever: nothing removes these refs but their user.

Invariants: a ref is written after the content, read in the same pass as it was hashed, has turned out to have the SHA-256 and the size
that it is to be known by, and is durable. What is given out is verified by the store. The index of the store, which may remember the
SHA-256 of what was never uploaded (an export), saves time and is never the reason to write a ref.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol

from mldata.lfsagent.protocol import NOT_AS_PROMISED, NOT_FOUND, TransferError
from store import (
    KIND_FILE,
    BadEncoding,
    BadRef,
    Hashes,
    NameCollision,
    ObjectCorrupt,
    ObjectId,
    ObjectMissing,
    Store,
    StoreReadOnly,
    StoreVersionError,
    TreeEntry,
    UnsafeName,
    hash_file,
)

__all__ = ["Place", "StorePlace", "ref_name"]

Progress = Callable[[int], None]
"""Called with the bytes that are done."""

_LOST = (BadRef, ObjectMissing, ObjectCorrupt, BadEncoding, UnsafeName, NameCollision)
"""What looking up a ref whose file or tree is damaged raises: uploading again mends it."""


class Place(Protocol):
    """Where objects are. Opened for one agent, and used by it alone; others may use the same place at the same time."""

    def fetch(self, oid: str, size: int, folder: Path, progress: Progress) -> Path:
        """Put the object into ``folder`` as a file of its own that may be moved away.

        Raises:
            TransferError: it is not to be had.
            store.StoreError, OSError: something else is wrong.
        """
        ...

    def keep(self, oid: str, size: int, path: Path, progress: Progress) -> None:
        """Take in the object that is in the file ``path``; durable on return. Raises as :meth:`fetch`, also where the file is another one."""
        ...


class StorePlace:
    """A store as a :class:`Place`. A context manager."""

    def __init__(self, root: Path, *, writing: bool) -> None:
        """Open the store in ``root``, which must be there.

        Raises:
            TransferError: there is no store, or nothing may be written (``writing``).
        """
        try:
            self._store = Store.open(root, create=False)
        except StoreVersionError as error:
            raise TransferError(
                f"{error}. Say where the store is: mldata lfs-agent --setup --store DIR", NOT_FOUND
            ) from error
        self._closing = ExitStack()
        self._closing.callback(self._store.close)
        if not self._store.read_only:
            self._closing.enter_context(self._store.lease("lfs-agent"))  # gc beside it takes nothing away
        elif writing:
            self._closing.close()
            raise StoreReadOnly(root)

    def fetch(self, oid: str, size: int, folder: Path, progress: Progress) -> Path:
        """See :class:`Place`. By hardlink where the filesystem can, else by reflink or copy; read-only."""
        found = self._uploaded(oid) or self._made_here(oid)
        if found is None:
            raise TransferError(
                f"expected the object {oid} ({size:,} bytes) in the store {self._store.root}, found none; "
                "who has the file sends it by `git lfs push --all REMOTE`, or builds the export that it is of",
                NOT_FOUND,
            )
        if found.size != size:
            raise TransferError(
                f"expected the object {oid} to have {size:,} bytes, found {found.size:,}: the pointer in git is not that of this content; "
                "look at it: git lfs pointer --check",
                NOT_AS_PROMISED,
            )
        self._store.hand_over([(oid, found)], folder, force=True)
        progress(size)
        return folder / oid

    def keep(self, oid: str, size: int, path: Path, progress: Progress) -> None:
        """See :class:`Place`."""
        found = self._uploaded(oid)
        if found is not None and found.size == size:
            progress(size)
            return
        known = self._made_here(oid, path)
        with self._store.batch() as batch:
            if (
                known is None or known.size != size or batch.missing([known])
            ):  # what is there is leased by this look
                hashes = batch.put_file(path, hashes=("sha256",), progress=progress)
                _check(oid, size, hashes, path)
                known = ObjectId(hashes.digest, hashes.size)
            else:
                progress(size)
            tree = batch.put_tree([TreeEntry(oid, KIND_FILE, known.digest, known.size)])
        self._store.refs.set(ref_name(oid), tree.digest)

    def _uploaded(self, oid: str) -> ObjectId | None:
        """The content of an object that was uploaded; None unless it is there and sound, and so are its ref and tree."""
        try:
            tree = self._store.refs.get(ref_name(oid))
            entry = self._store.tree(tree).get(oid) if tree is not None else None
            if entry is None or entry.kind != KIND_FILE:
                return None
            self._store.path(entry.digest)
        except _LOST:
            return None
        return ObjectId(entry.digest, entry.size)

    def _made_here(self, oid: str, path: Path | None = None) -> ObjectId | None:
        """The content of an object that the store has without an upload, such as a file of an export.

        Args:
            path: only if this file, which is read, has that very content too.
        """
        for known in self._store.index.find_sha256(oid):
            if path is not None and hash_file(path, ("sha256",)) != replace(known, md5=None):
                continue
            try:
                self._store.path(known.digest)
            except (ObjectMissing, ObjectCorrupt):
                continue
            return ObjectId(known.digest, known.size)
        return None

    def __enter__(self) -> StorePlace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()


def ref_name(oid: str) -> str:
    """The ref that keeps the object ``oid``, 64 hex digits."""
    return f"lfs/{oid[:2]}/{oid}"


def _check(oid: str, size: int, found: Hashes, path: Path) -> None:
    """Raise unless the file is what it is said to be."""
    if found.sha256 != oid or found.size != size:
        raise TransferError(
            f"expected {path} to have {size:,} bytes with SHA-256 {oid}, found {found.size:,} with {found.sha256}: "
            "the file in git lfs's folder is damaged; see which are: git lfs fsck",
            NOT_AS_PROMISED,
        )
