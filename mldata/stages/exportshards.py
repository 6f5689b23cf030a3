"""The files of one part in one format: one, or several of about one size.

Invariant: where a part is cut depends on its rows, the format and the size asked for alone. A file is measured after so many rows
as its own measures so far say, and after each block of rows that doubles the bytes of its values; both are functions of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from mldata.exports.base import Measured
from mldata.exports.rows import STEP, row_bits

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.exports.base import ExportFile

__all__ = ["PartFiles", "abandon"]

CLOSE = 32
"""A file that lacks less than the 32nd part of its rows is measured where it should be full; one that lacks more, halfway there."""
STEPS = 64
"""The least part of a file's rows after which it is measured again: it is about 1/64 too large at most."""

OpenFile = Callable[[BinaryIO, int], "ExportFile"]
"""Starts a file: its sink, and the number of its first row in the part."""


class PartFiles:
    """Writes the rows of a part.

    Args:
        sink: a new one, by the number of the file.
        limit: bytes that a file may have, about; None: the part is one file.
    """

    def __init__(self, sink: Callable[[int], BinaryIO], open_file: OpenFile, limit: int | None) -> None:
        self._new_sink = sink
        self._open_file = open_file
        self._limit = limit
        self._sink: BinaryIO | None = None
        self._file: ExportFile | None = None
        self._closed_size = 0
        self._next = self._rows = 0
        self._bits = self._looked_bits = 0
        self.rows: list[int] = []
        """Of each file that is complete."""
        self.facts: dict[str, Any] = {}
        """Sums of what the files tell."""
        if limit is None:
            self._begin()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._closed_size + (self._sink.tell() if self._sink is not None else 0)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if self._limit is None:
            assert self._file is not None
            self._file.write(batch)
            self._rows += batch.num_rows
            return
        start = 0
        while start < batch.num_rows:
            if self._file is None:
                self._begin()
            assert self._file is not None
            block = STEP - self._rows % STEP
            piece = batch.slice(start, min(block, self._next - self._rows))
            self._file.write(piece)
            start += piece.num_rows
            self._rows += piece.num_rows
            self._bits += sum(row_bits(column) for column in piece.columns)
            wider = self._rows % STEP == 0 and self._bits > 2 * self._looked_bits
            if self._rows == self._next or wider:
                self._look(self._limit)

    def close(self) -> None:
        """Complete the last file; of a part without rows, the only one. It is staged by :meth:`seal`."""
        if self._file is None and not self.rows:
            self._begin()
        if self._file is not None:
            self._end()

    def seal(self) -> None:
        """Stage the last file: when nothing can fail any more, so that of a format that fails nothing stays."""
        if self._sink is not None:
            sink, self._sink = self._sink, None
            self._closed_size += sink.tell()
            sink.close()

    def abandon(self) -> None:
        """Let go of what was begun."""
        if self._file is not None:
            abandon(self._file)

    def _begin(self) -> None:
        self.seal()
        number = len(self.rows)
        self._sink = self._new_sink(number)
        self._rows, self._next = 0, 1
        self._bits = self._looked_bits = 0
        self._file = self._open_file(self._sink, sum(self.rows))

    def _end(self) -> None:
        assert self._file is not None
        file, self._file = self._file, None
        try:
            told: Mapping[str, Any] = file.close()
        except BaseException:
            abandon(file)
            raise
        for fact, value in told.items():
            self.facts[fact] = self.facts.get(fact, 0) + value
        self.rows.append(self._rows)

    def _look(self, limit: int) -> None:
        """End the file if it is full; else say after which row to look again."""
        size = self._file.measure() if isinstance(self._file, Measured) else self._bits // 8
        if size >= limit:
            self._end()
            return
        fit = (limit - size) * self._rows // max(size, 1)  # if rows go on as they were
        step = fit if CLOSE * fit <= self._rows else fit // 2
        self._next = self._rows + max(1, self._rows // STEPS, min(self._rows, step))
        self._looked_bits = self._bits


def abandon(file: ExportFile) -> None:
    """Have a file let go of its threads, if it has some: it is never closed."""
    let_go = getattr(file, "abandon", None)
    if let_go is not None:
        let_go()
