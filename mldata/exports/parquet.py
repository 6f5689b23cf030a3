"""Parquet files, as other programs expect them: format version 2.6, data pages version 1.

Content-defined chunking ends data pages where the content says so, so that two versions of a dataset share most of
their pages in a store that deduplicates. The Arrow schema is kept beside Parquet's own, so that Arrow types survive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from mldata.exports.rows import Regroup

if TYPE_CHECKING:
    from mldata.exports.base import Compression

__all__ = ["GROUP_BYTES", "GROUP_ROWS", "Parquet"]

GROUP_ROWS = 1 << 19
"""Rows of a row group: large enough for compression and scans, small enough to hold one for every part."""
GROUP_BYTES = 64 << 20
"""A row group of wide rows ends earlier, when its data reaches this size in memory."""


class Parquet:
    """The ``parquet`` export."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Parquet has no unions, no intervals, and (in Arrow's writer) no run-end encoding and no list views."""
        if isinstance(kind, pa.ExtensionType):
            return self.unfit(kind.storage_type)
        if pt.is_dictionary(kind):
            return self.unfit(kind.value_type)
        if pt.is_union(kind) or pt.is_interval(kind) or pt.is_run_end_encoded(kind):
            return True
        if pt.is_list_view(kind) or pt.is_large_list_view(kind):
            return True
        return any(self.unfit(kind.field(number).type) for number in range(kind.num_fields))

    def open(
        self, sink: BinaryIO, schema: pa.Schema, compression: Compression, threads: int = 1
    ) -> ParquetFile:
        """Start a file."""
        return ParquetFile(sink, schema, compression)


class ParquetFile:
    """A Parquet file that is being written: one row group at a time."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, compression: Compression) -> None:
        self._stream = pa.PythonFile(sink, mode="w")
        self._groups = Regroup(schema, GROUP_ROWS, GROUP_BYTES)
        self._writer = pq.ParquetWriter(
            self._stream,
            schema,
            version="2.6",
            data_page_version="1.0",
            compression="NONE" if compression.codec == "none" else compression.codec,
            compression_level=compression.level,
            store_schema=True,
            use_content_defined_chunking=True,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        for group in self._groups.add(batch):
            self._writer.write_table(group, row_group_size=group.num_rows)

    def close(self) -> Mapping[str, Any]:
        """Write the last row group and the footer."""
        for group in self._groups.rest():
            self._writer.write_table(group, row_group_size=group.num_rows)
        self._writer.close()
        self._stream.flush()
        return {}
