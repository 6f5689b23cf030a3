"""Tables that hold every type that tables have, for the tests of export formats."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pyarrow as pa

from mldata.exports import EXPORTS, load_export
from mldata.testing.exports import export_table

DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 58, 1)

FLAT: dict[str, pa.Array] = {
    "bool": pa.array([True, None, False]),
    "int8": pa.array([-128, None, 127], pa.int8()),
    "int64": pa.array([-(2**63), None, 2**63 - 1]),
    "uint64": pa.array([0, None, 2**64 - 1], pa.uint64()),
    "half": pa.array(np.array([1.5, 0, 0.1], np.float16), mask=np.array([False, True, False])),
    "float": pa.array([0.1, None, 1.0], pa.float32()),
    "double": pa.array([0.1, None, 1e300]),
    "decimal": pa.array([decimal.Decimal("1.20"), None, decimal.Decimal("-0.03")]),
    "date": pa.array([DAY, None, datetime.date(1969, 12, 31)]),
    "date64": pa.array([DAY, None, datetime.date(1969, 12, 31)], pa.date64()),
    "time32": pa.array([datetime.time(1, 2, 3), None, datetime.time(0)], pa.time32("s")),
    "time64": pa.array([datetime.time(1, 2, 3, 4), None, datetime.time(0)], pa.time64("us")),
    "seconds": pa.array([MOMENT, None, datetime.datetime(1, 1, 1)], pa.timestamp("s")),
    "micros": pa.array([MOMENT, None, datetime.datetime(9999, 12, 31)], pa.timestamp("us")),
    "nanos": pa.array([1, None, -1], pa.timestamp("ns")),
    "zoned": pa.array([MOMENT, None, datetime.datetime(1969, 7, 20)], pa.timestamp("ms", "America/New_York")),
    "duration": pa.array([1, None, -5], pa.duration("ms")),
    "text": pa.array(['a "b", c\nd\té', None, ""]),
    "large_text": pa.array(["NA", None, " x"], pa.large_string()),
    "category": pa.array(["u", None, "v"]).dictionary_encode(),
    "null": pa.nulls(3),
}
BYTES: dict[str, pa.Array] = {
    "binary": pa.array([b"\x00\xff", None, b""]),
    "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
}
NESTED: dict[str, pa.Array] = {
    "list": pa.array([[1, None], None, []]),
    "texts": pa.array([['"', ""], None, [None]]),
    "fixed_list": pa.array([[1.5, 2], None, [None, 0]], pa.list_(pa.float64(), 2)),
    "struct": pa.array([{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}]),
    "map": pa.array([[("k", 1)], None, [("k", None), ("l", 2)]], pa.map_(pa.string(), pa.int64())),
    "deep": pa.array([[{"d": DAY}], None, [None]]),
}
ALL = FLAT | BYTES | NESTED

ORC_MOMENTS = {
    "seconds": pa.array([MOMENT, None, datetime.datetime(1678, 1, 1)], pa.timestamp("s")),
    "micros": pa.array([MOMENT, None, datetime.datetime(2262, 1, 1)], pa.timestamp("us")),
}
"""In place of those that ORC's readers do not hold."""


def fitting(name: str) -> dict[str, pa.Array]:
    """The columns that a format can hold."""
    unfit = load_export(name).unfit
    columns = ALL | (ORC_MOMENTS if name == "orc" else {})
    return {column: values for column, values in columns.items() if not unfit(values.type)}


def table(columns: dict[str, pa.Array], repeat: int = 1) -> pa.Table:
    """The columns as a table of three rows, or of three times ``repeat`` (more than any batch of a format)."""
    made = pa.table(columns)
    return pa.concat_tables([made] * repeat).combine_chunks() if repeat != 1 else made


def export(
    name: str, data: pa.Table, rows: int = 1 << 16, compression: str = "zstd", threads: int = 1
) -> bytes:
    """The file that the format ``name`` makes of a table that comes in batches of ``rows``."""
    return export_table(EXPORTS[name], data, rows=rows, compression=compression, threads=threads)
