"""What several formats make of one column is made once: the text of its values, for CSV and JSON Lines that are written together.

Invariant: a column is known by its memory, which is held as long as what was made of it. Nothing is kept while nobody shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock
from typing import Any

import pyarrow as pa

__all__ = ["MOST", "shared", "sharing"]

MOST = 48 << 20
"""Bytes that are kept: formats that are further apart than that make their own."""

_lock = Lock()
_sharing = 0
_made: dict[Any, tuple[pa.Array, Future[pa.Array]]] = {}
"""By type and memory of a column: the column, which keeps its memory in place, and what was made of it. The oldest first."""
_size = 0


@contextmanager
def sharing() -> Iterator[None]:
    """Several formats are being written from the same batches."""
    global _sharing, _size
    with _lock:
        _sharing += 1
    try:
        yield
    finally:
        with _lock:
            _sharing -= 1
            if not _sharing:
                _made.clear()
                _size = 0


def shared(column: pa.Array, make: Callable[[], pa.Array]) -> pa.Array:
    """``make()``, a pure function of the column, or what it was a moment ago. Raises what it raises."""
    if not _sharing:
        return make()
    places = tuple(None if buffer is None else buffer.address for buffer in column.buffers())
    key = (column.type, len(column), column.offset, places)
    with _lock:
        found = _made.get(key)
        if found is None:
            future: Future[pa.Array] = Future()
            _made[key] = (column, future)
    if found is not None:
        return found[1].result()
    try:
        made = make()
    except BaseException as error:
        future.set_exception(error)
        raise
    future.set_result(made)
    _keep(made.nbytes)
    return made


def _keep(more: int) -> None:
    """Drop the oldest, if there is too much now."""
    global _size
    with _lock:
        _size += more
        for key, (_, future) in list(_made.items()) if _size > MOST else ():
            if _size <= MOST // 2:
                break
            if future.done():
                del _made[key]
                _size -= future.result().nbytes if future.exception() is None else 0
