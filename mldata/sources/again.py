"""Asking a place again, where that may help.

This is for what a source asks to be listed; the bytes of files are asked for again by who reads them, who knows what came.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from mldata.download.base import Transient

__all__ = ["again"]

T = TypeVar("T")
TRIES = 4
WAIT = 0.25
"""Seconds before the second try; each one after it waits twice as long."""
LONGEST = 30.0
"""Seconds that are waited where the other side says how long."""


def again(call: Callable[[], T]) -> T:
    """What ``call`` answers; it is called again after :class:`~mldata.download.base.Transient`, a few times."""
    for wait in (WAIT * 2**number for number in range(TRIES - 1)):
        try:
            return call()
        except Transient as error:
            asked = error.retry_after
            time.sleep(min(asked, LONGEST) if asked is not None else wait * random.uniform(0.5, 1))
    return call()
