"""A text file of one line a row, whose lines are made on several threads and written in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from mldata.exports.cells import SLICE_BYTES, slices

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
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._nonfinite = 0
        self._text = sink.tell()

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows. Small batches are held back until there is work for a call; beside that, a slice a thread."""
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        if self._held_bytes >= SLICE_BYTES:
            self._flush()

    def close(self) -> Mapping[str, Any]:
        """Write what is held back and being made."""
        self._settle()
        if self._pool is not None:
            self._pool.shutdown()
        return {"nonfinite": self._nonfinite} if self._nonfinite else {}

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`."""
        self._settle()
        return self._text

    def abandon(self) -> None:
        """End the threads: the file will not be closed."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _settle(self) -> None:
        if self._held:
            self._flush()
        while self._made:
            self._put(self._made.popleft().result())

    def _flush(self) -> None:
        batch = self._held[0] if len(self._held) == 1 else pa.concat_batches(self._held)
        self._held, self._held_bytes = [], 0
        for piece in slices(batch):
            if self._pool is None:
                self._put(self._render(piece))
                continue
            self._made.append(self._pool.submit(self._render, piece))
            while len(self._made) > self._threads:
                self._put(self._made.popleft().result())

    def _put(self, lines: Lines) -> None:
        self._append(memoryview(lines.data))
        self._text += len(lines.data)
        self._nonfinite += lines.nonfinite

    def _append(self, data: memoryview) -> None:
        self._sink.write(data)
