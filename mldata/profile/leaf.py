"""Leaf sketches: what is known of the rows of one fragment, or of those of one part in it.

Invariant: a leaf's bytes depend on the schema, the seed, the mode and the rows in their order alone, not on batches, threads, or whether text comes encoded.
"""

from __future__ import annotations

import pyarrow as pa

from mldata.profile.summary import EXACT_ROWS

__all__ = ["EXACT_VALUES", "LeafSketcher", "is_exact"]

EXACT_VALUES = 1 << 24
"""Rows times columns up to which a table is exact: leaves of an exact table keep every distinct number and every hash."""


def is_exact(rows: int, columns: int) -> bool:
    """Whether leaves of a table of so many rows and columns keep all that exact quantiles and distinct counts need."""
    return rows <= EXACT_ROWS and rows * columns <= EXACT_VALUES


class LeafSketcher:
    """Reads the rows of a leaf, batch by batch."""

    def __init__(self, schema: pa.Schema, *, seed: bytes, exact: bool, threads: int = 1) -> None:
        """
        Args:
            schema: of the table; text may come as dictionary arrays of its type all the same.
            seed: what tells this leaf from the others of its table, such as its fragment's digest: row samples are drawn by it.
            exact: what :func:`is_exact` says of the table; the same for all leaves that are merged.
            threads: columns are worked on in so many; the bytes are the same.
        """
        self._schema, self._exact, self._batches = schema, exact, list[pa.RecordBatch]()

    def add(self, batch: pa.RecordBatch) -> None:
        """The next rows."""
        arrays = [column.cast(field.type) for column, field in zip(batch.columns, self._schema, strict=True)]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def finish(self) -> bytes:
        """The leaf. Nothing can be added after it."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema) as writer:
            for batch in self._batches:
                writer.write_batch(batch)
        made: bytes = sink.getvalue().to_pybytes()
        return made
