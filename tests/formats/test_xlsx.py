"""Workbooks: what a cell becomes, which sheet, and that what cannot be read rightly is refused by the name of its cell."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError, MissingExtra
from mldata.formats import find_format
from mldata.formats.workbook import column_number
from mldata.formats.xlsx import _cell
from mldata.litter import litter
from tests.formats.reading import fragments, read, read_all
from tests.formats.workbooks import packed, row, saved, text, to_bytes, written

DAY, MOMENT = dt.date(2020, 2, 29), dt.datetime(2020, 2, 29, 13, 14, 15)


def test_every_kind_of_value(tmp_path: Path) -> None:
    """Numbers, text, booleans, days, times and durations have types of their own; empty cells are null."""
    data = saved(
        ["whole", "real", "word", "flag", "day", "moment", "clock", "span", "none"],
        [1, 0.1, "é\n ", True, DAY, MOMENT, dt.time(1, 2, 3), dt.timedelta(hours=30), None],
        [2.0, 3, None, False, None, DAY, None, None, None],
        [None, 1e300, "00123", None, DAY, None, dt.time(0, 0, 1), dt.timedelta(days=3), None],
    )
    table = read(tmp_path, data, "xlsx")
    assert table.to_pydict() == {
        "whole": [1, 2, None],
        "real": [0.1, 3.0, 1e300],
        "word": ["é\n ", None, "00123"],
        "flag": [True, False, None],
        "day": [DAY, None, DAY],
        "moment": [MOMENT, dt.datetime(2020, 2, 29), None],
        "clock": [dt.time(1, 2, 3), None, dt.time(0, 0, 1)],
        "span": [dt.timedelta(hours=30), None, dt.timedelta(days=3)],
        "none": [None, None, None],
    }
    assert table.schema.types == [
        pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.date32(), pa.timestamp("us"), pa.time64("us"), pa.duration("us"), pa.null(),
    ]  # fmt: skip


def test_pieces_do_not_show(tmp_path: Path) -> None:
    """Whole numbers and days of one piece become reals and times where another piece has such; rows are the same."""
    data = saved(["n", "t"], [1, DAY], [2, None], [0.5, MOMENT])
    for piece in (1, 40, 1 << 20):
        table = read(tmp_path, data, "xlsx", piece=piece)
        assert table.to_pydict() == {"n": [1.0, 2.0, 0.5], "t": [dt.datetime(2020, 2, 29), None, MOMENT]}
    assert len(fragments(tmp_path, {"a": data}, "xlsx", piece=1)) == 3


def test_epoch_of_1904(tmp_path: Path) -> None:
    """Dates of workbooks that count from 1904 are right."""
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.MAC_EPOCH
    assert book.active is not None
    book.active.append(["day"])
    book.active.append([DAY])
    assert read(tmp_path, to_bytes(book), "xlsx")["day"].to_pylist() == [DAY]


def test_text_and_numbers_in_a_column(tmp_path: Path) -> None:
    """They are an error with both rows of the sheet; forced to a type, each is taken by its text; words for missing values are null."""
    data = saved(["a"], [1], [None], ["NA"], ["x"])
    with pytest.raises(
        DataError,
        match=r"data\.xlsx:5: column 'a': found text \('x'\) after an integer \(1\) at data\.xlsx:2",
    ):
        read(tmp_path, data, "xlsx")
    assert read(tmp_path, data, "xlsx", types={"a": "string"})["a"].to_pylist() == ["1", None, "x"], (
        "an empty row is none"
    )
    assert read(tmp_path, data, "xlsx", nulls=["x", "NA"])["a"].to_pylist() == [1, None, None]


def test_empty_rows_and_columns(tmp_path: Path) -> None:
    """A table that does not begin in A1, with empty rows, columns and formatted cells in and behind it, is read as if they were not there."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for name, value in {"C3": "a", "E3": "b", "C5": 1, "E6": 2, "C9": "", "G12": None}.items():
        sheet[name] = value
    sheet["H20"].font = openpyxl.styles.Font(bold=True)
    assert read(tmp_path, to_bytes(book), "xlsx").to_pydict() == {"a": [1, None], "b": [None, 2]}


def test_a_wrong_dimension_hides_no_cells(tmp_path: Path) -> None:
    """The extent that a sheet declares for itself is not believed."""
    data = written(
        row(1, text("A1", "a"), text("B1", "b")) + row(2, text("A2", "x"), text("B2", "y")), dimension="A1:A1"
    )
    assert read(tmp_path, data, "xlsx").to_pydict() == {"a": ["x"], "b": ["y"]}


def test_headers(tmp_path: Path) -> None:
    """Years and days may name columns; a row without text may not unless the spec says so; no header gives names by position."""
    assert read(tmp_path, saved(["who", 2019, DAY], ["x", 1, 2]), "xlsx").column_names == [
        "who",
        "2019",
        "2020-02-29",
    ]
    assert read(tmp_path, saved(["who", "NA"], ["x", 1]), "xlsx").column_names == ["who", "NA"]
    with pytest.raises(
        DataError, match=r"data\.xlsx:1: .*only values in row 1 of sheet 'Sheet'(.|\n)*header: false"
    ):
        read(tmp_path, saved([1, 2], [3, 4]), "xlsx")
    assert read(tmp_path, saved([1, 2], [3, 4]), "xlsx", header=True).to_pydict() == {"1": [3], "2": [4]}
    assert read(tmp_path, saved([None, 1, "x"], [None, 3]), "xlsx", header=False).to_pydict() == {
        "column_2": [1, 3],
        "column_3": ["x", None],
    }
    with pytest.raises(DataError, match=r"columns 1 \('a'\) and 2 \('a'\) have the same name"):
        read(tmp_path, saved(["a", "a"], [1, 2]), "xlsx")
    with pytest.raises(
        DataError, match=r"data\.xlsx:3:2: cell B3 of sheet 'Sheet' has a value, and its column has no name"
    ):
        read(tmp_path, saved(["a"], [1], [2, "note"]), "xlsx")


def test_error_cells(tmp_path: Path) -> None:
    """``#N/A`` is a missing value; every other error is refused by its cell, unless ``nulls`` names it."""
    data = saved(["a"], [1], ["#N/A"], ["#DIV/0!"])
    with pytest.raises(
        DataError,
        match=r"data\.xlsx:4:1: expected a value, found the error #DIV/0! in cell A4 of sheet 'Sheet'",
    ):
        read(tmp_path, data, "xlsx")
    assert read(tmp_path, data, "xlsx", nulls=["", "#DIV/0!"])["a"].to_pylist() == [1, None, None]
    late = written(row(1, text("A1", "a")) + row(2, text("A2", "#N/A")))
    assert read(tmp_path, late, "xlsx", nulls=[])["a"].to_pylist() == ["#N/A"], "text is no error"


def test_formulas_give_their_results(tmp_path: Path) -> None:
    """The saved result of a formula is read, text and empty text too; without one the cell is named."""
    head = row(1, text("A1", "a"), text("B1", "b"))
    data = written(
        head
        + row(2, '<c r="A2"><f>1+1</f><v>2</v></c>', '<c r="B2" t="str"><f>"x"</f><v>x</v></c>')
        + row(3, '<c r="A3"><v>1</v></c>', '<c r="B3" t="str"><f>""</f><v></v></c>')
    )
    assert read(tmp_path, data, "xlsx").to_pydict() == {"a": [2, 1], "b": ["x", None]}
    for cell in (
        '<c r="B2"><f>1+1</f></c>',
        '<c r="B2" s="0"><f t="shared" si="0"/><v/></c>',
        '<c r="B2"><f>1&lt;2</f><v></v></c>',
    ):
        with pytest.raises(
            DataError, match=r"data\.xlsx:2: sheet 'S', cell B2: expected the result of the formula"
        ):
            read(tmp_path, written(head + row(2, cell)), "xlsx")
    with pytest.raises(DataError, match=r"sheet 'Sheet', cell A2: expected the result"):
        read(tmp_path, saved(["a"], ["=1+1"]), "xlsx")


def test_merged_cells(tmp_path: Path) -> None:
    """Merged cells with a value are refused by name; those without are as any empty cells."""
    rows = [["a", "b"], ["x", 1], [None, 2]]
    with pytest.raises(DataError, match=r"data\.xlsx:2:1: .*found the merged cells A2:A3 in sheet 'Sheet'"):
        read(tmp_path, saved(*rows, merge=["A2:A3"]), "xlsx")
    assert read(tmp_path, saved(*rows, merge=["C5:D6"]), "xlsx").num_rows == 2


def test_sheets(tmp_path: Path) -> None:
    """The first sheet that is not hidden is read, or the one that the spec names; others are listed."""
    book = openpyxl.Workbook()
    for name, state in {"secret": "hidden", "one": "visible", "Größe 2": "veryHidden"}.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = state
        sheet.append(["a"])
        sheet.append([name])
    book.remove(book["Sheet"])
    book.active = 1
    data = to_bytes(book)
    assert read(tmp_path, data, "xlsx")["a"].to_pylist() == ["one"]
    for name in ("secret", "Größe 2"):
        assert read(tmp_path, data, "xlsx", sheet=name)["a"].to_pylist() == [name]
    with pytest.raises(
        DataError, match=r"expected a sheet 'ones', found secret, one, Größe 2(.|\n)*did you mean 'one'"
    ):
        read(tmp_path, data, "xlsx", sheet="ones")


def test_an_empty_sheet(tmp_path: Path) -> None:
    """A sheet without a value has no columns."""
    with pytest.raises(DataError, match=r"data\.xlsx: .*has no values"):
        read(tmp_path, saved(), "xlsx")


OTHER = {
    "an encrypted one": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    + bytes(600)
    + "EncryptedPackage".encode("utf-16-le"),
    r"one of the old format \(\.xls\)": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "an Excel binary workbook": packed({"[Content_Types].xml": "", "xl/workbook.bin": ""}),
    "a Word document": packed({"[Content_Types].xml": "", "word/document.xml": ""}),
    "an OpenDocument file": packed({"mimetype": "", "content.xml": ""}),
    "a zip file of something else": packed({"a.csv": "a\n1\n"}),
    "something else": b"a,b\n1,2\n",
}


@pytest.mark.parametrize("found", OTHER)
def test_other_files_are_named(found: str, tmp_path: Path) -> None:
    """What is no .xlsx workbook is refused by what it is, with what to do."""
    with pytest.raises(
        DataError, match=rf"data\.xlsx: expected an \.xlsx workbook, found {found}(.|\n)*save it"
    ):
        read(tmp_path, OTHER[found], "xlsx")


def test_old_formats_are_told_what_to_do() -> None:
    """.xls, .xlsb and .ods come to this format to be refused by it; a document or a Java archive is in no format, and what Office leaves behind is left out."""
    for name in ("a.xls", "a.XLSB", "a.ods"):
        found = find_format(name, b"")
        assert found is not None and found.name == "xlsx"
    assert litter("~$a.xlsx") is not None
    assert find_format("a.docx", b"PK\x03\x04") is None and find_format("a.jar", b"PK\x03\x04") is None


def test_hostile_sheets(tmp_path: Path) -> None:
    """Rows and cells out of order or out of bounds, which readers drop or which make them fill memory, are errors."""
    head = row(1, text("A1", "a"))
    for data in (
        head + row(3, text("A3", "x")) + row(2, text("A2", "y")),
        head + row(2, text("A2", "x")) + row(2, text("A2", "y")),
        head + row(2_000_000, text("A2000000", "x")),
        head + row(2, text("B2", "x"), text("A2", "y")),
        head + row(2, text("A3", "x")),
        head + row(2, text("ZZZ2", "x")),
    ):
        with pytest.raises(DataError, match=r"data\.xlsx: expected a sound workbook.*sheet 'S'"):
            read(tmp_path, written(data), "xlsx")
    for cell in (
        '<c r="A2"><v>1..5</v></c>',
        '<c r="A2" t="s"><v>7</v></c>',
        '<c r="A2" s="9"><v>x</v>',
        "</row></oops>",
    ):
        with pytest.raises(DataError, match=r"data\.xlsx: expected a sound workbook"):
            read(tmp_path, written(head + row(2, cell)), "xlsx")


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook that unpacks to far more than it is, or has more text than memory should hold, is refused before it is unpacked."""
    with pytest.raises(DataError, match=r"data\.xlsx: expected at most 200 bytes out of each byte"):
        read(tmp_path, written("", more={"xl/media/a.bin": bytes(110 << 20)}), "xlsx")
    monkeypatch.setattr("mldata.formats.workbook.HELD_BYTES", 1 << 20)
    with pytest.raises(DataError, match=r"data\.xlsx: expected at most 1 MiB of text"):
        read(tmp_path, written("", more={"xl/sharedStrings.xml": "x" * (2 << 20)}), "xlsx")


def test_long_sheets_are_scanned_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked for in a sheet is found wherever the pieces in which it is read end, and once."""
    monkeypatch.setattr("mldata.formats.workbook.BEHIND", 200)
    rows = [row(1, text("A1", "a"))] + [row(i, f'<c r="A{i}"><v>{i}</v></c>') for i in range(2, 60)]
    for size in range(1, 120, 7):
        monkeypatch.setattr("mldata.formats.workbook.CHUNK", size)
        good = written("".join(rows), behind='<mergeCells count="1"><mergeCell ref="C1:D2"/></mergeCells>')
        assert read(tmp_path, good, "xlsx")["a"].to_pylist() == list(range(2, 60))
        with pytest.raises(DataError, match=r"cell A60: expected the result"):
            read(tmp_path, written("".join(rows) + row(60, '<c r="A60"><f>A1</f><v/></c>')), "xlsx")


def test_two_workbooks_join(tmp_path: Path) -> None:
    """Two workbooks are one table."""
    files = {"1": saved(["a"], [1]), "2": saved(["a", "b"], [0.5, "x"])}
    assert read_all(tmp_path, files, "xlsx").to_pydict() == {"a": [1.0, 0.5], "b": [None, "x"]}


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where openpyxl is not installed the error names the extra."""
    import sys

    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"data\.xlsx: (.|\n)*pip install 'mldata-cli\[xlsx\]'"):
        read(tmp_path, saved(["a"], [1]), "xlsx")


@given(st.integers(1, 1 << 14))
def test_names_of_cells(column: int) -> None:
    """Letters of a column are the inverse of its number."""
    assert column_number(_cell(1, column - 1)[:-1].encode()) == column


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**53), 2**53),
            st.none() | st.floats(-1e15, 1e15).map(lambda value: float(f"{value:.14g}")),
            st.none() | st.booleans(),
            st.none()
            | st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(9999, 12, 31)).map(
                lambda t: t.replace(microsecond=0)
            ),
            st.none()
            | st.text(
                st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1
            ).filter(lambda t: t[0] not in "=#" and t != "NA" and "_x" not in t),
        ),
        min_size=1,
        max_size=6,
    ).filter(lambda rows: all(any(v is not None for v in row) for row in rows))
)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]) -> None:
    """What a library saves comes back: numbers as numbers, times to the second."""
    names = ["i", "f", "b", "t", "s"]
    table = read(tmp_path_factory.mktemp("x"), saved(names, *rows), "xlsx")
    for name, found in table.to_pydict().items():
        values = [row[names.index(name)] for row in rows]
        if name == "t":
            found = [
                v if v is None or isinstance(v, dt.datetime) else dt.datetime.combine(v, dt.time())
                for v in found
            ]
        assert found == values
