"""The lock of a project: one at a time, but a thread does not wait for itself."""

from __future__ import annotations

import threading
from pathlib import Path

from mldata.projectlock import ProjectLock, project_lock


def never() -> None:
    """Nobody else has it."""
    raise AssertionError("it waits for itself")


def test_a_thread_does_not_wait_for_itself(tmp_path: Path) -> None:
    """Inside its own lock a thread goes on; others are kept out until the outer one ends."""
    path = tmp_path / "lock"
    other = ProjectLock(path)
    with project_lock(path, never) as waited:
        assert waited is False
        with project_lock(path, never) as again:
            assert again is False
        assert other.acquire(wait=False) is False
    assert other.acquire(wait=False) is True
    other.release()


def test_others_wait(tmp_path: Path) -> None:
    """Another thread is told that it waits, has the lock when the first is done, and knows that it has waited."""
    path = tmp_path / "lock"
    waits = threading.Event()
    found = []

    def build() -> None:
        with project_lock(path, waits.set) as waited:
            found.append(waited)

    thread = threading.Thread(target=build)
    with project_lock(path, never):
        thread.start()
        assert waits.wait(30)
        assert found == []
    thread.join(30)
    assert found == [True]
