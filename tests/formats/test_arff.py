"""ARFF: dense and sparse rows under their declared attributes; whatever does not fit these is an error with line and column."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.formats import find_format
from mldata.formats.arff import _Rows
from mldata.formats.base import Options
from mldata.testing.reading import source_file
from tests.formats.reading import read, read_all

WEATHER = """% A comment
@RELATION 'weather data'

@attribute outlook {sunny, 'over cast', "it's"}
@Attribute "body mass" REAL
@attribute n\tnumeric
@attribute whole integer
@attribute text string
@attribute day date "yyyy-MM-dd"
@attribute at DATE
@DATA
sunny, 85, 1, 2, plain, 2020-02-29, 2020-02-29T13:14:15
'over cast',1e3,2,3.0,'a, \\'b\\' \\n\\\\ % {é}',"2020-03-01",?   % behind
"it's",?,-3,?,?,?,?

?,.5,?,?,'?','1969-12-31','1969-12-31T00:00:00'
""".encode()


def one(kind: str, *rows: str) -> bytes:
    return f"@relation x\n@attribute a {kind}\n@data\n{''.join(row + chr(10) for row in rows)}".encode()


def test_dense_rows(tmp_path: Path) -> None:
    """Quotes, escapes, comments, missing values, names in any case: each value under its attribute."""
    table = read(tmp_path, WEATHER, "arff")
    assert table.to_pydict() == {
        "outlook": ["sunny", "over cast", "it's", None],
        "body mass": [85.0, 1000.0, None, 0.5],
        "n": [1, 2, -3, None],
        "whole": [2, 3, None, None],
        "text": ["plain", "a, 'b' \n\\ % {é}", None, "?"],
        "day": [dt.date(2020, 2, 29), dt.date(2020, 3, 1), None, dt.date(1969, 12, 31)],
        "at": [dt.datetime(2020, 2, 29, 13, 14, 15), None, None, dt.datetime(1969, 12, 31)],
    }
    assert table.schema.field("body mass").type == pa.float64() and table.schema.field("n").type == pa.int64()
    assert table.schema.field("day").type == pa.date32()


def test_line_ends_and_encodings(tmp_path: Path) -> None:
    """LF, CRLF and CR, a byte order mark, UTF-16 and a declared encoding give the same table."""
    expected = read(tmp_path, WEATHER, "arff")
    text = WEATHER.decode()
    for data in (
        WEATHER.replace(b"\n", b"\r\n"),
        WEATHER.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + WEATHER,
        text.encode("utf-16"),
    ):
        assert read(tmp_path, data, "arff").equals(expected)
    assert read(tmp_path, text.encode("latin-1"), "arff", encoding="iso8859-1").equals(expected)
    with pytest.raises(DataError, match=r"data\.arff:5: expected utf-8, found"):
        read(tmp_path, one("string", "x") + b"y\xff\n", "arff", encoding="utf-8")


def test_sparse_rows(tmp_path: Path) -> None:
    """What a sparse row leaves out is 0 or the first nominal value; text and dates must be there."""
    head = b"@relation x\n@attribute a numeric\n@attribute b {no, 'y s'}\n@attribute c real\n@data\n"
    table = read(tmp_path, head + b"{0 5, 1 'y s'}\n{ }\n{2 ?,1 no}\n1,no,2\n", "arff")
    assert table.to_pydict() == {
        "a": [5, 0, 0, 1],
        "b": ["y s", "no", "no", "no"],
        "c": [0.0, 0.0, None, 2.0],
    }
    for row, found in {
        "{0 1, 0 2}": r":6:7: .*each once; found '0'",
        "{3 1}": r":6:2: .*found '3'",
        "{x 1}": "found 'x'",
        "{0 1": r"expected '}'",
        "{0 1,}": "expected a pair behind the comma",
        "{0 1 1 2}": "with commas between",
        "{0}": "the number of an attribute and its value",
        "{0 1}, {5}": "weights|pairs|pair",
    }.items():
        with pytest.raises(DataError, match=f"{found}"):
            read(tmp_path, head + row.encode() + b"\n", "arff")
    with pytest.raises(DataError, match=r"data\.arff:4:1: expected a value of 'a'.*no meaning for a string"):
        read(tmp_path, one("string", "{}"), "arff")


def test_values_between_spaces(tmp_path: Path) -> None:
    """A row without commas has its values between spaces or tabs."""
    head = b"@relation x\n@attribute a numeric\n@attribute b string\n@data\n"
    assert read(tmp_path, head + b"1\t'x y'\n 2   z \n", "arff").to_pydict() == {
        "a": [1, 2],
        "b": ["x y", "z"],
    }


def test_whole_and_real_numbers(tmp_path: Path) -> None:
    """A numeric column is of integers if all values are, over all pieces; a real one never is; a whole one must be."""
    rows = ["1", "2", "0.5"]
    for piece in (1, 1 << 20):
        assert read(tmp_path, one("numeric", *rows), "arff", piece=piece)["a"].to_pylist() == [1.0, 2.0, 0.5]
    assert read(tmp_path, one("numeric", "1", str(2**53 + 1)), "arff")["a"].to_pylist() == [1, 2**53 + 1]
    assert read(tmp_path, one("real", "1"), "arff").schema.field("a").type == pa.float64()
    with pytest.raises(
        DataError,
        match=r"data\.arff:5:1: column 'a': expected a whole number, as the attribute is declared, found '1\.5'",
    ):
        read(tmp_path, one("integer", "1.0", "1.5"), "arff")
    assert str(read(tmp_path, one("numeric", "NaN", "-inf"), "arff")["a"].to_pylist()) == "[nan, -inf]"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (one("{cat, dog}", "cat", "  cow"), r":5:3: column 'a': expected one of cat, dog, found 'cow'"),
        (one("numeric", "12x"), r":4:1: column 'a': expected a number, found '12x'"),
        (one("numeric", """ '1"""), r":4:2: this quote is never closed"),
        (one("numeric", "1,2"), r":4:1: expected 1 values, found 2"),
        (one("numeric", "1,"), r":4:1: expected 1 values, found 2"),
        (
            one("numeric", "1, {5}"),
            r":4:4: expected values with commas between them, found '{'(.|\n)*weights of instances",
        ),
        (one("string", "'a' b, c"), r":4:5: expected one value between commas"),
        (one("string", r"'a\qb'"), r":4:3: expected an escape such as"),
        (
            one("date", "2020-01-01"),
            r":4:1: column 'a': expected a date written as yyyy-MM-dd'T'HH:mm:ss, found '2020-01-01'",
        ),
        (one("date yyyy-MM-dd", "2020-02-30"), r":4:1: column 'a': expected a date"),
        (one("date 'EEE dd'", "x"), r":2:19: expected a date of yyyy.*found 'EEE'"),
        (one("relational"), r":2:14: .*found 'relational'(.|\n)*flatten the table"),
        (one("{a, b"), r":2:14: expected values in braces"),
        (one("{a b}"), r":2:14: expected values in braces"),
        (one("numeric 5"), r":2:22: expected the end of the line"),
        (b"@relation x\n@attribute a numeric\n1\n", r":3:1: expected @relation, @attribute or"),
        (b"@relation x\n@attribute a\n@data\n", r":2:12: expected a name and a type"),
        (b"@relation x\n@attribute a numeric\n", r":2:1: expected @data.*truncated|truncated"),
        (b"@relation x\n@data\n1\n", r":2:1: expected @relation, @attribute"),
        (b"@relation x\n@attribute a numeric\n@attribute a real\n@data\n", "the same name twice"),
        (b"a,b\n1,2\n", r":1:1: expected @relation"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:20],
)
def test_errors_have_line_and_column(data: bytes, error: str, tmp_path: Path) -> None:
    """Whatever does not fit is refused with its place, what was expected and what was found."""
    with pytest.raises(DataError, match=error) as caught:
        read(tmp_path, data, "arff")
    assert str(caught.value).startswith("data.arff:")


def test_empty_fields_are_refused(tmp_path: Path) -> None:
    """A missing value is written as a question mark; nothing at all is an error."""
    head = b"@relation x\n@attribute a numeric\n@attribute b string\n@attribute c string\n@data\n"
    for row in (b"1,,x\n", b"1,'y',\n", b"1, ,'x'\n"):
        with pytest.raises(
            DataError, match=r"data\.arff:6:.*expected a value, found none(.|\n)*written as \?"
        ):
            read(tmp_path, head + row, "arff")
    assert read(tmp_path, head + b"1,'',x\n", "arff")["b"].to_pylist() == [""]


def test_files_join_and_are_found(tmp_path: Path) -> None:
    """Files are one table even where the nominal values that they declare differ; ARFF is known by its first word as well."""
    files = {"1": one("{a}", "a"), "2": one("{b}", "b")}
    assert read_all(tmp_path, files, "arff")["a"].to_pylist() == ["a", "b"]
    found = find_format("data", b"@relation weath")
    assert found is not None and found.name == "arff"


def quoted(text: str | None) -> str:
    if text is None:
        return "?"
    for sign, escape in {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.items():
        text = text.replace(sign, escape)
    return f"'{text}'"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1).filter(lambda n: abs(n) < 10**18),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
        ),
        max_size=8,
    ),
    st.sampled_from((1, 30, 1 << 20)),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, float | None, str | None]], piece: int
) -> None:
    """Numbers and texts of any kind come back from quoted fields."""
    head = "@relation x\n@attribute i numeric\n@attribute f real\n@attribute s string\n@data\n"
    body = "".join(
        f"{'?' if i is None else i},{'?' if f is None else repr(f)},{quoted(s)}\n" for i, f, s in rows
    )
    table = read(tmp_path_factory.mktemp("a"), (head + body).encode(), "arff", piece=piece)
    assert [tuple(row.values()) for row in table.to_pylist()] == rows


LINE = st.lists(
    st.sampled_from(
        ["1", "-2.5", "x", "y z", "'x'", '"x"', "'", "?", "'?'", ",", " ", "\t", "%", "{", "}", "\\'", "é"]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(line=LINE)
def test_usual_rows_are_read_as_any(line: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The short way that usual rows take gives what the long one gives, or leaves the row to it."""
    head = b"@relation x\n@attribute a numeric\n@attribute b {x, 'y z', '?'}\n@attribute c string\n@data\n"
    rows = _Rows(source_file(tmp_path_factory.mktemp("a"), "a", head), Options())
    if (short := rows._usual_row(line)) is not None:
        assert short == tuple(map(rows._value, rows._attributes, rows._fields(line)))
