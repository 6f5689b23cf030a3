"""A folder that a person names for an export: what may be there before, and what is.

Invariant: nothing that is not of an export is replaced or removed, and nothing of the project's own is written over: not its sources, its state,
nor the folders that its builds keep. All of this is known before the first file is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import MldataError, UsageError

if TYPE_CHECKING:
    from mldata.project import Project
    from store import TreeEntry

__all__ = ["MANIFEST", "check_place", "earlier_files", "files_in", "is_file", "listed_files"]

MANIFEST = "manifest.yaml"
NAMED = 3
"""How many files a message names."""
LEFT_BEHIND = (".mldata-", ".tmp")
"""Start and end of the name of a folder that an export which was killed has left; the next one removes it."""
PYTHON_CACHE = "__pycache__"
"""What Python makes of ``dataset.py`` when it is imported: nobody's data, and not the export's; it stays."""
GITIGNORE = ".gitignore"


def check_place(project: Project, folder: Path) -> None:
    """Raise ``UsageError`` for a folder that is the project's for something else."""
    from mldata.spec import export_faults
    from mldata.specexport import FORMATS

    hint = "Name another folder with -o."
    for own, what in ((project.state, "state"), (project.store_path, "store")):
        if folder.is_relative_to(own) or own.is_relative_to(folder):
            raise UsageError(
                f"expected a folder apart from the project's {what} {own}", where=str(folder), hint=hint
            )
    inside = folder.is_relative_to(project.root)
    to = folder.relative_to(project.root).as_posix() if inside else folder.as_posix()
    export = {"to": to, "formats": FORMATS}
    for name, spec in project.datasets.items():
        dataset = {"source": spec.sources, "split": spec.split, "export": export}
        for fault in export_faults({name: dataset}):
            raise UsageError(f"{fault.message} of {name!r}", where=str(folder), hint=hint)
        if spec.export is not None and _share(folder, project.root / str(spec.export["to"])):
            raise UsageError(
                f"expected a folder apart from {spec.export['to']}, where `mldata build` keeps the export of {name!r}",
                where=str(folder),
                hint=hint,
            )


def _share(one: Path, two: Path) -> bool:
    return one.is_relative_to(two) or two.is_relative_to(one)


def earlier_files(
    folder: Path, tree: Mapping[str, TreeEntry], *, force: bool = False
) -> dict[str, TreeEntry]:
    """The files of an earlier export in ``folder`` by path, to be replaced by those of ``tree``, or removed.

    Args:
        force: whatever stands where a file of ``tree`` is to be may be replaced; other files are left alone.

    Raises:
        UsageError: there are files that are neither of an export, by its manifest, nor of ``tree``, or that were edited since.
    """
    listed = listed_files(folder)
    if force:
        return listed
    foreign = (
        path
        for path in files_in(folder)
        if not any(is_file(folder / path, files[path]) for files in (tree, listed) if path in files)
    )
    if named := list(islice(foreign, NAMED)):
        more = " and more" if next(foreign, None) is not None else ""
        raise UsageError(
            f"expected an empty folder, or one with nothing but an export as it was written; found {', '.join(named)}{more}",
            where=str(folder),
            hint="Name another folder with -o, or move these files away; --force replaces those that are in the way, and leaves the others.",
        )
    return listed


def files_in(folder: Path) -> Iterator[str]:
    """Every file below a folder, also links and whatever else is no folder, in order of name, but for what tracks an export.

    Raises ``UsageError`` if it is none.
    """
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise UsageError(
            "expected a folder, found something else", where=str(folder), hint="Name another one."
        )
    try:
        for where, folders, names in os.walk(folder, onerror=_raise):
            start, end = LEFT_BEHIND
            links = [name for name in folders if os.path.islink(os.path.join(where, name))]
            folders[:] = sorted(
                it for it in folders if it != PYTHON_CACHE and not (it.startswith(start) and it.endswith(end))
            )
            for name in sorted({*names, *links} - _trackers(where, names)):
                yield Path(where, name).relative_to(folder).as_posix()
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be read, found {error.strerror}", where=str(error.filename)
        ) from None


def _trackers(where: str, names: Iterable[str]) -> set[str]:
    """Of the names in a folder the ``.dvc`` files that mldata wrote, and the ``.gitignore`` that goes with them. They stay."""
    likely = [name for name in names if name.endswith(".dvc")]
    if not likely:
        return set()
    from mldata.dvcfile import is_own

    own = {name for name in likely if is_own(Path(where, name))}
    return own | {GITIGNORE} if own else own


def _raise(error: OSError) -> None:
    raise error


def listed_files(folder: Path) -> dict[str, TreeEntry]:
    """The files that the folder's manifest lists, and itself; none if it has no manifest."""
    from mldata.manifest import read_manifest
    from store import KIND_FILE, StoreError, TreeEntry, as_digest, hash_file

    path = folder / MANIFEST
    if not os.path.isfile(path) or os.path.islink(path):
        return {}
    try:
        listed = [(file.path, as_digest(file.blake3), file.size) for file in read_manifest(path).files]
        own = hash_file(path)
    except (MldataError, StoreError, OSError):
        return {}
    return {
        name: TreeEntry(name.rpartition("/")[2], KIND_FILE, digest, size)
        for name, digest, size in (*listed, (MANIFEST, own.digest, own.size))
    }


def is_file(path: Path, entry: TreeEntry) -> bool:
    """Whether a file has the bytes of ``entry``: by its seal, else by hashing."""
    from store import StoreError, hash_file, is_sealed

    try:
        stat = os.lstat(path)
        if not os.path.isfile(path) or os.path.islink(path) or stat.st_size != entry.size:
            return False
        return is_sealed(stat, entry.digest, entry.size) or hash_file(path).digest == entry.digest
    except (OSError, StoreError):
        return False
