"""Doing what ``mldata.tracking.gitlfs`` promises, for one export.

Invariant: all that may refuse comes first: git is asked, plans are made and tried, before LFS's objects, then ``.gitattributes``, then the
index are written.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.lfspointer import Pointer, object_path
from mldata.sizes import human_size
from mldata.tracking.base import Published, Tracked
from mldata.tracking.gitlfsadvice import check_git, committed, ignored, not_installed
from mldata.tracking.gitlfsindex import Entry, normal_blobs, read_index, stage_pointers
from mldata.tracking.gitlfsmemory import Memory, remember
from mldata.tracking.gitlfspatterns import kinds
from mldata.tracking.gitlfsplace import (
    Settings,
    attribute_files,
    folders_of,
    marks,
    number_of_files,
    read_settings,
    stamps,
)
from mldata.tracking.gitlfsplan import Plan, make_plan
from mldata.tracking.gitrepository import Git, Repository

if TYPE_CHECKING:
    from mldata.manifest import ManifestFile
    from store import HandedOver, TreeEntry

__all__ = ["Tracking"]

MANIFEST = "manifest.yaml"
MEDIA = "media"
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass
class _Done:
    """What was written, beside lines."""

    handed: HandedOver
    staged: int


class Tracking:
    """One run for one export."""

    def __init__(self, published: Published, repository: Repository) -> None:
        self.published = published
        self.place, self.store = published.place, published.store
        self.repository = repository
        self.git = Git(self.repository)
        self.config = self.git.config()
        check_git(self.git, self.config)
        self.settings: Settings = read_settings(self.repository, self.config)
        name = self.repository.name(Path(os.path.realpath(self.place.folder)))
        self.prefix = f"{name}/" if name else ""

    @cached_property
    def index(self) -> Mapping[str, Entry]:
        """What git has."""
        return read_index(self.git)

    def run(self) -> Tracked:
        """Do it."""
        files = dict(self.store.walk(self.published.tree))
        listed = self._listed(files)
        media = frozenset(path for path, file in listed.items() if file.format == MEDIA)
        sizes = {path: entry.size for path, entry in files.items()}
        wanted = kinds(sizes, media, self.place.settings["above"])
        plan = make_plan(self.repository, self.settings, self.prefix, wanted, files, lambda: self.index)
        for edit in plan.edits:
            edit.check()
        pointers = self._pointers(files, listed, plan.tracked)
        warnings = [*plan.warnings, *self._advice(pointers)]
        handed = self._fill(files, pointers)
        if handed.wrong:
            warnings.append(
                f"damaged objects of Git LFS were replaced: {len(handed.wrong):,} in {self.settings.objects}"
            )
        for edit in plan.edits:
            edit.write()
        done = _Done(handed, self._stage(pointers))
        self._remember(pointers)
        return Tracked(self._facts(plan, pointers), tuple(self._lines(plan, pointers, done)), tuple(warnings))

    def _listed(self, files: Mapping[str, TreeEntry]) -> dict[str, ManifestFile]:
        """What the manifest says of the files, by path."""
        from mldata.manifest import read_manifest

        if MANIFEST not in files:
            return {}
        manifest = read_manifest(self.store.path(files[MANIFEST].digest))
        return {file.path: file for file in manifest.files}

    def _pointers(
        self, files: Mapping[str, TreeEntry], listed: Mapping[str, ManifestFile], tracked: Sequence[str]
    ) -> dict[str, Pointer]:
        """By path in the export. The manifest has the SHA-256 of nearly all; the store is asked for the others."""
        known = {
            path: file.sha256
            for path in tracked
            if (file := listed.get(path)) is not None
            and file.blake3 == files[path].digest
            and _SHA256.fullmatch(file.sha256)
        }
        asked = [files[path].digest for path in tracked if path not in known]
        hashes = self.store.hashes(asked, ("sha256",))
        found = {}
        for path in tracked:
            entry = files[path]
            sha256 = known.get(path) or hashes[entry.digest].sha256
            assert sha256 is not None  # it was asked for
            found[path] = Pointer(sha256, entry.size)
        return found

    def _fill(self, files: Mapping[str, TreeEntry], pointers: Mapping[str, Pointer]) -> HandedOver:
        """Have LFS's objects. An empty file has none."""
        from store import ObjectId, is_sealed

        objects = {}
        for path, pointer in pointers.items():
            name, digest = object_path(pointer.sha256), files[path].digest
            try:
                there = is_sealed(os.lstat(f"{self.settings.objects}/{name}"), digest, pointer.size)
            except OSError:
                there = False
            if pointer.size and not there:
                objects[name] = ObjectId(digest, pointer.size)
        return self.store.hand_over(objects.items(), self.settings.objects, force=True)

    def _stage(self, pointers: Mapping[str, Pointer]) -> int:
        if not self.place.settings["pointers"]:
            return 0
        length = 64 if self.config.get("extensions.objectformat", "").lower() == "sha256" else 40
        return stage_pointers(self.git, self.index, self._named(pointers), length)

    def _named(self, pointers: Mapping[str, Pointer]) -> dict[str, Pointer]:
        """By path below the root."""
        return {self.prefix + path: pointer for path, pointer in pointers.items()}

    def _advice(self, pointers: Mapping[str, Pointer]) -> Iterator[str]:
        """Looked for before anything is written: git may refuse to say."""
        yield from not_installed(self.git, self.config)
        yield from ignored(self.git, (path for path in self._named(pointers) if path not in self.index))
        if not self.place.settings["pointers"]:
            whole = normal_blobs(self.git, self.index, self._named(pointers))
            yield from committed(self.git, whole, self.prefix.removesuffix("/"))

    def _remember(self, pointers: Mapping[str, Pointer]) -> None:
        folders = folders_of(self.prefix, pointers)
        memory = Memory(
            marks(self.repository),
            self.settings,
            self.prefix,
            stamps(attribute_files(self.repository, self.settings, folders)),
            [(path, pointer.sha256, pointer.size) for path, pointer in pointers.items()],
        )
        remember(
            self.store, self.repository, self.published.tree, self.place.folder, self.place.settings, memory
        )

    def _facts(self, plan: Plan, pointers: Mapping[str, Pointer]) -> dict[str, Any]:
        return {
            "root": str(self.repository.root),
            "attributes": [edit.name for edit in plan.edits],
            "patterns_added": [pattern for edit in plan.edits for pattern in edit.patterns],
            "tracked": [
                {"path": path, "oid": pointer.sha256, "size": pointer.size}
                for path, pointer in self._named(pointers).items()
            ],
            "bytes": _storage(pointers),
        }

    def _lines(self, plan: Plan, pointers: Mapping[str, Pointer], done: _Done) -> Iterator[str]:
        for edit in plan.edits:
            yield f"{edit.name}: added {', '.join(edit.patterns)}"
        new, copied = done.handed.linked + done.handed.copied, done.handed.copied
        how = f" ({copied:,} by copying, for want of links)" if copied else ""
        yield (
            f"Git LFS keeps {number_of_files(len(pointers))}, {human_size(_storage(pointers))} on its server; "
            f"objects new in {self.settings.objects}: {new:,}{how}"
        )
        if done.staged:
            yield f"pointers staged in git's index: {done.staged:,}"
        git = f"git -C {shlex.quote(str(self.repository.root))}"
        paths = [edit.name for edit in plan.edits] + [self.prefix.removesuffix("/") or "."]
        yield "Next:"
        yield f"  {git} add -- {' '.join(map(shlex.quote, paths))}"
        yield f"  {git} commit"
        yield f"  {git} push"


def _storage(pointers: Mapping[str, Pointer]) -> int:
    """Bytes that the files take on an LFS server: equal ones once."""
    return sum({pointer.sha256: pointer.size for pointer in pointers.values()}.values())
