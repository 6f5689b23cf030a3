"""Worker processes that take files from one queue.

A thread a process hands it batches. A batch is small, and small in bytes: a large file goes alone. While a worker is long at one file, the others get those behind it. A worker
that dies takes down the file that it was at, which is tried once more, alone and in a new process: only what crashes that one too is found to.

Invariant: every file that is submitted gets a look, or the run that it belongs to is given up.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from mldata.integrity.base import UNKNOWN
from mldata.integrity.hand import Hand, Job, Lost, Owner
from mldata.integrity.look import Look, crashed, late

__all__ = ["Pool"]

BATCH = 32
BATCH_BYTES = 2 << 20
WATCH = 0.05
"""Seconds between two looks at what the workers are at."""
MOST_IN_VAIN = 3
"""Processes, one after the other, that may end before they begin with a file."""
_FEW = 8
"""Files for which another process is not worth starting."""


class Pool:
    """Up to ``jobs`` workers, each started when there is something for it to do.

    Attributes:
        lock: held while a job or the queue is looked at or changed.
        news: notified when jobs are done.
        error: why nothing more will come.
    """

    def __init__(self, jobs: int, start: Callable[[], Hand]) -> None:
        self.lock = threading.Lock()
        self.news = threading.Condition(self.lock)
        self.error: Exception | None = None
        self._work = threading.Condition(self.lock)
        self._watching = threading.Condition(self.lock)
        self._jobs, self._start = jobs, start
        self._queue: deque[Job] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._busy: set[Hand] = set()
        self._closed = False
        self._vain = 0

    def submit(self, jobs: Iterable[Job]) -> None:
        """Have these looked at, after what was submitted before. With :attr:`lock` held."""
        for job in jobs:
            job.queued = True
            job.owner.open += 1
            self._queue.append(job)
        weight = len(self._queue) / _FEW + sum(job.size for job in self._queue) / BATCH_BYTES
        while len(self._threads) < self._jobs and self._idle < weight and not self._closed:
            self._idle += 1  # until it has begun with something
            self._spawn(self._serve)
            if len(self._threads) == 1:
                threading.Thread(target=self._watch, name="mldata watches", daemon=True).start()
        self._work.notify_all()

    def give_up(self, owner: Owner) -> None:
        """Nothing that belongs to ``owner`` is of interest any more: whatever is at it is ended."""
        with self.lock:
            owner.given_up = True
            self._queue = deque(job for job in self._queue if job.owner is not owner)
            for hand in self._busy:
                if hand.batch[0].owner is owner:
                    hand.kill()

    def close(self) -> None:
        """End all processes, and wait until they have ended."""
        from mldata.errors import BuildError

        with self.lock:
            self._closed = True
            self.error = self.error or BuildError("the check was stopped", hint="Run it again.")
            self._queue.clear()
            self.news.notify_all()
            for hand in self._busy:
                hand.kill()
            self._work.notify_all()
            self._watching.notify_all()
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name="mldata checks", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        """One thread: has one process, or none."""
        from mldata.errors import BuildError
        from store import WorkerLost

        hand: Hand | None = None
        try:
            while batch := self._take():
                tried = False
                while batch:
                    hand = hand or self._start()
                    hand, batch = self._ask(hand, batch, tried)
                    tried = True
        except WorkerLost as error:
            self._fail(
                BuildError(
                    f"expected a process that checks files, found that none starts: {error}",
                    hint="Look at the memory and the limits that there are: ulimit -a",
                )
            )
        except Exception as error:
            self._fail(error)
        finally:
            if hand is not None:
                hand.close()

    def _fail(self, error: Exception) -> None:
        with self.lock:
            self.error = self.error or error
            self.news.notify_all()

    def _watch(self) -> None:
        while True:
            with self.lock:
                while not self._busy and not self._closed:
                    self._watching.wait()
                if self._closed:
                    return
                for hand in self._busy:
                    self._return(hand.watch())
            time.sleep(WATCH)

    def _take(self) -> list[Job]:
        """The next batch; empty when the pool is closed."""
        with self.lock:
            while not self._closed:
                batch: list[Job] = []
                size = 0
                most = min(BATCH, max(1, len(self._queue) // (2 * self._jobs)))
                while self._queue and len(batch) < most:
                    job = self._queue[0]
                    if batch and (size + job.size > BATCH_BYTES or job.owner is not batch[0].owner):
                        break
                    self._queue.popleft().queued = False
                    if job.look is None:
                        batch.append(job)
                        size += job.size
                if batch:
                    self._idle -= 1
                    return batch
                self._work.wait()
            return []

    def _ask(self, hand: Hand, batch: list[Job], tried: bool) -> tuple[Hand | None, list[Job]]:
        """Have a batch done. Returns the process, if there still is one, and what is to be tried again, alone, in a new one."""
        owner = batch[0].owner
        with self.lock:
            if self._closed or owner.given_up:
                self._idle += 1
                return hand, []
            hand.begin(batch)
            self._busy.add(hand)
            self._watching.notify()
        looks: list[Look] = []
        lost: Lost | None = None
        try:
            looks = hand.ask(batch)
        except Lost as error:
            lost = error
        with self.lock:
            self._busy.discard(hand)
            for job, look in zip(batch, looks, strict=False):
                job.settle(look)
            again: list[Job] = []
            if lost is None:
                self._vain = 0
            elif not self._closed and not owner.given_up:
                again = self._after(batch, lost, tried)
            if not again:
                self._idle += 1
            self._return([job for job in batch if job.look is None and job not in again])
            self.news.notify_all()
        if lost is not None:
            hand.close()
            return None, again
        return hand, again

    def _after(self, batch: list[Job], lost: Lost, tried: bool) -> list[Job]:
        """The process ended in the middle of a batch: the verdict on the file that it was at, or that file, to be tried again."""
        from store import WorkerLost

        if not lost.current:
            self._vain += 1
            if self._vain > MOST_IN_VAIN:
                raise WorkerLost(lost.how)
            return []
        job = batch[lost.current - 1]
        if job.look is not None:
            return []
        if lost.limit is not None:
            job.settle(late(lost.kind or UNKNOWN, lost.limit, lost.size))
        elif tried:
            job.settle(crashed(lost.kind or UNKNOWN, lost.how, lost.size))
        else:
            return [job]
        return []

    def _return(self, jobs: Sequence[Job]) -> None:
        """Put back what a batch has left, before all else."""
        back = [job for job in jobs if not job.queued and job.look is None and not job.owner.given_up]
        for job in reversed(back):
            job.queued = True
            self._queue.appendleft(job)
        if back:
            self._work.notify_all()
