"""Paths below a folder that others may fill with anything: found free, made of folders that are none but folders, removed when they are empty.

Invariant: no link is ever gone through, whatever it leads to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["free_path", "make_folders", "remove_empty"]


def free_path(real: Path, source: str, taken: set[str]) -> str:
    """A path below ``real`` that nothing has, as near to ``source`` as can be. Folders on the way are folders, no links."""
    parts = source.split("/")
    made: list[str] = []
    for place, part in enumerate(parts):
        number, name = 0, part
        while True:
            path = "/".join([*made, name])
            there = os.path.join(real, path)
            last = place == len(parts) - 1
            blocked = path in taken or (last and f"{path}/" in taken)
            if not blocked and (not os.path.lexists(there) or (not last and _is_folder(there))):
                break
            number += 1
            name = f"{part}.{number}"
        made.append(name)
        taken.add(path if place == len(parts) - 1 else f"{path}/")
    return "/".join(made)


def _is_folder(path: str) -> bool:
    return stat.S_ISDIR(os.lstat(path).st_mode)


def make_folders(base: str | Path, path: str) -> None:
    """The folders that ``path`` needs below ``base``. Raises ``OSError`` where something else is in the way, a link too."""
    folder = os.fspath(base)
    for part in path.split("/")[:-1]:
        folder = os.path.join(folder, part)
        with suppress(FileExistsError):
            os.mkdir(folder)
        if not _is_folder(folder):
            raise NotADirectoryError(f"{part} is no folder any more")


def remove_empty(real: Path, targets: Iterable[str]) -> None:
    """Remove the folders on the way to these paths that have become empty."""
    for target in targets:
        for parent in Path(target).parents[:-1]:
            folder = os.fspath(real / parent)
            with suppress(OSError):
                if os.path.realpath(folder) == folder:
                    os.rmdir(folder)
