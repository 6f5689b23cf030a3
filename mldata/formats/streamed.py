"""What the formats share whose files say their types and come as one stream of record batches: a fragment a file, made in one pass.

Memory holds a few batches, however large the file is; a span is in rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.types as pt

from mldata.errors import DataError, Where
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span
from mldata.formats.columns import plan_columns
from mldata.formats.heads import Uncut
from mldata.formats.typed import Widths, bare, conform, gathered, shaped

__all__ = ["DAMAGE", "Stream", "StreamedFormat", "damaged", "sound", "sound_schema"]


DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What Arrow raises for a damaged file; the last for names that are no text."""


class Stream(NamedTuple):
    """An open file."""

    schema: pa.Schema
    """Of the file, without metadata."""
    batches: Iterable[pa.RecordBatch]
    """All rows in order, each batch under the schema. To be gone through once; raises ``DataError`` for damage."""


class StreamedFormat:
    """The :class:`~mldata.formats.base.TabularFormat` of such files; what is left to a subclass is to open them. One fragment a file."""

    text = False
    seeks = True

    def opened(self, file: SourceFile) -> AbstractContextManager[Stream]:
        """Schema and rows of a file. Raises ``DataError``."""
        raise NotImplementedError

    def opened_at(self, file: SourceFile, data: BinaryIO) -> Stream:
        """:meth:`opened`, of a file that is elsewhere. Raises ``Uncut`` where that is no use."""
        raise Uncut

    def head(self, file: SourceFile, data: BinaryIO, options: Options, rows: int) -> str:
        """See :class:`~mldata.formats.heads.Headed`: the first batches, as an Arrow file."""
        schema, batches = self.opened_at(file, data)
        with pa.OSFile(str(file.path), "wb") as sink, pa.ipc.new_file(sink, schema) as out:
            for batch in batches if rows else ():
                out.write_batch(batch.slice(0, rows))
                rows -= batch.num_rows
                if rows <= 0:
                    break
        return "arrow"

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in rows."""
        with self.opened(file) as stream:
            return read_stream(stream, file, options, sink)

    def reread(
        self,
        file: SourceFile,
        options: Options,
        schema: pa.Schema,
        spans: Sequence[Span],
        sink: Sink,
        threads: int,
    ) -> list[int]:
        """See :class:`~mldata.formats.base.TabularFormat`."""
        with self.opened(file) as stream:
            return reread_stream(stream, file, options, schema, spans, sink)


def read_stream(stream: Stream, file: SourceFile, options: Options, sink: Sink) -> list[Piece]:
    """See :meth:`mldata.formats.base.TabularFormat.read`."""
    plan = plan_columns(stream.schema.names, options, file.name)
    target = shaped(stream.schema, plan, file)
    widths, rows = Widths(), 0

    def tables() -> Iterator[pa.Table]:
        nonlocal rows
        for table in gathered(stream.batches):
            made = conform(table, plan, target, options, file, rows)
            widths.look(made)
            rows += table.num_rows
            yield made

    sink.stream(0, target, tables())
    return [Piece(rows, (0, rows), target, plan.names, frozenset(widths.wide))]


def reread_stream(
    stream: Stream, file: SourceFile, options: Options, schema: pa.Schema, spans: Sequence[Span], sink: Sink
) -> list[int]:
    """See :meth:`mldata.formats.base.TabularFormat.reread`."""
    plan = plan_columns(stream.schema.names, options, file.name)
    rows = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal rows
        for table in gathered(stream.batches):
            yield conform(table, plan, schema, options, file, rows)
            rows += table.num_rows

    sink.stream(spans[0].index, schema, tables())
    return [rows]


def sound(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``batch`` under the bare ``schema``, every offset, index and text looked at: Arrow believes them, and would read whatever is there.

    Raises one of :data:`DAMAGE`.
    """
    columns = batch.columns
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        batch.validate()
        columns = [_filled(column) if column.type.num_fields else column for column in columns]
        for column in columns:
            column.validate(full=True)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _filled(array: pa.Array) -> pa.Array:
    """``array`` with a null wherever it has an index into a dictionary without values.

    Where a null struct or list hides a value, Arrow writes the index 0, also if there is nothing that it could be of.
    """
    kind = array.type
    if pt.is_dictionary(kind) and not len(array.dictionary):
        nothing = pa.nulls(len(array), kind.index_type)
        return pa.DictionaryArray.from_arrays(nothing, array.dictionary, ordered=kind.ordered)
    if pt.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        inner = [_filled(array.field(number)) for number in range(kind.num_fields)]
        return pa.StructArray.from_arrays(inner, fields=fields, mask=array.is_null())
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_map(kind) or pt.is_fixed_size_list(kind):
        own = array.buffers()[: 1 if pt.is_fixed_size_list(kind) else 2]
        inner = [_filled(array.values)]
        return pa.Array.from_buffers(kind, len(array), own, offset=array.offset, children=inner)
    return array


def sound_schema(schema: pa.Schema) -> pa.Schema:
    """``schema`` without metadata. Raises ``UnicodeDecodeError`` for a name that is no text."""
    fields = list(schema)
    while fields:
        field = fields.pop()
        fields += [
            field.type.field(number)
            for number in range(field.type.num_fields if field.name is not None else 0)
        ]
    return bare(schema)


def damaged(file: SourceFile, kind: str, why: object) -> DataError:
    """The error for a file that is not a whole one of its ``kind``."""
    lines = str(why).strip().splitlines()
    return DataError(
        f"expected a sound {kind}, found a damaged one: {lines[0] if lines else type(why).__name__}",
        where=Where(file.name),
        hint="fetch or write the file again",
    )
