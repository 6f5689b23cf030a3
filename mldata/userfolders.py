"""The user's own folders, by the XDG Base Directory Specification: a relative path in a variable is to be ignored."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "config_base", "config_folder"]


def cache_folder() -> Path:
    """What may be deleted, of mldata."""
    return _base("XDG_CACHE_HOME", "~/.cache") / "mldata"


def config_folder() -> Path:
    """Settings and credentials, of mldata."""
    return config_base() / "mldata"


def config_base() -> Path:
    """Settings, of all programs."""
    return _base("XDG_CONFIG_HOME", "~/.config")


def _base(variable: str, otherwise: str) -> Path:
    named = os.environ.get(variable, "")
    return Path(named if os.path.isabs(named) else os.path.expanduser(otherwise))
