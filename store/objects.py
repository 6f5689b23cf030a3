"""Objects as they stand on disk: found, verified, opened, moved aside when they are not what they claim.

Invariants: an object is served only with an intact seal or after its bytes were hashed; one that fails is moved to
``quarantine/`` under a name of its own, never deleted and never overwritten; a name that is missing stays missing until
the content is put again. Publishing is done by ``store.batch``, through ``store.atomic``.
"""

from __future__ import annotations

import os
import stat as stat_module
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from store.atomic import FOLDER_FLAGS, unique_name
from store.digest import Digest, Hashes, ObjectId, as_digest, as_digests, check_hash_names, hash_fd
from store.errors import ObjectCorrupt, ObjectMissing, StoreError
from store.index import Index
from store.layout import Layout, object_name
from store.seal import is_sealed, reseal

_READ = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Verdict(NamedTuple):
    """What hashing an object showed."""

    good: bool
    hashes: Hashes | None
    """Digests of the bytes that are there; None if they could not be read."""
    stat: os.stat_result | None
    """The file that was looked at."""


class Objects:
    """The objects of one store. Threads may share it."""

    def __init__(self, layout: Layout, index: Index, *, read_only: bool = False) -> None:
        self.layout = layout
        self.index = index
        self.read_only = read_only
        self.root_fd = os.open(layout.root, FOLDER_FLAGS)

    def close(self) -> None:
        """Let go of the root folder."""
        if self.root_fd >= 0:
            os.close(self.root_fd)
            self.root_fd = -1

    def stat(self, digest: Digest) -> os.stat_result | None:
        """The object's file, or None if there is none. ``digest`` must have been checked."""
        try:
            return os.stat(object_name(digest), dir_fd=self.root_fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def has(self, digest: Digest) -> bool:
        """Whether an object of this name is there; not whether it is whole."""
        return self.stat(as_digest(digest)) is not None

    def intact(self, digest: Digest, size: int | None = None) -> bool:
        """Whether the object is there with its seal: nobody wrote to it since it was published. One ``stat``."""
        found = self.stat(as_digest(digest))
        return found is not None and stat_module.S_ISREG(found.st_mode) and is_sealed(found, digest, size)

    def sound(self, digest: Digest, size: int | None = None) -> bool:
        """Whether the object can be relied on: by its seal, else by hashing. A bad one is moved aside (unless read-only)."""
        try:
            self.verify(digest, size)
        except (ObjectMissing, ObjectCorrupt):
            return False
        return True

    def path(self, digest: Digest) -> Path:
        """Where the verified object is. Raises :class:`ObjectMissing` or, after moving it aside, :class:`ObjectCorrupt`."""
        self.verify(digest)
        return self.layout.object(digest)

    def verify(self, digest: Digest, size: int | None = None) -> None:
        """Check the seal; if it is broken, hash, and seal again what is right. Raises as :meth:`path` does."""
        if not self.intact(digest, size):
            self.verify_content(digest)

    def verify_content(self, digest: Digest, names: Collection[str] = ()) -> Hashes:
        """Hash the object whatever its seal says, and put a lost seal back.

        Args:
            names: secondary digests to compute on the way.

        Raises:
            ObjectMissing: there is none.
            ObjectCorrupt: its bytes are others, or cannot be read; it has been moved aside.
        """
        verdict = self.inspect(digest, names)
        if verdict.good and verdict.hashes is not None:
            return verdict.hashes
        moved = self.quarantine(digest, verdict.stat)
        found = verdict.hashes.digest if verdict.hashes else ""
        raise ObjectCorrupt(digest, self.layout.object(digest), moved, found)

    def inspect(
        self,
        digest: Digest,
        names: Collection[str] = (),
        *,
        threads: int | None = None,
        checkpoint: Callable[[], None] | None = None,
    ) -> Verdict:
        """Hash the object and say what was found, moving nothing; a lost seal of a good one is put back.

        Raises :class:`ObjectMissing`, and what ``checkpoint`` raises, which is called now and then.
        """
        try:
            fd = self._open(digest)
        except ObjectMissing:
            raise
        except OSError:
            return Verdict(False, None, self.stat(digest))
        try:
            before = os.fstat(fd)
            if not stat_module.S_ISREG(before.st_mode):
                return Verdict(False, None, before)
            try:
                hashes = hash_fd(fd, names, threads=threads, checkpoint=checkpoint)
            except OSError:
                return Verdict(False, None, before)
            after = os.fstat(fd)
            good = hashes.digest == digest
            still = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
            if good and still and not self.read_only and not is_sealed(after, digest):
                reseal(fd, digest)
            return Verdict(good, hashes, after)
        finally:
            os.close(fd)

    def read(self, digest: Digest) -> bytes:
        """The object's bytes, verified by hashing them. Raises as :meth:`path` does."""
        fd = self._open_regular(digest)
        with open(fd, "rb", buffering=0) as file:
            try:
                data = file.read()
            except OSError:
                data = b""
        from store.digest import digest_bytes

        if digest_bytes(data) != digest:
            self.verify_content(digest)  # moves it aside and raises
            raise StoreError(f"object {digest} changed while it was read; run again")
        return data

    def open(self, digest: Digest) -> BinaryIO:
        """The verified object, opened for reading. Raises as :meth:`path` does."""
        self.verify(digest)
        return open(self._open_regular(digest), "rb")

    def hashes(self, digests: Iterable[Digest], names: Collection[str]) -> dict[Digest, Hashes]:
        """Secondary digests, from the index, else computed once and remembered. The bytes are verified on the way."""
        wanted = check_hash_names(names)
        asked = as_digests(list(dict.fromkeys(digests)))
        known = self.index.get_hashes(asked)
        found: dict[Digest, Hashes] = {}
        new: list[Hashes] = []
        for digest in asked:
            hashes = known.get(digest)
            if hashes is None or not hashes.covers(wanted):
                hashes = self.verify_content(digest, wanted)
                new.append(hashes)
            found[digest] = hashes
        self.index.put_hashes(new)
        return found

    def quarantine(self, digest: Digest, seen: os.stat_result | None = None) -> Path | None:
        """Move an object aside, never over another file. None if it is gone already or the store is read-only.

        Args:
            seen: the file found bad; if another has taken its place meanwhile, that one stays.
        """
        path = self.layout.object(digest)
        if self.read_only:
            return None
        now = self.stat(digest)
        if now is None or (seen is not None and (now.st_ino, now.st_dev) != (seen.st_ino, seen.st_dev)):
            return None
        target = self.layout.quarantine / f"{digest}.{unique_name()}"
        with suppress(OSError):
            os.makedirs(self.layout.quarantine, exist_ok=True)
            os.rename(path, target)
            return target
        return None

    def __iter__(self) -> Iterator[ObjectId]:
        """Every object by name, in order, with the size its file has. Other files among them are left out."""
        with suppress(FileNotFoundError):
            for folder in sorted(os.listdir(self.layout.objects)):
                try:
                    entries = sorted(os.scandir(self.layout.objects / folder), key=lambda entry: entry.name)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                for entry in entries:
                    if len(entry.name) == 64 and entry.name.startswith(folder) and len(folder) == 2:
                        with suppress(FileNotFoundError):
                            yield ObjectId(Digest(entry.name), entry.stat(follow_symlinks=False).st_size)

    def _open(self, digest: Digest) -> int:
        try:
            return os.open(object_name(as_digest(digest)), _READ, dir_fd=self.root_fd)
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectMissing(digest, self.layout.root) from None

    def _open_regular(self, digest: Digest) -> int:
        """A descriptor of the object's file; what is no readable file is moved aside."""
        try:
            fd = self._open(digest)
        except OSError:
            fd = -1
        if fd >= 0 and stat_module.S_ISREG(os.fstat(fd).st_mode):
            return fd
        if fd >= 0:
            os.close(fd)
        self.verify_content(digest)
        raise StoreError(f"object {digest} changed while it was opened; run again")
