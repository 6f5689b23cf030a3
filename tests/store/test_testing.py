"""The contract suite and the state machine, run on the store that the package opens."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from store import Store
from store.testing import StoreContract, killed, raises, state_machine, steps


class TestStore(StoreContract):
    """The contract, by ``Store.open``."""


def fresh(folder: Path, numbers: Callable[[], int]) -> Callable[[], Store]:
    path = folder / str(numbers())
    return lambda: Store.open(path)


@pytest.mark.slow
def test_store_behaves_like_a_dictionary(tmp_path: Path) -> None:
    """Whatever is done in whatever order, the store shows what a dictionary would, and check finds nothing wrong."""
    numbers = itertools.count().__next__

    def machine() -> object:
        return state_machine(fresh(tmp_path, numbers))()

    checks = list(HealthCheck)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=checks
        ),
    )


def test_killed_tells_death_from_success(tmp_path: Path) -> None:
    """``killed`` is true for a step that is reached, false past the last, and an error if the work itself fails."""

    def work() -> None:
        with Store.open(tmp_path / "s") as store:
            store.refs.append("r", store.put(b"x").digest)

    passed = steps(work)
    assert "objects.rename:before" in passed
    assert killed(work, 0)
    assert not killed(work, 10_000)
    assert "status" in str(raises(RuntimeError, lambda: killed(lambda: 1 / 0, 0)))


def test_raises_wants_the_error() -> None:
    """``raises`` fails when nothing is raised."""
    with pytest.raises(AssertionError, match="expected ValueError"):
        raises(ValueError, lambda: None)
