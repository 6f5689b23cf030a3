"""ORC files (https://orc.apache.org/specification/ORCv1/), written by Arrow's adapter of the ORC library.

ORC has fewer types than Arrow. What it lacks is written as the type that holds the same values:

=============================  =====================================================
type                           as
=============================  =====================================================
unsigned integer               the next wider integer; of 64 bits: decimal(20, 0)
float16                        float
fixed-size binary              binary
list of fixed size             list
date of milliseconds           date
time                           text, as CSV has it (``01:02:03``)
duration                       bigint, in the type's unit
null                           text, all null
timestamp                      timestamp (of nanoseconds); one with a zone: the instant
=============================  =====================================================

Dictionary encoding is not in the file. A timestamp outside of the years that 64 bits of nanoseconds hold (1677 to 2262) is an error: next to all
readers would give another time, or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.types as pt

from mldata.errors import DataError
from mldata.exports.arrow import canonical
from mldata.exports.rows import Regroup

if TYPE_CHECKING:
    from mldata.exports.base import Compression

__all__ = ["Orc"]

GROUP_ROWS = 1 << 17
GROUP_BYTES = 32 << 20
"""Of a stripe: what is reached first."""
CODECS = {"none": "uncompressed", "gzip": "zlib"}
"""ORC's names, where they are others."""
DIGITS = 38
"""Of a decimal, at most."""
_WIDER = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
    pa.null(): pa.string(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
}


class Orc:
    """The ``orc`` export."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Whether a column type has no mapping above; nested ones are judged by what they hold."""
        return _type(kind) is None

    def open(self, sink: BinaryIO, schema: pa.Schema, compression: Compression, threads: int = 1) -> OrcFile:
        """Start a file."""
        return OrcFile(sink, schema, compression)


class OrcFile:
    """An ORC file that is being written."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, compression: Compression) -> None:
        self._schema = pa.schema([field.with_type(_type(field.type)) for field in schema])
        self._groups = Regroup(schema, GROUP_ROWS, GROUP_BYTES)
        self._stream = pa.PythonFile(sink, mode="w")
        self._codec = CODECS.get(compression.codec, compression.codec)
        self._writer = self._opened(self._stream)
        self._empty = True

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows. Raises ``DataError`` for a timestamp that ORC's readers do not hold."""
        for group in self._groups.add(batch):
            self._write(group)

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`."""
        return self._groups.estimate(self._stream.tell(), self._encoded)

    def close(self) -> Mapping[str, Any]:
        """Write the last rows and the footer."""
        for group in self._groups.rest():
            self._write(group)
        if self._empty:  # the schema comes with the rows
            self._writer.write(self._schema.empty_table())
        self._writer.close()
        self._stream.flush()
        return {}

    def _opened(self, stream: Any) -> orc.ORCWriter:
        # A stripe a group: the library would judge by its buffers when one is full.
        return orc.ORCWriter(stream, compression=self._codec, batch_size=GROUP_ROWS, stripe_size=1)

    def _write(self, group: pa.Table) -> None:
        self._writer.write(self._table(group))
        self._empty = False

    def _encoded(self, group: pa.Table) -> int:
        """Bytes of a file of some rows."""
        out = pa.BufferOutputStream()
        with self._opened(out) as writer:
            writer.write(self._table(group))
        return len(out.getvalue())

    def _table(self, group: pa.Table) -> pa.Table:
        columns = [
            canonical(_cast(column, field)) for column, field in zip(group.columns, self._schema, strict=True)
        ]
        return pa.Table.from_arrays(columns, schema=self._schema)


def _cast(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = column.cast(kind.storage_type)
    try:
        return column.cast(field.type)
    except pa.ArrowInvalid as error:
        if "out of bounds timestamp" not in str(error):
            raise
        raise DataError(
            f"column '{field.name}' has a time outside of the years 1677 to 2262, which readers of ORC do not hold",
            hint="Export as parquet or arrow, or repair the time in the source.",
        ) from None


def _type(kind: pa.DataType) -> pa.DataType | None:
    """What a type is written as; None if ORC has nothing for it."""
    if isinstance(kind, pa.BaseExtensionType):
        return _type(kind.storage_type)
    if pt.is_dictionary(kind):
        return _type(kind.value_type)
    if kind in _WIDER:
        return _WIDER[kind]
    if pt.is_timestamp(kind):
        return pa.timestamp("ns", kind.tz and "UTC")
    if pt.is_time(kind):
        return pa.string()
    if pt.is_duration(kind):
        return pa.int64()
    if pt.is_fixed_size_binary(kind):
        return pa.binary()
    if pt.is_decimal(kind):
        held = kind.precision <= DIGITS and 0 <= kind.scale <= kind.precision
        return pa.decimal128(kind.precision, kind.scale) if held else None
    if pt.is_nested(kind):
        return _nested(kind)
    held = pt.is_boolean(kind) or pt.is_signed_integer(kind) or pt.is_floating(kind) or pt.is_date(kind)
    return kind if held or pt.is_string(kind) or pt.is_binary(kind) else None


def _nested(kind: pa.DataType) -> pa.DataType | None:
    """A nested type, if Arrow can put the types of its parts in place."""
    if not (pt.is_struct(kind) or pt.is_map(kind) or _is_list(kind)):
        return None
    parts = [kind.field(number) for number in range(kind.num_fields)]
    if pt.is_map(kind):
        parts = [kind.key_field, kind.item_field]
    made = [_type(part.type) for part in parts]
    wrapped = any(
        isinstance(part.type, pa.BaseExtensionType) or pt.is_dictionary(part.type) for part in parts
    )
    if None in made or wrapped or not parts:
        return None
    if pt.is_map(kind):
        return pa.map_(*made)
    if pt.is_struct(kind):
        return pa.struct([part.with_type(inner) for part, inner in zip(parts, made, strict=True)])
    return pa.list_(parts[0].with_type(made[0]))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind))
