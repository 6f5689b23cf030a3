"""An export's way out of the store: into its folder, and to the programs that version files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldata.stages.base import StageOutput
    from mldata.state import ProjectState
    from mldata.tracking.base import Tracked
    from store import Digest, Store, TreeEntry

__all__ = ["Claim", "check_trackers", "materialize", "track"]

Claim = Callable[["Store", "Digest"], "Mapping[str, TreeEntry]"]
"""Asked before a tree is exported: says what was exported to its folder before, or refuses."""


def materialize(
    state: ProjectState, store: Store, dataset: str, made: StageOutput, claim: Claim | None
) -> None:
    """Bring the folder of an export in line with its tree.

    Args:
        claim: whether the folder may be written, where the spec does not say that it is an export's.
    """
    from mldata.exportroom import check_room

    link = state.project.link
    before = state.receipt(dataset, "export")
    spec = state.spec(dataset).export or {}
    previous: Digest | Mapping[str, TreeEntry] | None = None
    if claim is not None:
        previous = claim(store, made.output.digest)
    elif before is not None and before.place.get("to") == spec["to"]:
        previous = before.output
    folder = state.export_dir(dataset)
    check_room(store, made.output.digest, folder, link)
    store.materialize(made.output.digest, folder, link=link, previous=previous)


def check_trackers(state: ProjectState, dataset: str, *, overwrite: bool) -> None:
    """Raise what would keep the programs that the spec names from being told, before anything is made."""
    from mldata.tracking import load_tracker

    for name, place in state.trackers(dataset).items():
        load_tracker(name).check(replace(place, force=overwrite))


def track(
    state: ProjectState, store: Store, dataset: str, made: StageOutput, *, overwrite: bool
) -> dict[str, Tracked]:
    """Make the export known to the programs that the spec names; what each was told.

    Args:
        overwrite: let them replace what somebody else wrote.
    """
    from mldata.tracking import load_tracker
    from mldata.tracking.base import Published

    return {
        name: load_tracker(name).track(Published(replace(place, force=overwrite), store, made.output.digest))
        for name, place in state.trackers(dataset).items()
    }
