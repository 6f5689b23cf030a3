"""How two trees of files differ, by their digests: folders that are equal are not opened, and no file is read."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.evolution.datadiff import FileChange, FilesDiff

if TYPE_CHECKING:
    from store import Digest, Store, TreeEntry

__all__ = ["compare_files"]

Side = tuple["Store", "Digest | None"]


def compare_files(old: Side, new: Side) -> FilesDiff:
    """What became of the files of ``old``. Raises a ``store`` error.

    A file that went from one path and came at another with its content has moved; where several have that content they go together in the order
    of their paths.
    """
    gone: dict[str, Digest] = {}
    come: dict[str, Digest] = {}
    changed = []
    same = 0
    for path, before, after in _entries(old, new, ""):
        if before is not None and after is not None and before == after:
            same += 1
        elif before is not None and after is not None:
            changed.append(FileChange(path, after, before))
        elif before is not None:
            gone[path] = before
        else:
            assert after is not None
            come[path] = after
    places: defaultdict[Digest, deque[str]] = defaultdict(deque)
    for path in sorted(gone):
        places[gone[path]].append(path)
    moved = []
    for path in sorted(come):
        if places[come[path]]:
            came_from = places[come[path]].popleft()
            moved.append(FileChange(path, come[path], came_from))
            del gone[came_from]
    for change in moved:
        del come[change.path]
    return FilesDiff(
        [FileChange(path, digest) for path, digest in sorted(come.items())],
        [FileChange(path, digest) for path, digest in sorted(gone.items())],
        sorted(changed, key=lambda it: it.path),
        moved,
        same,
    )


def _entries(old: Side, new: Side, folder: str) -> Iterator[tuple[str, Digest | None, Digest | None]]:
    """Every file that either has, with both digests."""
    from store import KIND_TREE

    if old[1] == new[1]:
        if old[1] is not None:
            yield from ((f"{folder}{path}", it.digest, it.digest) for path, it in old[0].walk(old[1]))
        return
    left, right = _listed(old), _listed(new)
    for name in sorted(left.keys() | right.keys()):
        one, two = left.get(name), right.get(name)
        folders = [it.digest if it is not None and it.kind == KIND_TREE else None for it in (one, two)]
        files = [it.digest if it is not None and it.kind != KIND_TREE else None for it in (one, two)]
        if any(folders):
            yield from _entries((old[0], folders[0]), (new[0], folders[1]), f"{folder}{name}/")
        if any(files):
            yield f"{folder}{name}", files[0], files[1]


def _listed(side: Side) -> dict[str, TreeEntry]:
    store, digest = side
    return {entry.name: entry for entry in store.tree(digest)} if digest is not None else {}
