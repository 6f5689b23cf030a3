"""A file that is to be checked: what it is called, where it is, and what is known of it beforehand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["Target"]


class Target(NamedTuple):
    """A file to check. (Millions are made: a dataclass costs three times as much.)"""

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
