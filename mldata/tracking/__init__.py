"""Programs that version the files of an export, by the name that they have in the spec. A module is imported only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldata.tracking.base import Tracker

__all__ = ["TRACKERS", "load_tracker"]

TRACKERS: dict[str, tuple[str, str]] = {
    "dvc": ("mldata.tracking.dvc", "Dvc"),
    "git_lfs": ("mldata.tracking.gitlfs", "GitLfs"),
}
"""Module and class by name; also the order in which they do their work."""


def load_tracker(name: str) -> Tracker:
    """Import and make the tracker called ``name`` (a key of :data:`TRACKERS`)."""
    module, factory = TRACKERS[name]
    made: Tracker = getattr(import_module(module), factory)()
    return made
