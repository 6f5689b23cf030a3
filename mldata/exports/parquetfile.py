"""A Parquet file that is being written: one row group at a time, each as if it were alone.

Arrow's writer carries the state of content-defined chunking from one row group to the next. Here each row group comes from a writer of its own
and is moved to its place (:mod:`mldata.exports.footer`), so that two files share the bytes of every row group that has equal rows.

A column in which nearly every row has a value of its own gets no dictionary: Arrow's writer would fill one up to its limit, and only then
see that it does not pay.

Invariant: the bytes of a row group depend on its rows, the schema and the compression alone; so does where it ends, but for the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from mldata.exports.footer import MAGIC, Footer, Group
from mldata.exports.rows import Regroup

if TYPE_CHECKING:
    from mldata.exports.base import Compression

__all__ = ["GROUP_BYTES", "GROUP_ROWS", "ParquetFile"]

GROUP_ROWS = 1 << 17
"""Rows of a row group: large enough for compression and scans, small enough to write again for one row that changed."""
GROUP_BYTES = 64 << 20
"""A row group of wide rows ends earlier, when its data reaches this size in memory."""
LOOK_ROWS = 8192
"""Rows of a row group from which the use of a dictionary is decided."""
FEWEST_ROWS = 512
"""Below this many rows a dictionary costs next to nothing."""


class ParquetFile:
    """See :class:`mldata.exports.base.ExportFile`. Nothing is written to the sink before the first row or :meth:`close`."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, compression: Compression) -> None:
        self._sink = sink
        self._schema = schema
        self._compression = compression
        self._regroup = Regroup(schema, GROUP_ROWS, GROUP_BYTES)
        self._groups: list[Group] = []
        self._at = 0
        empty = self._alone(None)
        self.footer = _footer(empty)
        """Of a file of this schema and compression without rows."""
        self._leaves = _leaves(empty)

    @property
    def between(self) -> bool:
        """Whether the next row begins a row group."""
        return self._regroup.empty

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        for rows in self._regroup.add(batch):
            self._encode(rows)

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`."""
        return self._regroup.estimate(self._at, lambda rows: len(self._alone(rows)))

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
            use_dictionary=True if rows is None else self._dictionaries(rows),
            store_schema=True,
            write_page_index=False,
            use_content_defined_chunking=True,
        ) as writer:
            if rows is not None:
                writer.write_table(rows, row_group_size=rows.num_rows)
        return out.getvalue()

    def _dictionaries(self, rows: pa.Table) -> list[str] | bool:
        """The columns to write with a dictionary, as ``ParquetWriter`` wants them: paths of Parquet columns, or True for all."""
        varied = {
            name for name, column in zip(rows.column_names, rows.columns, strict=True) if _varied(column)
        }
        return [leaf for leaf in self._leaves if leaf not in varied] if varied else True


def _footer(data: pa.Buffer) -> Footer:
    return Footer.read(pa.BufferReader(data))


def _leaves(data: pa.Buffer) -> list[str]:
    """Paths of the columns of a Parquet file: the parts of a nested one are columns of their own."""
    schema = pq.read_metadata(pa.BufferReader(data)).schema
    return [schema.column(number).path for number in range(len(schema))]


def _varied(column: pa.ChunkedArray) -> bool:
    """Whether next to no value is there twice, as in a column of numbers, times or texts that tell rows apart."""
    kind = column.type
    able = pt.is_integer(kind) or pt.is_floating(kind) or pt.is_temporal(kind) or pt.is_decimal(kind)
    text = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_binary(kind) or pt.is_large_binary(kind)
    if len(column) < FEWEST_ROWS or not (able or text):
        return False
    look = column.slice(0, LOOK_ROWS)
    values = len(look) - look.null_count
    return bool(16 * pc.count_distinct(look).as_py() > 15 * values)
