"""What the folders of media files say: the label of each and, where hubs' layout is used, its part of the split.

The label is the whole path of folders (``cat/tabby/1.png``: ``cat/tabby``), so that no two classes fall together. If every folder at the top is
named as a part of a split (:data:`PARTS`), as in ``train/cat/1.png``, that one is no label but the column ``split``, which ``split: {column: split}``
splits by. Archives count as unpacked where they are; one at the top that is named as a part (``train.zip``) is such a folder.

Invariant: what is said of a file depends on its path, on which folders are archives, and on whether there is a column ``split``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["PARTS", "Folders", "Said", "said", "unpacked"]

PARTS = frozenset(
    {"train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation"}
)
"""What hubs take for parts, in lower case."""


class Said(NamedTuple):
    """Of one file."""

    split: str | None
    label: str | None


def said(path: str, split: bool) -> Said:
    """What the folders of a file say that is in no archive."""
    return _said(path.split("/")[:-1], split)


def _said(folders: Sequence[str], split: bool) -> Said:
    if not split:
        return Said(None, "/".join(folders) or None)
    return Said(folders[0] if folders else None, "/".join(folders[1:]) or None)


def unpacked(folders: Sequence[str], archives: Collection[str], above: str = "") -> list[str]:
    """Those of nested folders that do not stand for archives. ``above``: the path that they are below, with its ``/``."""
    kept, path = [], above
    for name in folders:
        path += name
        if path not in archives:
            kept.append(name)
        path += "/"
    return kept


class Folders:
    """The folders of one source.

    Args:
        names: the paths of all media files.
        archives: the folders among them that stand for archives (``a.zip``, ``a.zip/b.tar``).
    """

    def __init__(self, names: Iterable[str], archives: Collection[str] = ()) -> None:
        self._archives = archives
        tops = {folders[0] for name in names if (folders := self._unpacked(name, True))}
        self.split = bool(tops) and all(top.lower() in PARTS for top in tops)
        """Whether there is a column ``split``."""

    def of(self, path: str) -> Said:
        """What the folders of a file say."""
        return (
            _said(self._unpacked(path, self.split), self.split) if self._archives else said(path, self.split)
        )

    def params(self, names: Iterable[str]) -> dict[str, Any]:
        """For an action key, of these files: what :func:`said` would not know."""
        inside = {}
        if self._archives:
            inside = {name: list(own) for name in names if (own := self.of(name)) != said(name, self.split)}
        return {**({"split": True} if self.split else {}), **({"folders": inside} if inside else {})}

    def _unpacked(self, path: str, named: bool) -> list[str]:
        """The folders as if each archive had been unpacked where it is. ``named``: one that is named as a part is a folder."""
        folders = path.split("/")[:-1]
        if not self._archives:
            return folders
        kept = unpacked(folders, self._archives)
        part = next(filter(None, map(_part, self._leading(folders))), None) if named else None
        # Often the folder is packed with its name: train.zip/train/cat/1.png.
        return kept if part is None or kept[:1] == [part] else [part, *kept]

    def _leading(self, folders: Sequence[str]) -> Iterator[str]:
        """The archives that a file is in before it is in any folder."""
        for i, name in enumerate(folders, 1):
            if "/".join(folders[:i]) not in self._archives:
                return
            yield name


def _part(archive: str) -> str | None:
    """What part an archive is named as."""
    stem = archive.partition(".")[0]
    return stem if stem.lower() in PARTS else None
