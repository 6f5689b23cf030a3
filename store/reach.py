"""What is there, and what can be reached from where: the two sets that gc and check compare.

Digests are held as 32 bytes, so that a million of them fit in a hundred megabytes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from store import canonical
from store.digest import Digest
from store.errors import BadEncoding, NameCollision, ObjectCorrupt, ObjectMissing, UnsafeName
from store.trees import KIND_TREE, TREE_VERSION, Tree

__all__ = ["TREE_MAGIC", "UNREADABLE", "Found", "Reach", "Spread", "is_tree_file", "scan"]

TREE_MAGIC = canonical.encode(["tree", TREE_VERSION, None, None, None, None])[:-4]
"""The first bytes of every tree object. Another object may have them by chance: to take it for a tree then keeps more, not less."""

UNREADABLE = (ObjectMissing, ObjectCorrupt, BadEncoding, UnsafeName, NameCollision)
"""What reading a lost tree raises. A disk that fails for the moment raises something else, and stops whoever asks."""

_NAME = re.compile(r"[0-9a-f]{64}\Z")


class Found(NamedTuple):
    """One file or folder found where objects or action results are kept."""

    digest: Digest | None
    """None for what has no business there."""
    path: str
    stat: os.stat_result


def scan(folder: Path) -> Iterator[Found]:
    """Everything in ``objects/`` or ``actions/``, folder by folder in order of name. What vanishes meanwhile is left out.

    Raises ``OSError`` when a folder cannot be read: an unread folder is not an empty one.
    """
    for shard in _entries(folder):
        if len(shard.name) == 2 and shard.is_dir(follow_symlinks=False):
            for entry in _entries(shard.path):
                with suppress(FileNotFoundError):
                    yield _found(entry, shard.name)
        else:
            with suppress(FileNotFoundError):
                yield Found(None, shard.path, shard.stat(follow_symlinks=False))


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _found(entry: os.DirEntry[str], shard: str) -> Found:
    name = entry.name
    state = entry.stat(follow_symlinks=False)
    fits = name.startswith(shard) and _NAME.match(name) and stat.S_ISREG(state.st_mode)
    return Found(Digest(name) if fits else None, entry.path, state)


def is_tree_file(path: str | Path) -> bool:
    """Whether a file begins as a tree object does. False when it is not there."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(len(TREE_MAGIC)) == TREE_MAGIC
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


class Spread(NamedTuple):
    """What one more root would add."""

    objects: set[bytes]
    trees: set[bytes]
    size: int
    """Bytes of the added objects, by what the trees that list them say."""
    lost: dict[Digest, Exception]
    """Trees that could not be read, so that what they list is unknown."""


class Reach:
    """Everything that some roots reach. Grows; not thread-safe."""

    def __init__(self, tree: Callable[[Digest], Tree], base: Reach | None = None) -> None:
        """``tree`` reads one, verified, and raises one of :data:`UNREADABLE` when it is lost; trees in ``base`` are not followed again."""
        self._tree = tree
        self._followed = base.trees if base is not None else set[bytes]()
        self.objects: set[bytes] = set()
        self.trees: set[bytes] = set()
        """Those among ``objects`` whose entries have been followed."""
        self.size = 0
        self.lost: dict[Digest, Exception] = {}

    def __contains__(self, digest: Digest) -> bool:
        return bytes.fromhex(digest) in self.objects

    def spread(self, digest: Digest, *, tree: bool, size: int) -> Spread:
        """What this root adds to what is reached already. Changes nothing."""
        objects: set[bytes] = set()
        trees: set[bytes] = set()
        lost: dict[Digest, Exception] = {}
        root = bytes.fromhex(digest)
        if root not in self.objects:
            objects.add(root)
        else:
            size = 0
        todo = [digest] if tree else []
        while todo:
            name = todo.pop()
            key = bytes.fromhex(name)
            # Apart from `objects`: a file may have the very bytes of a tree, and be met first.
            if key in self.trees or key in trees or key in self._followed:
                continue
            trees.add(key)
            try:
                entries = self._tree(name)
            except UNREADABLE as error:
                lost[name] = error
                continue
            for entry in entries:
                below = bytes.fromhex(entry.digest)
                if below not in self.objects and below not in objects:
                    objects.add(below)
                    size += entry.size
                if entry.kind == KIND_TREE:
                    todo.append(entry.digest)
        return Spread(objects, trees, size, lost)

    def merge(self, spread: Spread) -> None:
        """Take in what :meth:`spread` found."""
        self.objects |= spread.objects
        self.trees |= spread.trees
        self.size += spread.size
        self.lost.update(spread.lost)

    def add(self, digest: Digest, *, tree: bool, size: int = 0) -> Spread:
        """:meth:`spread` and :meth:`merge`."""
        spread = self.spread(digest, tree=tree, size=size)
        self.merge(spread)
        return spread

    def retry(self) -> None:
        """Follow the lost trees again: one that a builder had only announced may be there now."""
        lost, self.lost = self.lost, {}
        for digest in lost:
            self.trees.discard(bytes.fromhex(digest))
            self.add(digest, tree=True)
