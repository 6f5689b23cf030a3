"""The project, the store, the disk and what its filesystem can do."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.doctor.base import Finding
from mldata.errors import MldataError, brief

if TYPE_CHECKING:
    from mldata.project import Project
    from store import Store

__all__ = ["look"]

LITTLE, TOO_LITTLE = 5 * 1024**3, 100 * 1024**2
"""Bytes free."""
PATIENCE = 10.0
"""Seconds that a look at the store may take."""


def look(folder: Path, offline: bool) -> Iterator[Finding]:
    """Whether builds find what they need, and where they put it."""
    from mldata.into import default_store

    project, finding = _project(folder)
    yield finding
    if project is None and finding.level == "fail":
        # Where the store of a spec is that cannot be read nobody knows; the disk is the same, most likely.
        place = folder
    else:
        place = project.store_path if project is not None else default_store()
        yield from _store(place)
    place = _nearest(place)
    yield _space(place)
    yield from _abilities(place)


def _project(folder: Path) -> tuple[Project | None, Finding]:
    from mldata.project import NoProject, find_project, load_project

    try:
        project = load_project(find_project(folder))
    except NoProject:
        remedy = "mldata init makes one here"
        return None, Finding("storage", "project", "note", f"{folder} is in no project", remedy)
    except MldataError as error:
        remedy = error.hint or "Edit the spec."
        return None, Finding("storage", "project", "fail", str(error).partition("\n")[0], remedy)
    names = ", ".join(project.datasets) or "no dataset yet"
    return project, Finding("storage", "project", "ok", f"{project.spec_path}: {brief(names)}")


def _store(path: Path) -> Iterator[Finding]:
    from store import Store, StoreError

    if not os.path.lexists(path):
        yield Finding("storage", "store", "ok", f"{path} is made by the first build")
        return
    try:
        with Store.open(path, create=False, read_only=True) as store:
            yield _health(store)
            if not os.access(path, os.W_OK):
                yield Finding(
                    "storage", "store", "warn", f"{path} cannot be written", f"Look at who may: ls -ld {path}"
                )
    except StoreError as error:
        yield Finding("storage", "store", "fail", str(error), f"Look at it: ls -la {path}")


def _health(store: Store) -> Finding:
    """What a quick check finds; a large store is not waited for."""
    from store import StoreError

    found: list[Finding] = []

    def check() -> None:
        try:
            found.append(_checked(store))
        except Exception as error:  # of a thread, nobody would hear of it
            said = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"
            found.append(Finding("storage", "store", "fail", said, "mldata check -v"))

    thread = threading.Thread(target=check, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    late = Finding("storage", "store", "note", f"{store.root} is too large for a quick look", "mldata check")
    return found[0] if found else late


def _checked(store: Store) -> Finding:
    report = store.check()
    damaged = sum(it.matters for it in report.findings)
    if damaged:
        said = f"{store.root}: found damaged or missing objects or names ({damaged:,})"
        return Finding("storage", "store", "fail", said, "mldata check --repair")
    said = f"{store.root}: {report.objects:,} objects, names and references are as they should be"
    return Finding("storage", "store", "ok", said)


def _nearest(path: Path) -> Path:
    """The folder that a new one would be made in; in a store, the place for temporary files."""
    if (path / "tmp").is_dir():
        return path / "tmp"
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def _space(place: Path) -> Finding:
    from mldata.sizes import human_size

    free = shutil.disk_usage(place).free
    text = f"{human_size(free)} free at {place}"
    if free < TOO_LITTLE:
        return Finding(
            "storage",
            "disk",
            "fail",
            text,
            "Make room: mldata gc --keep-last 1; or another place: MLDATA_STORE=DIR",
        )
    if free < LITTLE:
        return Finding("storage", "disk", "warn", text, "See what may go: mldata gc --keep-last 1 --dry-run")
    return Finding("storage", "disk", "ok", text)


def _abilities(place: Path) -> Iterator[Finding]:
    from store import StoreError, abilities

    try:
        can = abilities(place)
    except StoreError as error:
        yield Finding(
            "storage", "filesystem", "fail", str(error), f"Look at who may write there: ls -ld {place}"
        )
        return
    links = [name for name in ("reflink", "hardlink", "symlink") if getattr(can, name)]
    other = "MLDATA_STORE=DIR names a store on another disk"
    if can.reflink or can.hardlink:
        yield Finding(
            "storage", "links", "ok", f"{', '.join(links)}: exports need no second copy on this filesystem"
        )
    else:
        yield Finding(
            "storage", "links", "warn", "neither reflink nor hardlink: each export is a copy", other
        )
    if not can.flock:
        yield Finding(
            "storage",
            "locks",
            "warn",
            "no flock: nothing keeps two builds of one project apart",
            f"Run one at a time; or {other}",
        )
    if not can.fine_times:
        yield Finding(
            "storage",
            "times",
            "warn",
            "times of files are rounded: objects are hashed again whenever they are used",
            other,
        )
    if not can.case_sensitive:
        yield Finding(
            "storage", "names", "note", "a and A are one file here: sources with both are refused", other
        )
