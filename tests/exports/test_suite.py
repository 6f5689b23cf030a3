"""The contract of export formats, for each that is not kept to it in ``tests/test_testing.py``."""

from __future__ import annotations

import io
import json
from typing import Any

import polars
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.orc as orc

from mldata.exports import EXPORTS
from tests import test_testing as known

FLAT = [*known.TEXTUAL, pa.date32()]


class TestTsv(known.TestCsvExport):
    info = EXPORTS["tsv"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        kinds = {it.name: it.type if it.type in FLAT else pa.string() for it in schema}
        return pacsv.read_csv(
            io.BytesIO(data),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, delimiter="\t"),
            convert_options=pacsv.ConvertOptions(
                column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )


class TestJson(known.TestJsonLinesExport):
    info = EXPORTS["json"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        lines = "".join(json.dumps(row) + "\n" for row in json.loads(data))
        return super().read(lines.encode(), schema)


class TestFeather(known.TestArrowExport):
    info = EXPORTS["feather"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        return feather.read_table(io.BytesIO(data))


class TestFeatherByPolars(TestFeather):
    """What another implementation of Arrow reads."""

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        return polars.read_ipc(io.BytesIO(data), use_pyarrow=False).to_arrow(
            compat_level=polars.CompatLevel.oldest()
        )

    def table(self) -> pa.Table:
        """Without maps and decimals as text, which polars has none of."""
        return super().table().drop_columns(["map", "decimal"])

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        return None if column.type in (pa.null(),) or pa.types.is_nested(column.type) else _large(column)

    test_compressions = None


class TestOrc(known.TestArrowExport):
    info = EXPORTS["orc"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        return orc.ORCFile(pa.BufferReader(data)).read()

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        kind = column.type
        if pa.types.is_dictionary(kind) or pa.types.is_null(kind):
            return column.cast(pa.string())
        if kind == pa.uint64():
            return column.cast(pa.decimal128(20, 0))
        if pa.types.is_timestamp(kind):
            return column.cast(pa.timestamp("ns", "UTC" if kind.tz else None))
        return column


class Packed:
    """A format whose content is another's, compressed."""

    info: Any

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        content = pa.CompressedInputStream(pa.BufferReader(data), self.info.wrapped).read()
        return super().read(content, schema)  # type: ignore[misc]


class TestCsvGz(Packed, known.TestCsvExport):
    info = EXPORTS["csv.gz"]


class TestCsvZst(Packed, known.TestCsvExport):
    info = EXPORTS["csv.zst"]


class TestTsvGz(Packed, TestTsv):
    info = EXPORTS["tsv.gz"]


class TestTsvZst(Packed, TestTsv):
    info = EXPORTS["tsv.zst"]
    test_compressions = None  # those of csv.zst; the highest level takes a second


class TestJsonLinesGz(Packed, known.TestJsonLinesExport):
    info = EXPORTS["jsonl.gz"]


class TestJsonLinesZst(Packed, known.TestJsonLinesExport):
    info = EXPORTS["jsonl.zst"]
    test_compressions = None


class TestJsonGz(Packed, TestJson):
    info = EXPORTS["json.gz"]


class TestJsonZst(Packed, TestJson):
    info = EXPORTS["json.zst"]
    test_compressions = None


def _large(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As polars gives it back."""
    kind = pa.string() if pa.types.is_dictionary(column.type) else column.type
    made = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}.get(kind, kind)
    return column.cast(made)
