"""Parquet files, as other programs expect them: format version 2.6, data pages version 1.

Content-defined chunking ends data pages where the content says so, so that two versions of a dataset share most of
their pages in a store that deduplicates. The Arrow schema is kept beside Parquet's own, so that Arrow types survive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.types as pt

from mldata.exports.parquetfile import ParquetFile
from mldata.exports.rewrite import rewrite

if TYPE_CHECKING:
    from mldata.exports.base import Compression, Earlier

__all__ = ["Parquet"]


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

    def rewrite(self, sink: BinaryIO, schema: pa.Schema, compression: Compression, earlier: Earlier) -> bool:
        """See :class:`mldata.exports.base.Rewriter`."""
        return rewrite(ParquetFile(sink, schema, compression), schema, earlier)
