"""Arrow IPC files and streams (Feather version 2 is an IPC file; Hugging Face's ``.arrow`` are streams), batch by batch.

A stream must have its end mark: without it a truncated one cannot be told from a whole one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from mldata.errors import DataError, Where
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span
from mldata.formats.columns import plan_columns
from mldata.formats.typed import Widths, bare, conform, gathered, shaped

FILE_MAGIC = b"ARROW1"
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


class Arrow:
    """The ``arrow`` format. One fragment a file."""

    text = False

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in rows."""
        schema, batches = _open(file)
        plan = plan_columns(schema.names, options, file.name)
        target = shaped(schema, plan, file)
        widths, rows = Widths(), 0

        def tables() -> Iterator[pa.Table]:
            nonlocal rows
            for table in gathered(batches):
                made = conform(table, plan, target, options, file, rows)
                widths.look(made)
                rows += table.num_rows
                yield made

        sink.stream(0, target, tables())
        return [Piece(rows, (0, rows), target, plan.names, frozenset(widths.wide))]

    def reread(
        self,
        file: SourceFile,
        options: Options,
        schema: pa.Schema,
        spans: Sequence[Span],
        sink: Sink,
        threads: int,
    ) -> list[int]:
        """See :class:`~mldata.formats.base.TabularFormat`."""
        own, batches = _open(file)
        plan = plan_columns(own.names, options, file.name)
        rows = 0

        def tables() -> Iterator[pa.Table]:
            nonlocal rows
            for table in gathered(batches):
                yield conform(table, plan, schema, options, file, rows)
                rows += table.num_rows

        sink.stream(spans[0].index, schema, tables())
        return [rows]


def _open(file: SourceFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches. The file is read, not mapped, so that its pages do not count as memory."""
    with open(file.path, "rb") as raw:
        is_file = raw.read(len(FILE_MAGIC)) == FILE_MAGIC
        raw.seek(max(0, file.size - len(END_OF_STREAM)))
        ends = raw.read() == END_OF_STREAM
    if not is_file and not ends:
        raise _damaged(file, "neither an IPC file nor a stream with an end mark (is it truncated?)")
    source = pa.OSFile(str(file.path))
    try:
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, str(error).splitlines()[0]) from error
    return bare(reader.schema), _batches(reader, is_file, file)


def _batches(reader: pa.ipc.RecordBatchReader, is_file: bool, file: SourceFile) -> Iterator[pa.RecordBatch]:
    try:
        batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
        for batch in batches:
            batch.validate()
            # A copy under the bare schema: metadata is not part of the table.
            yield pa.RecordBatch.from_arrays(batch.columns, schema=bare(batch.schema))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, str(error).splitlines()[0]) from error


def _damaged(file: SourceFile, why: str) -> DataError:
    return DataError(
        f"expected a sound Arrow file, found a damaged one: {why}",
        where=Where(file.name),
        hint="fetch or write the file again",
    )
