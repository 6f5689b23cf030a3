"""Refs: mutable names for digests. Garbage collection starts from them.

Invariants: a ref is moved by compare-and-swap under one lock, and appears whole; it is published after the object it names is durable;
a damaged ref is an error that names its file and is never taken for absent.

Format of ``refs/<name>``: 64 hex digits and a line feed. Parts of a name are separated by ``/``, as are folders. Refs that share the
part before the last ``/`` and end in a number make a *series*: ``datasets/penguins/3``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final, NamedTuple

from store import atomic
from store.digest import Digest, as_digest
from store.errors import BadRef, ObjectMissing, RefConflict, StoreReadOnly
from store.layout import Layout
from store.names import unsafe_reason

if sys.platform != "win32":
    import fcntl

__all__ = ["ANY", "Ref", "Refs", "check_ref_name", "split_series"]


class _Any:
    def __repr__(self) -> str:
        return "ANY"


ANY: Final = _Any()
"""``expect=ANY``: set the ref whatever it is now."""

MAX_NAME = 1000
"""Bytes of UTF-8 in a name; a part may have 255."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f:*?"<>|]')
_NUMBER = re.compile(r"[1-9][0-9]{0,17}\Z")
_CONTENT = re.compile(rb"[0-9a-f]{64}\n\Z")


class Ref(NamedTuple):
    """A ref as it was read."""

    name: str
    digest: Digest
    mtime: float
    """When it was last set, in seconds since the epoch."""


def check_ref_name(name: str) -> str:
    """``name``, if it can be a ref's on every system. Raises ``BadRef`` with the reason."""
    for part in name.split("/"):
        why = _unsafe(part)
        if why:
            raise BadRef(
                f"expected a ref name such as 'datasets/penguins/3', found {name!r:.120}: {why}; choose another name"
            )
    if len(name.encode()) > MAX_NAME:
        raise BadRef(
            f"expected a ref name of at most {MAX_NAME} bytes, found {len(name.encode())}; choose a shorter one"
        )
    return name


def _unsafe(part: str) -> str | None:
    why = unsafe_reason(part)
    if why:
        return why
    if part.startswith("."):
        return f"{part!r} starts with a dot"
    if _FORBIDDEN.search(part):
        return f'{part!r} has a control character or one of : * ? " < > |'
    return None


def split_series(name: str) -> tuple[str, int] | None:
    """``("datasets/penguins", 3)`` for ``datasets/penguins/3``; None for a ref that is in no series."""
    series, slash, last = name.rpartition("/")
    return (series, int(last)) if slash and _NUMBER.match(last) else None


class Refs:
    """The refs of a store. Threads and processes may share it."""

    def __init__(
        self,
        layout: Layout,
        *,
        read_only: bool = False,
        gate: Callable[[], AbstractContextManager[None]] = nullcontext,
        present: Callable[[Digest], bool] | None = None,
    ) -> None:
        """``gate`` keeps gc out while a ref is set (``Leases.gate``); ``present`` says whether an object is there (``Store.has``)."""
        self._layout = layout
        self._read_only = read_only
        self._gate = gate
        self._present = present

    def get(self, name: str) -> Digest | None:
        """The digest a ref names, or None. Raises ``BadRef`` when the name is impossible or the file damaged."""
        ref = self._read(check_ref_name(name))
        return ref.digest if ref else None

    def set(self, name: str, digest: Digest, *, expect: _Any | Digest | None = ANY) -> None:
        """Point a ref at an object that is present; durable on return.

        Args:
            name: parts separated by ``/``.
            digest: what it is to name, most often a tree.
            expect: what the ref must name now: ``ANY``, ``None`` (it must not exist), or a digest.

        Raises:
            RefConflict: the ref is not what was expected, or its name needs a folder where another ref is.
            ObjectMissing: the store does not have ``digest``.
            BadRef, BadDigest, StoreReadOnly, StoreFull.
        """
        check_ref_name(name)
        as_digest(digest)
        with self._gate(), self._locked():
            if not isinstance(expect, _Any):
                self._expect(name, expect)
            self._write(name, digest)

    def append(self, series: str, digest: Digest) -> int:
        """Set ``series/N`` where N is one more than the highest number there (1 if none), and return N. Raises what :meth:`set` does."""
        check_ref_name(series)
        as_digest(digest)
        with self._gate(), self._locked():
            number = 1 + max((n for n in self._numbers(series)), default=0)
            self._write(f"{series}/{number}", digest)
        return number

    def delete(self, name: str, *, expect: _Any | Digest | None = ANY) -> bool:
        """Remove a ref, damaged or not. Returns whether there was one. Raises ``RefConflict`` if it is not what was expected."""
        path = self._path(check_ref_name(name))
        with self._locked():
            if not isinstance(expect, _Any):
                self._expect(name, expect)
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return False
            for parent in path.relative_to(self._layout.refs).parents:
                if parent.name:
                    with suppress(OSError):  # not empty
                        (self._layout.refs / parent).rmdir()
        return True

    def list(self, prefix: str = "") -> Iterator[Ref]:
        """Refs whose name starts with ``prefix``, sorted by name, numbers of a series by value.

        Raises:
            BadRef: a ref among them is damaged. To go on past those, use :meth:`names` and :meth:`get`.
        """
        for name in self.names(prefix):
            ref = self._read(name)
            if ref is not None:  # else deleted meanwhile
                yield ref

    def names(self, prefix: str = "") -> Iterator[str]:
        """Names below ``refs/`` that start with ``prefix``, damaged and impossible ones too, sorted as :meth:`list` does."""
        found = [name for name in _walk(self._layout.refs) if name.startswith(prefix)]
        return iter(
            sorted(
                found,
                key=lambda name: [
                    (len(p), p) if _NUMBER.match(p) else (MAX_NAME, p) for p in name.split("/")
                ],
            )
        )

    def _numbers(self, series: str) -> Iterator[int]:
        with suppress(FileNotFoundError, NotADirectoryError):
            yield from (
                int(entry.name) for entry in os.scandir(self._path(series)) if _NUMBER.match(entry.name)
            )

    def _expect(self, name: str, expect: Digest | None) -> None:
        ref = self._read(name)
        found = ref.digest if ref else None
        if found != expect:
            raise RefConflict(
                f"expected ref {name} to be {expect or 'absent'}, found {found or 'no such ref'}: another process moved it; read it and try again"
            )

    def _path(self, name: str) -> Path:
        return self._layout.refs / name

    def _read(self, name: str) -> Ref | None:
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                data = file.read(100)
                mtime = os.fstat(file.fileno()).st_mtime
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise BadRef(
                f"{path}: expected to read a ref, found: {error.strerror}; check the disk and permissions"
            ) from error
        if not _CONTENT.match(data):
            raise BadRef(
                f"{path}: expected 64 hex digits and a line feed, found {data[:80]!r}; write the digest it should have, or delete the file"
            )
        return Ref(name, Digest(data[:64].decode()), mtime)

    def _write(self, name: str, digest: Digest) -> None:
        if self._present is not None and not self._present(digest):
            raise ObjectMissing(digest)
        path = self._path(name)
        if path.is_dir():
            raise RefConflict(f"expected {path} to be a ref, found a folder of refs; choose another name")
        self._make_folder(path.parent)
        atomic.publish_text(path, f"{digest}\n", tmp=self._layout.tmp)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder of refs and those above it, each name durable before the next."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        with atomic.explained(folder):
            try:
                folder.mkdir()
            except FileExistsError:
                raise RefConflict(
                    f"expected {folder} to be a folder, found a ref: nothing can stand below it; choose another name"
                ) from None
            atomic.sync_path(folder.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer of refs at a time, over all processes. Re-entered by nobody, held for one change."""
        if self._read_only:
            raise StoreReadOnly(self._layout.refs)
        path = self._layout.root / "refs.lock"
        with atomic.explained(path):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if sys.platform != "win32":
                with suppress(
                    OSError
                ):  # a filesystem without locks: then nothing but luck keeps two writers apart
                    fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _walk(folder: Path, prefix: str = "") -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name
