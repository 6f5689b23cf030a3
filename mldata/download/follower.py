"""Digests of a file while it comes: a thread of its own reads what is written, in order, from the page cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from mldata.download.digests import Sums

__all__ = ["Follower"]

ENOUGH = 4 << 20
"""Bytes that are worth waking up for."""


class Follower:
    """Hashes a file up to where it is contiguous.

    Args:
        sums: that take the bytes.
        read: gives the bytes between two offsets.
    """

    def __init__(self, sums: Sums, read: Callable[[int, int], Iterator[memoryview]]) -> None:
        self._sums = sums
        self._read = read
        self._end = 0
        self._over = False
        self._dropped = False
        self._error: BaseException | None = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="download-hash", daemon=True)
        self._thread.start()

    def reach(self, end: int) -> None:
        """Say that all bytes before ``end`` are there."""
        if end >= self._end + ENOUGH:
            with self._news:
                self._end = max(self._end, end)
                self._news.notify()

    def finish(self, end: int) -> Sums:
        """The sums of all bytes before ``end``, which are all there are. Raises what reading raised."""
        with self._news:
            self._end, self._over = end, True
            self._news.notify()
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._sums

    def drop(self) -> None:
        """End it; nobody wants the sums."""
        with self._news:
            self._over = self._dropped = True
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                with self._news:
                    self._news.wait_for(lambda: self._over or self._end > self._sums.size)
                    end, over = self._end, self._over
                for data in self._read(self._sums.size, end):
                    self._sums.update(data)
                    if self._dropped:
                        return
                if over:
                    return
        except BaseException as error:
            self._error = error
