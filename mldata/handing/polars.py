"""Rows as a ``polars.LazyFrame``.

Whole files are scanned by polars itself, which reads only the columns and row groups that a query needs. Rows that have to be picked from
files come through an I/O source: of those the columns that are needed, a batch at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mldata.handing import Rows, library

if TYPE_CHECKING:
    import polars
    import pyarrow as pa

__all__ = ["to_polars"]

BATCH_ROWS = 1 << 16


def to_polars(rows: Rows) -> polars.LazyFrame:
    """See :meth:`mldata.dataset.Dataset.to_polars`."""
    pl = library("polars", "to_polars")
    names, kinds = list(rows.schema.names), {piece.kind for piece in rows.pieces}
    whole = all(piece.picked is None for piece in rows.pieces)
    if whole and len(kinds) == 1:
        paths = [piece.path for piece in rows.pieces]
        frame: polars.LazyFrame
        if kinds == {"parquet"}:
            frame = pl.scan_parquet(paths, glob=False, hive_partitioning=False)
        else:
            frame = pl.concat([pl.scan_ipc(path, glob=False, hive_partitioning=False) for path in paths])
        return frame if frame.collect_schema().names() == names else frame.select(names)
    return _picked(rows, pl)


def _picked(rows: Rows, pl: Any) -> polars.LazyFrame:
    plugins = library("polars.io.plugins", "to_polars of rows that are not exported (polars 1.20 or newer)")

    def source(
        columns: list[str] | None, predicate: polars.Expr | None, most: int | None, batch: int | None
    ) -> Iterator[polars.DataFrame]:
        schema = rows.schema if columns is None else _some(rows.schema, columns)
        left = most
        for piece in rows.pieces:
            for found in piece.batches(schema, batch or BATCH_ROWS):
                if left is not None:
                    found = found.slice(0, left)  # counted before the predicate, as polars' own sources do
                    left -= found.num_rows
                frame = pl.from_arrow(found)
                yield frame if predicate is None else frame.filter(predicate)
                if left == 0:
                    return

    schema = pl.from_arrow(rows.schema.empty_table()).schema
    frame: polars.LazyFrame = plugins.register_io_source(source, schema=schema, is_pure=True)
    return frame


def _some(schema: pa.Schema, names: list[str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([schema.field(name) for name in names])
