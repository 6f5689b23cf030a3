"""What a manifest tells beside the files of its export: the same for a build, for making it again, and for another export of it.

Invariant: it depends on what was built and by which versions alone; no time, host or path is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mldata.libraries import library_version
from mldata.stages import STAGES, UNTOLD
from mldata.version import __version__

__all__ = ["Made", "manifest_context"]


class Made(NamedTuple):
    """How a stage's output was made."""

    version: int
    """Of the stage."""
    libraries: Mapping[str, str]
    """Versions of those that it was written with."""


def manifest_context(
    sources: Sequence[Mapping[str, Any]], params: Mapping[str, Mapping[str, Any]], made: Mapping[str, Made]
) -> dict[str, Any]:
    """The context of an export that is made now.

    Args:
        sources: ``source``, digest of its ``tree``, ``files`` and ``bytes`` of each source.
        params: by stage, in order.
        made: how each stage before the export was made.
    """
    told = [stage for stage in params if stage not in UNTOLD]
    export = STAGES["export"]
    now = Made(export.version, {name: library_version(name) for name in export.libraries})
    return {
        "mldata": __version__,
        "sources": [dict(source) for source in sources],
        "params": {stage: dict(params[stage]) for stage in told},
        "versions": {
            stage: {"version": it.version, "libraries": dict(it.libraries)}
            for stage, it in ((stage, now if stage == "export" else made[stage]) for stage in told)
        },
    }
