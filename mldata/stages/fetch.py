"""Fetch: bring the raw files of a dataset into the store, as one tree.

Of a source that is another dataset its table (and for a part its split) stands in the tree as it is, in the folder of the source:
nothing is copied, and the tree is another one whenever that dataset is.

Only files whose content may have changed are read; the others keep the digest that the stat cache has for them. The
number of actions is the number of files: a file read is an action run, a file not read a hit.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mldata.errors import SourceError
from mldata.formats import MEDIA, find_format
from mldata.formats.choose import some
from mldata.litter import litter_text
from mldata.sources.base import Listing
from mldata.stages.base import StageOutput

if TYPE_CHECKING:
    from mldata.pin import Pin
    from mldata.snapshot import Snapshots
    from mldata.stages.base import Job
    from store import Digest, ObjectId


class Fetch:
    """The fetch stage.

    Args:
        listing: the source files as they are now.
        snapshots: where their stats and digests are remembered.
        known: digests that are still good, by name; any other file is read.
        tables: what comes from other datasets, by folder and name.
        pins: what the sources elsewhere are, by their place in the spec; their files are in the store.
        brought: how many files of theirs had to be downloaded for this.
        md5: media files will be exported with their MD5.
    """

    def __init__(
        self,
        listing: Listing,
        snapshots: Snapshots,
        known: Mapping[str, Digest],
        tables: Mapping[str, Mapping[str, ObjectId]],
        pins: Mapping[int, Pin] = MappingProxyType({}),
        brought: int = 0,
        *,
        md5: bool = False,
    ) -> None:
        self._media_hashes = ("md5", "sha256") if md5 else ("sha256",)
        self._pins = pins
        self._brought = brought
        self._tables = tables
        self._listing = listing
        self._snapshots = snapshots
        self._known = known

    def build(self, job: Job) -> StageOutput:
        """Ingest what is new, publish the tree, remember the stats. Raises a ``store`` error for a file that changes."""
        store = job.store
        kept: dict[str, ObjectId] = {}
        wanted: list[tuple[str, str]] = []
        from store import ObjectId

        for name, path, stat in self._listing:
            digest = self._listing.digests.get(name) or self._known.get(name)
            if digest is not None and store.intact(digest, stat.size):
                kept[name] = ObjectId(digest, stat.size)
            else:
                wanted.append((name, path))
        stats: dict[str, tuple[int, int, int, int]] = {}
        job.count(hits=len(kept) - self._brought, runs=len(wanted) + self._brought)
        # Media files are exported as they are, so the manifest will want their SHA-256: one read gives all digests.
        media = [(name, path) for name, path in wanted if _is_media(name)]
        others = [(name, path) for name, path in wanted if not _is_media(name)] if media else wanted
        said = ("md5",) if self._listing.md5 else ()
        for files, hashes in ((media, {*self._media_hashes, *said}), (others, said)):
            for item in store.ingest_files(files, hashes=hashes) if files else ():
                kept[item.name] = item.id
                stats[item.name] = item.stat
        self._hold_against_md5(job, kept)
        # Whether a file may be executed says nothing about data, and would differ between checkouts: it is not kept.
        raw = store.put_paths((name, kept[name], False) for name in self._listing.names)
        tree = self._with_tables(job, raw)
        # The stats that count are those of the moment when the bytes were read.
        numbers = array("q", self._listing.numbers)
        for index, name in enumerate(self._listing.names):
            if name in stats:
                numbers[4 * index : 4 * index + 4] = array("q", stats[name])
        listing = replace(self._listing, numbers=numbers)
        self._snapshots.record(listing, {name: made.digest for name, made in kept.items()}, tree.digest)
        self._warn_of_twins(job)
        total = sum(made.size for made in kept.values())
        facts: dict[str, Any] = {"files": len(kept), "bytes": total}
        if self._tables:
            facts["raw"] = raw.digest if kept else None
            facts["datasets"] = {
                folder: {name: it.digest for name, it in made.items()}
                for folder, made in self._tables.items()
            }
        if self._pins:
            facts["remote"] = {str(number): pin.to_json() for number, pin in sorted(self._pins.items())}
        if ignored := self._listing.ignored:
            facts["ignored"] = dict(sorted(ignored.items()))
            job.note(f"left out of the source: {litter_text(ignored)}")
        return StageOutput(tree, facts=facts)

    def _with_tables(self, job: Job, raw: ObjectId) -> ObjectId:
        """The tree of raw files with what comes from other datasets."""
        if not self._tables:
            return raw
        from store import KIND_TREE, TreeEntry

        entries = list(job.store.tree(raw.digest))
        for folder, made in self._tables.items():
            inner = job.put_tree([TreeEntry(name, KIND_TREE, *it) for name, it in made.items()])
            entries.append(TreeEntry(folder, KIND_TREE, *inner))
        return job.put_tree(entries)

    def _hold_against_md5(self, job: Job, kept: Mapping[str, ObjectId]) -> None:
        """Raise ``SourceError`` for a file that is not what the program which keeps it says."""
        said = self._listing.md5
        known = job.store.hashes([kept[name].digest for name in said], ("md5",)) if said else {}
        for name, path in zip(self._listing.names, self._listing.paths, strict=True):
            if name in said and known[kept[name].digest].md5 != said[name]:
                raise SourceError(
                    f"expected the file whose MD5 is {said[name]}, found one whose MD5 is {known[kept[name].digest].md5}: it was damaged or edited",
                    where=path,
                    hint="Remove it, and bring it here again: dvc pull",
                )

    def _warn_of_twins(self, job: Job) -> None:
        """Say which file two sources name: its rows are there twice, which may be meant."""
        paths = self._listing.paths
        if len(set(paths)) == len(paths):
            return
        # Equal files that DVC keeps are one in its cache.
        files = {
            name: path
            for name, path in zip(self._listing.names, self._listing.paths, strict=True)
            if name not in self._listing.md5
        }
        times = Counter(files.values())
        twins = [name for name, path in files.items() if times[path] > 1]
        if not twins:
            return
        job.warn(f"two sources name the same file, and its rows are read twice: {some(twins)}")


def _is_media(name: str) -> bool:
    info = find_format(name, b"")
    return info is not None and info.kind in MEDIA
