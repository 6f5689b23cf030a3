"""What every tabular format promises."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.errors import DataError
from mldata.formats import formats
from mldata.formats.base import FormatInfo, Options, SourceFile, Span
from mldata.formats.heads import Uncut
from mldata.testing.expect import raises
from mldata.testing.reading import Fragments, make_format, read_fragments, read_table, source_file

__all__ = ["TabularFormatContract"]

ROWS = 40
PIECES = (1 << 20, 64, 1)


class TabularFormatContract:
    """A format of kind ``tabular``. Set :attr:`info` and write :meth:`write`."""

    info: ClassVar[FormatInfo]
    """The format, as its entry point gives it."""

    def write(self, table: pa.Table) -> bytes:
        """A sound file of this format that holds ``table``."""
        raise NotImplementedError

    def sample(self) -> pa.Table:
        """A table of some tens of rows with the types that the format claims to hold, and nulls in each.

        It has a column ``number`` with 0, 1, 2... A format that cannot tell that a file was cut has text in its last column, without nulls.
        """
        rows = range(ROWS)
        return pa.table(
            {
                "number": pa.array(rows, pa.int64()),
                "weight": pa.array([None if i % 5 == 1 else i + 0.5 for i in rows], pa.float64()),
                "Is Adult": pa.array([None if i % 7 == 2 else i % 2 == 0 for i in rows], pa.bool_()),
                "note": pa.array([None if i % 6 == 3 else f"é, {i}" for i in rows], pa.string()),
                "name": pa.array([f"name {i} 北" for i in rows], pa.string()),
            }
        )

    def whole_rows(self, data: bytes) -> int | None:
        """How many whole rows are in the start of a sample's file, for formats of lines, where a cut may not show.

        None, as formats should have it: a file that was cut anywhere is known to be.
        """
        return None

    def read(
        self, data: bytes, folder: Path, *, threads: int = 1, options: Options | None = None
    ) -> pa.Table:
        """The table that a file becomes."""
        files = {self._name: data}
        return read_table(self.info, folder, files, options or Options(), threads)

    @property
    def _name(self) -> str:
        return f"folder/data{self.info.suffixes[0]}"

    def _file(self, folder: Path) -> SourceFile:
        return source_file(folder, self._name, self.write(self.sample()))

    def test_describes_itself(self) -> None:
        """The format says its name, kind and lower-case suffixes, and can be made from them."""
        assert self.info.kind == "tabular" and self.info.name
        assert self.info.suffixes and all(it[0] == "." and it == it.lower() for it in self.info.suffixes)
        made = make_format(self.info)
        assert isinstance(made.text, bool) and callable(made.read) and callable(made.reread)

    def test_rows_come_in(self, tmp_path: Path) -> None:
        """Every row comes in once, in order, with equal values and types, nulls as nulls, from a path without a suffix."""
        sample = self.sample()
        found = self.read(self.write(sample), tmp_path)
        assert found.schema.equals(sample.schema, check_metadata=False)
        assert found.to_pylist() == sample.to_pylist()

    def test_pieces_and_threads_do_not_show(self, tmp_path: Path) -> None:
        """The rows are the same for any size of pieces; fragments are the same bytes in any run, on any number of threads."""
        sample = self.sample()
        data = self.write(sample)
        for piece in PIECES:
            options = Options(piece=piece)
            one = read_fragments(self.info, tmp_path, {"a": data}, options, 1)
            for threads in (1, 3):
                assert read_fragments(self.info, tmp_path, {"b": data}, options, threads) == one
            rows = [row for part in one for row in pq.read_table(pa.BufferReader(part)).to_pylist()]
            assert rows == sample.to_pylist()

    def test_a_piece_knows_its_rows(self, tmp_path: Path) -> None:
        """Pieces count their rows, name the file's own columns, and have the schema of the fragment that they gave."""
        file, sink = self._file(tmp_path), Fragments()
        options = Options(piece=64, rename={"number": "id"})
        pieces = make_format(self.info).read(file, options, sink, 1)
        assert sum(piece.rows for piece in pieces) == self.sample().num_rows
        for number, piece in enumerate(pieces):
            assert set(piece.names) == set(self.sample().column_names)
            if not piece.own:
                made = pq.read_table(pa.BufferReader(sink.data[number]))
                assert made.num_rows == piece.rows
                assert made.schema.equals(piece.schema, check_metadata=False)

    def test_a_cut_file_is_noticed(self, tmp_path: Path) -> None:
        """A truncated file is an error that names it, never fewer rows in silence (as far as its format can tell)."""
        sample = self.sample()
        data = self.write(sample)
        for size in sorted({1, 2, 3, 7, 12, *range(24, len(data), len(data) // 24 + 1), len(data) - 1}):
            cut = data[:size]
            try:
                found = self.read(cut, tmp_path)
            except DataError as error:
                assert self._name in str(error), f"the error does not name the file: {error}"
                continue
            rows = self.whole_rows(cut)
            assert rows is not None, (
                f"cut to {size} of {len(data)} bytes: {found.num_rows} rows, and no error"
            )
            assert found.num_rows >= rows
            assert found.slice(0, rows).to_pylist() == sample.slice(0, rows).to_pylist()

    def test_foreign_bytes_are_refused(self, tmp_path: Path) -> None:
        """Binary data of no format is an error that names the file."""
        error = raises(DataError, lambda: self.read(bytes(range(256)) * 8, tmp_path))
        assert self._name in str(error)

    def test_an_empty_file_is_no_table(self, tmp_path: Path) -> None:
        """A file of 0 bytes gives no columns and no rows: an error that names the file, if the format reads it at all."""
        sink = Fragments()
        file = source_file(tmp_path, self._name, b"")
        try:
            pieces = make_format(self.info).read(file, Options(), sink, 1)
        except DataError as error:
            assert self._name in str(error)
        else:
            assert not any(piece.rows or piece.names for piece in pieces)

    def test_no_rows_keep_their_columns(self, tmp_path: Path) -> None:
        """A file with columns and no rows is a table of those columns, where the format can say it."""
        if self.whole_rows(b"") is not None and not make_format(self.info).text:
            return  # rows that name their own columns: without rows there are no names
        found = self.read(self.write(self.sample().slice(0, 0)), tmp_path)
        assert found.num_rows == 0 and found.column_names == self.sample().column_names

    def test_columns_are_dropped_and_renamed(self, tmp_path: Path) -> None:
        """``drop``, ``rename`` and ``columns: snake_case`` change names and nothing else."""
        sample = self.sample()
        options = Options(columns="snake_case", drop=("note",), rename={"number": "id"})
        found = self.read(self.write(sample), tmp_path, options=options)
        expected = sample.drop_columns(["note"]).rename_columns(["id", "weight", "is_adult", "name"])
        assert found.to_pydict() == expected.to_pydict()

    def test_types_are_forced(self, tmp_path: Path) -> None:
        """``types`` gives a column the type asked for; a value that does not fit is an error that names file and column."""
        data = self.write(self.sample())
        found = self.read(data, tmp_path, options=Options(types={"number": "int16"}))
        assert found.schema.field("number").type == pa.int16()
        assert found["number"].to_pylist() == self.sample()["number"].to_pylist()
        error = raises(DataError, lambda: self.read(data, tmp_path, options=Options(types={"name": "int8"})))
        assert self._name in str(error) and "name" in str(error)

    def test_a_beginning_stands_for_the_file(self, tmp_path: Path) -> None:
        """What the format cuts off the beginning of a file that is elsewhere has the first rows with their types, as many as asked for or more."""
        made, sample = make_format(self.info), self.sample()
        data, path = self.write(sample), tmp_path / "beginning"
        if not hasattr(made, "head"):
            return  # then its files are read as a whole
        for rows in (0, 1, ROWS // 2, ROWS + 1):
            path.write_bytes(b"")
            try:
                used = made.head(SourceFile(self._name, path, "", len(data)), BytesIO(data), Options(), rows)
            except Uncut:
                return
            info = self.info if used == self.info.name else formats()[used]
            found = read_table(info, tmp_path, {self._name: path.read_bytes()}, Options())
            assert found.num_rows >= min(rows, sample.num_rows)
            assert found.schema.equals(sample.schema, check_metadata=False)
            assert found.to_pylist() == sample.slice(0, found.num_rows).to_pylist()

    def test_a_span_is_read_again(self, tmp_path: Path) -> None:
        """``reread`` gives the rows of a piece under exactly the schema asked for; columns that the file lacks are null."""
        file, sink, again = self._file(tmp_path), Fragments(), Fragments()
        made, options = make_format(self.info), Options(piece=64)
        pieces = made.read(file, options, sink, 1)
        sample = self.sample()
        fields = [field.with_nullable(True) for field in sample.schema]
        schema = pa.schema([pa.field("added", pa.string()), *fields]).remove_metadata()
        last = len(pieces) - 1
        rows = made.reread(file, options, schema, [Span(last, *pieces[last].span)], again, 2)
        assert list(rows) == [pieces[last].rows] and list(again.data) == [last]
        found = pq.read_table(pa.BufferReader(again.data[last]))
        assert found.schema.equals(schema, check_metadata=False)
        assert found["added"].null_count == found.num_rows == pieces[last].rows
        expected = sample.slice(sample.num_rows - found.num_rows)
        assert found.drop_columns(["added"]).to_pylist() == expected.to_pylist()

    def test_files_are_joined(self, tmp_path: Path) -> None:
        """Two files of which one lacks a column are one table, in the order of the files, null where it lacks it."""
        sample = self.sample()
        files = {"1": self.write(sample.drop_columns(["weight"])), "2": self.write(sample)}
        found = read_table(self.info, tmp_path, files, Options())
        assert found["number"].to_pylist() == sample["number"].to_pylist() * 2
        assert found["weight"].to_pylist() == [None] * sample.num_rows + sample["weight"].to_pylist()
