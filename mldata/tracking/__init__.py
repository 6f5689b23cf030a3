"""Programs that version the files of an export, by the name that they have in the spec. A module is imported only when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldata.tracking.base import Tracker

__all__ = ["TRACKERS", "load_tracker", "stage_params"]

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


def stage_params(export: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``export:`` in its plain form as parameters of the stage, and the settings of the trackers that it names.

    Trackers change no byte of the files, but for the digests that the manifest then tells.
    """
    params = {name: value for name, value in export.items() if name not in TRACKERS}
    if "dvc" in export:
        params["md5"] = True
    return params, {name: export[name] for name in TRACKERS if name in export}
