"""Leaf sketches put together to the summary of a table, or of a part of one.

Invariant: the summary's bytes are equal for any order of the leaves, and for any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from mmap import mmap

import pyarrow as pa

from mldata.profile.summarize import summarize
from mldata.profile.summary import TableSummary

__all__ = ["Leaf", "merge"]

Leaf = bytes | memoryview | mmap
"""What :meth:`mldata.profile.leaf.LeafSketcher.finish` gave; a mapped file does as well."""


def merge(leaves: Sequence[Leaf], *, threads: int = 1) -> TableSummary:
    """The summary of all rows that the leaves were made of.

    Args:
        leaves: at least one (of a table without fragments: a leaf without rows), all of one schema and mode. They are looked at column by column, so a
            sequence of mapped files takes little memory however many there are.
        threads: columns are worked on in so many.

    Raises:
        ValueError: a leaf is none of this version, or not of the same schema as the others.
    """
    tables = [pa.ipc.open_stream(pa.py_buffer(leaf)).read_all() for leaf in leaves]
    return summarize(pa.concat_tables(tables))
