"""Whether there is room for an export, known before the first file is written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import BuildError
from mldata.sizes import human_size

if TYPE_CHECKING:
    from store import Digest, Store

__all__ = ["check_room", "room_for"]


def room_for(need: int, place: Path | str, what: str) -> None:
    """Raise ``BuildError`` where the disk of ``place`` (which need not be there yet) has not ``need`` bytes for ``what``."""
    path = Path(place)
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    if need > free:
        raise BuildError(
            f"{what} needs about {human_size(need)}, and {human_size(free)} are free",
            where=str(place),
            hint="Free some room (`mldata gc` shows what can go), or write fewer formats or to another disk.",
        )


def check_room(store: Store, tree: Digest, folder: Path, link: str) -> None:
    """Raise ``BuildError`` where there is no room to copy the files of an export to ``folder``. Links take none."""
    there = folder
    while not there.exists():
        there = there.parent
    if link != "copy" and os.stat(there).st_dev == os.stat(store.root).st_dev:
        return
    need = sum(entry.size for path, entry in store.walk(tree) if not _stands(folder / path, entry.size))
    room_for(need, folder, "the export")


def _stands(path: Path, size: int) -> bool:
    """Whether a file of this size is there already, which most likely stays."""
    try:
        return path.lstat().st_size == size
    except OSError:
        return False
