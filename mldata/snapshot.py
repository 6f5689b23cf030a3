"""The stat cache of a dataset's source files: which of them may keep the digest they had.

A snapshot remembers, for every file of a dataset, its ``stat`` and its digest. It is kept in the store's index under two
names, so that the common case is cheap: a small *head* holds one signature over all names and stats and the digest of the tree that
they made; the *rows* are only read when the signature differs.

Invariant: a digest is reused only for a file whose size, mtime, ctime and inode are what they were when it was hashed,
and which was not modified within the clock's granularity of that moment (git's racy-clean rule: a file written twice
within one tick looks unchanged). Losing a snapshot loses time only.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldata.sources.base import Listing, folder_of

if TYPE_CHECKING:
    from store import Digest, Store, TreeEntry

GRANULARITY_NS = 20_000_000
"""File times come from the kernel's tick, at most 10 ms apart on Linux; doubled to be safe."""
COARSE_GRANULARITY_NS = 2_000_000_000
"""For filesystems that keep whole seconds (FAT: two)."""
_VERSION = 1
_NEVER = array("q", [-1, -1, -1, -1])
"""Recorded for a racy file: equals no real stat, so the file is hashed again next time."""


@dataclass(frozen=True)
class Changes:
    """How the files of a source differ from the tree that was last made of them; names are sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.modified)


def combined(listings: list[Listing]) -> Listing:
    """One listing of several sources; with more than one, names go below ``0/``, ``1/``, ... in the order of the spec."""
    if len(listings) == 1:
        return listings[0]
    prefixes = [f"{folder_of(number, len(listings))}/" for number in range(len(listings))]
    numbers = array("q")
    for listing in listings:
        numbers.extend(listing.numbers)
    return Listing(
        [prefix + name for prefix, listing in zip(prefixes, listings, strict=True) for name in listing.names],
        [path for listing in listings for path in listing.paths],
        numbers,
        min((listing.taken_ns for listing in listings if len(listing)), default=0),
        dict(sum((Counter(listing.ignored) for listing in listings), Counter[str]())),
        {
            prefix + name: digest
            for prefix, listing in zip(prefixes, listings, strict=True)
            for name, digest in listing.digests.items()
        },
        {
            prefix + name: md5
            for prefix, listing in zip(prefixes, listings, strict=True)
            for name, md5 in listing.md5.items()
        },
    )


def raw_files(store: Store, tree: Digest, tables: Collection[str]) -> Iterator[tuple[str, TreeEntry]]:
    """The raw files in the output of fetch, by name.

    Args:
        tables: the folders in it that hold what comes from other datasets.
    """
    if not tables:
        yield from store.walk(tree)
        return
    for folder in store.tree(tree):  # beside a table every source has one
        if folder.name not in tables:
            for path, entry in store.walk(folder.digest):
                yield f"{folder.name}/{path}", entry


class Snapshots:
    """The snapshots in one store's index.

    Args:
        store: where they are kept.
        key: names the dataset's sources on this machine (their absolute paths and patterns).
    """

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._head = f"snapshot-head:{key}"
        self._rows = f"snapshot-rows:{key}"

    def unchanged(self, listing: Listing, tree: Digest) -> bool:
        """True if the listing is, stat for stat, the one that ``tree`` was last recorded for. Reads one small row."""
        head = _unpack(self._store.index.get_blob(self._head))
        return head == [_VERSION, tree, _signature(listing)]

    def known(self, listing: Listing) -> dict[str, Digest]:
        """Digests of the listed files that the listing itself knows, or whose stat is as recorded."""
        if len(listing.digests) == len(listing):
            return dict(listing.digests)
        rows = _unpack(self._store.index.get_blob(self._rows))
        if not (isinstance(rows, list) and len(rows) == 4 and rows[0] == _VERSION):
            return dict(listing.digests)
        _, names, stats, digests = rows
        numbers = array("q")
        numbers.frombytes(stats)
        if len(numbers) != 4 * len(names) or len(digests) != 32 * len(names):
            return dict(listing.digests)
        fields = iter(numbers)
        old = {
            name: (stat, index)
            for index, (name, stat) in enumerate(
                zip(names, zip(fields, fields, fields, fields, strict=True), strict=True)
            )
        }
        reusable = dict(listing.digests)
        for name, _, stat in listing:
            found = old.get(name)
            if found is not None and found[0] == stat:
                at = 32 * found[1]
                reusable[name] = digests[at : at + 32].hex()
        return reusable

    def record(self, listing: Listing, digests: Mapping[str, Digest], tree: Digest) -> None:
        """Remember the digest of every listed file, and the tree they make."""
        numbers = array("q", listing.numbers)
        racy = False
        for index, stat in enumerate(listing.stats()):
            if is_racy(stat.mtime_ns, stat.ctime_ns, listing.taken_ns):
                numbers[4 * index : 4 * index + 4] = _NEVER
                racy = True
        rows = [
            _VERSION,
            list(listing.names),
            numbers.tobytes(),
            b"".join([bytes.fromhex(digests[name]) for name in listing.names]),
        ]
        if len(listing.digests) < len(listing):
            self._store.index.put_blob(self._rows, _pack(rows))
        signature = b"" if racy else _signature(listing)
        self._store.index.put_blob(self._head, _pack([_VERSION, tree, signature]))


def compare(
    snapshots: Snapshots, listing: Listing, tree: Digest, entries: Mapping[str, tuple[Digest, int]]
) -> tuple[Changes, dict[str, Digest]]:
    """How ``listing`` differs in *content* from the files of a tree.

    Args:
        snapshots: the stat cache to consult and, if nothing but stats changed, to bring up to date.
        listing: the files as they are now.
        tree: the tree that they are compared with.
        entries: name to (digest, size) of every file in ``tree``.

    Returns:
        The changes, and the digest of every file whose digest is known. Files with a new stat but their old size are read
        and hashed; files with a new size are not, since they are modified anyway.
    """
    from store import hash_file

    known = snapshots.known(listing)
    modified: list[str] = []
    added: list[str] = []
    for name, path, stat in listing:
        entry = entries.get(name)
        if entry is None:
            added.append(name)
            continue
        digest = known.get(name)
        if digest is None and stat.size == entry[1]:
            digest = known[name] = hash_file(path).digest
        if digest != entry[0]:
            modified.append(name)
    present = set(listing.names)
    removed = [name for name in entries if name not in present]
    changes = Changes(tuple(added), tuple(sorted(removed)), tuple(modified))
    if not changes:
        snapshots.record(listing, known, tree)
    return changes, known


def is_racy(mtime_ns: int, ctime_ns: int, taken_ns: int) -> bool:
    """Whether a file that was looked at at ``taken_ns`` (wall clock) may have been written again since without its times showing it."""
    latest = max(mtime_ns, ctime_ns)
    coarse = mtime_ns % 1_000_000_000 == 0 and ctime_ns % 1_000_000_000 == 0
    return latest >= taken_ns - (COARSE_GRANULARITY_NS if coarse else GRANULARITY_NS)


def _signature(listing: Listing) -> bytes:
    from blake3 import blake3

    hasher = blake3("\0".join(listing.names).encode())
    hasher.update(listing.numbers.tobytes())
    return hasher.digest()


def _pack(value: object) -> bytes:
    import msgpack

    packed: bytes = msgpack.packb(value)
    return packed


def _unpack(blob: bytes | None) -> object:
    import msgpack

    if blob is None:
        return None
    try:
        return msgpack.unpackb(blob)
    except ValueError:  # includes every msgpack.UnpackException
        return None
