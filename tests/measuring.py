"""What coverage measures: what tests run in their own process, and of others only those that a test asks for.

The start of a child takes half as long again while it is measured, and most children run what others have run.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

__all__ = ["OF_CHILDREN", "forget_children", "leave_measuring_to_pytest_cov", "running_coverage", "workerid"]

OF_CHILDREN: dict[str, str] = {}
"""The part of the environment that makes a child measure itself; empty where nothing is measured."""


def forget_children() -> None:
    """Take it out of the environment: children that inherit it are not measured from now on."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")]:
        OF_CHILDREN[name] = os.environ.pop(name)


def leave_measuring_to_pytest_cov(config: pytest.Config) -> None:
    """In a worker of pytest-xdist only pytest-cov measures, which has not begun yet.

    A worker is a subprocess too, which coverage measures as it does any other (``patch`` in pyproject.toml). Beneath
    the measurement of pytest-cov that one would go on wherever a test is marked ``no_cover``.
    """
    while workerid(config) is not None and (coverage := running_coverage()) is not None:
        coverage.stop()


def workerid(config: pytest.Config) -> str | None:
    """Name of this worker of pytest-xdist; None in a process that is none."""
    told: dict[str, str] = getattr(config, "workerinput", {})
    return told.get("workerid")


def running_coverage() -> Any:
    """What measures at the moment, if anything does."""
    package = sys.modules.get("coverage")
    return package and package.Coverage.current()
