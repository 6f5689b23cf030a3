"""Pieces: files of Arrow or Parquet, on this machine, that hold the rows of a part; whole, or the rows at some places.

They name files only: they can be read after the dataset is closed, and by another process. Invariant: the pieces of a part, one after the
other, hold its rows in their order. Files are read only; who truncates one while it is mapped ends the process that maps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mldata.table import BATCH_BYTES, bounded_rows, conform

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.manifest import Manifest

__all__ = ["ARROW", "READABLE", "Piece", "exported_pieces"]

ARROW = ("arrow", "feather")
"""Export formats that are files of Arrow's IPC format: mapped into memory, not decoded, unless they are compressed."""
READABLE = (*ARROW, "parquet")
"""Export formats that hold a schema: reading back the others would be guessing at types."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows in a file."""

    path: str
    digest: str
    """Of the file's content: 64 hex digits of BLAKE3."""
    kind: Literal["arrow", "parquet"]
    rows: int
    picked: NDArray[np.int64] | None = None
    """Places in the file, ascending; None: all of its rows."""

    def whole(self) -> Piece:
        """All rows of the file."""
        return replace(self, rows=sum(self.groups()), picked=None) if self.picked is not None else self

    def schema(self) -> pa.Schema:
        """Names and types of the file's columns."""
        import pyarrow.parquet as pq

        if self.kind == "parquet":
            return pq.read_schema(self.path)
        with _arrow(self.path) as reader:
            return reader.schema

    def table(self, schema: pa.Schema) -> pa.Table:
        """All rows, as columns of ``schema`` in its order. A whole file of uncompressed Arrow is mapped, not copied."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.picked is not None:
            return pa.Table.from_batches(self.batches(schema, 1 << 16), schema)
        if self.kind == "arrow":
            with _arrow(self.path) as reader:
                return _under(reader.read_all(), schema)
        with pq.ParquetFile(self.path, memory_map=True) as file:
            return _under(file.read(columns=schema.names), schema)

    def batches(self, schema: pa.Schema, most: int) -> Iterator[pa.RecordBatch]:
        """The same in batches of at most ``most`` rows; of Parquet in memory that does not grow with the file."""
        import numpy as np

        start = 0
        for batch in self._file_batches(schema, most):
            stop = start + batch.num_rows
            if self.picked is None:
                yield batch
            else:
                first, last = np.searchsorted(self.picked, (start, stop))
                if first < last:
                    places = self.picked[first:last] - start
                    yield batch if len(places) == batch.num_rows else batch.take(_numbers(places))
            start = stop

    def _file_batches(self, schema: pa.Schema, most: int) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        if self.kind == "arrow":
            with _arrow(self.path) as reader:
                for number in range(reader.num_record_batches):
                    batch = conform(reader.get_batch(number), schema)
                    for start in range(0, batch.num_rows, most):
                        yield batch.slice(start, most)
            return
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=1 << 20) as file:
            rows = bounded_rows(file.metadata, most, BATCH_BYTES)
            for batch in file.iter_batches(rows, columns=schema.names, use_threads=False):
                yield conform(batch, schema)

    def groups(self) -> list[int]:
        """Rows of each row group (Arrow: record batch) of the file, in order."""
        import pyarrow.parquet as pq

        if self.kind == "arrow":
            with _arrow(self.path, first=True) as reader:
                return [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)]
        with pq.ParquetFile(self.path) as file:
            meta = file.metadata
            return [meta.row_group(number).num_rows for number in range(meta.num_row_groups)]

    def places(self) -> list[Sequence[int] | NDArray[np.int64]]:
        """Of each row group, the places of the rows of this piece, ascending."""
        import numpy as np

        found: list[Sequence[int] | NDArray[np.int64]] = []
        start = 0
        for rows in self.groups():
            if self.picked is None:
                found.append(range(rows))
            else:
                first, last = np.searchsorted(self.picked, (start, start + rows))
                found.append(self.picked[first:last] - start)
            start += rows
        return found

    def group(self, number: int, schema: pa.Schema) -> pa.Table:
        """One row group of the file, with all of its rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.kind == "arrow":
            with _arrow(self.path) as reader:
                return pa.Table.from_batches([conform(reader.get_batch(number), schema)], schema)
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            return _under(file.read_row_group(number, columns=schema.names, use_threads=False), schema)

    def nulls(self, schema: pa.Schema) -> set[str]:
        """Columns of ``schema`` without a structure that miss a value somewhere in the file; by Parquet's statistics where it has them."""
        import pyarrow.parquet as pq

        unsure = list(schema.names)
        found: set[str] = set()
        if self.kind == "parquet":
            with pq.ParquetFile(self.path) as file:
                told = _told_nulls(file.metadata)
            found = {name for name in unsure if told.get(name)}
            unsure = [name for name in unsure if name not in told]
        if unsure:
            table = self.whole().table(_some(schema, unsure))
            found |= {name for name in unsure if table[name].null_count}
        return found


def exported_pieces(manifest: Manifest, part: str, path: Callable[[str], str]) -> list[Piece]:
    """The files of an export that hold a part, in the format that is read fastest; none where it has no format with a schema.

    Args:
        path: says where a file of the manifest is.
    """
    files = [file for file in manifest.files if file.part == part and file.format in READABLE]
    best = min((READABLE.index(file.format) for file in files), default=0)
    return [
        Piece(path(file.path), file.blake3, "arrow" if file.format in ARROW else "parquet", file.rows or 0)
        for file in sorted(files, key=lambda file: file.path)
        if file.format == READABLE[best]
    ]


def _told_nulls(meta: object) -> dict[str, int]:
    """How many values each column misses, for those where every row group says so and whose name is that of no nested one."""
    import pyarrow.parquet as pq

    assert isinstance(meta, pq.FileMetaData)
    counts: dict[str, int] = {}
    for number in range(meta.num_columns):
        name, total = meta.schema.column(number).path, 0
        if "." in name:
            continue
        for group in range(meta.num_row_groups):
            statistics = meta.row_group(group).column(number).statistics
            if statistics is None or not statistics.has_null_count:
                break
            total += statistics.null_count
        else:
            counts[name] = total
    return counts


def _some(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([schema.field(name) for name in names])


def _under(table: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_arrays([table[name] for name in schema.names], schema=schema)


@contextmanager
def _arrow(path: str, *, first: bool = False) -> Iterator[pa.RecordBatchFileReader]:
    """A file of Arrow, mapped; with only its ``first`` column, so that no other of a compressed file is decompressed.

    Columns are not chosen in the same way: those that are would then be copied, also where the file is not compressed.
    """
    import pyarrow as pa

    options = pa.ipc.IpcReadOptions(included_fields=[0]) if first else None
    with pa.memory_map(path) as data, pa.ipc.open_file(data, options=options) as reader:
        yield reader


def _numbers(places: NDArray[np.int64]) -> pa.Array:
    from mldata.arrays import number_array

    return number_array(places)
