"""What a look gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "release"]

Level = Literal["ok", "note", "warn", "fail"]
"""``note``: something that is not there and is not needed. ``warn``: something that one wants works worse, or not now. ``fail``: something that mldata
needs is broken."""


@dataclass(frozen=True)
class Finding:
    """One line."""

    part: str
    name: str
    level: Level
    text: str
    remedy: str | None = None
    """What to do, most often a command; always there with ``warn`` and ``fail``."""
    detail: bool = False
    """Shown to people only if they ask for more, or if it is not well."""


def release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with (PEP 440), to be compared."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
