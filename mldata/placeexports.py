"""Exporting what no spec names: a file, a folder, an earlier export or a source elsewhere, straight into a folder.

A project is made up around one dataset, as :mod:`mldata.into` does, and the one build engine builds it. Parts that the place has of its
own (``train/``, ``test.csv``) stay parts; a place without any becomes one. An earlier export is read from the files that hold its schema.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mldata.build import Session
from mldata.buildoptions import Options
from mldata.claim import Claim
from mldata.errors import UsageError
from mldata.exportfolder import MANIFEST
from mldata.into import order
from mldata.ownparts import OWN_PARTS, has_parts
from mldata.project import within
from mldata.sources import LOCAL, local_path, scheme_of

if TYPE_CHECKING:
    from mldata.into import Order
    from mldata.project import Project
    from mldata.reporter import Reporter
    from mldata.spec import Flags

__all__ = ["export_place", "sources_of"]


def export_place(
    words: Sequence[str],
    to: Path | str,
    export: Mapping[str, Any],
    base: Project | None,
    options: Options,
    reporter: Reporter,
    flags: Flags | None = None,
    *,
    force: bool = False,
) -> tuple[Session, str]:
    """Export a place to a folder.

    Args:
        words: paths, quoted patterns or URIs, as typed in the working folder.
        export: ``export:`` as a spec has it, without ``to``.
        base: the project that the working folder lies in.
        force: replace files in the folder that are of no export, or edited since, where they are in the way.

    Returns:
        The session, closed (its reports, warnings and what was tracked), and the name that the dataset was given.

    Raises:
        MldataError: what is asked for makes no sense, the folder is in the way of something, or a stage failed.
    """
    sources = [source for word in words for source in sources_of(word)]
    _apart(sources, to)
    made = order(sources, to, {"export": export, "split": OWN_PARTS}, base, flags)
    claim = Claim(made.folder, made.project.state, made.name, "-o", force=force)
    claim.look()
    with Session(made.project, options, reporter, claim) as session:
        session.exporting.add(made.name)
        if has_parts(session, made.name):
            return _built(session, made)
    spec = replace(made.project.datasets[made.name], split=None)
    datasets = MappingProxyType({**made.project.datasets, made.name: spec})
    whole = replace(made, project=replace(made.project, datasets=datasets))
    with Session(whole.project, options, reporter, claim) as session:
        return _built(session, whole)


def _built(session: Session, made: Order) -> tuple[Session, str]:
    from mldata.tasks import require_tasks

    require_tasks(session, [f"export:{made.name}"])
    return session, made.name


def _apart(sources: Sequence[str], to: Path | str) -> None:
    """Refuse a folder that would be read as its own source."""
    folder = os.path.realpath(os.path.expanduser(to))
    for source in sources:
        if scheme_of(source) == LOCAL:
            path = os.path.realpath(os.path.expanduser(local_path(source)))
            if within(path, folder):
                raise UsageError(
                    f"expected a folder apart from what is read, found {source}",
                    where="-o",
                    hint="choose another folder",
                )


def sources_of(word: str) -> list[str]:
    """The sources: of an earlier export the files of its parts, else the place itself.

    Raises ``UsageError`` for an export that cannot be read back so.
    """
    folder = Path(os.path.expanduser(local_path(word))) if scheme_of(word) == LOCAL else None
    if folder is None or not (folder / MANIFEST).is_file():
        return [word]
    from mldata.manifest import read_manifest
    from mldata.rowpieces import READABLE

    manifest = read_manifest(folder / MANIFEST)
    if manifest.kind != "tabular":
        raise UsageError(
            f"expected an export of a table, found one of {manifest.kind}, whose files are apart from its rows",
            where=str(folder),
            hint=f"Name the dataset in its project: mldata export {manifest.dataset} -o DIR",
        )
    for name in READABLE:
        if files := [file.path for file in manifest.files if file.format == name]:
            return [f"{word.rstrip('/')}/{path}" for path in files]
    raise UsageError(
        f"expected an export with files of {' or '.join(READABLE)}, which hold a schema; found "
        + ", ".join(sorted({file.format for file in manifest.files})),
        where=str(folder),
        hint="Name its files: mldata export 'FOLDER/*.csv' -o DIR",
    )
