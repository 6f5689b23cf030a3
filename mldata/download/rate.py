"""A limit of bytes a second over everything that comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from mldata.download.retries import Stopped

__all__ = ["Rate"]

_PARTS = 8
"""A second's bytes are taken in so many parts at least, so that a low limit does not come as bursts and long silence."""


class Rate:
    """A bucket that fills with ``limit`` bytes a second and holds none in store. Shared by threads; None: no limit.

    Args:
        stop: set when nobody wants the bytes any more; ends a wait.
    """

    def __init__(self, limit: int | None, stop: threading.Event) -> None:
        if limit is not None and limit < 1:
            raise ValueError(f"expected a limit of at least one byte a second, found {limit}")
        self._limit = limit
        self._stop = stop
        self._lock = threading.Lock()
        self._free = 0.0
        """When all that was taken so far has been paid for."""

    def parts(self, data: bytes | memoryview) -> Iterator[bytes | memoryview]:
        """``data`` in parts, each when its time has come. Raises :class:`Stopped`."""
        if self._limit is None:
            yield data
            return
        view = memoryview(data)
        step = max(1, self._limit // _PARTS)
        for at in range(0, len(view), step):
            part = view[at : at + step]
            self._wait(len(part))
            yield part

    def _wait(self, size: int) -> None:
        assert self._limit is not None
        with self._lock:
            now = time.monotonic()
            self._free = max(now, self._free) + size / self._limit
            until = self._free
        if self._stop.wait(until - now):
            raise Stopped
