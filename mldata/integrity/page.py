"""A page of memory that a worker shares with the process that started it: what the worker is at, since when, and how long it may take.

Every field is an aligned number of 64 bits, written at once, and has one writer. :meth:`Page.begin` writes the times before the number, so that a
reader never takes an earlier file's times for those of the present one: at worst it takes them for shorter than they are.
"""

from __future__ import annotations

import sys
import time
from mmap import mmap

__all__ = ["SIZE", "Page"]

SIZE = 4096
_CURRENT, _WALL, _CPU, _LIMIT, _KIND, _SIZE, _STOP = range(7)
_NS = 1_000_000_000


class Page:
    """The page. Either process has its own object over the same memory."""

    def __init__(self, memory: mmap) -> None:
        self._memory = memory
        self._fields = memoryview(memory).cast("Q")

    # Of the worker:

    def begin(self, number: int, limit: float) -> None:
        """The ``number``-th file of the batch, from 1, is begun; it may take ``limit`` seconds."""
        fields = self._fields
        fields[_LIMIT] = int(limit * _NS)
        fields[_KIND] = fields[_SIZE] = 0
        fields[_WALL] = time.monotonic_ns()
        fields[_CPU] = time.process_time_ns()
        fields[_CURRENT] = number

    def allow(self, limit: float, size: int) -> None:
        """The present file has ``size`` bytes and may take ``limit`` seconds."""
        self._fields[_LIMIT] = int(limit * _NS)
        self._fields[_SIZE] = size

    def restart(self) -> None:
        """What went before was not the present file's: libraries were loaded."""
        self._fields[_WALL] = time.monotonic_ns()
        self._fields[_CPU] = time.process_time_ns()

    def at(self, kind: int) -> None:
        """The present file is of this kind, a number from 1."""
        self._fields[_KIND] = kind

    def end(self) -> None:
        """The batch is done."""
        self._fields[_CURRENT] = 0

    @property
    def stopped(self) -> bool:
        """Whether no further file of the batch should be begun."""
        return bool(self._fields[_STOP])

    # Of the other side:

    def clear(self) -> None:
        """A batch will be sent."""
        self._fields[_CURRENT] = self._fields[_STOP] = 0

    def stop(self) -> None:
        """No further file of the batch should be begun."""
        self._fields[_STOP] = 1

    @property
    def current(self) -> int:
        """The number of the present file; 0: none."""
        return self._fields[_CURRENT]

    @property
    def kind(self) -> int:
        """The number of the present file's kind; 0: not known yet."""
        return self._fields[_KIND]

    @property
    def size(self) -> int:
        """Bytes of the present file, as far as they are known."""
        return self._fields[_SIZE]

    @property
    def limit(self) -> float:
        """Seconds that the present file may take."""
        return self._fields[_LIMIT] / _NS

    @property
    def wall(self) -> float:
        """Seconds since the present file was begun. A machine that sleeps does not count them (``CLOCK_MONOTONIC``)."""
        return max(time.monotonic_ns() - self._fields[_WALL], 0) / _NS

    def cpu(self, pid: int) -> float | None:
        """Seconds of processor time that the worker has taken for the present file; None where one process cannot ask that of another."""
        if sys.platform != "linux":
            return None
        try:
            now = time.clock_gettime_ns((~pid << 3) | 2)  # clock_getcpuclockid(3): the clock of a process
        except OSError:
            return None
        return max(now - self._fields[_CPU], 0) / _NS

    def close(self) -> None:
        """Let go of the memory."""
        self._fields.release()
        self._memory.close()
