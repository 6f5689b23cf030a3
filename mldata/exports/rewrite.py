"""A Parquet file written anew beside an earlier one: row groups of the same rows are copied as bytes, other rows that it has read from it.

Invariant: the bytes are those that :class:`mldata.exports.parquetfile.ParquetFile` writes for the same rows. A row group is copied where that
would begin one and end it after the same rows. Rows that were written and read are written as the same bytes again, which holds for the types of
:func:`_plain`.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from io import BufferedReader
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from mldata.exports.base import Earlier, Fresh, Kept
from mldata.exports.footer import Footer, Group, NoFooter
from mldata.exports.parquetfile import ParquetFile
from mldata.exports.rows import STEP

__all__ = ["rewrite"]

COPY_BYTES = 1 << 20


def rewrite(made: ParquetFile, schema: pa.Schema, earlier: Earlier) -> bool:
    """See :class:`mldata.exports.base.Rewriter`; ``made`` is the new file, of which nothing is written yet."""
    if not all(_plain(field.type) for field in schema):
        return False
    with ExitStack() as stack:
        try:
            old = stack.enter_context(open(earlier.path, "rb"))
            footer = Footer.read(old)
            if not footer.same_file(made.footer):
                return False
            file = _File(old, footer)
        except (NoFooter, pa.ArrowInvalid, FileNotFoundError):
            return False
        if file.starts[-1] != earlier.total or not file.schema.equals(schema, check_metadata=False):
            return False
        rows = _Rows(earlier.rows, file, schema)
        while rows.left:
            number = rows.whole_group() if made.between else None
            if number is not None:
                group = footer.groups[number]
                made.append(group, file.data(group))
                rows.skip(group.rows)
            else:
                # A row group ends after a multiple of this, so none ends inside.
                for batch in rows.take(STEP):
                    made.write(batch)
        made.close()
    return True


class _File:
    """The earlier file: row groups as bytes and as rows."""

    def __init__(self, file: BufferedReader, footer: Footer) -> None:
        self._file = file
        self._buffer = memoryview(bytearray(COPY_BYTES))
        self._parquet = pq.ParquetFile(file, pre_buffer=False)
        self._decoded: tuple[int, pa.Table] | None = None
        self.schema: pa.Schema = self._parquet.schema_arrow
        self.starts = list(accumulate((group.rows for group in footer.groups), initial=0))
        """Number of the first row of each row group, and of the row after the last."""

    def data(self, group: Group) -> Iterator[memoryview]:
        """The bytes of a row group. Each piece is good until the next is asked for."""
        at, end = group.start, group.start + group.size
        self._file.seek(at)
        while at < end:
            size = self._file.readinto(self._buffer[: min(end - at, COPY_BYTES)])
            if not size:
                raise EOFError("the earlier export became shorter while it was read")
            yield self._buffer[:size]
            _forget(self._file.fileno(), at, size)
            at += size

    def rows(self, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows ``start`` to ``stop``, keeping the row group that was decoded last."""
        while start < stop:
            number = bisect_right(self.starts, start) - 1
            if self._decoded is None or self._decoded[0] != number:
                self._decoded = None  # not two at a time
                self._decoded = number, self._parquet.read_row_group(number, use_threads=False)
            first, end = self.starts[number], min(stop, self.starts[number + 1])
            yield from self._decoded[1].slice(start - first, end - start).to_batches()
            start = end


class _Rows:
    """The rows of the new file, from the first to the last."""

    def __init__(self, pieces: Sequence[Kept | Fresh], file: _File, schema: pa.Schema) -> None:
        self._pieces = [piece for piece in pieces if piece.rows]
        self._file = file
        self._schema = schema
        self._number = 0
        self._done = 0
        """Rows of the present piece that are behind."""
        self._fresh: Iterator[pa.RecordBatch] | None = None
        self._over: pa.RecordBatch | None = None
        """What is left of the last batch of a fresh piece."""
        self.left = sum(piece.rows for piece in self._pieces)

    def whole_group(self) -> int | None:
        """The number of the earlier row group that the next rows would be written as, if there is one."""
        piece = self._pieces[self._number]
        if not isinstance(piece, Kept):
            return None
        starts = self._file.starts
        start = piece.start + self._done
        number = bisect_right(starts, start) - 1
        if starts[number] != start:
            return None
        size = starts[number + 1] - start
        last = number == len(starts) - 2  # it may have ended with the file, not because it was full
        fits = size <= piece.rows - self._done and (not last or size == self.left)
        return number if fits else None

    def skip(self, rows: int) -> None:
        """Go past rows of a kept piece."""
        self._done += rows
        self.left -= rows
        if self._done == self._pieces[self._number].rows:
            self._number, self._done, self._fresh, self._over = self._number + 1, 0, None, None

    def take(self, most: int) -> list[pa.RecordBatch]:
        """The next ``most`` rows, or those that are left."""
        taken = []
        wanted = min(most, self.left)
        while wanted:
            piece = self._pieces[self._number]
            count = min(wanted, piece.rows - self._done)
            if isinstance(piece, Kept):
                start = piece.start + self._done
                for batch in self._file.rows(start, start + count):
                    taken.append(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))
            else:
                self._fresh = self._fresh or piece.batches()
                batch = self._over if self._over is not None else next(self._fresh, None)
                if batch is None:
                    raise EOFError("a fragment has fewer rows than its table says")
                count = min(count, batch.num_rows)
                self._over = batch.slice(count) if count < batch.num_rows else None
                taken.append(batch.slice(0, count))
            self.skip(count)
            wanted -= count
        return taken


def _forget(file: int, start: int, size: int) -> None:
    """Let the memory that holds these bytes of a file be used for others: those of the new file, which takes its place."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(file, start, size, os.POSIX_FADV_DONTNEED)


def _plain(kind: pa.DataType) -> bool:
    """Whether a value that was written and read is the same in memory: not so of dictionaries, and not known of extensions."""
    if isinstance(kind, pa.BaseExtensionType) or pt.is_dictionary(kind):
        return False
    return all(_plain(kind.field(number).type) for number in range(kind.num_fields))
