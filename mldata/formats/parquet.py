"""Parquet: a file that already has the table's schema is a fragment as it stands; others are rewritten row group by row group.

The footer is checked first (:mod:`mldata.formats.parquetfooter`), so a truncated file, or two files in one, is an error. Types are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.formats import typed
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span
from mldata.formats.columns import plan_columns
from mldata.formats.infer import EXACT
from mldata.formats.parquetfooter import KIND, check_footer, check_leaves
from mldata.formats.streamed import DAMAGE, damaged, sound_schema
from mldata.formats.typed import Widths, bare, conform, gathered, shaped
from mldata.table import BATCH_ROWS, bounded_rows

PLAIN = ("NONE", "INT")
"""Logical types of integers."""


class Parquet:
    """The ``parquet`` format."""

    text = False

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in rows."""
        with _open(file) as source:
            schema = bare(source.schema_arrow)
            plan = plan_columns(schema.names, options, file.name)
            rows = source.metadata.num_rows
            if not plan.changes:
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


def _open(file: SourceFile) -> pq.ParquetFile:
    footer = check_footer(file)
    try:
        source = pq.ParquetFile(file.path, pre_buffer=False, buffer_size=1 << 20)
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
