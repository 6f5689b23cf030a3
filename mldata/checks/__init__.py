"""The checks of the validate stage, by name. A check's module is imported only when it runs.

Third parties add one through an entry point of the group ``mldata.checks`` that loads to a :class:`CheckInfo`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from mldata.plugins import plugins

if TYPE_CHECKING:
    from mldata.checks.base import Check

__all__ = ["CHECKS", "EXPECT", "CheckInfo", "checks", "find_check", "load_check"]


class CheckInfo(NamedTuple):
    """What planning a validation needs to know of a check without importing it."""

    name: str
    module: str
    factory: str
    version: int
    """Raised whenever the same rows would give another sketch or merge; enters every action key of the check."""
    libraries: tuple[str, ...] = ("pyarrow",)
    """Distributions whose versions can change what is found."""


CHECKS: dict[str, CheckInfo] = {
    info.name: info
    for info in (
        CheckInfo("schema", "mldata.checks.schema", "SchemaCheck", 2),
        CheckInfo("missing", "mldata.checks.missing", "MissingCheck", 2),
        CheckInfo("duplicates", "mldata.checks.duplicates", "DuplicatesCheck", 1),
        CheckInfo("labels", "mldata.checks.labels", "LabelsCheck", 1),
        CheckInfo("leakage", "mldata.checks.leakage", "LeakageCheck", 1),
        CheckInfo("outliers", "mldata.checks.outliers", "OutliersCheck", 1),
        CheckInfo("files", "mldata.checks.files", "FilesCheck", 2, ("pillow", "soundfile")),
    )
}
"""In the order in which they are reported."""
EXPECT = "expect"
"""What a contract with a build is reported as, after all others (:mod:`mldata.checks.expect`): it compares two tables, and is none of the above."""


def checks() -> dict[str, CheckInfo]:
    """The built-in checks, then those of installed plug-ins (which cannot replace a built-in one)."""
    return CHECKS | {name: info for name, info in plugins("mldata.checks").items() if name not in CHECKS}


def find_check(name: str) -> CheckInfo:
    """What is known of the check called ``name``; plug-ins are looked for only if it is not built in."""
    return CHECKS.get(name) or checks()[name]


def load_check(name: str) -> Check:
    """Import and make the check called ``name`` (a key of :func:`checks`)."""
    info = find_check(name)
    made: Check = getattr(import_module(info.module), info.factory)()
    return made
