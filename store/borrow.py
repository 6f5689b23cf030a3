"""Objects of another store, taken over without a second copy of their bytes where the filesystem can: for a store that others are read into.

Invariant: every object was hashed, whatever its seal says, before it has its name here. A link to it is the other store's file: published
objects are never written to, so neither store can change what the other has.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from store.batch import Batch
from store.digest import CHUNK, ObjectId
from store.errors import ObjectCorrupt
from store.objects import Objects

__all__ = ["borrow"]


def borrow(other: Objects, batch: Batch, ids: Iterable[ObjectId]) -> Iterator[ObjectId]:
    """Take objects of ``other`` over, one after the other; yields each when it is there, or staged in ``batch``.

    Raises:
        ObjectMissing: the other store has none of that name.
        ObjectCorrupt: its bytes are others, or more or fewer than ``ids`` say.
    """
    for id in ids:
        found = other.verify_content(id.digest)
        path = other.layout.object(id.digest)
        if found.size != id.size:
            raise ObjectCorrupt(id.digest, path)
        if not _linked(path, batch.objects.layout.object(id.digest)):
            with batch.writer() as writer, open(path, "rb") as file:
                while chunk := file.read(CHUNK):
                    writer.write(chunk)
            if writer.id != id:  # it was written to since
                raise ObjectCorrupt(id.digest, path, found=writer.id.digest)
        yield id


def _linked(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> bool:
    """Whether ``target`` is a hardlink to ``path`` now, or was there."""
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.link(path, target, follow_symlinks=False)
    except FileExistsError:
        return True
    except OSError:  # another filesystem, one without links, too many of them, or a file of somebody else
        return False
    return True
