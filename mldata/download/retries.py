"""How often something that failed is tried again, and how long to wait before.

Exponential backoff with jitter: half of the wait is fixed, half is by chance, so that many who were turned away together do not come back together.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from mldata.download.base import Transient

__all__ = ["LONGEST", "Retries", "Stopped"]

FIRST = 0.5
"""Seconds before the second try; twice as many before each further one."""
MOST = 60.0
"""Seconds that are waited unless the other side asks for more."""
LONGEST = 900.0
"""Who asks for more seconds than this is not waited for."""


class Stopped(Exception):
    """Whoever wanted the bytes does not want them any more."""


class Retries:
    """Counts failures in a row.

    Args:
        retries: failures that are forgiven.
        stop: set when nobody wants the bytes any more; ends a wait.
    """

    def __init__(self, retries: int, stop: threading.Event) -> None:
        self._retries = retries
        self._stop = stop
        self._failures = 0

    def renew(self) -> None:
        """Something came: the count starts anew."""
        self._failures = 0

    def failed(self, error: Transient, tell: Callable[[float], None]) -> None:
        """Wait until it may be tried again; ``tell`` is told the seconds.

        Raises:
            Transient: ``error``, if that was once too often, or the wait would be too long.
            Stopped: meanwhile nobody wants it any more.
        """
        self._failures += 1
        wait = min(MOST, FIRST * 2 ** (self._failures - 1)) * (0.5 + random.random() / 2)
        wait = max(wait, error.retry_after) if error.retry_after else wait
        if self._failures > self._retries or wait > LONGEST:
            raise error
        tell(wait)
        if self._stop.wait(wait):
            raise Stopped
