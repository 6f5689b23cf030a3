"""What the typed formats (Parquet, Arrow, JSON) share: options and schemas applied to columns that have types already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from mldata.casting import cast
from mldata.errors import DataError, Where, shown
from mldata.formats.base import Options, SourceFile
from mldata.formats.columns import Plan
from mldata.formats.forced import BadValue, force
from mldata.formats.infer import EXACT

ROW_GROUP_BYTES = 64 << 20
"""Arrow bytes that are gathered into one row group of a streamed fragment; bounds memory."""


def bare(schema: pa.Schema) -> pa.Schema:
    """``schema`` without metadata of its own or its fields': what tells tables apart is names, types and nullability."""
    return pa.schema([field.remove_metadata() for field in schema])


def shaped(schema: pa.Schema, plan: Plan, file: SourceFile) -> pa.Schema:
    """The schema of a file after ``plan``, as Parquet gives it back. Raises ``DataError`` for a type that Parquet cannot hold."""
    fields = []
    for position, name in zip(plan.keep, plan.final, strict=True):
        field = schema.field(position)
        fields.append(pa.field(name, plain_type(plan.forced.get(name, field.type)), field.nullable))
    return storable(pa.schema(fields), file)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type without views, also inside: text and bytes of the same values. A view says how values lie in memory, and many functions of Arrow know none.

    Views of lists stay, which Parquet cannot hold: what Arrow (26.0.1) casts them to is not sound.
    """
    if not has_views(kind):
        return kind
    if pt.is_string_view(kind):
        return pa.string()
    if pt.is_binary_view(kind):
        return pa.binary()
    if pt.is_dictionary(kind):
        return pa.dictionary(kind.index_type, plain_type(kind.value_type), kind.ordered)
    if pt.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field), kind.keys_sorted)
    inner = [_plain_field(kind.field(number)) for number in range(kind.num_fields)]
    if pt.is_struct(kind):
        return pa.struct(inner)
    if pt.is_fixed_size_list(kind):
        return pa.list_(inner[0], kind.list_size)
    return pa.list_(inner[0]) if pt.is_list(kind) else pa.large_list(inner[0])


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(plain_type(field.type))


def has_views(kind: pa.DataType) -> bool:
    """Whether :func:`plain_type` makes another type of it."""
    if pt.is_string_view(kind) or pt.is_binary_view(kind):
        return True
    if pt.is_dictionary(kind):
        return has_views(kind.value_type)
    if pt.is_struct(kind) or pt.is_map(kind) or _is_list(kind):
        return any(has_views(kind.field(number).type) for number in range(kind.num_fields))
    return False


def _is_list(kind: pa.DataType) -> bool:
    return bool(pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind))


def storable(schema: pa.Schema, file: SourceFile) -> pa.Schema:
    """``schema`` as it comes back from Parquet, which for example has no whole seconds: they become milliseconds."""
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(pa.Table.from_batches([], schema), sink, version="2.6", store_schema=True)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(
            f"a column has a type that Parquet cannot hold: {error}",
            where=Where(file.name),
            hint="drop the column, or force another type under `normalize: {types: ...}` in mldata.yaml",
        ) from None
    return bare(pq.read_schema(pa.BufferReader(sink.getvalue())))


def conform(
    table: pa.Table,
    plan: Plan,
    schema: pa.Schema,
    options: Options,
    file: SourceFile,
    first_row: int = 0,
    rows: int | None = None,
    place: Callable[[int], Where] | None = None,
) -> pa.Table:
    """``table``, as read from ``file``, under ``schema`` (columns that the file lacks are null).

    ``rows`` is given where the table may have none because it has no columns, and ``place`` where a row has a line. Raises ``DataError`` naming column, row and value where a value does not convert.
    """
    columns = []
    for field in schema:
        if field.name not in plan.final:
            columns.append(pa.nulls(table.num_rows if rows is None else rows, field.type))
            continue
        column = table.column(plan.keep[plan.final.index(field.name)])
        column = cast(column, plain_type(column.type))
        kind = plan.forced.get(field.name, field.type)
        try:
            column = force(column, kind, options.nulls)
            columns.append(cast(column, field.type))
        except BadValue as bad:
            raise DataError(
                f"column {shown(field.name)}, row {first_row + bad.row + 1:,}: expected {kind}, found {shown(bad.value)}",
                where=place(bad.row) if place else Where(file.name),
                hint="correct the value, or set another type under `normalize: {types: ...}` in mldata.yaml",
            ) from None
    return pa.Table.from_arrays(columns, schema=schema)


def gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches put together (and cut) to tables of about :data:`ROW_GROUP_BYTES`."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        step = max(1, batch.num_rows * ROW_GROUP_BYTES // max(batch.nbytes, 1))
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            held.append(part)
            size += part.nbytes
            if size >= ROW_GROUP_BYTES:
                yield pa.Table.from_batches(held)
                held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


class Widths:
    """Finds the columns whose 64-bit integers (also nested ones) go beyond ±2**53, batch by batch."""

    def __init__(self) -> None:
        self.wide: set[str] = set()

    def look(self, table: pa.Table) -> None:
        """Take in ``table``."""
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name not in self.wide and any(_wide(chunk) for chunk in column.chunks):
                self.wide.add(name)


def _wide(array: pa.Array) -> bool:
    kind = array.type
    if pt.is_int64(kind) or pt.is_uint64(kind):
        ends = pc.min_max(array)
        low, high = ends["min"].as_py(), ends["max"].as_py()
        return low is not None and (low < -EXACT or high > EXACT)
    if pt.is_struct(kind):
        return any(_wide(child) for child in array.flatten())
    if _is_list(kind):
        return _wide(array.flatten())
    if pt.is_dictionary(kind):
        return _wide(array.dictionary)
    return False
