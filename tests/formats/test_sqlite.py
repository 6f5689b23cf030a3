"""SQLite: which table, in which order, under which types; what is damaged, unfinished or hostile is refused or stopped."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.formats.base import Options
from mldata.formats.sqlite import Sqlite
from mldata.testing.reading import Fragments, source_file
from tests.formats.databases import database
from tests.formats.reading import fragments, read, read_all


def test_values_decide_over_types(tmp_path: Path) -> None:
    """Columns have the types of their values, whatever is declared; NULL, blobs and the largest integers come in as they are."""
    data = database(
        "CREATE TABLE t (big, real TEXT, mixed INTEGER, text INTEGER, blob, none DATE, 'odd \"name' INT)",
        "INSERT INTO t VALUES (9223372036854775807, '1.5', 1, 'x', x'00ff', NULL, 1)",
        "INSERT INTO t VALUES (-9223372036854775808, NULL, 2.5, 'nul ' || char(0) || ' é', x'', NULL, 2)",
    )
    table = read(tmp_path, data, "sqlite")
    assert table.to_pydict() == {
        "big": [2**63 - 1, -(2**63)],
        "real": ["1.5", None],
        "mixed": [1.0, 2.5],
        "text": ["x", "nul \0 é"],
        "blob": [b"\0\xff", b""],
        "none": [None, None],
        'odd "name': [1, 2],
    }
    assert table.schema.field("none").type == pa.null()


def test_values_that_do_not_go_together(tmp_path: Path) -> None:
    """A column of text and numbers is an error that names both rows; with a type in the spec each is taken by its text."""
    data = database("CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (NULL), ('x'), (2.5)")
    with pytest.raises(
        DataError,
        match=r"data\.sqlite:3: column 'a': found text \('x'\) after an integer \(1\) at data\.sqlite:1",
    ):
        read(tmp_path, data, "sqlite")
    assert read(tmp_path, data, "sqlite", types={"a": "string"})["a"].to_pylist() == ["1", None, "x", "2.5"]
    with pytest.raises(DataError, match=r"data\.sqlite:3: column 'a', row 3: expected int64, found 'x'"):
        read(tmp_path, data, "sqlite", types={"a": "int64"})
    large = database("CREATE TABLE t (a)", f"INSERT INTO t VALUES (1), ({2**53 + 1}), (2.5)")
    with pytest.raises(DataError, match=r":3: .*a real \(2\.5\) after an integer \(9007199254740993\)"):
        read(tmp_path, large, "sqlite")


def test_types_do_not_depend_on_pieces(tmp_path: Path) -> None:
    """Values far apart have the same type as neighbours; those that clash are told with both rows."""
    data = database("CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, NULL), (2, 'x'), (0.5, NULL)")
    for piece in (1, 20, 1 << 20):
        table = read(tmp_path, data, "sqlite", piece=piece)
        assert table.to_pydict() == {"a": [1.0, 2.0, 0.5], "b": [None, "x", None]}
        assert table.schema.field("a").type == pa.float64()


def test_the_only_table_or_a_named_one(tmp_path: Path) -> None:
    """One table is read; of several one has to be named, in any case of letters; a view only by its name."""
    one = (
        "CREATE TABLE people (a)",
        "INSERT INTO people VALUES (1), (2)",
        "CREATE VIEW some AS SELECT a FROM people WHERE a > 1",
    )
    two = (*one, "CREATE TABLE pets (b)", "INSERT INTO pets VALUES ('x')")
    assert read(tmp_path, database(*one), "sqlite").to_pydict() == {"a": [1, 2]}
    assert read(tmp_path, database(*one), "sqlite", table="some").to_pydict() == {"a": [2]}
    assert read(tmp_path, database(*two), "sqlite", table="PETS").to_pydict() == {"b": ["x"]}
    with pytest.raises(
        DataError, match=r"data\.sqlite: expected one table, found people, pets \(and the views some\)"
    ):
        read(tmp_path, database(*two), "sqlite")
    with pytest.raises(
        DataError, match=r"expected a table or view 'pet', found people, pets(.|\n)*did you mean 'pets'"
    ):
        read(tmp_path, database(*two), "sqlite", table="pet")
    with pytest.raises(DataError, match="expected one table, found none"):
        read(tmp_path, database("CREATE TABLE t (a)", "DROP TABLE t"), "sqlite")


def test_rows_are_in_the_order_of_keys(tmp_path: Path) -> None:
    """An index that holds all columns, from which SQLite would rather read, does not change the order."""
    data = database(
        "CREATE TABLE t (wide, a)",
        "CREATE INDEX i ON t (a)",
        "INSERT INTO t (rowid, a) VALUES (30, 1), (10, 3), (20, 2)",
        "ALTER TABLE t DROP COLUMN wide",
    )
    assert read(tmp_path, data, "sqlite")["a"].to_pylist() == [3, 2, 1]
    data = database(
        "CREATE TABLE t (a, b PRIMARY KEY) WITHOUT ROWID",
        "CREATE INDEX i ON t (a, b)",
        "INSERT INTO t VALUES (1, 2), (2, 1)",
    )
    assert read(tmp_path, data, "sqlite")["b"].to_pylist() == [1, 2]


def test_reading_changes_nothing_and_runs_nothing(tmp_path: Path) -> None:
    """The file stays byte for byte, even if it cannot be written to, and a view may not use functions that do more than compute."""
    data = database(
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "CREATE VIEW v AS SELECT load_extension('/tmp/evil.so') FROM t",
    )
    file = source_file(tmp_path, "a.db", data)
    file.path.chmod(0o444)
    Sqlite().read(file, Options(table="t"), Fragments(), 1)
    assert file.path.read_bytes() == data and {path.name for path in tmp_path.iterdir()} == {file.path.name}
    with pytest.raises(DataError, match=r"data\.sqlite"):
        read(tmp_path, data, "sqlite", table="v")


def test_a_view_without_end_is_stopped(tmp_path: Path) -> None:
    """While SQLite computes and gives no row, the build can still be stopped."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n"
    data = database("CREATE TABLE t (a)", f"CREATE VIEW v AS {endless}")

    class Stopping(Fragments):
        asked = 0

        def checkpoint(self) -> None:
            self.asked += 1
            if self.asked > 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sqlite().read(source_file(tmp_path, "a.db", data), Options(table="v"), Stopping(), 1)


def test_what_is_no_whole_database(tmp_path: Path) -> None:
    """Other data, a cut file, more pages than the header says and damage inside are errors that name the file."""
    data = database("CREATE TABLE t (a)", *(f"INSERT INTO t VALUES ('{i:0900d}')" for i in range(40)))
    with pytest.raises(DataError, match=r"data\.sqlite: expected an SQLite database, found something else"):
        read(tmp_path, b"SQLite 2.1 database" + bytes(2000), "sqlite")
    for cut in (50, 4096, len(data) - 4096, len(data) - 1):
        with pytest.raises(DataError, match=r"data\.sqlite: expected a sound SQLite database"):
            read(tmp_path, data[:cut], "sqlite")
    for at in (2 * 4096, 5 * 4096):
        bad = data[:at] + b"\xff" * 200 + data[at + 200 :]
        with pytest.raises(DataError, match=r"data\.sqlite: expected a sound SQLite database"):
            read(tmp_path, bad, "sqlite")


def test_text_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in a text are an error with the row."""
    data = database("CREATE TABLE t (a)", "INSERT INTO t VALUES ('x'), (CAST(x'ff41' AS TEXT))")
    with pytest.raises(DataError, match=r"data\.sqlite:2: expected text in UTF-8"):
        read(tmp_path, data, "sqlite")


def test_large_tables_are_cut(tmp_path: Path) -> None:
    """Rows are handed on piece by piece, in order, the same on any number of threads."""
    data = database(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, 'text ' || i FROM n",
    )
    parts = fragments(tmp_path, {"a": data}, "sqlite", piece=20_000)
    assert len(parts) > 5 and parts == fragments(tmp_path, {"a": data}, "sqlite", piece=20_000, threads=4)
    rows = [i for part in parts for i in pq.read_table(pa.BufferReader(part))["a"].to_pylist()]
    assert rows == list(range(1, 5001))


def test_databases_join(tmp_path: Path) -> None:
    """Two databases are one table, a column that one lacks is null there."""
    one, two = (
        database("CREATE TABLE x (a)", "INSERT INTO x VALUES (1)"),
        database("CREATE TABLE y (a, b)", "INSERT INTO y VALUES (.5, 'q')"),
    )
    assert read_all(tmp_path, {"1": one, "2": two}, "sqlite").to_pydict() == {
        "a": [1.0, 0.5],
        "b": [None, "q"],
    }


def test_reading_in_a_thread_of_the_build(tmp_path: Path) -> None:
    """The format works in a thread that is not the main one, as in a build."""
    found: list[object] = []
    data = database("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    thread = threading.Thread(target=lambda: found.append(read(tmp_path, data, "sqlite").to_pydict()))
    thread.start()
    thread.join()
    assert found == [{"a": [1]}]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.text(st.characters(exclude_categories=("Cs",))),
            st.none() | st.binary(),
            st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False),
        ),
        max_size=6,
    ),
    piece=st.sampled_from((1, 1 << 20)),
    rowid=st.booleans(),
)
def test_round_trip(
    rows: list[tuple[object, ...]], piece: int, rowid: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What was put into a table comes back in that order, integers among reals as equal reals."""
    keyed = [(number, *row) for number, row in enumerate(rows)]
    table = f"CREATE TABLE t (key INTEGER PRIMARY KEY, i, f, s, b, n) {'' if rowid else 'WITHOUT ROWID'}"
    data = database(table, rows=keyed[::-1])
    found = read(tmp_path_factory.mktemp("s"), data, "sqlite", piece=piece)
    assert [tuple(row.values()) for row in found.to_pylist()] == keyed
