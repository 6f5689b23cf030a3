"""The summary of a table in memory."""

from __future__ import annotations

import pyarrow as pa

from mldata.profile.leaf import LeafSketcher, is_exact
from mldata.profile.merging import merge
from mldata.profile.summary import TableSummary

__all__ = ["summarize"]


def summarize(table: pa.Table) -> TableSummary:
    """What :mod:`mldata.profile.summary` knows of the rows of ``table``."""
    sketcher = LeafSketcher(table.schema, seed=b"", exact=is_exact(table.num_rows, table.num_columns))
    for batch in table.to_batches():
        sketcher.add(batch)
    return merge([sketcher.close()])
