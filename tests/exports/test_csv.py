"""CSV files."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.formats import FORMATS
from mldata.formats.base import Options
from mldata.stages import STAGES
from mldata.testing import read_table
from tests.exports.columns import FLAT, export, table
from tests.pins import check_text

TEXT = st.one_of(
    st.none(),
    st.sampled_from(["", "NA", "null", " ", "a,b", '"', "x\r\ny", "\t", "1", "true"]),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8),
)


def reread(data: bytes, folder: Path, **options: object) -> pa.Table:
    """What the normalize stage reads from the file."""
    return read_table(FORMATS["csv"], folder, {"f.csv": data}, Options(**options))  # type: ignore[arg-type]


def test_the_text_of_every_type(request: pytest.FixtureRequest) -> None:
    """The file is the one that is kept beside the tests."""
    data = export("csv", table(FLAT))
    update = request.config.getoption("--update-golden")
    check_text("export", ".csv", "export", STAGES["export"].version, data, update=update)


@settings(deadline=None)
@given(
    st.lists(st.tuples(TEXT, TEXT), max_size=8),
    st.tuples(st.sampled_from(["a", "b c", 'd"', "null"]), st.just("x,")),
)
def test_programs_read_what_was_written(
    rows: list[tuple[str | None, str | None]], names: tuple[str, str]
) -> None:
    """Python's reader gives every text back; a null is the empty field."""
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in (0, 1)]
    data = export("csv", pa.table(columns, names=list(names)))
    found = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert found == [list(names), *[[value or "" for value in row] for row in rows]]


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.tuples(TEXT, st.sampled_from(["k", "l"])), min_size=1, max_size=8))
def test_nulls_and_texts_survive_our_reader(
    rows: list[tuple[str | None, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The normalize stage reads the same texts and the same nulls, with its default list of nulls."""
    data = pa.table({"text": pa.array([row[0] for row in rows], pa.string()), "k": [row[1] for row in rows]})
    found = reread(export("csv", data), tmp_path_factory.mktemp("csv"), types={"text": "string"})
    assert found["text"].to_pylist() == [row[0] for row in rows]


@pytest.mark.parametrize("values", [["a", None, "", "NA"], [None, None], [None, "x"]])
def test_one_column_keeps_its_rows(values: list[str | None], tmp_path: Path) -> None:
    """A null in a table of one column is a line that readers see."""
    data = export("csv", pa.table({"only": pa.array(values, pa.string())}))
    assert len(data.splitlines()) == len(values) + 1
    assert b"\n\n" not in data
    assert reread(data, tmp_path, types={"only": "string"})["only"].to_pylist() == values


def test_types_survive_our_reader(tmp_path: Path) -> None:
    """Numbers, booleans, dates and times are inferred as what they were; floats keep their type and every bit."""
    columns = {name: FLAT[name] for name in ("bool", "int64", "double", "date", "micros")}
    columns["whole"] = pa.array([1.0, None, -20.0])
    columns["odd"] = pa.array([float("nan"), float("inf"), 5e-324])
    found = reread(export("csv", pa.table(columns)), tmp_path)
    assert {field.name: str(field.type) for field in found.schema}["whole"] == "double"
    for name in ("bool", "int64", "double", "date", "whole"):
        assert found[name].to_pylist() == columns[name].to_pylist(), name
    assert found["micros"].cast(pa.timestamp("us")).to_pylist() == columns["micros"].to_pylist()
    assert str(found["odd"].to_pylist()) == "[nan, inf, 5e-324]"


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_doubles_are_exact(values: list[float]) -> None:
    """Every double reads back as itself, from a text that is no integer."""
    lines = export("csv", pa.table({"x": values})).decode().splitlines()[1:]
    assert [float(line) for line in lines] == values
    assert all(any(mark in line for mark in ".en") for line in lines)


@settings(deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_are_as_short_as_their_type_allows(values: list[float]) -> None:
    """0.1 as a float is 0.1, not the double nearest to it."""
    column = pa.array(values, pa.float32())
    lines = export("csv", pa.table({"x": column})).decode().splitlines()[1:]
    assert pa.array([float(line) for line in lines]).cast(pa.float32(), safe=False) == column
    assert all(len(line) <= 15 for line in lines)


@pytest.mark.parametrize("kind", ["s", "ms", "us"])
@pytest.mark.parametrize("seconds", [-62_135_596_801, 253_402_300_800])
def test_dates_that_iso_8601_lacks_are_errors(kind: str, seconds: int) -> None:
    """The message names the column, rather than writing a date that no program reads."""
    scale = {"s": 1, "ms": 10**3, "us": 10**6}[kind]
    column = pa.array([seconds * scale], pa.timestamp(kind))
    with pytest.raises(DataError, match="column 'when' has a date outside of the years 1 to 9999"):
        export("csv", pa.table({"when": column}))


def test_wide_rows_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of megabytes are written a few rows at a time, with the same result."""
    data = pa.table({"a": ["x" * 3_000_000] * 5, "b": list("12345")})
    expected = b"a,b\n" + b"".join(b"x" * 3_000_000 + f",{number}\n".encode() for number in range(1, 6))
    assert export("csv", data) == expected
    monkeypatch.setattr("mldata.exports.cells.SLICE_BYTES", 1)
    assert export("csv", data) == expected
