"""What coverage leaves out is left out, in a worker of pytest-xdist too. Without coverage nothing is measured anyway."""

from __future__ import annotations

import os

import pytest

from tests.measuring import OF_CHILDREN, running_coverage


@pytest.mark.no_cover
def test_what_is_marked_is_not_measured() -> None:
    """Neither by pytest-cov nor by what coverage begins in every subprocess."""
    assert running_coverage() is None


@pytest.fixture(scope="module")
def shared() -> bool:
    """Whether it is measured itself."""
    return running_coverage() is not None


@pytest.mark.no_cover
def test_what_tests_share_is_measured(shared: bool) -> None:
    """A fixture of several tests is measured, though the first of them is not, and then nothing until the next."""
    assert shared == bool(OF_CHILDREN) and running_coverage() is None


def test_children_are_not_measured() -> None:
    """What would make a child measure itself is not in the environment that it inherits."""
    assert [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")] == []


@pytest.mark.usefixtures("measured_children")
def test_those_that_are_asked_for_are_measured() -> None:
    """It is where a test asks for it, as far as anything is measured."""
    assert OF_CHILDREN.items() <= os.environ.items()
    assert bool(OF_CHILDREN) == (running_coverage() is not None)
