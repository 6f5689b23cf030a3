"""A text file of one line a row, whose lines are made on several threads and written in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from mldata.exports.cells import slices

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LineFile", "Lines"]


class Lines(NamedTuple):
    """The text of some rows."""

    data: pa.Buffer | bytes
    nonfinite: int = 0
    """NaN and infinities that were written as null."""


class LineFile:
    """See :class:`mldata.exports.base.ExportFile`."""

    def __init__(self, sink: BinaryIO, render: Callable[[pa.RecordBatch], Lines], threads: int) -> None:
        """``render`` makes the text of some rows; it is called from up to ``threads`` threads at once."""
        self._sink = sink
        self._render = render
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lines") if threads > 1 else None
        self._made: deque[Future[Lines]] = deque()
        self._nonfinite = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows. Holds at most one slice a thread, and one more."""
        for piece in slices(batch):
            if self._pool is None:
                self._put(self._render(piece))
                continue
            self._made.append(self._pool.submit(self._render, piece))
            while len(self._made) > self._threads:
                self._put(self._made.popleft().result())

    def close(self) -> Mapping[str, Any]:
        """Write what is being made."""
        while self._made:
            self._put(self._made.popleft().result())
        if self._pool is not None:
            self._pool.shutdown()
        return {"nonfinite": self._nonfinite} if self._nonfinite else {}

    def _put(self, lines: Lines) -> None:
        self._sink.write(memoryview(lines.data))
        self._nonfinite += lines.nonfinite
