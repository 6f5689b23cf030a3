"""Any table that Arrow can hold, written as each format, comes back through normalize as the table that the format can carry.

Equality is that of types and of values with their nulls. Typed formats carry all of it, but for what :func:`kept` says; text formats
carry what :func:`as_text` says.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pyarrow.types as pt
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.exports import EXPORTS
from mldata.testing.exports import export_table
from tests.formats.reading import read
from tests.tables import LEAVES, UNITS, tables

pytestmark = pytest.mark.no_cover

EXAMPLES = 30
quick = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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


def write_orc(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    # Arrow's writer takes the nulls of a sliced struct from the wrong place.
    whole = table.take(pa.array(range(table.num_rows), pa.int64()))
    orc.write_table(whole, sink, batch_size=2)
    return sink.getvalue()


NOT_ORC = ("null", "uint", "half", "decimal256", "date64", "time", "duration", "dictionary")
"""What ORC has no type for (days in milliseconds it takes for times)."""
NANOSECONDS = 2**63 // 10**9


def in_orc(kind: pa.DataType) -> pa.DataType:
    """What a type becomes in ORC: times have nanoseconds, and no zone but UTC; nothing is large or of fixed size."""
    if pt.is_timestamp(kind):
        return pa.timestamp("ns", kind.tz and "UTC")
    if pt.is_large_string(kind):
        return pa.string()
    if pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind):
        return pa.binary()
    if pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return pa.list_(in_orc(kind.value_type))
    return rebuilt(kind, in_orc)


@quick
@given(table=tables(leave_out=NOT_ORC))
def test_orc(tmp_path_factory: pytest.TempPathFactory, table: pa.Table) -> None:
    """All that ORC has types for comes back; times beyond what nanoseconds hold are refused instead."""
    data = write_orc(table)
    try:
        found = read(tmp_path_factory.mktemp("t"), data, "orc")
    except DataError as error:
        assert "out of range for nanosecond" in str(error)
    else:
        same_table(found, table, in_orc)


TEXTUAL = ("null", "bool", "int", "uint", "double", "date", "string", "large_string", "dictionary")
"""What text has a form for that says what it is."""
NOT_TEXTUAL = tuple(kind for kind in LEAVES if kind not in TEXTUAL)


def words(value: Any, infinite: bool = True) -> Any:
    """A value as text formats hold it: the same number, day, truth or text, whatever the type of its column.

    Args:
        infinite: whether numbers may be; they are null where not.
    """
    if isinstance(value, dict):
        return {name: words(inner, infinite) for name, inner in value.items()}
    if isinstance(value, list):
        return [words(inner, infinite) for inner in value]
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+", value):
        with suppress(ValueError):  # a column of text, since a number of it is none in text (inf)
            value = float(value)
    if isinstance(value, float) and value in (inf, -inf) and not infinite:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if value is None or isinstance(value, bool) else str(value)


def exported(name: str, table: pa.Table) -> bytes:
    return export_table(EXPORTS[name], table)


def tabbed(table: pa.Table) -> bytes:
    """TSV as Arrow writes it."""
    sink = io.BytesIO()
    plain_columns = [c.cast(pa.string()) if pt.is_dictionary(c.type) else c for c in table.columns]
    table = pa.table(plain_columns, names=table.column_names)
    pacsv.write_csv(table, sink, pacsv.WriteOptions(delimiter="\t"))
    return sink.getvalue()


def is_word(text: str) -> bool:
    """Whether a text cannot be taken for a value of another type, as which it may come back from text formats: ``1e1`` as 10.0."""
    with suppress(ValueError):
        float(text)
        return False
    return text.lower() not in ("true", "false") and not re.match(r"\d{4}-\d\d-\d\d", text)


@pytest.mark.parametrize("format", ["csv", "tsv"])
@quick
@given(table=tables(leave_out=NOT_TEXTUAL, nests=(), min_rows=1), piece=st.sampled_from((1, 1 << 20)))
def test_csv(format: str, tmp_path_factory: pytest.TempPathFactory, table: pa.Table, piece: int) -> None:
    """Numbers, truths, days and texts that an export (of TSV: Arrow) wrote are the same when they are read, nulls and empty texts apart."""
    rows = [row.values() for row in table.to_pylist()]
    assume(all(is_word(value) for row in rows for value in row if isinstance(value, str)))
    if format == "tsv":  # an empty line is no row, and of nothing but such lines nothing can be told
        assume(table.num_columns > 1)
    data = tabbed(table) if format == "tsv" else exported("csv", table)
    found = read(tmp_path_factory.mktemp("t"), data, format, piece=piece)
    assert found.column_names == table.column_names
    for name in table.column_names:
        assert words(found[name].to_pylist()) == words(table[name].to_pylist()), name


@quick
@given(
    table=tables(leave_out=NOT_TEXTUAL, nests=("list", "struct"), min_rows=1),
    piece=st.sampled_from((1, 1 << 20)),
)
@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_json(format: str, tmp_path_factory: pytest.TempPathFactory, table: pa.Table, piece: int) -> None:
    """Objects that an export wrote, nested in any way, are the same when they are read; one a line, or in an array; JSON has no infinite numbers."""
    data = exported("jsonl", table)
    if format == "json":
        data = b"[" + b",\n".join(data.splitlines()) + b"]"
    found = read(tmp_path_factory.mktemp("t"), data, format, piece=piece)
    for name in table.column_names:
        assert words(found[name].to_pylist()) == words(table[name].to_pylist(), infinite=False), name
