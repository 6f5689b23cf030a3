"""The user's settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldata.config import SETTINGS, config_file, load_config
from mldata.doctor.base import Finding
from mldata.errors import UsageError

__all__ = ["look"]


def look(folder: Path, offline: bool) -> Iterator[Finding]:
    """Whether they can be read, and which are not the default."""
    try:
        values = load_config().values
    except UsageError as error:
        remedy = error.hint or f"Edit {config_file()}"
        yield Finding("settings", "settings", "fail", f"{error.where}: {error.message}", remedy)
        return
    said = [
        f"{name} {SETTINGS[name].show(it.value)}" for name, it in values.items() if it.origin != "default"
    ]
    yield Finding("settings", "settings", "ok", ", ".join(said) or "all are the default")
