"""Bringing a source that is elsewhere into the store: look at it, take what is new, and say exactly what it was.

Files that the place itself says are unchanged (by digest or version) are not asked for again. What is remembered for that is in the
store's index, so losing it costs a download and nothing else.

Invariants: a name from elsewhere is checked before any byte is asked for; nothing is a source's tree before every file of it is verified
and durable; a source that is not what its pin says is an error, and the pin stands.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mldata.download.base import DIGESTS, Got, Want
from mldata.errors import LockMismatch, SourceError, from_elsewhere
from mldata.pin import Pin

if TYPE_CHECKING:
    from mldata.download.options import DownloadOptions
    from mldata.reporter.downloads import DownloadView
    from mldata.sources.base import RemoteFile, RemoteSource, Resolved
    from store import ObjectId, Store

__all__ = ["Pulled", "PulledFile", "pull"]

FORMAT = 1
SAVE_EVERY = 5.0
"""Seconds after which it is written down what came: more than that is not lost by kill -9."""


@dataclass(frozen=True)
class PulledFile:
    """One file of a source, now in the store."""

    name: str
    id: ObjectId
    received: int = 0
    """Bytes that came over the network now."""
    resumed_from: int = 0
    """Bytes that an earlier run had brought."""
    new: bool = False
    """Whether it had to be asked for."""


@dataclass(frozen=True)
class Pulled:
    """What became of a source."""

    pin: Pin
    files: tuple[PulledFile, ...]
    warnings: tuple[str, ...] = ()
    looked_at: int = 0
    """Bytes that came over the network for what is made of parts of files."""

    @property
    def received(self) -> int:
        """Bytes that came over the network now."""
        return self.looked_at + sum(file.received for file in self.files)


def pull(
    store: Store,
    source: RemoteSource,
    options: DownloadOptions,
    view: DownloadView,
    pinned: Pin | None = None,
    samples: int | None = None,
) -> Pulled:
    """Bring a source into the store.

    Args:
        pinned: what it has to be.
        samples: only so many first rows (of media: files), reading no more than that takes; None: all files as they are.

    Raises:
        LockMismatch: it is not what the pin says.
        MldataError, store.StoreError: it could not be brought; what came is kept for the next time.
    """
    with from_elsewhere():
        return _pull(store, source, options, view, pinned, samples)


def _pull(
    store: Store,
    source: RemoteSource,
    options: DownloadOptions,
    view: DownloadView,
    pinned: Pin | None,
    samples: int | None,
) -> Pulled:
    resolved = source.resolve(pinned.revision if pinned is not None else None)
    _check(source, resolved)
    for warning in resolved.warnings:
        view.warn(warning)
    facts = dict(resolved.facts)
    files, received, warnings = list(resolved.files), 0, list(resolved.warnings)
    made: dict[str, PulledFile] = {}
    if samples is not None:
        from mldata.sampling import sample_files

        with TemporaryDirectory() as folder:
            sample = sample_files(source, resolved, samples, Path(folder))
            made = {
                name: PulledFile(name, store.put_file(path), new=True) for name, path in sample.made.items()
            }
        files, received, facts = list(sample.files), sample.received, {**facts, "samples": sample.rows}
        warnings += sample.warnings
        for warning in sample.warnings:
            view.warn(warning)
    found = {**made, **_brought(store, source, files, options, view)}
    names = sorted(found, key=str.encode)
    tree = store.put_paths((name, found[name].id, False) for name in names)
    pin = Pin(source.text, resolved.revision, tree.digest, facts)
    if pinned is not None and tree.digest != pinned.tree:
        raise _mismatch(store, pinned, pin)
    return Pulled(pin, tuple(found[name] for name in names), tuple(warnings), received)


def _brought(
    store: Store,
    source: RemoteSource,
    files: Sequence[RemoteFile],
    options: DownloadOptions,
    view: DownloadView,
) -> dict[str, PulledFile]:
    """The files, by name, once all of them are in the store."""
    memory = _Memory(store, source.key)
    found: dict[str, PulledFile] = {}
    wanted: dict[str, RemoteFile] = {}
    for file in files:
        kept = memory.find(file)
        if kept is not None and store.intact(kept.digest, kept.size):
            found[file.name] = PulledFile(file.name, kept)
        else:
            wanted[file.name] = file
    if not wanted:
        return found
    from mldata.download.engine import download
    from mldata.whole import check_whole

    sizes = [file.size for file in wanted.values()]
    view.plan(len(wanted), sum(size for size in sizes if size is not None) if None not in sizes else None)
    wants = [Want(name, source.origin(file), file.size, file.digests) for name, file in wanted.items()]
    try:
        for got in download(store, wants, options, view):
            check_whole(store, got.name, got.id, source.text)
            found[got.name] = _pulled(got)
            memory.add(wanted[got.name], got.id)
    finally:
        memory.save()
    return found


def _pulled(got: Got) -> PulledFile:
    return PulledFile(got.name, got.id, got.received, got.resumed_from, new=True)


def _check(source: RemoteSource, resolved: Resolved) -> None:
    """What a place says of itself is not trusted: names that lead elsewhere, a revision that would break the lock."""
    from store import UnsafeName, split_path

    if not resolved.files:
        raise SourceError("expected at least one file, found none", where=source.text)
    try:
        for file in resolved.files:
            split_path(file.name, source.text)
    except UnsafeName as error:
        raise SourceError(
            f"expected names that are safe on every system, found {error.name!r}: {error.why}",
            where=source.text,
            hint="Nothing was downloaded. Name the files that you want one by one, if its owner cannot rename this one.",
        ) from None
    if not resolved.revision or not resolved.revision.isprintable():
        raise SourceError(
            f"expected a revision of one line, found {resolved.revision[:80]!r}", where=source.text
        )
    if not _plain(dict(resolved.facts)):
        raise SourceError("expected facts of text, whole numbers, lists and mappings", where=source.text)


def _plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value) and _all_plain(value.values())
    if isinstance(value, list | tuple):
        return _all_plain(value)
    return value is None or isinstance(value, str | int)


def _all_plain(values: Iterable[Any]) -> bool:
    return all(_plain(value) for value in values)


def _mismatch(store: Store, pinned: Pin, found: Pin) -> LockMismatch:
    from mldata.pins import changes_text, tree_changes

    changes = tree_changes(store, pinned.tree, found.tree)
    how = f": {changes_text(changes)}" if changes is not None else ""
    return LockMismatch(
        f"expected what mldata.lock pins, tree {pinned.tree} at {pinned.revision!r};"
        f" found tree {found.tree} at {found.revision!r}{how}",
        where=pinned.source,
        hint="Accept what is there now: mldata update",
    )


class _Memory:
    """Which object each file of a source was, by what its place calls that content."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._name = f"pulled:{key}"
        self._known: dict[str, list[Any]] = _read(store.index.get_blob(self._name))
        self._saved = time.monotonic()
        self._dirty = False

    def find(self, file: RemoteFile) -> ObjectId | None:
        """The object that a file was when it was downloaded, if it is still the same content; None if nobody can tell."""
        from store import ObjectId

        known = self._known.get(file.place)
        if known is None or known[0] not in _marks(file):
            return None
        return ObjectId(known[1], known[2])

    def add(self, file: RemoteFile, found: ObjectId) -> None:
        """Remember what a file is."""
        marks = _marks(file)
        if not marks:
            return
        self._known[file.place] = [marks[0], found.digest, found.size]
        self._dirty = True
        if time.monotonic() - self._saved > SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write down what is new."""
        if not self._dirty:
            return
        import msgpack

        self._store.index.put_blob(self._name, msgpack.packb([FORMAT, self._known]))
        self._saved, self._dirty = time.monotonic(), False


def _marks(file: RemoteFile) -> list[str]:
    """What tells the content of a file from another, best first."""
    found = [f"{kind}:{file.digests[kind]}" for kind in DIGESTS if kind in file.digests]
    return [*found, f"version:{file.version}"] if file.version else found


def _read(blob: bytes | None) -> dict[str, list[Any]]:
    import msgpack

    try:
        version, known = msgpack.unpackb(blob or b"")
    except (ValueError, TypeError):  # includes every msgpack.UnpackException
        return {}
    return known if version == FORMAT and isinstance(known, dict) else {}
