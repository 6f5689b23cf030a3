"""A Parquet file that is being written: one row group at a time, each as if it were alone.

Arrow's writer carries the state of content-defined chunking from one row group to the next. Here each row group comes from a writer of its own
and is moved to its place (:mod:`mldata.exports.footer`), so that two files share the bytes of every row group that has equal rows.

Invariant: the bytes of a row group depend on its rows, the schema and the compression alone; so does where it ends, but for the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.exports.footer import MAGIC, Footer, Group
from mldata.exports.rows import Regroup

if TYPE_CHECKING:
    from mldata.exports.base import Compression

__all__ = ["GROUP_BYTES", "GROUP_ROWS", "ParquetFile"]

GROUP_ROWS = 1 << 19
"""Rows of a row group: large enough for compression and scans, small enough to hold one for every part."""
GROUP_BYTES = 64 << 20
"""A row group of wide rows ends earlier, when its data reaches this size in memory."""


class ParquetFile:
    """See :class:`mldata.exports.base.ExportFile`. Nothing is written to the sink before the first row or :meth:`close`."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, compression: Compression) -> None:
        self._sink = sink
        self._schema = schema
        self._compression = compression
        self._regroup = Regroup(schema, GROUP_ROWS, GROUP_BYTES)
        self._groups: list[Group] = []
        self._at = 0
        self.footer = _footer(self._alone(None))
        """Of a file of this schema and compression without rows."""

    @property
    def between(self) -> bool:
        """Whether the next row begins a row group."""
        return self._regroup.empty

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        for rows in self._regroup.add(batch):
            self._encode(rows)

    def append(self, group: Group, data: Iterable[pa.Buffer | bytes | memoryview]) -> None:
        """Append a row group as bytes: one of another file with this :attr:`footer`. Only :attr:`between` two."""
        if not self._at:
            self._at = self._sink.write(MAGIC)
        for piece in data:
            self._sink.write(piece)
        self._groups.append(group.moved(self._at, len(self._groups)))
        self._at += group.size

    def close(self) -> Mapping[str, Any]:
        """Write the last row group and the footer."""
        for rows in self._regroup.rest():
            self._encode(rows)
        if not self._at:
            self._sink.write(MAGIC)
        self._sink.write(self.footer.tail(self._groups))
        return {}

    def _encode(self, rows: pa.Table) -> None:
        data = self._alone(rows)
        [group] = _footer(data).groups
        self.append(group, [memoryview(data)[group.start : group.start + group.size]])

    def _alone(self, rows: pa.Table | None) -> pa.Buffer:
        """A whole file of one row group, or of none."""
        codec = self._compression.codec
        out = pa.BufferOutputStream()
        with pq.ParquetWriter(
            out,
            self._schema,
            version="2.6",
            data_page_version="1.0",
            compression="NONE" if codec == "none" else codec,
            compression_level=self._compression.level,
            store_schema=True,
            write_page_index=False,
            use_content_defined_chunking=True,
        ) as writer:
            if rows is not None:
                writer.write_table(rows, row_group_size=rows.num_rows)
        return out.getvalue()


def _footer(data: pa.Buffer) -> Footer:
    return Footer.read(pa.BufferReader(data))
