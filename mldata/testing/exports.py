"""What every export format promises."""

from __future__ import annotations

import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any, ClassVar

import pyarrow as pa

from mldata.errors import SpecError
from mldata.exports import ExportInfo
from mldata.exports.base import Compression, Writing
from mldata.libraries import library_version
from mldata.testing.expect import raises

__all__ = ["ExportContract", "Sink", "export_table"]

DAY = datetime.date(2024, 2, 29)


class Sink:
    """Takes bytes front to back, and nothing else."""

    closed = False

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self.data += view
        return len(view)

    def tell(self) -> int:
        return len(self.data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True


def export_table(
    info: ExportInfo,
    table: pa.Table,
    *,
    rows: int = 65_536,
    compression: str = "none",
    threads: int = 1,
    writing: Writing | None = None,
) -> bytes:
    """The file that the format ``info`` makes of a table that comes in batches of ``rows``.

    ``writing`` is for formats that are told more than the schema; left out: the part ``train`` of a table.

    Raises ``SpecError`` for a compression that the format does not have.
    """
    sink: Any = Sink()
    codec = Compression.parse(compression, info.codecs, info.name)
    told = {"writing": writing or Writing("train")} if info.told else {}
    file = getattr(import_module(info.module), info.factory)().open(
        sink, table.schema, codec, threads, **told
    )
    for batch in table.to_batches(max_chunksize=rows):
        file.write(batch)
    file.close()
    return bytes(sink.data)


class ExportContract:
    """An export format. Set :attr:`info` and write :meth:`read`."""

    info: ClassVar[ExportInfo]
    """The format, as its entry point gives it."""

    def read(self, data: bytes, schema: pa.Schema) -> pa.Table:
        """What a reader of the format makes of a file; ``schema`` is what was written, for formats that do not hold it."""
        raise NotImplementedError

    def expected(self, column: pa.ChunkedArray) -> pa.ChunkedArray | None:
        """What a column reads back as, if not as itself; None where no round trip is promised."""
        return column

    def columns(self) -> dict[str, pa.Array]:
        """Columns of three rows; those that :meth:`unfit` refuses are left out of what is written."""
        return {
            "bool": pa.array([True, None, False]),
            "int8": pa.array([-128, None, 127], pa.int8()),
            "int64": pa.array([-(2**63), None, 2**63 - 1]),
            "uint64": pa.array([0, None, 2**64 - 1], pa.uint64()),
            "float": pa.array([0.1, None, 1.0], pa.float32()),
            "double": pa.array([0.1, None, 1e300]),
            "decimal": pa.array([Decimal("1.20"), None, Decimal("-0.03")]),
            "date": pa.array([DAY, None, datetime.date(1969, 12, 31)]),
            "micros": pa.array([1, None, -1], pa.timestamp("us")),
            "zoned": pa.array([1, None, -1], pa.timestamp("ms", "Europe/Berlin")),
            "text": pa.array(['a "b", c\nd\té', None, ""]),
            "words": pa.array(["NA", "null", " x "]),
            "category": pa.array(["u", None, "v"]).dictionary_encode(),
            "null": pa.nulls(3),
            "binary": pa.array([b"\x00\xff", None, b""]),
            "list": pa.array([[1, None], None, []]),
            "struct": pa.array([{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}]),
            "map": pa.array([[("k", 1)], None, [("k", None)]], pa.map_(pa.string(), pa.int64())),
        }

    def table(self) -> pa.Table:
        """The columns that the format can hold."""
        unfit = self.make().unfit
        return pa.table({name: values for name, values in self.columns().items() if not unfit(values.type)})

    def make(self) -> Any:
        """The format (:class:`~mldata.exports.base.ExportFormat`)."""
        return getattr(import_module(self.info.module), self.info.factory)()

    def export(
        self, table: pa.Table, *, rows: int = 65_536, compression: str = "none", threads: int = 1
    ) -> bytes:
        """The file of a table. See :func:`export_table`."""
        return export_table(self.info, table, rows=rows, compression=compression, threads=threads)

    def test_describes_itself(self) -> None:
        """The format has a suffix, and the libraries whose versions are in action keys are installed."""
        assert self.info.name and self.info.suffix.startswith(".") and self.info.libraries
        assert all(library_version(name) != "absent" for name in self.info.libraries)

    def test_batches_and_threads_do_not_show(self) -> None:
        """The same rows are the same bytes, in batches of any size, on any number of threads."""
        few = self.table()
        whole = self.export(few)
        assert whole == self.export(few, rows=1) == self.export(few, rows=2, threads=3)
        many = pa.concat_tables([few] * 3000).combine_chunks()
        assert self.export(many) == self.export(many, rows=701, threads=2)

    def test_only_rows_show(self) -> None:
        """Rows that are slices, or come out of a filter, are the same file; so are nulls that hide other bytes."""
        rows = self.table()
        mixed = pa.concat_tables([rows.slice(1), rows, rows.slice(2)]).combine_chunks()
        kept = mixed.filter(pa.array([False, False, True, True, True, False]))
        assert self.export(kept) == self.export(mixed.slice(2, 3)) == self.export(rows)
        hidden = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(b"\x07" * 16)])
        clean = pa.array([0x0707070707070707, None])
        assert self.export(pa.table({"a": hidden})) == self.export(pa.table({"a": clean}))

    def test_columns_come_back(self) -> None:
        """Every column, alone and among the others, reads back as :meth:`expected` says."""
        whole = self.table()
        found = self.read(self.export(whole), whole.schema)
        assert found.num_rows == whole.num_rows and found.column_names == whole.column_names
        for name in whole.column_names:
            alone = whole.select([name])
            for made in (found, self.read(self.export(alone), alone.schema)):
                assert made.num_rows == whole.num_rows, name
                expected = self.expected(whole[name])
                if expected is not None:
                    assert made.schema.field(name).type == expected.type, name
                    assert made[name].to_pylist() == expected.to_pylist(), name

    def test_rows_keep_their_order(self) -> None:
        """Rows come back in the order in which they were written."""
        table = pa.table({"n": range(5000)})
        found = self.read(self.export(table, rows=333, threads=2), table.schema)
        assert [int(n) for n in found["n"].to_pylist()] == list(range(5000))

    def test_no_rows_keep_the_schema(self) -> None:
        """A table without rows is a file that has the columns still."""
        empty = self.table().slice(0, 0)
        found = self.read(self.export(empty), empty.schema)
        assert found.num_rows == 0 and found.column_names == empty.column_names

    def test_no_columns(self) -> None:
        """A table without columns can be written."""
        self.export(pa.table({"a": [1, 2]}).select([]))

    def test_what_does_not_fit_is_known_before(self) -> None:
        """``unfit`` answers for any type, so that nothing is written in vain; what holds an unfit type is unfit too."""
        unfit = self.make().unfit
        odd = [pa.sparse_union([pa.field("a", pa.int64())]), pa.month_day_nano_interval(), pa.json_()]
        odd += [pa.list_view(pa.int64()), pa.run_end_encoded(pa.int32(), pa.int64()), pa.string_view()]
        for kind in [*odd, *(values.type for values in self.columns().values())]:
            assert unfit(kind) in (True, False)
            if unfit(kind):
                assert unfit(pa.list_(kind)) and unfit(pa.struct([("a", kind)])), str(kind)
            else:
                self.export(pa.table({"a": pa.nulls(0, kind)}))

    def test_compressions(self) -> None:
        """Every codec and level that the format names works, and changes no row; others are refused with a list."""
        table = pa.table({"n": range(100)})
        for codec, levels in self.info.codecs.items():
            for text in (
                [codec] if levels is None else [codec, f"{codec}:{levels[0]}", f"{codec}:{levels[-1]}"]
            ):
                found = self.read(self.export(table, compression=text), table.schema)
                assert [int(n) for n in found["n"].to_pylist()] == list(range(100)), text
            if levels is not None:
                self._refused(f"{codec}:{levels[-1] + 1}")
        if self.info.codecs:
            self._refused("no-such-codec")

    def _refused(self, text: str) -> None:
        error = raises(SpecError, lambda: Compression.parse(text, self.info.codecs, self.info.name))
        assert all(codec in str(error) for codec in self.info.codecs)

    def test_the_sink_stays_open(self) -> None:
        """A file is written front to back into the sink, which is left open; no byte follows ``close``."""
        sink: Any = Sink()
        told = {"writing": Writing("train")} if self.info.told else {}
        file = self.make().open(sink, self.table().schema, Compression("none"), 1, **told)
        facts = file.close()
        assert not sink.closed and all(isinstance(name, str) for name in facts)
