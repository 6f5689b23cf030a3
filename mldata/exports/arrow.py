"""Arrow IPC files, which are Feather version 2 too: batches of a fixed number of rows, buffers compressed one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mldata.arrays import number_array
from mldata.exports.rows import Regroup

if TYPE_CHECKING:
    from mldata.exports.base import Compression

__all__ = ["BATCH_ROWS", "ArrowFile", "canonical"]

BATCH_ROWS = 1 << 16
BATCH_BYTES = 32 << 20


class ArrowFile:
    """The ``arrow`` and the ``feather`` export, which differ in the name of the file. Nearly every Arrow type fits."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Only dictionary encoding below the top level is: its values cannot be put in place by Arrow."""
        if isinstance(kind, pa.ExtensionType):
            return self.unfit(kind.storage_type)
        children = [kind.field(number).type for number in range(kind.num_fields)]
        return any(pt.is_dictionary(child) or self.unfit(child) for child in children)

    def open(
        self, sink: BinaryIO, schema: pa.Schema, compression: Compression, threads: int = 1
    ) -> ArrowIpcFile:
        """Start a file. Dictionary-encoded columns are written as their values: a file holds one dictionary only."""
        return ArrowIpcFile(sink, schema, compression)


class ArrowIpcFile:
    """An IPC file that is being written."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, compression: Compression) -> None:
        codec = None
        if compression.codec != "none":
            codec = pa.Codec(compression.codec, compression.level)
        self._schema = pa.schema([_plain_field(field) for field in schema])
        self._groups = Regroup(schema, BATCH_ROWS, BATCH_BYTES)
        self._stream = pa.PythonFile(sink, mode="w")
        options = pa.ipc.IpcWriteOptions(compression=codec, use_threads=False)
        self._options = options
        self._writer = pa.ipc.new_file(self._stream, self._schema, options=options)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        for group in self._groups.add(batch):
            self._write(group)

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`."""
        return self._groups.estimate(self._stream.tell(), self._encoded)

    def close(self) -> Mapping[str, Any]:
        """Write the last batch and the footer."""
        for group in self._groups.rest():
            self._write(group)
        self._writer.close()
        self._stream.flush()
        return {}

    def _write(self, group: pa.Table) -> None:
        self._writer.write_batch(self._batch(group))

    def _encoded(self, group: pa.Table) -> int:
        """Bytes that some rows become."""
        out = pa.BufferOutputStream()
        with pa.ipc.new_stream(out, self._schema, options=self._options) as writer:
            writer.write_batch(self._batch(group))
        return len(out.getvalue())

    def _batch(self, group: pa.Table) -> pa.RecordBatch:
        columns = [
            canonical(column.cast(field.type))
            for column, field in zip(group.columns, self._schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(field.type.value_type) if pt.is_dictionary(field.type) else field


def canonical(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as if it had been built from its values.

    An array may hide any bytes under its nulls and around its ends, and an IPC file would have them; Arrow's ``take``
    makes an array without.
    """
    made = column.take(number_array(np.arange(len(column))))
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made
