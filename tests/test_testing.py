"""Every built-in format, export and source keeps the contracts of ``mldata.testing``; plug-ins are found and used."""

from __future__ import annotations

import io
import json
import sqlite3
import wave
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mldata import exports, formats
from mldata.exports import EXPORTS, ExportInfo
from mldata.formats import FORMATS, FormatInfo
from mldata.plugins import plugins
from mldata.sources import open_source
from mldata.sources.base import Source
from mldata.testing import ExportContract, MediaFormatContract, SourceContract, TabularFormatContract
from store import Store
from tests.stages.jobs import PlainJob, export_params, put_table


def text_of(table: pa.Table, delimiter: str) -> bytes:
    cells = [[name] + [plain(value) for value in table[name].to_pylist()] for name in table.column_names]
    return "".join(delimiter.join(row) + "\n" for row in zip(*cells, strict=True)).encode()


def plain(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "" if value is None else str(value).lower()


class TestCsv(TabularFormatContract):
    info = FORMATS["csv"]
    delimiter = ","

    def write(self, table: pa.Table) -> bytes:
        return text_of(table, self.delimiter)

    def whole_rows(self, data: bytes) -> int:
        return max(data.count(b"\n") - 1, 0)


class TestTsv(TestCsv):
    info = FORMATS["tsv"]
    delimiter = "\t"


class TestJsonLines(TabularFormatContract):
    info = FORMATS["jsonl"]

    def write(self, table: pa.Table) -> bytes:
        return "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()

    def whole_rows(self, data: bytes) -> int:
        return data.count(b"\n")


class TestJson(TabularFormatContract):
    info = FORMATS["json"]

    def write(self, table: pa.Table) -> bytes:
        return json.dumps(table.to_pylist(), indent=1).encode()

    def test_no_rows_keep_their_columns(self, tmp_path: Path) -> None:
        """An empty array has no names: only records name columns."""
        assert self.read(b"[]", tmp_path).num_columns == 0


class TestParquet(TabularFormatContract):
    info = FORMATS["parquet"]

    def write(self, table: pa.Table) -> bytes:
        sink = io.BytesIO()
        pq.write_table(table, sink)
        return sink.getvalue()


class TestArrow(TabularFormatContract):
    info = FORMATS["arrow"]

    def write(self, table: pa.Table) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue().to_pybytes())


class TestArrowStream(TestArrow):
    def write(self, table: pa.Table) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue().to_pybytes())


class TestFeather(TestArrow):
    compression = "zstd"

    def write(self, table: pa.Table) -> bytes:
        sink = io.BytesIO()
        feather.write_feather(table, sink, compression=self.compression, chunksize=7)
        return sink.getvalue()


class TestFeatherLz4(TestFeather):
    compression = "lz4"


class TestOrc(TabularFormatContract):
    info = FORMATS["orc"]

    def write(self, table: pa.Table) -> bytes:
        sink = io.BytesIO()
        orc.write_table(table, sink, compression="zstd")
        return sink.getvalue()


class Untyped(TabularFormatContract):
    """A format of cells without booleans."""

    def sample(self) -> pa.Table:
        table = super().sample()
        flags = table["Is Adult"].cast(pa.int64())
        return table.set_column(2, "Is Adult", flags)


class TestArff(TabularFormatContract):
    info = FORMATS["arff"]

    def sample(self) -> pa.Table:
        """Booleans are nominal values."""
        table = super().sample()
        return table.set_column(2, "Is Adult", table["Is Adult"].cast(pa.string()))

    def write(self, table: pa.Table) -> bytes:
        kinds = {"number": "integer", "weight": "real", "Is Adult": "{true, false}"}
        lines = [f"@attribute '{name}' {kinds.get(name, 'string')}" for name in table.column_names]
        rows = (
            ",".join("?" if value is None else f"'{value}'" for value in row.values())
            for row in table.to_pylist()
        )
        return "".join(line + "\n" for line in ("@relation sample", *lines, "@data", *rows)).encode()

    def whole_rows(self, data: bytes) -> int | None:
        _, found, body = data.partition(b"@data\n")
        return body.count(b"\n") if found else None


class TestSqlite(Untyped):
    info = FORMATS["sqlite"]

    def write(self, table: pa.Table) -> bytes:
        with closing(sqlite3.connect(":memory:")) as database:
            database.execute(f"CREATE TABLE t ({', '.join(map(json.dumps, table.column_names))})")
            marks = ", ".join("?" * table.num_columns)
            rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
            database.executemany(f"INSERT INTO t VALUES ({marks})", rows)
            database.commit()
            return database.serialize()


class TestXlsx(TabularFormatContract):
    info = FORMATS["xlsx"]

    def write(self, table: pa.Table) -> bytes:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(table.column_names)
        for row in table.to_pylist():
            sheet.append(list(row.values()))
        sink = io.BytesIO()
        book.save(sink)
        return sink.getvalue()


class TestNpz(TabularFormatContract):
    info = FORMATS["npy"]

    def sample(self) -> pa.Table:
        """NumPy has no nulls."""
        rows = range(40)
        return pa.table(
            {
                "number": pa.array(rows, pa.int64()),
                "weight": pa.array([i + 0.5 for i in rows]),
                "Is Adult": pa.array([i % 2 == 0 for i in rows]),
                "note": pa.array([f"é, {i}" for i in rows]),
                "name": pa.array([f"name {i} 北" for i in rows]),
            }
        )

    def arrays(self, table: pa.Table) -> dict[str, Any]:
        kinds = [
            None if kind == pa.string() and table.num_rows else kind.to_pandas_dtype()
            for kind in table.schema.types
        ]
        kinds = ["U9" if kind is np.object_ else kind for kind in kinds]
        columns = zip(table.column_names, table.columns, kinds, strict=True)
        return {name: np.array(column.to_pylist(), kind) for name, column, kind in columns}

    def write(self, table: pa.Table) -> bytes:
        sink = io.BytesIO()
        np.savez_compressed(sink, **self.arrays(table))
        return sink.getvalue()


class TestStructuredNpy(TestNpz):
    """One array with a field for each column."""

    def write(self, table: pa.Table) -> bytes:
        columns = self.arrays(table)
        made = np.empty(table.num_rows, [(name, column.dtype) for name, column in columns.items()])
        for name, column in columns.items():
            made[name] = column
        sink = io.BytesIO()
        np.save(sink, made)
        return sink.getvalue()


class TestImages(MediaFormatContract):
    info = FORMATS["images"]

    def samples(self) -> Mapping[str, tuple[bytes, tuple[int | float | str | None, ...]]]:
        found: dict[str, tuple[bytes, tuple[int | float | str | None, ...]]] = {}
        for kind, mode in (("png", "RGBA"), ("jpeg", "L"), ("gif", "P"), ("webp", "RGB"), ("tiff", "RGB")):
            sink = io.BytesIO()
            Image.new(mode, (7, 5)).save(sink, kind)
            found[f"a.{kind}"] = (sink.getvalue(), (7, 5, mode, None))
        return found


class TestAudio(MediaFormatContract):
    info = FORMATS["audio"]

    def samples(self) -> Mapping[str, tuple[bytes, tuple[int | float | str | None, ...]]]:
        import soundfile

        sink = io.BytesIO()
        with wave.open(sink, "wb") as out:
            out.setparams((2, 2, 8000, 0, "NONE", ""))
            out.writeframes(bytes(4000 * 4))
        flac = io.BytesIO()
        soundfile.write(flac, np.zeros(2000), 16000, format="FLAC")
        return {"a.wav": (sink.getvalue(), (0.5, 8000, 2)), "a.flac": (flac.getvalue(), (0.125, 16000, 1))}


class TestParquetExport(ExportContract):
    info = EXPORTS["parquet"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        return pq.read_table(io.BytesIO(data))


class TestArrowExport(ExportContract):
    info = EXPORTS["arrow"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        return pa.ipc.open_file(data).read_all()

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


TEXTUAL = [pa.bool_(), pa.int8(), pa.int64(), pa.uint64(), pa.float64(), pa.string()]


class TestCsvExport(ExportContract):
    info = EXPORTS["csv"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        kinds = {it.name: it.type if it.type in [*TEXTUAL, pa.date32()] else pa.string() for it in schema}
        return pacsv.read_csv(
            io.BytesIO(data),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        return column if column.type in [*TEXTUAL, pa.date32()] else None


class TestJsonLinesExport(ExportContract):
    info = EXPORTS["jsonl"]

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        rows = [json.loads(line) for line in data.splitlines()]
        assert all(list(row) == schema.names for row in rows)
        kinds = {it.name: it.type if self.holds(it.type) else None for it in schema}
        columns = {name: [row[name] for row in rows] for name in schema.names}
        return pa.table(
            {
                name: pa.array(values, kinds[name]) if kinds[name] else pa.array(map(json.dumps, values))
                for name, values in columns.items()
            }
        )

    def holds(self, kind: pa.DataType) -> bool:
        return kind in TEXTUAL or pa.types.is_list(kind) or pa.types.is_struct(kind)

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        return column if self.holds(column.type) else None


class TestLocalFolder(SourceContract):
    def make(self, folder: Path, files: Mapping[str, bytes]) -> Source:
        self.put(folder, files)
        return open_source(folder.name, folder.parent)


class TestLocalPattern(SourceContract):
    def make(self, folder: Path, files: Mapping[str, bytes]) -> Source:
        self.put(folder, files)
        return open_source(f"{folder}/**/*.csv", folder.parent)


# -- plug-ins


SHOUT = FormatInfo("shout", "tabular", (".shout",), "mldata.formats.csv", "Csv")
LOUD = ExportInfo("loud", "mldata.exports.csv", "Csv", ".loud", {})


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A format and an export that only entry points name, and two that want the names of built-in ones."""
    known = {
        "mldata.formats": {"shout": "SHOUT", "csv": "SHOUT"},
        "mldata.exports": {"loud": "LOUD", "csv": "LOUD"},
    }

    def entry_points(*, group: str) -> EntryPoints:
        names = known.get(group, {})
        return EntryPoints(EntryPoint(it, f"tests.test_testing:{made}", group) for it, made in names.items())

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    plugins.cache_clear()
    yield
    plugins.cache_clear()


@pytest.mark.usefixtures("plugged")
def test_a_plug_in_format_is_found() -> None:
    """A format from an entry point is known by its suffix; a built-in name stays built in."""
    found = formats.find_format("a.shout", b"")
    assert found is not None and found.name == "shout"
    assert type(formats.load_format("shout")).__name__ == "Csv"
    assert formats.formats()["csv"] is FORMATS["csv"]


@pytest.mark.usefixtures("plugged")
def test_a_plug_in_export_is_used(tmp_path: Path) -> None:
    """An export from an entry point may be asked for in the spec, and writes its files; a built-in name stays built in."""
    from mldata.specsections import Export
    from mldata.stages.export import Export as Stage

    assert exports.find_export("csv") is EXPORTS["csv"]
    wanted = Export.model_validate({"formats": ["loud", "csv"]}).to_plain("demo")["formats"]
    assert wanted == ["csv", "loud"]
    with Store.open(tmp_path / "store") as store:
        table = put_table(store, [pa.table({"a": [1, 2]})])
        job = PlainJob(store, "export", export_params(*wanted), {"normalize": table})
        made = store.tree(Stage().build(job).output.digest)
        file = made.get("data.loud")
        assert file is not None and store.read(file.digest) == b"a\n1\n2\n"


# -- the contracts notice what they are for


class Shortened(TestCsv):
    """Loses the last row of every file."""

    def read(self, data: bytes, folder: Path, **how: Any) -> pa.Table:
        found = super().read(data, folder, **how)
        return found.slice(0, found.num_rows - 1)


class Silent(TestParquet):
    """Takes any cut file for a table without rows."""

    def read(self, data: bytes, folder: Path, **how: Any) -> pa.Table:
        return self.sample().slice(0, 0)


class ByBatch(TestCsvExport):
    """Writes a byte more for every batch."""

    def export(self, table: pa.Table, *, rows: int = 65_536, **how: Any) -> bytes:
        return super().export(table, rows=rows, **how) + b"\n" * len(table.to_batches(max_chunksize=rows))


class Reading(TestLocalFolder):
    """Opens every file to list it."""

    def make(self, folder: Path, files: Mapping[str, bytes]) -> Source:
        source: Any = super().make(folder, files)
        listing = source.listing
        source.listing = lambda: [Path(path).read_bytes() for path in listing().paths] and listing()
        return source


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (Shortened, "test_rows_come_in"),
        (Silent, "test_a_cut_file_is_noticed"),
        (ByBatch, "test_batches_and_threads_do_not_show"),
        (Reading, "test_nothing_is_read"),
    ],
)
def test_a_broken_plug_in_fails(broken: type, promise: str, tmp_path: Path) -> None:
    """A contract fails for what breaks its promise."""
    arguments = () if issubclass(broken, ExportContract) else (tmp_path,)
    with pytest.raises(AssertionError):
        getattr(broken(), promise)(*arguments)
