"""Executors yield every outcome once, bound what is in flight, and stop when told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from mldata.executor import ThreadExecutor, default_jobs


def test_every_call_has_one_outcome() -> None:
    """However many workers there are, each call's value comes back under its own index."""
    for jobs in (1, 2, 8):
        outcomes = list(ThreadExecutor(jobs).run([lambda i=i: i * i for i in range(50)], keep_going=False))
        assert sorted(o.index for o in outcomes) == list(range(50))
        assert all(o.value == o.index**2 and o.error is None for o in outcomes)


def test_never_more_at_a_time_than_asked() -> None:
    """At most ``jobs`` calls run at the same moment, and so many do."""
    running = peak = 0
    lock = threading.Lock()
    together = threading.Barrier(3)

    def call() -> None:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        together.wait(600)  # raises unless three are here
        with lock:
            running -= 1

    outcomes = list(ThreadExecutor(3).run([call] * 21, keep_going=False))
    assert [outcome.error for outcome in outcomes] == [None] * 21
    assert peak == 3


def fail() -> None:
    raise ValueError("no")


def test_an_error_stops_what_has_not_started() -> None:
    """After a failure nothing new is started, and the failure is yielded as an outcome."""
    started = []
    calls = [fail, *[lambda i=i: started.append(i) for i in range(100)]]
    outcomes = list(ThreadExecutor(1).run(calls, keep_going=False))
    assert isinstance(outcomes[0].error, ValueError)
    assert len(started) < 5


def test_keep_going_runs_the_rest() -> None:
    """With keep_going every call runs whatever fails."""
    outcomes = list(ThreadExecutor(2).run([fail, lambda: None, fail, lambda: None], keep_going=True))
    assert [o.error is not None for o in sorted(outcomes, key=lambda o: o.index)] == [
        True,
        False,
        True,
        False,
    ]


def test_closing_cancels() -> None:
    """Closing the iterator waits for what runs and cancels the rest."""
    started = []
    outcomes = ThreadExecutor(1).run([lambda i=i: started.append(i) for i in range(1000)], keep_going=False)
    next(outcomes)
    outcomes.close()
    count = len(started)
    time.sleep(0.02)
    assert len(started) == count < 10


def test_an_interrupt_inside_a_call_comes_through() -> None:
    """KeyboardInterrupt is never turned into an outcome."""

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ThreadExecutor(1).run([stop], keep_going=True))


def test_default_is_what_the_process_may_use() -> None:
    """Without -j there is a worker for each processor that the process is allowed to run on."""
    assert ThreadExecutor().jobs == default_jobs() >= 1


def test_an_interrupt_tells_what_runs_to_stop() -> None:
    """Closing the outcomes, as Ctrl-C does, calls ``stop`` before it waits; a run that ends by itself does not."""
    stopped = threading.Event()
    calls: list[Callable[[], object]] = [lambda: None, lambda: stopped.wait(30)]
    outcomes = ThreadExecutor(2).run(calls, keep_going=False, stop=stopped.set)
    next(outcomes)
    outcomes.close()
    assert stopped.is_set()
    unused = threading.Event()
    list(ThreadExecutor(2).run([lambda: None], keep_going=False, stop=unused.set))
    assert not unused.is_set()
