"""CSV: every trap by a tiny file, and round trips through Python's csv module."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError, SpecError
from tests.formats.reading import fragments, read, read_all

UTC = dt.UTC


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*table.to_pydict().values(), strict=True))


def types(table: pa.Table) -> dict[str, str]:
    return {field.name: str(field.type) for field in table.schema}


TYPED = {
    "null": (["", "NA", ""], "null", [None, None, None]),
    "bool lower": (["true", "", "false"], "bool", [True, None, False]),
    "bool title": (["True", "False"], "bool", [True, False]),
    "bool upper": (["FALSE", "TRUE"], "bool", [False, True]),
    "bool spelled two ways": (["true", "False"], "string", ["true", "False"]),
    "bool and others": (["true", "t"], "string", ["true", "t"]),
    "bools are no numbers": (["0", "1"], "int64", [0, 1]),
    "bool and int": (["true", "1"], "string", ["true", "1"]),
    "int": (["-5", "0", "9223372036854775807"], "int64", [-5, 0, 2**63 - 1]),
    "leading zeros": (["00123", "4"], "string", ["00123", "4"]),
    "negative leading zeros": (["-01", "4"], "string", ["-01", "4"]),
    "plus": (["+5", "4"], "string", ["+5", "4"]),
    "hexadecimal": (["0x1F"], "string", ["0x1F"]),
    "space before": ([" 5"], "string", [" 5"]),
    "space behind": (["5 "], "string", ["5 "]),
    "beyond int64": (["9223372036854775808", "1"], "string", ["9223372036854775808", "1"]),
    "minus zero": (["-0", "1"], "double", [-0.0, 1.0]),
    "float": (["1.5", "-.5", "2.", "1e3", ""], "double", [1.5, -0.5, 2.0, 1000.0, None]),
    "int and float": (["1", "2.5"], "double", [1.0, 2.5]),
    "exact int and float": (["9007199254740992", "2.5"], "double", [2.0**53, 2.5]),
    "inexact int and float": (["9007199254740993", "2.5"], "string", ["9007199254740993", "2.5"]),
    "large int that is exact": (["9007199254740994", "2.5"], "string", ["9007199254740994", "2.5"]),
    "inexact decimal": (["12345678901234567.5"], "string", ["12345678901234567.5"]),
    "exact large decimal": (["18014398509481984.0"], "double", [18014398509481984.0]),
    "float with leading zeros": (["00.5", "1.5"], "string", ["00.5", "1.5"]),
    "negative float with leading zeros": (["-00.5", "1.5"], "string", ["-00.5", "1.5"]),
    "zero dot": (["0.5", "-0.5", "-0.0"], "double", [0.5, -0.5, -0.0]),
    "float with plus": (["+0.5"], "string", ["+0.5"]),
    "infinite": (["inf", "-Infinity", "1.0"], "double", [float("inf"), float("-inf"), 1.0]),
    "too large for a float": (["1e999"], "string", ["1e999"]),
    "nan with a payload": (["nan(2)"], "string", ["nan(2)"]),
    "date": (["2020-02-29", "1999-01-01"], "date32[day]", [dt.date(2020, 2, 29), dt.date(1999, 1, 1)]),
    "no such day": (["2020-02-30"], "string", ["2020-02-30"]),
    "short date": (["2020-1-1"], "string", ["2020-1-1"]),
    "timestamp": (["2020-01-01 10:20:30.5"], "timestamp[us]", [dt.datetime(2020, 1, 1, 10, 20, 30, 500000)]),
    "date and timestamp": (
        ["2020-01-01", "2020-01-01T10:00:00"],
        "timestamp[us]",
        [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 10)],
    ),
    "nanoseconds": (["2020-01-01 10:20:30.123456789"], "string", ["2020-01-01 10:20:30.123456789"]),
    "zones": (
        ["2020-01-01T10:00:00Z", "2020-01-01 10:00:00+02:00"],
        "timestamp[us, tz=UTC]",
        [dt.datetime(2020, 1, 1, 10, tzinfo=UTC), dt.datetime(2020, 1, 1, 8, tzinfo=UTC)],
    ),
    "a zone and none": (
        ["2020-01-01T10:00:00Z", "2020-01-01T10:00:00"],
        "string",
        ["2020-01-01T10:00:00Z", "2020-01-01T10:00:00"],
    ),
    "time of day": (["10:20:30"], "string", ["10:20:30"]),
    "words": (["no", "ink", "true story"], "string", ["no", "ink", "true story"]),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("piece", [1 << 20, 1])
@pytest.mark.parametrize("name", TYPED)
def test_type_of_a_column(name: str, piece: int, tmp_path: Path) -> None:
    """A column has the narrowest type that keeps all its values, in whatever order and pieces they come."""
    texts, kind, values = TYPED[name]
    for order in (1, -1):
        data = "x,y\n" + "".join(f"{text},z\n" for text in texts[::order])
        table = read(tmp_path, data.encode(), piece=piece)
        assert str(table.schema.field("x").type) == kind
        assert [str(v) for v in table["x"].to_pylist()] == [str(v) for v in values[::order]]


SOUND = {
    "no line end at the end": (b"a,b\n1,2", [(1, 2)]),
    "only a header": (b"a,b\n", []),
    "only a header without line end": (b"a,b", []),
    "CRLF": (b"a,b\r\n1,x\r\n2,y\r\n", [(1, "x"), (2, "y")]),
    "bare CR": (b"a,b\r1,x\r2,y\r", [(1, "x"), (2, "y")]),
    "a byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", [(1, 2)]),
    "a byte order mark in the data": (b"a,b\n\xef\xbb\xbfx,2\n", [("\ufeffx", 2)]),
    "line ends in quotes": (b'a,b\n"x\ny\r\nz\rw",2\n', [("x\ny\r\nz\rw", 2)]),
    "quotes in quotes": (b'a,b\n"say ""hi""",""""\n', [('say "hi"', '"')]),
    "delimiters in quotes": (b'a,b\n"x,5",2\n', [("x,5", 2)]),
    "quotes inside bare fields": (b'a,b\n5" pipe,2\n6"" pipe,3\n', [('5" pipe', 2), ('6"" pipe', 3)]),
    "one quote and quoted line ends": (b'a,b\n5" pipe,"x\ny"\n"q",z\n', [('5" pipe', "x\ny"), ("q", "z")]),
    "a NUL byte": (b"a,b\nx\0y,2\nz,3\n", [("x\0y", 2), ("z", 3)]),
    "blank lines": (b"\na,b\n\n1,2\n\r\n\n3,4\n\n", [(1, 2), (3, 4)]),
    "blank lines in one column": (b"a\n1\n\n2\n\n\n", [(1,), (None,), (2,)]),
    "quoted empty and bare empty": (b'a,b\n"",\n"NA",NA\n', [("", None), ("NA", None)]),
    "an index without a name": (b",b\n0,x\n", [(0, "x")]),
    "quoted names": (b'"a,""1","b\nc"\n1,2\n', [(1, 2)]),
    "a value of one byte order mark": (b"a\n\xef\xbb\xbf\n", [("\ufeff",)]),
}


@pytest.mark.parametrize("piece", [1 << 20, 1, 9])
@pytest.mark.parametrize("name", SOUND)
def test_sound_file(name: str, piece: int, tmp_path: Path) -> None:
    """Every record becomes one row, exactly as written, however the file is cut."""
    data, expected = SOUND[name]
    assert rows(read(tmp_path, data, piece=piece)) == expected


BAD = {
    "a short row": (b"a,b\n1,2\n3\n", "data.csv:3:1", "expected 2 fields"),
    "a long row": (b"a,b\n1,2\n\n3,4,5\n", "data.csv:4:1", "found 3"),
    "a row of spaces": (b"a,b\n   \n1,2\n", "data.csv:2:1", "found 1"),
    "a short row behind line ends in quotes": (b'a,b\n"x\ny",2\n3\n', "data.csv:4:1", "found 1"),
    "UTF-8 but for a byte": (
        "a,b\n1,äöü\n2,".encode() + b"\xff\n",
        "data.csv:3:3",
        "UTF-8 but for this byte",
    ),
    "Cyrillic": ("a,b\n1,Москва\n2,Санкт-Петербург\n".encode("cp1251"), "data.csv:2:3", "encoding: cp1251"),
    "half of a character at the end": ("a,b\n1,\u0a0a\n".encode("utf-16") + b"x", "data.csv:3", "utf-16-le"),
    "gzip cut off": (gzip.compress(b"a,b\n1,2\n" * 99)[:-9], "data.csv", "a whole gzip file"),
    "gzip of nothing": (gzip.compress(b""), "data.csv", "nothing inside (gzip)"),
    "names twice": (b"a,b,a\n1,2,3\n", "data.csv:1", "columns 1 ('a') and 3 ('a')"),
    "an open quote": (b'a,b\n1,2\n3,"4\n5,6\n', "data.csv:3:3", "never closed"),
    "an open quote at the end": (b'a,b\n1,2\n"', "data.csv:3:1", "never closed"),
    "an open quote in the last of all fields": (b'a,b\n1,"2\n', "data.csv:2:3", "never closed"),
    "an open quote in the header": (b'"a,b\n1,2\n', "data.csv:1:1", "header"),
    "text behind a quote": (b'a,b\n"ab"c,2\n', "data.csv:2:5", "closing quote"),
    "zip": (b"PK\x03\x04rest", "data.csv", "compressed"),
    "blank lines only": (b"\n\n", "data.csv:1", "header"),
}


@pytest.mark.parametrize("piece", [1 << 20, 1])
@pytest.mark.parametrize("name", BAD)
def test_bad_file(name: str, piece: int, tmp_path: Path) -> None:
    """What is no CSV is refused with file, line and column, never repaired or shortened."""
    data, where, word = BAD[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, piece=piece)
    assert str(caught.value.where) == where
    assert word in str(caught.value)


def test_a_cell_larger_than_a_block(tmp_path: Path) -> None:
    """A value of 2 MB is a value like others, with or without quotes."""
    large = "x" * 2_000_000
    for cell in (large, f'"{large}\n{large}"'):
        data = f"a,b\n1,2\n{cell},3\n4,5\n".encode()
        table = read(tmp_path, data)
        assert table.num_rows == 3
        assert table["a"][1].as_py() == cell.strip('"')


def test_a_short_row_behind_a_large_cell(tmp_path: Path) -> None:
    """A bad row in a piece of several blocks is still named by its line."""
    data = b"a,b\n" + b"y" * 2_000_000 + b",1\nshort\n"
    with pytest.raises(DataError) as caught:
        read(tmp_path, data)
    assert str(caught.value.where) == "data.csv:3:1"


def test_a_record_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote that swallows the file stops at a limit, so that memory stays bounded."""
    monkeypatch.setattr("mldata.formats.pieces.MAX_RECORD_BYTES", 1 << 18)
    with pytest.raises(DataError, match="longer than"):
        read(tmp_path, b'a,b\n1,"' + b"x,y\n" * (1 << 18), piece=1 << 10)


def test_a_stray_quote_in_a_large_file(tmp_path: Path) -> None:
    """One odd quote makes the exact cut take over; no row is lost."""
    lines = [f'{i},5" pipe' if i == 3 else f'{i},"say ""{i}"""' for i in range(100_000)]
    table = read(tmp_path, ("a,b\n" + "\n".join(lines)).encode(), piece=1 << 16)
    assert table["a"].to_pylist() == list(range(100_000))
    assert table["b"][3].as_py() == '5" pipe'
    assert table["b"][99_999].as_py() == 'say "99999"'


def test_tsv(tmp_path: Path) -> None:
    """TSV is CSV with tabs."""
    assert rows(read(tmp_path, b"a\tb\nx,5\tx\n", "tsv")) == [("x,5", "x")]


def test_forced_types(tmp_path: Path) -> None:
    """Forced types take the form loosely (spaces, zeros, quoted nulls) and the value strictly."""
    data = b'i,f,b,s,c,d,t,n\n 007,"+1.5",1,0042,x,12.30,2020-01-01,\n"",NA,FALSE,1,x,,,\n'
    kinds = {
        "i": "int16", "f": "float32", "b": "bool", "s": "string", "c": "category", "d": "decimal128(10, 2)",
        "t": "timestamp[ms, UTC]", "n": "large_string",
    }  # fmt: skip
    data = data.replace(b"2020-01-01", b"2020-01-01T00:00:00Z")
    table = read(tmp_path, data, types=kinds, piece=1)
    assert types(table) == {
        "i": "int16", "f": "float", "b": "bool", "s": "string",
        "c": "dictionary<values=string, indices=int32, ordered=0>", "d": "decimal128(10, 2)",
        "t": "timestamp[ms, tz=UTC]", "n": "large_string",
    }  # fmt: skip
    first, second = table.to_pylist()
    assert (first["i"], first["f"], first["b"], first["s"], str(first["d"])) == (
        7,
        1.5,
        True,
        "0042",
        "12.30",
    )
    assert (second["i"], second["f"], second["b"], second["c"]) == (None, None, False, "x")


@pytest.mark.parametrize(
    ("kind", "value"), [("int16", "40000"), ("int64", "1.5"), ("bool", "yes"), ("date", "1.2.2020")]
)
def test_a_value_that_does_not_convert(kind: str, value: str, tmp_path: Path) -> None:
    """A value that is none of the forced type is named with file, line, column and itself."""
    data = f'a,b\n,"x\ny"\n\n"{value}",1\n,2\n'.encode()
    for piece in (1 << 20, 1):
        with pytest.raises(DataError) as caught:
            read(tmp_path, data, types={"a": kind}, piece=piece)
        assert str(caught.value.where) == "data.csv:5"
        assert "column 'a'" in str(caught.value) and repr(value) in str(caught.value)


def test_a_value_that_does_not_convert_in_one_column(tmp_path: Path) -> None:
    """Blank lines of a file with one column are rows, and lines are counted so."""
    with pytest.raises(DataError) as caught:
        read(tmp_path, b"a\n1\n\nx\n", types={"a": "int8"})
    assert str(caught.value.where) == "data.csv:4"


def test_columns_renamed_and_dropped(tmp_path: Path) -> None:
    """``columns``, ``rename``, ``drop`` and ``types`` work together, by old or new names."""
    data = b"Body Mass (g),HTTPCode,Old,x\n1,2,3,4\n"
    table = read(
        tmp_path,
        data,
        columns="snake_case",
        rename={"Old": "new"},
        drop=["x"],
        types={"new": "string", "HTTPCode": "int8"},
    )
    assert types(table) == {"body_mass_g": "int64", "http_code": "int8", "new": "string"}
    with pytest.raises(DataError, match=r"'A b'.*'a_b'"):
        read(tmp_path, b"A b,a_b\n1,2\n", columns="snake_case")
    with pytest.raises(SpecError, match="intt"):
        read(tmp_path, data, types={"x": "intt"})


def test_nulls_are_what_the_spec_says(tmp_path: Path) -> None:
    """Only the listed texts are null."""
    assert read(tmp_path, b"a,b\n-,NA\n1,x\n", nulls=["-"]).to_pydict() == {"a": [None, 1], "b": ["NA", "x"]}
    assert read(tmp_path, b"a,b\n,2\n", nulls=[]).to_pydict() == {"a": [""], "b": [2]}


def test_files_join_without_loss(tmp_path: Path) -> None:
    """Files that disagree give the joined type; a column that only some have is null in the others; text is kept as written."""
    files = {
        "1.csv": b"a,b,c\n1,true,1\n",
        "2.csv": b"b,a,d\n2,2.50,x\n",
        "3.csv": b"a,b,c\n,,\n",
    }
    table = read_all(tmp_path, files)
    assert types(table) == {"a": "double", "b": "string", "c": "int64", "d": "string"}
    assert rows(table) == [(1.0, "true", 1, None), (2.5, "2", None, "x"), (None, None, None, None)]


CELLS = st.one_of(
    st.sampled_from(["", "0", "007", "-0", "1.50", "true", "True", "2020-01-01", "2020-01-01T00:00:00", 'a"b', '"', "\r\n", "\n", ",", "é", "\ufeff", "nan"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
)  # fmt: skip


@st.composite
def csv_tables(draw: st.DrawFn) -> tuple[bytes, list[list[str]]]:
    width = draw(st.integers(1, 4))
    table = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # Python quotes only the line end that it writes itself, so the others would be read as line ends too.
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])) if end == "\r\n" else csv.QUOTE_ALL
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator=end)
    writer.writerow([f"c{i}" for i in range(width)])
    writer.writerows(table)
    return text.getvalue().encode(), table


@settings(max_examples=80, deadline=None)
@given(csv_tables())
def test_text_round_trip(case: tuple[bytes, list[list[str]]]) -> None:
    """What Python's csv module writes comes back cell by cell when read as strings."""
    data, expected = case
    with tempfile.TemporaryDirectory() as folder:
        kinds = {f"c{i}": "string" for i in range(4)}
        table = read(Path(folder), data, types=kinds, nulls=["no value is this"], piece=1 << 20)
        assert [list(row) for row in rows(table)] == expected


@pytest.mark.no_cover
@settings(max_examples=55, deadline=None)
@given(csv_tables(), st.integers(1, 60), st.integers(1, 3))
def test_pieces_and_threads_do_not_matter(
    case: tuple[bytes, list[list[str]]], piece: int, threads: int
) -> None:
    """Cut anywhere and read by any number of threads, a file gives the same table; by threads, the same bytes."""
    data, _ = case
    with tempfile.TemporaryDirectory() as folder:
        whole = read(Path(folder), data)
        parts = fragments(Path(folder), {"data.csv": data}, piece=piece, threads=threads)
        assert parts == fragments(Path(folder), {"data.csv": data}, piece=piece)
        cut = read(Path(folder), data, piece=piece)
        assert cut.schema == whole.schema
        assert str(cut.to_pylist()) == str(whole.to_pylist())


@pytest.mark.no_cover
@settings(max_examples=45, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=3), min_size=1, max_size=4), st.randoms())
def test_the_order_of_files_does_not_matter(columns: list[list[str]], random: Any) -> None:
    """The type of a column over several files depends on their values only."""
    files = {}
    for number, cells in enumerate(columns):
        text = io.StringIO()
        csv.writer(text).writerows([["x", "y"], *([cell, "z"] for cell in cells)])
        files[f"{number}.csv"] = text.getvalue().encode()
    mixed = list(files.items())
    random.shuffle(mixed)
    with tempfile.TemporaryDirectory() as folder:
        one, other = read_all(Path(folder), files), read_all(Path(folder), dict(mixed))
    assert one.schema.field("x") == other.schema.field("x")
    assert sorted(map(str, one["x"].to_pylist())) == sorted(map(str, other["x"].to_pylist()))


def test_pandas_is_not_looked_for(tmp_path: Path) -> None:
    """Where it is installed, importing it takes longer than a small build: Arrow does so to make a scalar of a Python value."""
    (tmp_path / "pandas.py").write_text("raise SystemExit('pandas was imported')")
    code = (
        "import pathlib; from mldata.formats import FORMATS; from mldata.formats.base import Options; "
        "from mldata.testing import read_fragments; "
        f"print(len(read_fragments(FORMATS['csv'], pathlib.Path({str(tmp_path)!r}), {{'a': b'a,b,c\\n1,true,x\\n'}}, Options())))"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True
    )
    assert (done.stdout, done.stderr) == (b"1\n", b"")


def test_very_many_columns_are_refused(tmp_path: Path) -> None:
    """Each takes kilobytes, so that a small file would fill the memory."""
    with pytest.raises(DataError, match=r"data\.csv:1: expected at most 100,000 columns, found 100,002"):
        read(tmp_path, b"a" + b"," * 100_001 + b"\n", header=True)
