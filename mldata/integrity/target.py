"""A file that is to be checked: what it is called, where it is, and what is known of it beforehand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """A file to check."""

    path: str
    """What it is called in results, with ``/``."""
    file: Path | str
    """Where it is."""
    digest: str | None = None
    """Of its content where that is known for certain: an object of the store."""
    stat: os.stat_result | None = None
    """Of the file, where it was just asked for."""
    follow: bool = True
    """Whether :attr:`file` may be a link."""
