"""Fetch: bring the raw files of a dataset into the store, as one tree.

Only files whose content may have changed are read; the others keep the digest that the stat cache has for them. The
number of actions is the number of files: a file read is an action run, a file not read a hit.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mldata.formats import find_format
from mldata.sources.base import Listing
from mldata.stages.base import StageOutput

if TYPE_CHECKING:
    from mldata.snapshot import Snapshots
    from mldata.stages.base import Job
    from store import Digest, ObjectId


MEDIA = ("images", "audio")


class Fetch:
    """The fetch stage.

    Args:
        listing: the source files as they are now.
        snapshots: where their stats and digests are remembered.
        known: digests that are still good, by name; any other file is read.
    """

    def __init__(self, listing: Listing, snapshots: Snapshots, known: Mapping[str, Digest]) -> None:
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
            digest = self._known.get(name)
            if digest is not None and store.intact(digest, stat.size):
                kept[name] = ObjectId(digest, stat.size)
            else:
                wanted.append((name, path))
        stats: dict[str, tuple[int, int, int, int]] = {}
        job.count(hits=len(kept), runs=len(wanted))
        # Media files are exported as they are, so the manifest will want their SHA-256: one read gives both digests.
        media = [(name, path) for name, path in wanted if _is_media(name)]
        others = [(name, path) for name, path in wanted if not _is_media(name)] if media else wanted
        for files, hashes in ((media, ("sha256",)), (others, ())):
            for item in store.ingest_files(files, hashes=hashes) if files else ():
                kept[item.name] = item.id
                stats[item.name] = item.stat
        # Whether a file may be executed says nothing about data, and would differ between checkouts: it is not kept.
        tree = store.put_paths((name, kept[name], False) for name in self._listing.names)
        # The stats that count are those of the moment when the bytes were read.
        numbers = array("q", self._listing.numbers)
        for index, name in enumerate(self._listing.names):
            if name in stats:
                numbers[4 * index : 4 * index + 4] = array("q", stats[name])
        listing = replace(self._listing, numbers=numbers)
        self._snapshots.record(listing, {name: made.digest for name, made in kept.items()}, tree.digest)
        total = sum(made.size for made in kept.values())
        return StageOutput(tree, facts={"files": len(kept), "bytes": total})


def _is_media(name: str) -> bool:
    info = find_format(name, b"")
    return info is not None and info.kind in MEDIA
