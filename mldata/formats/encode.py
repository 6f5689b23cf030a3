"""Writes a fragment: one table to one Parquet object, the same bytes for the same table.

Parquet 2.6 with zstd level 1 (within a few per cent of level 3 on tables and twice as fast), one row group a fragment, the Arrow
schema stored so that every type survives. How a column is encoded is found by looking at a few of its rows, since it decides how
long everything takes that reads the table:

- one that repeats its values: by a dictionary;
- text: the lengths apart from the bytes (an eighth less time in zstd, and smaller);
- of integers, reals, dates and times: whichever of ``ENCODINGS`` makes these rows smallest. With their bytes, or their
  differences, apart most are read in about half the time, and are smaller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 1 << 20
LOOK_ROWS = 8192
"""Rows from which the use of a dictionary is decided."""
FEWEST_ROWS = 512
"""Below this a dictionary saves nothing worth its page."""
STRETCHES = 4
STRETCH_ROWS = 256
"""Rows from which the encoding of numbers is decided: so many in a row, at so many places of the table."""
FEWEST_TRIAL_ROWS = 8192
"""Below this numbers are written plain: to try encodings takes as long as it saves."""

PLAIN, APART, DIFFERENCES = "PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED"
ENCODINGS = {
    PLAIN: ("INT32", "INT64", "FLOAT", "DOUBLE"),
    APART: ("INT32", "INT64", "FLOAT", "DOUBLE"),
    DIFFERENCES: ("INT32", "INT64"),
}
"""The encodings that are tried, with the physical types (of Parquet) for which every reader has them."""
PLAIN_COST = 1.1
"""Plain values must be so much smaller than others to be chosen: zstd takes three times as long to read them."""


def encode(table: pa.Table) -> pa.Buffer:
    """The Parquet file of ``table``."""
    sink = pa.BufferOutputStream()
    with _writer(sink, table.schema, table) as writer:
        writer.write_table(table, ROW_GROUP_ROWS)
    return sink.getvalue()


def encode_stream(file: BinaryIO, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write the Parquet file of several tables, one row group each, holding one at a time."""
    source = iter(tables)
    first = next(source, None)
    with _writer(file, schema, first if first is not None else schema.empty_table()) as writer:
        for table in chain(() if first is None else (first,), source):
            writer.write_table(table, ROW_GROUP_ROWS)


def _writer(where: Any, schema: pa.Schema, first: pa.Table) -> pq.ParquetWriter:
    repeating = dictionary_columns(first)
    encodings = dict.fromkeys(_plain_text(first, repeating), "DELTA_LENGTH_BYTE_ARRAY")
    encodings |= number_encodings(first, repeating)
    return _parquet(where, schema, repeating, encodings)


def _parquet(
    where: Any, schema: pa.Schema, repeating: list[str], encodings: Mapping[str, str]
) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        where,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=1,
        use_dictionary=repeating or False,
        column_encoding=dict(encodings) or None,
        write_statistics=True,
        data_page_size=256 << 10,
        store_schema=True,
    )


def _plain_text(table: pa.Table, repeating: list[str]) -> list[str]:
    if table.num_rows < FEWEST_ROWS:
        return []
    left_out = unclear(table.schema).union(repeating)
    text = (
        field.name
        for field in table.schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    )
    return [name for name in text if name not in left_out]


def unclear(schema: pa.Schema) -> set[str]:
    """Columns whose path in a Parquet file may be another's: one named ``a.b`` beside ``a`` with a field ``b``.

    Parquet's writer takes encodings by path, so these can have none of their own.
    """
    nested = [field.name for field in schema if field.type.num_fields]
    pairs = ((outer, name) for outer in nested for name in schema.names if name.startswith(f"{outer}."))
    return {name for pair in pairs for name in pair}


def dictionary_columns(table: pa.Table) -> list[str]:
    """Names of the columns that repeat their values enough, or are dictionaries; nested columns never."""
    if table.num_rows < FEWEST_ROWS:
        return []
    columns = zip(table.column_names, table.columns, strict=True)
    return [name for name, column in columns if _repeats(column.slice(0, LOOK_ROWS))]


def _repeats(look: pa.ChunkedArray) -> bool:
    """Whether less than a 16th of the values are distinct. Most often an eighth of them has that many already."""
    if pa.types.is_dictionary(look.type):
        return True
    parts = (look.slice(0, len(look) // 8), look)
    return _may_repeat(look.type) and all(pc.count_distinct(part).as_py() * 16 < len(look) for part in parts)


def _may_repeat(kind: pa.DataType) -> bool:
    types = pa.types
    text = types.is_string(kind) or types.is_large_string(kind)
    return bool(text or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


class Leaf(NamedTuple):
    """A column of a Parquet file: one of the table's, or what is inside one of its nested columns."""

    path: str
    kind: str
    """Physical type."""
    size: int
    """Bytes in the file."""


def number_encodings(table: pa.Table, repeating: Sequence[str] = ()) -> dict[str, str]:
    """The smallest of ``ENCODINGS`` for each leaf that is better not written plain, by its path in the file.

    Args:
        repeating: columns to leave out.
    """
    left_out = unclear(table.schema).union(repeating)
    numbers = [f.name for f in table.schema if _holds_numbers(f.type) and f.name not in left_out]
    if table.num_rows < FEWEST_TRIAL_ROWS or not numbers:
        return {}
    table = table.select(numbers)
    starts = (table.num_rows * place // STRETCHES for place in range(STRETCHES))
    look = pa.concat_tables([table.slice(start, STRETCH_ROWS) for start in starts])
    plain = _leaves(look, {})
    named = Counter(leaf.path for leaf in plain)  # a dot may also be in the name of a field
    kinds = {leaf.path: leaf.kind for leaf in plain if named[leaf.path] == 1}
    chosen: dict[str, str] = {}
    best = {leaf.path: leaf.size * PLAIN_COST for leaf in plain}
    for encoding in (APART, DIFFERENCES):
        tried = {path: encoding for path, kind in kinds.items() if kind in ENCODINGS[encoding]}
        for leaf in _leaves(look, tried) if tried else ():
            if leaf.path in tried and leaf.size < best[leaf.path]:
                best[leaf.path], chosen[leaf.path] = leaf.size, encoding
    return chosen


def _holds_numbers(kind: pa.DataType) -> bool:
    """Whether there may be a leaf to try encodings for."""
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    inner = (kind.field(number).type for number in range(kind.num_fields))
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind)
    return bool(number) or any(map(_holds_numbers, inner))


def _leaves(table: pa.Table, encodings: Mapping[str, str]) -> list[Leaf]:
    """The columns of the Parquet file of ``table``."""
    sink = pa.BufferOutputStream()
    with _parquet(sink, table.schema, [], encodings) as writer:
        writer.write_table(table)
    group = pq.read_metadata(pa.BufferReader(sink.getvalue())).row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    return [
        Leaf(column.path_in_schema, column.physical_type, column.total_compressed_size) for column in columns
    ]
