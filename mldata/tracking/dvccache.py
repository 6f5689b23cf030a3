"""DVC's cache: objects of the store stand in it by their MD5, as links.

Invariant: an object of the cache that is right is not touched; one that is wrong is not replaced without being asked.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mldata.dvcdir import object_path, parse_dir
from mldata.dvcrepo import FILES
from mldata.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mldata.dvcdir import DirObject
    from mldata.dvcfile import Out
    from mldata.dvcrepo import DvcRepository
    from store import Digest, HandedOver, ObjectId, Store, TreeEntry

__all__ = ["NAMED", "cached", "fill", "md5s"]

LOOKED_AT = 1000
"""Of folders with at most so many files, every build looks for each of them in the cache."""
NAMED = 3
"""So many files are named where more are meant."""


def md5s(store: Store, files: Mapping[str, TreeEntry]) -> dict[Digest, str]:
    """MD5 by digest. Raises ``BuildError`` where two files have the same, which DVC would take for one."""
    found = store.hashes([entry.digest for entry in files.values()], ("md5",))
    known: dict[Digest, str] = {}
    digests: dict[str, Digest] = {}
    for path, entry in files.items():
        digest = entry.digest
        md5 = known[digest] = str(found[digest].md5)
        if digests.setdefault(md5, digest) != digest:
            raise BuildError(
                f"two different files have the MD5 {md5}, and DVC would keep one of them only", where=path
            )
    return known


def fill(
    store: Store,
    dvc: DvcRepository | None,
    objects: Mapping[str, TreeEntry],
    lists: Iterable[DirObject],
    *,
    force: bool,
) -> HandedOver | None:
    """Make the cache hold all objects, then the lists of folders; None where there is no cache on this machine."""
    from store import ObjectId, publish_bytes

    if dvc is None or dvc.cache is None:
        return None
    where = dvc.cache / FILES
    wanted: list[tuple[str, ObjectId]] = [
        (path, ObjectId(entry.digest, entry.size)) for path, entry in objects.items()
    ]
    done = store.hand_over(wanted, where, force=force)
    wrong = list(done.wrong)
    lacking = []
    for listed in lists:
        own = where / object_path(listed.md5)
        right = own.is_file() and not own.is_symlink() and own.read_bytes() == listed.data
        if os.path.lexists(own) and not right:
            wrong.append(object_path(listed.md5))
        if not right:
            lacking.append((own, listed.data))
    if wrong and not force:
        more = f" and {len(wrong) - NAMED:,} more" if len(wrong) > NAMED else ""
        raise BuildError(
            f"expected DVC's cache to hold what its names say; found other bytes in {', '.join(wrong[:NAMED])}{more}",
            where=str(where),
            hint="Remove these files and build again; `mldata export` replaces them with --force.",
        )
    for own, data in lacking:
        publish_bytes(own, data, mode=0o444)
    return done


def cached(dvc: DvcRepository, out: Out) -> bool:
    """Whether the cache has what a hash stands for: a file, or a folder's list and, where they are few, its files."""
    path = dvc.object_file(str(out.md5))
    assert path is not None and dvc.cache is not None
    try:
        if not out.is_folder or (out.nfiles or 0) > LOOKED_AT:
            return path.is_file()
        listed = set(parse_dir(path.read_bytes()).values())
        return all(os.path.exists(f"{dvc.cache}/{FILES}/{object_path(md5)}") for md5 in listed)
    except (OSError, ValueError):
        return False
