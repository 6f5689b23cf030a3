"""One run over many files: takes targets as the workers get on, recalls what is known, and gives the looks in order.

Invariant: however many targets there are, at most :data:`WINDOW` and a lump of them are held.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, cast

from mldata.integrity.hand import Job, Owner
from mldata.integrity.look import Look

if TYPE_CHECKING:
    from mldata.integrity.memo import Memo
    from mldata.integrity.pool import Pool
    from mldata.integrity.target import Target

__all__ = ["Run"]

LUMP = 500
"""Targets that are taken, looked up and remembered at a time."""
WINDOW = 8192
"""Targets that are taken and not told yet: what gets done while one takes long."""
AHEAD = 256
"""Files for each worker that wait or are looked at."""


class Run(Owner):
    """For one thread.

    Args:
        memo: what is known; None: nothing, and nothing is remembered.
        workers: called when there is something to look at.
    """

    def __init__(
        self, targets: Iterable[Target], memo: Memo | None, workers: Callable[[], Pool], jobs: int
    ) -> None:
        self._targets = iter(targets)
        self._memo, self._workers, self._ahead = memo, workers, jobs * AHEAD
        self._waiting: deque[tuple[Target, bytes, Look | Job]] = deque()
        self._learnt: list[tuple[bytes, Look]] = []
        self._told: list[tuple[Target, bytes, Look]] = []
        self._pool: Pool | None = None
        self._ended = False

    def looks(self) -> Iterator[tuple[Target, Look]]:
        """Each target and what was seen of it, in their order."""
        while True:
            if not self._waiting:
                yield from self._known()
            self._fill()
            if not self._waiting:
                return
            target, file, found = self._waiting[0]
            look = self._wait_for(found) if isinstance(found, Job) else found
            self._waiting.popleft()
            if isinstance(found, Job):
                self._learn(file, look)
            self._tell(target, file, look)
            yield target, look

    def _known(self) -> Iterator[tuple[Target, Look]]:
        """Whole lumps of targets that are known: no worker is needed for them, and nothing has to wait."""
        while not self._ended and not self._waiting:
            lump, files, known = self._next()
            if None in known:
                self._take(lump, files, known)
            else:
                yield from zip(lump, cast("list[Look]", known), strict=True)

    def close(self) -> None:
        """Remember what was seen, and give up what was not."""
        for _, file, found in self._waiting:
            if isinstance(found, Job) and found.look is not None:
                self._learn(file, found.look)
        if self._pool is not None:
            self._pool.give_up(self)
        self._flush()

    def _fill(self) -> None:
        """Take targets: as many as keep the workers busy, or a lump where all that are held are known."""
        while not self._ended and len(self._waiting) < WINDOW:
            if self._waiting and (self.open == 0 or self.open >= self._ahead):
                return
            self._take(*self._next())

    def _next(self) -> tuple[list[Target], list[bytes], list[Look | None]]:
        """The next targets, where they are, and what is known of them."""
        lump = list(islice(self._targets, LUMP))
        self._ended = len(lump) < LUMP
        home = os.fsencode(os.getcwd()) + b"/"
        files = [file if (file := os.fsencode(target.file))[:1] == b"/" else home + file for target in lump]
        return lump, files, self._memo.recall(lump, files) if self._memo is not None else [None] * len(lump)

    def _take(self, lump: list[Target], files: list[bytes], known: list[Look | None]) -> None:
        jobs = []
        for target, file, look in zip(lump, files, known, strict=True):
            if look is not None:
                self._waiting.append((target, file, look))
                continue
            size = target.stat.st_size if target.stat is not None else 0
            job = Job(self, (file, target.path, target.follow, target.digest), size)
            self._waiting.append((target, file, job))
            jobs.append(job)
        if jobs:
            pool = self._pool = self._workers()
            with pool.lock:
                pool.submit(jobs)

    def _wait_for(self, job: Job) -> Look:
        assert self._pool is not None
        while True:
            with self._pool.lock:
                while job.look is None:
                    if self._pool.error is not None:
                        raise self._pool.error
                    if self.open < self._ahead and not self._ended and len(self._waiting) < WINDOW:
                        break
                    self._pool.news.wait()
                if job.look is not None:
                    return job.look
            self._fill()

    def _learn(self, file: bytes, look: Look) -> None:
        if self._memo is None or (look.state is None and look.seen is None):
            return
        self._learnt.append((file, look))
        if len(self._learnt) >= LUMP:
            self._flush()

    def _tell(self, target: Target, file: bytes, look: Look) -> None:
        """Lumps that were not known whole are, from now on, when all of them is told."""
        if self._memo is None:
            return
        self._told.append((target, file, look))
        if len(self._told) == LUMP or (self._ended and not self._waiting):
            targets, files, looks = zip(*self._told, strict=True)
            self._memo.remember_lump(targets, files, looks)
            self._told = []

    def _flush(self) -> None:
        if self._memo is not None and self._learnt:
            self._memo.remember(self._learnt)
        self._learnt = []
