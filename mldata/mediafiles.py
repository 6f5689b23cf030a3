"""The media files that rows name, on this machine: found by the path in a row, from any process.

Invariant: a path that comes from data leads to a media file of the dataset or to an error, never elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mldata.errors import UsageError

if TYPE_CHECKING:
    from store import Digest, Store, Tree

__all__ = ["FolderMedia", "MediaFiles", "StoredMedia"]


class MediaFiles(Protocol):
    """Can be pickled; as text it says where they are."""

    def path(self, name: str) -> Path:
        """Where the file is that a row calls ``name``. Raises ``UsageError`` if there is none, or a ``store`` error."""
        ...


class StoredMedia:
    """Media files that are objects of a store, listed by a tree. Another process opens the store anew, to read only."""

    def __init__(self, dataset: str, root: Path, tree: Digest | None, store: Store | None = None) -> None:
        self._dataset = dataset
        self._root = root
        self._tree = tree
        self._store = store
        self._trees: dict[Digest, Tree] = {}

    def __str__(self) -> str:
        return f"{self._root}: {self._tree}"

    def path(self, name: str) -> Path:
        """See :class:`MediaFiles`."""
        from store import KIND_FILE, KIND_TREE, Store

        if self._store is None:
            self._store = Store.open(self._root, read_only=True)
        digest, names = self._tree, name.split("/")
        for folder in names[:-1]:
            entry = self._read(self._store, digest).get(folder) if digest is not None else None
            digest = entry.digest if entry is not None and entry.kind == KIND_TREE else None
        found = self._read(self._store, digest).get(names[-1]) if digest is not None else None
        if found is None or found.kind != KIND_FILE:
            raise _unknown(self._dataset, name)
        return self._store.path(found.digest)

    def _read(self, store: Store, digest: Digest) -> Tree:
        if digest not in self._trees:
            self._trees[digest] = store.tree(digest)
        return self._trees[digest]

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_store": None, "_trees": {}}


class FolderMedia:
    """Media files of an export folder, which its manifest lists."""

    def __init__(self, dataset: str, folder: Path, names: Collection[str]) -> None:
        self._dataset = dataset
        self._folder = folder.absolute()
        self._names = frozenset(names)

    def __str__(self) -> str:
        return str(self._folder)

    def path(self, name: str) -> Path:
        """See :class:`MediaFiles`."""
        if name not in self._names:
            raise _unknown(self._dataset, name)
        return self._folder / name


def _unknown(dataset: str, path: str) -> UsageError:
    return UsageError(
        f"dataset '{dataset}' has no media file '{path}'",
        hint="Take paths from the column `path` of its rows.",
    )
