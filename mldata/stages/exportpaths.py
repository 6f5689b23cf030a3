"""Where files are in an export folder: that no two are one file, and the tree that has them all.

Names that differ in case only are one file on many machines, so they are taken for equal here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mldata.errors import BuildError

if TYPE_CHECKING:
    from mldata.stages.base import Job
    from store import Digest, ObjectId, Store

    _Folder: TypeAlias = "dict[str, ObjectId | _Folder]"

__all__ = ["Places", "put_files"]

HINT = "Rename the part, or the file in the source."


@dataclass
class Places:
    """The files of a folder by name, and the folders in it."""

    names: dict[str, tuple[str, str, Places | None]] = field(default_factory=dict)
    """By name in lower case: the path, what is there, and if that is a folder, what is in it."""

    def add(self, path: str, what: str, dataset: str) -> None:
        """Take a place. Raises ``BuildError`` if something else is there."""
        here = self
        parts = path.split("/")
        for depth, name in enumerate(parts, 1):
            shown = "/".join(parts[:depth])
            folder = depth < len(parts)
            found = here.names.get(name.casefold())
            if found is not None and not (folder and found[2] is not None and found[0] == shown):
                raise BuildError(
                    f"'{found[0]}' ({found[1]}) and '{path}' ({what}) would be one file in the export folder",
                    where=dataset,
                    hint=HINT,
                )
            if found is None:
                found = here.names[name.casefold()] = (shown, what, Places() if folder else None)
            here = found[2] or here

    def check_media(self, store: Store, media: Digest, dataset: str, below: str = "") -> None:
        """Raise ``BuildError`` for a media file that would be where something else is."""
        from store import KIND_TREE

        for entry in store.tree(media):
            found = self.names.get(entry.name.casefold())
            if found is None:
                continue
            path, what, places = found
            own = below + entry.name
            if entry.kind == KIND_TREE and places is not None and own == path:
                places.check_media(store, entry.digest, dataset, f"{own}/")
                continue
            kind = "folder" if entry.kind == KIND_TREE else "file"
            raise BuildError(
                f"the media {kind} '{own}' and '{path}' ({what}) would be one file in the export folder",
                where=dataset,
                hint=HINT,
            )


def put_files(job: Job, files: Iterable[tuple[str, ObjectId]], beside: Digest | None) -> ObjectId:
    """The tree of some files by path, and of those of the tree ``beside``. No two are in one place."""
    nested: _Folder = {}
    for path, made in files:
        level = nested
        *folders, name = path.split("/")
        for folder in folders:
            below = level.setdefault(folder, {})
            assert isinstance(below, dict)
            level = below
        level[name] = made
    return _put(job, nested, beside)


def _put(job: Job, level: _Folder, beside: Digest | None) -> ObjectId:
    from store import KIND_FILE, KIND_TREE, TreeEntry

    there = {entry.name: entry for entry in job.store.tree(beside)} if beside is not None else {}
    for name, it in level.items():
        if isinstance(it, dict):
            old = there.get(name)
            made = _put(job, it, old.digest if old is not None else None)
            there[name] = TreeEntry(name, KIND_TREE, made.digest, made.size)
        else:
            there[name] = TreeEntry(name, KIND_FILE, it.digest, it.size)
    return job.put_tree(list(there.values()))
