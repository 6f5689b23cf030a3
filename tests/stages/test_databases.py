"""The normalize stage on SQLite databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mldata.errors import DataError, SpecError
from mldata.formats import FORMATS, find_format
from mldata.litter import litter
from tests.formats.databases import database
from tests.stages.conftest import Normalizer


@pytest.fixture
def unfinished(tmp_path: Path) -> Iterator[Callable[[], dict[str, bytes]]]:
    """The files of a database in WAL mode that a program has open."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (a)")
        made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        made.execute("INSERT INTO t VALUES (1)")
        made.commit()
        yield lambda: {found.name: found.read_bytes() for found in tmp_path.glob("a.db*")}


def test_a_clash_between_pieces_names_rows(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where values that clash are in different pieces, the build's error still has the row of each."""
    monkeypatch.setattr("mldata.formats.base.PIECE_BYTES", 1)
    data = database("CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (NULL), ('x')")
    with pytest.raises(DataError, match=r"found 1 at a\.db:1 and 'x' at a\.db:3"):
        normalize({"a.db": data})


def test_rows_that_are_in_another_file(
    unfinished: Callable[[], dict[str, bytes]], normalize: Normalizer
) -> None:
    """A database whose log beside it has rows is refused; where the log is not part of the source, the build warns."""
    files = unfinished()
    with pytest.raises(DataError, match=r"a\.db: .*found a\.db-wal beside it(.|\n)*VACUUM INTO"):
        normalize(files)
    job, made = normalize({"a.db": files["a.db"]})
    assert made.rows == 0 and any("WAL mode: a.db" in warning for warning in job.warnings)
    job, _ = normalize({"a.db": files["a.db"], "a.db-wal": b""})
    assert any("WAL mode: a.db" in warning for warning in job.warnings)


def test_known_by_name_or_content(normalize: Normalizer) -> None:
    """Databases are known by their suffixes, or without one by their first bytes; the table is told."""
    data = database("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    assert find_format("a.sqlite3", b"") == find_format("x", data[:16]) == FORMATS["sqlite"]
    assert litter("Thumbs.db") is not None
    _, made = normalize({"a.db": data})
    assert made.facts["read"] == [{"format": "sqlite", "table": "t", "files": 1, "first": "a.db"}]


@pytest.mark.parametrize(("key", "format"), [("table", "sqlite"), ("sheet", "xlsx")])
def test_a_table_or_sheet_of_other_files(key: str, format: str, normalize: Normalizer) -> None:
    """A key that says something of files that are not there is refused, and is no part of what decides otherwise."""
    with pytest.raises(
        SpecError, match=rf"normalize\.{key}: expected {format} files, for which '{key}' is, found none"
    ):
        normalize({"a.csv": b"a\n1\n"}, **{key: "x"})
    files = {"a.csv": b"a\n1\n", "b.db": database("CREATE TABLE t (a)", "INSERT INTO t VALUES (2)")}
    assert normalize(files, table="t")[1].rows == 2
