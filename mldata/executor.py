"""Where actions that the cache does not have are run.

An executor takes calls and yields outcomes as they finish; it knows nothing of stages, stores or datasets. The number of
workers never changes what a call returns, only when.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

POLL = 0.5
"""Seconds after which a thread that waits looks up: a signal that comes in the instant before it begins to wait does not wake it."""
T = TypeVar("T")
EXECUTORS = ("threads", "processes")
"""Names of those that a build can be told to use."""


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """How one call ended: exactly one of ``value`` and ``error`` is meaningful."""

    index: int
    """Position of the call in what was submitted."""
    value: T | None = None
    error: Exception | None = None


class Executor(Protocol):
    """Runs calls, some at a time."""

    jobs: int

    def run(
        self, calls: Sequence[Callable[[], T]], *, keep_going: bool, stop: Callable[[], object] = bool
    ) -> Generator[Outcome[T], None, None]:
        """Yield an outcome for each call as it ends.

        After the first error no further call is started, unless ``keep_going``; those already running are still yielded.
        Closing the iterator, or an interrupt, cancels what has not started, calls ``stop``, which may tell what runs to end
        soon, and waits for it.
        """
        ...

    def close(self) -> None:
        """Let go of what runs calls. After everything that was made is published."""
        ...


@runtime_checkable
class RemoteExecutor(Executor, Protocol):
    """An executor whose calls ask elsewhere: each sends a request of :mod:`mldata.remote` and waits for the answer."""

    def ask(self, request: bytes) -> bytes:
        """Have a request answered by a process that has nothing else to do. For several threads at once.

        Raises:
            MldataError: that process was lost, or the run is being stopped.
        """
        ...


class ThreadExecutor:
    """Runs calls in threads of this process: Arrow, BLAKE3 and the image decoders release the GIL."""

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs or default_jobs()

    def run(
        self, calls: Sequence[Callable[[], T]], *, keep_going: bool, stop: Callable[[], object] = bool
    ) -> Generator[Outcome[T], None, None]:
        """See :class:`Executor`."""
        from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="mldata")
        running: dict[Future[T], int] = {}
        waiting = iter(range(len(calls)))
        failed = False
        try:
            while True:
                # Two calls a worker are enough to keep it busy, and leave little to cancel.
                while len(running) < 2 * self.jobs and (keep_going or not failed):
                    index = next(waiting, None)
                    if index is None:
                        break
                    running[pool.submit(calls[index])] = index
                if not running:
                    return
                done, _ = wait(running, POLL, FIRST_COMPLETED)
                for future in sorted(done, key=running.__getitem__):
                    index = running.pop(future)
                    error = future.exception()
                    if error is None:
                        yield Outcome(index, future.result())
                        continue
                    if not isinstance(error, Exception):
                        raise error
                    if not failed and not keep_going:
                        for other in [other for other in running if other.cancel()]:
                            del running[other]
                    failed = True
                    yield Outcome(index, error=error)
        except BaseException:
            stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """See :class:`Executor`. Threads end with each run."""


def default_jobs() -> int:
    """As many workers as this process may use processors."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
