"""Checking many files: worker processes that may hang or crash, a memo of what is known, results in order.

The face of this package::

    with Checking(Options(jobs=2), memo) as checking:
        for result in checking.run(targets):   # in the order of the targets
            ...

Invariant: what is found depends on the files alone, not on the number of workers, on what was asked before, or on whether the memo knew it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from mldata.integrity.target import Target

if TYPE_CHECKING:
    from mldata.integrity.base import FileCheckResult
    from mldata.integrity.memo import Memo
    from mldata.integrity.pool import Pool

__all__ = ["Checking", "Options", "Target"]


@dataclass(frozen=True)
class Options:
    """How files are checked. What is found does not depend on :attr:`jobs`."""

    jobs: int | None = None
    """Worker processes; None: one a processor."""
    timeout: float = 5.0
    """Seconds for one file; a worker that takes longer is ended. A large file has a second for each 4 MiB. Processor time, where that can be told: see
    :mod:`mldata.integrity.hand`."""
    memory: int = 1 << 30
    """Bytes of address space that one file may take beyond what a worker has when it starts, where the system can keep that."""


class Checking:
    """Worker processes for checking files. Several threads may call :meth:`run` at the same time; they share the workers."""

    def __init__(self, options: Options, memo: Memo | None = None) -> None:
        """Start nothing yet. ``memo``: what is known of contents; None: everything is looked at."""
        from mldata.executor import default_jobs

        self.options = options
        self.memo = memo
        self._jobs = options.jobs or default_jobs()
        self._lock = threading.Lock()
        self._pool: Pool | None = None

    def run(
        self, targets: Iterable[Target], done: Callable[[int], None] = lambda size: None
    ) -> Generator[FileCheckResult, None, None]:
        """The verdict on each file, in the order in which they are given. To stop, close the generator: whatever is looked at is given up.

        ``done`` is called with the bytes of each file that is finished.

        Raises:
            BuildError: no worker process can be started; or the workers were ended meanwhile.
        """
        from mldata.integrity.look import as_result
        from mldata.integrity.run import Run
        from store import seldom_collecting

        run = Run(targets, self.memo, self._workers, self._jobs)
        with closing(run), seldom_collecting():  # what is made has no cycles
            for target, look in run.looks():
                done(look.size)
                yield as_result(target.path, look)

    @property
    def working(self) -> bool:
        """Whether any worker was needed."""
        return self._pool is not None

    def _workers(self) -> Pool:
        from mldata.integrity.hand import Hand
        from mldata.integrity.pool import Pool

        with self._lock:
            if self._pool is None:
                options = self.options
                memo = str(self.memo.path) if self.memo is not None and self.memo.knows else None
                self._pool = Pool(self._jobs, lambda: Hand(options.timeout, options.memory, memo))
            return self._pool

    def __enter__(self) -> Checking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
        if self.memo is not None:
            self.memo.close()
