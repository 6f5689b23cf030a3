"""How long, and how often, a small request is made again after a passing failure."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from mldata.download.base import Transient

__all__ = ["Patience"]

SHORTEST = 0.05
"""Seconds; also where the other side asks for none."""
LONGEST = 30.0


class Patience:
    """Waits between tries: longer each time, never the same, and as long as the other side asks.

    Args:
        tries: in all.
        limit: seconds, from the first try to the last.
        sleep: waits so many seconds.
    """

    def __init__(
        self, tries: int = 5, limit: float = 120.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._left, self._tries = tries, tries
        self._until = time.monotonic() + limit
        self._sleep = sleep

    def wait(self, error: Transient) -> None:
        """Wait for the next try. Raises ``error`` if there is to be none."""
        self._left -= 1
        done = self._tries - self._left
        if error.retry_after is not None:
            pause = error.retry_after + SHORTEST * random.random()
        else:
            pause = min(LONGEST, 0.25 * 2.0**done) * random.uniform(0.5, 1.0)
        pause = max(pause, SHORTEST)
        if self._left <= 0 or time.monotonic() + pause > self._until:
            if done > 1:
                again = Transient(
                    f"{error.message} ({done} tries)", where=str(error.where), retry_after=error.retry_after
                )
                raise again from None
            raise error
        self._sleep(pause)
