"""An executor that runs actions in processes of its own, for work that holds the interpreter: on several processors it goes on at once.

A thread a process hands it one request at a time; the processes are those of ``store.Worker``: they end when this one does.

Invariant: a process that ends before it answers takes down what it was asked for and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING, TypeVar

from mldata.errors import BuildError
from mldata.executor import Outcome, ThreadExecutor

if TYPE_CHECKING:
    from store import Worker

T = TypeVar("T")
WITHOUT = "Without processes: --executor threads."


class ProcessExecutor:
    """The :class:`mldata.executor.RemoteExecutor` of this machine. Processes start when there is something for them to do."""

    def __init__(self, jobs: int | None = None) -> None:
        self._threads = ThreadExecutor(jobs)
        self.jobs = self._threads.jobs
        self._lock = Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._stopping = Event()

    def run(
        self, calls: Sequence[Callable[[], T]], *, keep_going: bool, stop: Callable[[], object] = bool
    ) -> Generator[Outcome[T], None, None]:
        """See :class:`mldata.executor.Executor`. Whoever waits for an answer when the run is stopped gets an error at once."""

        def stop_all() -> None:
            stop()
            self._stop()

        self._stopping.clear()
        yield from self._threads.run(calls, keep_going=keep_going, stop=stop_all)

    def ask(self, request: bytes) -> bytes:
        """See :class:`mldata.executor.RemoteExecutor`."""
        from store import Worker, WorkerLost

        with self._lock:
            if self._stopping.is_set():
                raise BuildError("the build is being stopped")
            try:
                worker = self._idle.pop() if self._idle else Worker("mldata.remote", "main")
            except WorkerLost as error:
                raise BuildError(f"no process can be started: {error}", hint=WITHOUT) from None
            self._busy.add(worker)
        try:
            answer: bytes = worker.ask(request)
        except WorkerLost:
            with self._lock:
                self._busy.discard(worker)
            raise BuildError(
                f"the process that ran it ended before it was done ({worker.close()})",
                hint=f"It may have run out of memory, or a library crashed. Fewer at a time: -j 1. {WITHOUT}",
            ) from None
        with self._lock:
            self._busy.discard(worker)
            if not self._stopping.is_set():
                self._idle.append(worker)
                return answer
        worker.close()  # a process that is being ended is not asked again
        return answer

    def _stop(self) -> None:
        with self._lock:
            self._stopping.set()
            busy = list(self._busy)
        for worker in busy:
            worker.kill()

    def close(self) -> None:
        """End the processes. What they published is kept by the results that name it."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()
