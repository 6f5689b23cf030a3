"""Whether everything that mldata works with is there and works: one finding a line, each with what to do about it.

``base`` has the words; each other module looks at one part. Invariants: nothing is changed, and nothing stays behind; one look that goes wrong is a
finding and keeps no other from being made.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from mldata.doctor.base import Finding, Level

__all__ = ["LOOKS", "Finding", "Level", "examine"]

LOOKS = {
    "software": "mldata.doctor.software",
    "programs": "mldata.doctor.programs",
    "settings": "mldata.doctor.settings",
    "storage": "mldata.doctor.storage",
    "credentials": "mldata.doctor.credentials",
    "network": "mldata.doctor.network",
}
"""The module of each part; its ``look(folder, offline)`` gives findings."""


def examine(folder: Path, *, offline: bool = False) -> Iterator[Finding]:
    """Look at everything, as it is for a command that is run in ``folder``."""
    for part, module in LOOKS.items():
        try:
            yield from import_module(module).look(folder, offline)
        except Exception as error:  # a package that is missing or broken shows itself anywhere
            said = f"cannot be looked at: {type(error).__name__}: {error}"
            yield Finding(
                part, part, "fail", said, "Put right what fails above, then run again: mldata doctor -v"
            )
