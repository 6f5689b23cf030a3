"""A limit of bytes a second holds over all threads, and lets small parts through soon."""

from __future__ import annotations

import threading
import time

import pytest

from mldata.download.rate import Rate
from mldata.download.retries import Stopped


def test_without_a_limit_bytes_pass_as_they_are() -> None:
    """Nothing is copied or cut."""
    data = bytes(1000)
    assert [id(part) for part in Rate(None, threading.Event()).parts(data)] == [id(data)]


def test_the_limit_is_shared() -> None:
    """Two threads together get what one would."""
    rate = Rate(100_000, threading.Event())
    begun = time.monotonic()
    got: list[int] = []
    threads = [
        threading.Thread(target=lambda: got.append(sum(len(part) for part in rate.parts(bytes(15_000)))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [15_000, 15_000] and time.monotonic() - begun >= 0.29


def test_it_does_not_come_in_bursts() -> None:
    """What comes in one large piece is handed on in several."""
    assert len(list(Rate(80_000, threading.Event()).parts(bytes(20_000)))) == 2


def test_it_can_be_ended() -> None:
    """Who is not wanted any more does not wait for his turn."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        list(Rate(1, stop).parts(bytes(1000)))


def test_no_bytes_a_second_are_no_limit() -> None:
    """A limit of nothing is a mistake."""
    with pytest.raises(ValueError, match="at least one"):
        Rate(0, threading.Event())
