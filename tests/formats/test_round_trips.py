"""Any table that Arrow can hold, written as each format, comes back through normalize as the table that the format can carry.

Equality is that of types and of values with their nulls. Typed formats carry all of it, but for what :func:`kept` says; text formats
carry what :func:`as_text` says.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pyarrow.types as pt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.formats.reading import read
from tests.tables import UNITS, tables

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def kept(kind: pa.DataType) -> pa.DataType:
    """What a type becomes in a table: Parquet has no times in whole seconds and no days in milliseconds; dictionaries have indexes of one size."""
    if pt.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    if pt.is_time32(kind) and kind.unit == "s":
        return pa.time32("ms")
    if pt.is_date64(kind):
        return pa.date32()
    return rebuilt(kind, kept)


def rebuilt(kind: pa.DataType, change: Any) -> pa.DataType:
    """A nested type with its inner types changed."""
    if pt.is_struct(kind):
        return pa.struct(
            [kind.field(i).with_type(change(kind.field(i).type)) for i in range(kind.num_fields)]
        )
    if pt.is_map(kind):
        return pa.map_(change(kind.key_type), change(kind.item_type))
    if pt.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(change(kind.value_type)), kind.list_size)
    if pt.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(change(kind.value_type)))
    return pa.list_(kind.value_field.with_type(change(kind.value_type))) if pt.is_list(kind) else kind


def plain(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column that differ exactly if the column does: times as numbers of their unit, which Python's own may not hold."""
    return [_plain(value) for value in column]


def _plain(value: pa.Scalar) -> Any:
    if not value.is_valid:
        return None
    if isinstance(value, pa.DictionaryScalar):
        return value.as_py()
    if isinstance(value, pa.MapScalar):
        return [(_plain(pair[0]), _plain(pair[1])) for pair in _items(value.values)]
    if isinstance(value, pa.StructScalar):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        return [_plain(inner) for inner in value.values]
    if pt.is_date(value.type):
        return value.value // (86_400_000 if pt.is_date64(value.type) else 1)
    if pt.is_temporal(value.type):
        return value.value * 10 ** (9 - 3 * UNITS.index(value.type.unit))
    return repr(value.as_py()) if pt.is_floating(value.type) else value.as_py()


def _items(pairs: pa.Array) -> list[tuple[pa.Scalar, pa.Scalar]]:
    return list(zip(pairs.field(0), pairs.field(1), strict=True))


def same_table(
    found: pa.Table, written: pa.Table, change: Callable[[pa.DataType], pa.DataType] = kept
) -> None:
    """Equal names, the types that were written after ``change``, and equal values."""
    expected = pa.schema([field.with_type(change(field.type)) for field in written.schema])
    assert found.schema.equals(expected, check_metadata=False), f"{found.schema}\n\n{expected}"
    for name in written.column_names:
        assert plain(found[name]) == plain(written[name]), name


def write_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=2)
    return sink.getvalue()


def write_file(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(
        sink, table.schema, options=pa.ipc.IpcWriteOptions(unify_dictionaries=True)
    ) as writer:
        writer.write_table(table, 2)
    return sink.getvalue()


def write_stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, 2)
    return sink.getvalue()


def write_feather(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    feather.write_feather(table.unify_dictionaries(), sink, compression="zstd")
    return sink.getvalue()


WRITERS = {"parquet": write_parquet, "arrow": write_file, "stream": write_stream, "feather": write_feather}


@pytest.mark.parametrize("kind", WRITERS)
@quick
@given(table=tables())
def test_typed_formats(kind: str, tmp_path_factory: pytest.TempPathFactory, table: pa.Table) -> None:
    """Nested, decimal, dictionary, zoned, binary, fixed, map and null columns, and no rows at all, come back as they were."""
    found = read(
        tmp_path_factory.mktemp("t"), WRITERS[kind](table), "parquet" if kind == "parquet" else "arrow"
    )
    same_table(found, table)
