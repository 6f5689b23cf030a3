"""What the store keeps of a source that is elsewhere, in the place of that source.

Invariant: it lists exactly the files of one tree, all of which the store has.
"""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING

from mldata.errors import SourceError
from mldata.sources.base import Listing

if TYPE_CHECKING:
    from store import Digest, Store


class KeptSource:
    """A source as the store has it.

    Args:
        text: the source in whose place it stands.
        store: where its files are.
        tree: of its files, as the lock pins it; None if it pins nothing.
    """

    def __init__(self, text: str, store: Store, tree: Digest | None) -> None:
        self.text = text
        self.key = f"kept:{text}"
        self._store = store
        self._tree = tree

    def listing(self) -> Listing:
        """The files, each at the path of its object. Raises ``SourceError`` when the store does not have them all."""
        if self._tree is None:
            raise self._absent("mldata.lock pins nothing for it")
        if missing := self._store.missing(self._tree, 1):
            raise self._absent(f"the store does not have {missing[0].digest}, which mldata.lock pins of it")
        taken_ns = time.time_ns()
        files = sorted(self._store.walk(self._tree))
        # In the place of the times and the inode stands the digest: as long as that is the same, so is the file.
        numbers = [
            number
            for _, entry in files
            for number in (entry.size, 0, int(entry.digest[15:30], 16), int(entry.digest[:15], 16))
        ]
        return Listing(
            [path for path, _ in files],
            [str(self._store.path(entry.digest)) for _, entry in files],
            array("q", numbers),
            taken_ns,
            digests={path: entry.digest for path, entry in files},
        )

    def _absent(self, why: str) -> SourceError:
        return SourceError(
            f"it is not on this machine, and cannot be taken from the store: {why}",
            where=self.text,
            hint="Build it once without --offline; or fetch the project's store.",
        )
