"""What installed plug-ins add: sources, formats, checks, exports and frameworks, by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["plugins"]


@cache
def plugins(group: str) -> Mapping[str, Any]:
    """What the entry points of ``group`` load to, by their names, in the order of the names."""
    from importlib.metadata import entry_points

    return {
        point.name: point.load() for point in sorted(entry_points(group=group), key=lambda point: point.name)
    }
