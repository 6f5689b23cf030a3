"""Rows as a ``pyarrow.Table``."""

from __future__ import annotations

import pyarrow as pa

from mldata.handing import Rows

__all__ = ["to_arrow"]


def to_arrow(rows: Rows) -> pa.Table:
    """See :meth:`mldata.dataset.Dataset.to_arrow`. Pieces become chunks: nothing is copied to join them."""
    tables = [piece.table(rows.schema) for piece in rows.pieces]
    return pa.concat_tables(tables) if tables else rows.schema.empty_table()
