"""Parquet: a file that already has the table's schema is a fragment as it stands; others are rewritten row group by row group.

The footer is checked first (:mod:`mldata.formats.parquetfooter`), so a truncated file, or two files in one, is an error. Types are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.formats import typed
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span
from mldata.formats.columns import plan_columns
from mldata.formats.infer import EXACT
from mldata.formats.parquetfooter import KIND, check_footer, check_leaves
from mldata.formats.streamed import DAMAGE, damaged, sound_schema
from mldata.formats.typed import Widths, bare, conform, gathered, has_views, shaped
from mldata.table import BATCH_ROWS, bounded_rows

BUFFER = 1 << 20
BUFFER_ELSEWHERE = 64 << 10
"""Bytes of a column that are asked for at a time where the file is elsewhere and only its first rows are wanted."""
AT_ONCE = 4 << 20
"""Bytes of a row group that are asked for at once there."""
FIRST_PAGES = 256 << 10
"""Bytes behind its dictionary that are asked for at once of a column of a larger one."""
PLAIN = ("NONE", "INT")
"""Logical types of integers."""


class Parquet:
    """The ``parquet`` format."""

    text = False
    seeks = True

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in rows."""
        with _open(file) as source:
            schema = bare(source.schema_arrow)
            plan = plan_columns(schema.names, options, file.name)
            rows = source.metadata.num_rows
            if not plan.changes and not any(has_views(field.type) for field in schema):
                wide = frozenset(_wide(source))
                return [Piece(rows, (0, rows), schema, plan.names, wide, own=True)]
            target = shaped(schema, plan, file)
            widths = Widths()

            def tables() -> Iterator[pa.Table]:
                first = 0
                for table in gathered(_batches(source, file)):
                    made = conform(table, plan, target, options, file, first)
                    widths.look(made)
                    first += table.num_rows
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
        with _open(file) as source:
            plan = plan_columns(source.schema_arrow.names, options, file.name)

            def tables() -> Iterator[pa.Table]:
                first = 0
                for table in gathered(_batches(source, file)):
                    yield conform(table, plan, schema, options, file, first)
                    first += table.num_rows

            for span in spans:
                sink.stream(span.index, schema, tables())
            return [source.metadata.num_rows]

    def head(self, file: SourceFile, data: BinaryIO, options: Options, rows: int) -> str:
        """See :class:`~mldata.formats.heads.Headed`: by the footer, then the pages that the rows are in."""
        with _open(file, data) as source, pq.ParquetWriter(file.path, bare(source.schema_arrow)) as out:
            for group in range(source.num_row_groups if rows else 0):
                taken = _first_of_group(source, group, data, min(rows, BATCH_ROWS), file)
                for batch in taken:
                    out.write_batch(batch.slice(0, rows))
                    rows -= batch.num_rows
                    if rows <= 0:
                        return "parquet"
        return "parquet"


def _first_of_group(
    source: pq.ParquetFile, group: int, data: BinaryIO, rows: int, file: SourceFile
) -> Iterator[pa.RecordBatch]:
    """The rows of a row group, ``rows`` at a time. One that is small comes by one request."""
    meta = source.metadata.row_group(group)
    spans = [_span(meta.column(number)) for number in range(meta.num_columns)]
    first, last = min((it[0] for it in spans), default=0), max((it[1] for it in spans), default=0)
    if (expect := getattr(data, "expect", None)) is not None:
        expect([(first, last)] if last - first <= AT_ONCE else [(it[0], it[2]) for it in spans])
    try:
        yield from source.iter_batches(rows, row_groups=[group], use_threads=False)
    except DAMAGE as error:
        raise damaged(file, KIND, error) from error


def _span(chunk: pq.ColumnChunkMetaData) -> tuple[int, int, int]:
    """Where a column chunk begins and ends, and where its first rows most likely end: behind the dictionary and so much of its pages."""
    page = chunk.data_page_offset
    start = min(page, chunk.dictionary_page_offset or page)
    stop = start + chunk.total_compressed_size
    return start, stop, min(stop, page + FIRST_PAGES)


def _open(file: SourceFile, data: BinaryIO | None = None) -> pq.ParquetFile:
    footer = check_footer(file, data)
    try:
        buffer = BUFFER if data is None else BUFFER_ELSEWHERE
        source = pq.ParquetFile(file.path if data is None else data, pre_buffer=False, buffer_size=buffer)
        columns = [source.schema.column(number) for number in range(len(source.schema))]
        leaves = [(c.physical_type, c.max_repetition_level, c.max_definition_level) for c in columns]
        check_leaves(footer, leaves, file)
        sound_schema(source.schema_arrow)
        return source
    except DAMAGE as error:
        raise damaged(file, KIND, error) from error


def _batches(source: pq.ParquetFile, file: SourceFile) -> Iterator[pa.RecordBatch]:
    try:
        rows = bounded_rows(source.metadata, BATCH_ROWS, typed.ROW_GROUP_BYTES // 4)
        yield from source.iter_batches(rows, use_threads=False)
    except DAMAGE as error:
        raise damaged(file, KIND, error) from error


def _wide(source: pq.ParquetFile) -> set[str]:
    """Columns whose 64-bit integers may be beyond ±2**53: by the statistics, and without them yes."""
    meta, found = source.metadata, set()
    leaves = [source.schema.column(number) for number in range(len(source.schema))]
    # Times are integers to Parquet too, and cannot all be had as Python's.
    integers = [
        i
        for i, leaf in enumerate(leaves)
        if leaf.physical_type == "INT64" and leaf.logical_type.type in PLAIN
    ]
    for index in range(meta.num_row_groups):
        group = meta.row_group(index)
        for number in integers:
            column = group.column(number)
            stats = column.statistics
            known = stats is not None and stats.has_min_max
            if not known and stats is not None and stats.null_count == group.num_rows:
                continue
            if not known or stats.min < -EXACT or stats.max > EXACT:
                found.add(column.path_in_schema.split(".")[0])
    return found
