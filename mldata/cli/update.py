"""``mldata update``: look at sources anew, and pin in mldata.lock what is there."""

from __future__ import annotations

import argparse
from typing import Any

from mldata.build import Session
from mldata.buildoptions import Options
from mldata.cli.base import Arguments, Output, Result, failure_code, open_project, pick_datasets
from mldata.cli.downloads import add_download_flags, download_options
from mldata.errors import EXIT_OK

EXAMPLE = "  mldata update penguins"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata update``."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", default=[], help="datasets to look at (default: all)"
    )
    add_download_flags(parser)


def run(args: Arguments, output: Output) -> Result:
    """Fetch, write the lock, and say what is new. Later stages wait for the next build."""
    from mldata.lockfile import pinned
    from mldata.tasks import StandsOnFailure, run_fetch

    project = open_project()
    names = pick_datasets(project, args.names)
    before = {name: pinned(project, name) for name in names}
    with Session(
        project,
        Options(keep_going=True, anew=frozenset(names), download=download_options(args)),
        output.reporter(),
    ) as session:
        code = run_fetch(session, names)
        failed = {name for name, _ in session.failures}
        found = {name: _compare(session, name, before[name]) for name in names if name not in failed}
    lines = [
        f"{name}  {_text(found[name]) if name in found else output.paint('failed', '31')}" for name in names
    ]
    errors = list(session.failures.values())
    causes = [error for error in errors if not isinstance(error, StandsOnFailure)]
    return Result({"datasets": found}, "\n".join(lines), failure_code(causes) if code else EXIT_OK, errors)


def _compare(session: Session, name: str, before: Any) -> dict[str, Any]:
    from mldata.lockfile import pinned
    from mldata.pins import tree_changes

    after = pinned(session.project, name)
    if after is None:  # all its sources are datasets: those are pinned
        return {
            "updated": before is not None,
            "old": before.tree if before is not None else None,
            "new": None,
        }
    changes = tree_changes(session.store, before.tree, after.tree) if before is not None else None
    return {
        "updated": before is None or before.tree != after.tree,
        "old": before.tree if before is not None else None,
        "new": after.tree,
        "files": after.files,
        "bytes": after.bytes,
        "added": list(changes.added) if changes else [],
        "removed": list(changes.removed) if changes else [],
        "modified": list(changes.modified) if changes else [],
    }


def _text(found: dict[str, Any]) -> str:
    from mldata.pins import changes_text
    from mldata.sizes import human_size
    from mldata.snapshot import Changes

    if found["new"] is None:
        return "stands on other datasets, which are pinned themselves"
    if not found["updated"]:
        return "nothing new"
    now = f"{found['files']:,} files, {human_size(found['bytes'])}"
    if found["old"] is None:
        return f"pinned: {now}"
    changes = Changes(*(tuple(found[kind]) for kind in ("added", "removed", "modified")))
    return f"updated: {changes_text(changes) or 'what was pinned is not in the store'}; now {now}"
