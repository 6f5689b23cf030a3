"""Whether a folder may be written: it is new or empty, or an earlier export made what is in it.

What counts as made by an earlier export: the files of the tree that the folder's receipt names, those of the tree that was about to be
written when a build was killed, or, where both are unknown here, those that the folder's own manifest lists and that still have the
digests which it says. Invariant: a file that is none of these, or was changed since, is never replaced or removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import MldataError, UsageError
from mldata.receipts import Receipt, read_receipt, receipt_path

if TYPE_CHECKING:
    from store import Digest, Store, TreeEntry

__all__ = ["Claim"]

MANIFEST = "manifest.yaml"
MARK = "writing"
"""File of the state: digest of the tree that is being written, or was."""


class Claim:
    """The claim of one dataset on one folder.

    Args:
        folder: absolute.
        state: of the project that exports to it.
        dataset: that is exported.
        flag: what the folder is called in messages.
    """

    def __init__(self, folder: Path, state: Path, dataset: str, flag: str = "to") -> None:
        self._folder, self._state, self._dataset, self._flag = folder, state, dataset, flag

    def look(self) -> None:
        """Refuse at once what cannot be ours; :meth:`__call__` looks closely. Raises ``UsageError``."""
        files = self._files()
        if files and not self._written() and not self._listed():
            raise self._refused(files[0])

    def __call__(self, store: Store, tree: Digest) -> Digest | None:
        """Before ``tree`` is written: the tree of what is there and ours. Raises ``UsageError`` for files that must stay as they are."""
        from store import ObjectId, publish_bytes

        files = self._files()
        known, right = self._ours(store)
        if files and not known and (listed := self._listed()):
            right = dict(store.walk(self._taken_in(store, listed)))
            known = set(listed)
        new = dict(store.walk(tree))
        for name in files:
            if name in right or (name in new and self._equal(name, new[name].digest)):
                continue
            if name in known:
                raise self._refused(name, "was changed since it was exported")
            if name in new or not right:
                raise self._refused(name)
        publish_bytes(self._state / MARK, f"{tree}\n".encode())
        there = [(name, ObjectId(it.digest, it.size), it.executable) for name, it in right.items()]
        return store.put_paths(there).digest if there else None

    def _ours(self, store: Store) -> tuple[set[str], dict[str, TreeEntry]]:
        """Paths that were written here, and those of them that are still as they were."""
        from store import StoreError

        known: set[str] = set()
        right: dict[str, TreeEntry] = {}
        for digest in self._written():
            with suppress(
                StoreError, ValueError
            ):  # collected since, or no digest: the manifest tells as well
                entries = dict(store.walk(digest))
                changed = {it.path for it in store.verify_export(digest, self._folder)}
                known |= entries.keys()
                right |= {path: entry for path, entry in entries.items() if path not in changed}
        return known, right

    def _files(self) -> list[str]:
        """What is in the folder that is no folder, by relative path, sorted."""
        if os.path.lexists(self._folder) and not self._folder.is_dir():
            raise UsageError(
                f"expected a folder, found a file: {self._folder}",
                where=self._flag,
                hint="choose another folder",
            )
        return sorted(_below(str(self._folder), ""))

    def _written(self) -> list[Digest]:
        """Trees that were written here, or were about to be."""
        from store import Digest

        receipt = read_receipt(receipt_path(self._state / "receipts", self._dataset, "export"))
        found = [receipt.output] if isinstance(receipt, Receipt) else []
        with suppress(OSError, UnicodeDecodeError):
            found.append(Digest((self._state / MARK).read_text(encoding="ascii").strip()))
        return found

    def _listed(self) -> dict[str, Digest]:
        """The files that the folder's manifest lists, with the digests that it says; nothing if there is no sound manifest."""
        from mldata.manifest import read_manifest

        path = self._folder / MANIFEST
        try:
            from store import Digest, hash_file

            listed = {file.path: Digest(file.blake3) for file in read_manifest(path).files}
            return {**listed, MANIFEST: hash_file(path).digest}
        except (MldataError, OSError):
            return {}

    def _taken_in(self, store: Store, listed: dict[str, Digest]) -> Digest:
        """The listed files as a tree, so that those which the new export lacks are removed; each must be as it is listed."""
        for name, digest in listed.items():
            if os.path.lexists(self._folder / name) and not self._equal(name, digest):
                raise self._refused(name, "was changed since it was exported")
        folders = {
            "/".join(name.split("/")[:depth]) for name in listed for depth in range(1, name.count("/") + 1)
        }
        made = store.ingest(self._folder, ignore=lambda name: name not in listed and name not in folders)
        return made.digest

    def _equal(self, name: str, digest: Digest) -> bool:
        from store import StoreError, hash_file

        path = self._folder / name
        try:
            return not path.is_symlink() and hash_file(path).digest == digest
        except (StoreError, OSError):
            return False

    def _refused(self, name: str, why: str = "was not made by an export") -> UsageError:
        return UsageError(
            f"expected a folder that is new or empty, or an earlier export; found {self._folder / name}, which {why}",
            where=self._flag,
            hint="choose another folder, or move the file away",
        )


def _below(folder: str, prefix: str) -> Iterator[str]:
    """Files below a folder; a link is one, wherever it leads."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _below(entry.path, f"{prefix}{entry.name}/")
                else:
                    yield prefix + entry.name
    except FileNotFoundError:
        return
