"""What Git LFS was told of an export last, remembered so that an up-to-date build can see in a moment that it still holds.

It is kept in the store's index, which may be discarded: LFS is then told once more. Each entry is one blob, the canonical encoding of
``[version, marks, settings, prefix, files with their stamps, tracked files]``.

Invariant: what holds was looked at: each object of LFS by its size, each file with attributes by its stamp, else by what it says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.lfspointer import object_path
from mldata.tracking.gitlfsplace import (
    LFS,
    Settings,
    attribute_files,
    folders_of,
    marks,
    stack_of,
    stamps,
)
from mldata.tracking.gitrepository import Repository

if TYPE_CHECKING:
    from store import Store

__all__ = ["Memory", "recall", "remember"]

_VERSION = 1


@dataclass(frozen=True)
class Memory:
    """What was so when LFS was told."""

    marks: list[bytes]
    settings: Settings
    prefix: str
    """The export's folder below the root: empty, or with ``/`` at its end."""
    stamps: list[list[int]]
    """Of all files with attributes that count."""
    tracked: list[tuple[str, str, int]]
    """Path in the export, SHA-256 and size of each file that LFS keeps."""

    def broken(self, repository: Repository) -> str | None:
        """Why LFS has to be told again; None if all holds."""
        if self.marks != marks(repository):
            return "git's configuration is another one"
        lost = sum(not _stands(self.settings.objects, sha256, size) for _, sha256, size in self.tracked)
        if lost:
            return f"Git LFS does not have {lost:,} of {len(self.tracked):,} files"
        folders = folders_of(self.prefix, (path for path, _, _ in self.tracked))
        if self.stamps == stamps(attribute_files(repository, self.settings, folders)):
            return None
        try:
            stack = stack_of(repository, self.settings, folders)
        except OSError as error:
            return f"{error.filename} cannot be read: {error.strerror}"
        for path, _, _ in self.tracked:
            if stack.find(os.fsencode(self.prefix + path)).state != LFS:
                return f".gitattributes does not give {self.prefix}{path} to Git LFS"
        return None


def _stands(objects: str, sha256: str, size: int) -> bool:
    if size == 0:
        return True
    try:
        return os.stat(f"{objects}/{object_path(sha256)}").st_size == size
    except OSError:
        return False


def _key(repository: Repository, tree: str, folder: Path, asked: Mapping[str, Any]) -> str:
    from store import digest_bytes

    named = "\0".join((tree, str(sorted(asked.items())), str(repository.git_dir), str(folder)))
    return f"git-lfs {_VERSION} {digest_bytes(os.fsencode(named))}"


def recall(
    store: Store, repository: Repository, tree: str, folder: Path, asked: Mapping[str, Any]
) -> Memory | None:
    """What is remembered; None if nothing is."""
    from store import StoreError, decode

    data = store.index.get_blob(_key(repository, tree, folder, asked))
    if data is None:
        return None
    try:
        found, (objects, attributes, ignore_case), prefix, times, paths, digests, sizes = decode(data)
    except (StoreError, ValueError):
        return None
    text = digests.hex()
    tracked = [
        (path, text[64 * number : 64 * number + 64], sizes[number]) for number, path in enumerate(paths)
    ]
    settings = Settings(os.fsdecode(objects), os.fsdecode(attributes), ignore_case)
    return Memory(found, settings, os.fsdecode(prefix), times, tracked)


def remember(
    store: Store, repository: Repository, tree: str, folder: Path, asked: Mapping[str, Any], memory: Memory
) -> None:
    """Keep it for the next build."""
    from store import encode

    settings = memory.settings
    value = [
        memory.marks,
        [os.fsencode(settings.objects), os.fsencode(settings.attributes), settings.ignore_case],
        os.fsencode(memory.prefix),
        memory.stamps,
        [path for path, _, _ in memory.tracked],
        bytes.fromhex("".join(sha256 for _, sha256, _ in memory.tracked)),
        [size for _, _, size in memory.tracked],
    ]
    store.index.put_blob(_key(repository, tree, folder, asked), encode(value))
