"""Whether a folder may be written: it is new or empty, or an earlier export made what is in it.

What counts as made by an earlier export: the files of the tree that the folder's receipt names, those of the tree that was about to be
written when a build was killed, or, where both are unknown here, those that the folder's own manifest lists and that still have the
digests which it says. Invariant: a file that is none of these, or was changed since, is never removed, nor replaced without being asked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import UsageError
from mldata.exportfolder import files_in, is_file, listed_files
from mldata.receipts import Receipt, read_receipt, receipt_path

if TYPE_CHECKING:
    from store import Digest, Store, TreeEntry

__all__ = ["Claim"]

EDITED = "was changed since it was exported"
MARK = "writing"
"""File of the state: digest of the tree that is being written, or was."""


class Claim:
    """The claim of one dataset on one folder.

    Args:
        folder: absolute.
        state: of the project that exports to it.
        dataset: that is exported.
        flag: what the folder is called in messages.
        force: files that stand where others are to be may be replaced, whoever made them. Others stay all the same.
    """

    def __init__(
        self, folder: Path, state: Path, dataset: str, flag: str = "to", *, force: bool = False
    ) -> None:
        self._folder, self._state, self._dataset, self._flag = folder, state, dataset, flag
        self._force = force

    def look(self) -> None:
        """Refuse at once what cannot be ours; :meth:`__call__` looks closely. Raises ``UsageError``."""
        files = self._files()
        if files and not self._force and not self._written() and not listed_files(self._folder):
            raise self._refused(files[0])

    def __call__(self, store: Store, tree: Digest) -> Mapping[str, TreeEntry]:
        """Before ``tree`` is written: what is there and ours, by path. Raises ``UsageError`` for files that must stay as they are."""
        from store import publish_bytes

        files = self._files()
        known, right = self._ours(store)
        if files and not known and (listed := listed_files(self._folder)):
            right = {name: entry for name, entry in listed.items() if is_file(self._folder / name, entry)}
            known = set(listed)
            edited = next((name for name in files if name in known and name not in right), None)
            if edited is not None and not self._force:
                raise self._refused(edited, EDITED)
        new = dict(store.walk(tree))
        for name in () if self._force else files:
            if name in right or (name in new and is_file(self._folder / name, new[name])):
                continue
            if name in known:
                raise self._refused(name, EDITED)
            if name in new or not right:
                raise self._refused(name)
        publish_bytes(self._state / MARK, f"{tree}\n".encode())
        return right

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
        """What is in the folder that is no folder, by relative path, in order."""
        return list(files_in(self._folder))

    def _written(self) -> list[Digest]:
        """Trees that were written here, or were about to be."""
        from store import Digest

        receipt = read_receipt(receipt_path(self._state / "receipts", self._dataset, "export"))
        found = [receipt.output] if isinstance(receipt, Receipt) else []
        with suppress(OSError, UnicodeDecodeError):
            found.append(Digest((self._state / MARK).read_text(encoding="ascii").strip()))
        return found

    def _refused(self, name: str, why: str = "was not made by an export") -> UsageError:
        return UsageError(
            f"expected a folder that is new or empty, or an earlier export; found {self._folder / name}, which {why}",
            where=self._flag,
            hint="choose another folder, or move the file away; `mldata export` has --force, which replaces what is in the way",
        )
