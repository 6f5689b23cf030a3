"""What fails is tried again so often and no more, after waits that grow and differ."""

from __future__ import annotations

import threading

import pytest

from mldata.download.base import Transient
from mldata.download.retries import LONGEST, Retries, Stopped


class Clock(threading.Event):
    """Waits for nothing and notes how long it would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        return self.is_set()


def test_waits_grow_and_end() -> None:
    """Each wait is up to twice the one before, at least half of that, and none is endless; then the error is raised."""
    clock, told = Clock(), list[float]()
    retries = Retries(9, clock)
    for _ in range(9):
        retries.failed(Transient("503"), told.append)
    assert told == clock.waits
    assert all(0.25 * 2**n <= wait <= min(60, 0.5 * 2**n) or wait >= 30 for n, wait in enumerate(told))
    assert max(told) <= 60
    with pytest.raises(Transient, match="503"):
        retries.failed(Transient("503"), told.append)


def test_two_do_not_wait_alike() -> None:
    """Those who were turned away together do not come back together."""
    clock = Clock()
    for _ in range(20):
        Retries(1, clock).failed(Transient("429"), lambda _: None)
    assert len(set(clock.waits)) > 10


def test_what_is_asked_for_is_waited() -> None:
    """As long as the other side asks, unless that is too long."""
    clock = Clock()
    Retries(1, clock).failed(Transient("429", retry_after=120), lambda _: None)
    assert clock.waits == [120]
    with pytest.raises(Transient):
        Retries(1, clock).failed(Transient("429", retry_after=LONGEST + 1), lambda _: None)


def test_success_renews() -> None:
    """Failures count in a row."""
    retries = Retries(1, Clock())
    for _ in range(5):
        retries.failed(Transient("x"), lambda _: None)
        retries.renew()


def test_a_wait_can_be_ended() -> None:
    """Who is not wanted any more does not wait to the end."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Retries(1, stop).failed(Transient("x", retry_after=500), lambda _: None)
