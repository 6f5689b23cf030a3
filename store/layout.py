"""Where things are on disk. The only file that knows; nothing here opens or writes a file.

Format, version 1, below the store's root::

    format            one line: mldata-store 1
    CACHEDIR.TAG      tells backup programs to leave the folder out (https://bford.info/cachedir/)
    lock              flock: shared by whoever may write, exclusive to sweep tmp/
    objects/ab/<digest>     the bytes of each object, ab being the first two characters of the digest
    actions/ab/<key>        action results
    refs/<name>             mutable names
    leases/                 what running builds need kept
    quarantine/<digest>.<unique>   what turned out not to be what its name says
    partial/<key>.<unique>/ what came of something large before it was cut off
    tmp/                    unpublished
    index.sqlite            disposable cache
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from store.digest import Digest, as_digest

FORMAT_VERSION = 1
FORMAT_LINE = f"mldata-store {FORMAT_VERSION}\n"

CACHEDIR_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder is a cache made by mldata: everything in it can be built again.\n"
    "# For information about cache directory tags see https://bford.info/cachedir/\n"
)

FOLDERS = ("objects", "actions", "refs", "leases", "quarantine", "partial", "tmp")
"""Folders that every store has; made again when one is missing."""


@dataclass(frozen=True)
class Layout:
    """Paths in the store below ``root``."""

    root: Path

    @property
    def format(self) -> Path:
        return self.root / "format"

    @property
    def cachedir_tag(self) -> Path:
        return self.root / "CACHEDIR.TAG"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def actions(self) -> Path:
        return self.root / "actions"

    @property
    def refs(self) -> Path:
        return self.root / "refs"

    @property
    def leases(self) -> Path:
        return self.root / "leases"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def partial(self) -> Path:
        return self.root / "partial"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def index(self) -> Path:
        return self.root / "index.sqlite"

    def object(self, digest: Digest) -> Path:
        """Where the object with this digest is, or would be. :class:`BadDigest` if it is not a digest."""
        return self.root / object_name(as_digest(digest))

    def action(self, key: Digest) -> Path:
        """Where the result of the action with this key is, or would be. :class:`BadDigest` if it is not a digest."""
        return self.root / action_name(as_digest(key))


def object_name(digest: Digest) -> str:
    """An object's path relative to the root. ``digest`` must have been checked."""
    return f"objects/{digest[:2]}/{digest}"


def action_name(key: Digest) -> str:
    """An action result's path relative to the root. ``key`` must have been checked."""
    return f"actions/{key[:2]}/{key}"
