"""Collecting: how often Python looks for cyclic garbage while much is made that stays.

An intake of 50,000 files makes hundreds of thousands of objects that live until it ends, without a cycle among them. At
Python's own pace each would be walked several times, a twentieth of the whole time.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

COLLECT_AFTER = 100_000
"""Objects made between two collections, where Python has 700 or so."""

_lock = threading.Lock()
_inside = 0
_before = (0, 0, 0)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Within this, garbage is collected less often, in the whole process; the last one out puts things as they were."""
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = gc.get_threshold()
            first = _before[0]
            gc.set_threshold(max(first, COLLECT_AFTER) if first else 0, *_before[1:])
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                gc.set_threshold(*_before)
