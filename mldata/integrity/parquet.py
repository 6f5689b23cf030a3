"""Parquet: the footer against the file, then every page of every column, with its checksum where there is one.

The structures of the footer are those of https://github.com/apache/parquet-format (:mod:`mldata.formats.parquetfooter`). Rows are decoded in batches of bounded size.
"""

from __future__ import annotations

import pyarrow.parquet as pq

from mldata.errors import shown
from mldata.formats.parquetfooter import KIND, check_footer, check_leaves
from mldata.formats.streamed import sound, sound_schema
from mldata.integrity.columnar import Columnar, Look
from mldata.integrity.content import Content
from mldata.table import BATCH_BYTES, BATCH_ROWS, bounded_rows

__all__ = ["Parquet"]

BUFFER = 1 << 20


class Parquet(Columnar):
    """Checks Parquet."""

    kind = KIND

    def look(self, content: Content, look: Look) -> None:
        """See :class:`Columnar`."""
        footer = check_footer(look.source)
        with pq.ParquetFile(
            look.source.path, pre_buffer=False, buffer_size=BUFFER, page_checksum_verification=True
        ) as file:
            columns = [file.schema.column(number) for number in range(len(file.schema))]
            leaves = [(c.physical_type, c.max_repetition_level, c.max_definition_level) for c in columns]
            check_leaves(footer, leaves, look.source)
            sound_schema(file.schema_arrow)
            look.facts |= {
                "rows": file.metadata.num_rows,
                "columns": len(file.schema_arrow),
                "row_groups": file.num_row_groups,
            }
            for group in range(file.num_row_groups):
                if not look.enough:
                    _group(file, group, look)


def _group(file: pq.ParquetFile, group: int, look: Look) -> None:
    """Decode a row group; if that does not work, a column at a time, to tell which."""
    before = len(look.problems)
    with look.part("bad-page", "sound pages", row_group=group):
        _decode(file, group, None, look)
    if len(look.problems) == before:
        return
    told = look.problems.pop()
    for name in dict.fromkeys(file.schema_arrow.names):
        if not look.enough:
            with look.part("bad-page", f"sound pages of column {shown(name)}", row_group=group):
                _decode(file, group, [name], look)
    if len(look.problems) == before:
        look.problems.append(told)


def _decode(file: pq.ParquetFile, group: int, columns: list[str] | None, look: Look) -> None:
    schema = sound_schema(file.schema_arrow)
    rows = 0
    for batch in file.iter_batches(
        bounded_rows(file.metadata, BATCH_ROWS, BATCH_BYTES),
        row_groups=[group],
        columns=columns,
        use_threads=False,
    ):
        # A name with a dot in it may select more than one column.
        sound(batch, schema if columns is None else sound_schema(batch.schema))
        rows += batch.num_rows
    said = file.metadata.row_group(group).num_rows
    if rows != said and columns is None and len(schema):
        look.tell("row-count", f"expected {said:,} rows as the footer says, found {rows:,}", row_group=group)
