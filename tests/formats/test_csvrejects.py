"""Bad rows of a CSV file, put aside: every record is in the table or among the rejects."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.formats import FORMATS
from mldata.formats.base import Options, Reject
from mldata.testing.reading import Fragments, make_format, read_fragments, source_file
from tests.formats.reading import read


def rejects(folder: Path, data: bytes, piece: int = 1 << 20, **options: object) -> list[Reject]:
    sink = Fragments()
    how = Options(on_bad_row="reject", piece=piece, **options)  # type: ignore[arg-type]
    make_format(FORMATS["csv"]).read(source_file(folder, "data.csv", data), how, sink, 1)
    return sink.rejects


BAD = {
    "a short row": (b"a,b\n1,2\n3\n4,5\n", [(1, 2), (4, 5)], [(3, "expected 2 fields, found 1", b"3")]),
    "a long row": (b"a,b\n1,2\n3,4,5\n", [(1, 2)], [(3, "expected 2 fields, found 3", b"3,4,5")]),
    "the only row": (b"a,b\n3,4,5", [], [(2, "expected 2 fields, found 3", b"3,4,5")]),
    "an open quote": (b'a,b\n1,"2\n3,4\n', [(3, 4)], [(2, "its quotes", b'1,"2')]),
    "an open quote at the end": (b'a,b\n1,2\n"', [(1, 2)], [(3, "its quotes", b'"')]),
    "text behind a quote": (b'a,b\n"ab"c,2\n3,4\n', [(3, 4)], [(2, "its quotes", b'"ab"c,2')]),
    "behind line ends in quotes": (b'a,b\n"x\ny",2\n3\n', [("x\ny", 2)], [(4, "expected 2 fields", b"3")]),
    "CRLF": (b"a,b\r\n1,2\r\n3\r\n", [(1, 2)], [(3, "expected 2 fields", b"3")]),
    "bare CR": (b"a,b\r1,2\r3\r4,5", [(1, 2), (4, 5)], [(3, "expected 2 fields", b"3")]),
    "no UTF-8": ("a,b\nä,2\n".encode() + b"\xff,3\n", [("ä", 2)], [(3, "expected UTF-8", b"\xff,3")]),
    "comments": (b"# x\na,b\n1,2\n# y\n3\n", [(1, 2)], [(5, "expected 2 fields", b"3")]),
}  # fmt: skip


@pytest.mark.parametrize("piece", [1 << 20, 1, 7])
@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_put_aside_with_line_and_reason(name: str, piece: int, tmp_path: Path) -> None:
    """The others are read as if these were not there, however the file is cut."""
    data, good, bad = BAD[name]
    table = read(tmp_path, data, piece=piece, on_bad_row="reject")
    assert list(zip(*table.to_pydict().values(), strict=True)) == good
    found = rejects(tmp_path, data, piece)
    assert [(one.line, one.record) for one in found] == [(line, record) for line, _, record in bad]
    assert all(one.reason.startswith(reason) for one, (_, reason, _) in zip(found, bad, strict=True))


def test_values_of_another_type_than_the_spec_forces(tmp_path: Path) -> None:
    """Their rows are put aside, once each, among those that do not scan."""
    data = b"i,d\n1,2020-01-01\nx,y\n2\n3,never\n4,2020-01-02\n"
    types = {"i": "int16", "d": "date32"}
    table = read(tmp_path, data, types=types, on_bad_row="reject")
    assert table["i"].to_pylist() == [1, 4]
    assert [(one.line, one.reason) for one in rejects(tmp_path, data, types=types)] == [
        (3, "column 'i': expected int16, found 'x'"),
        (4, "expected 2 fields, found 1"),
        (5, "column 'd': expected date32[day], found 'never'"),
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"1,2", b"x,y", b'"a\nb",c', b"3", b"4,5,6", b'7,"8', b'"9"x,1', b"\xc3,1", b""]),
        max_size=12,
    ),
    st.integers(1, 30),
)
def test_rows_in_are_rows_out_and_rejects(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], piece: int
) -> None:
    """Whatever is wrong and wherever the file is cut: the same rows, and no line is lost."""
    data = "a,b\nä,ö\nü,ß\n".encode() + b"\n".join(lines)
    folder = tmp_path_factory.mktemp("in")
    whole, cut = (rejects(folder, data, size) for size in (1 << 20, piece))
    assert whole == cut
    how = [Options(on_bad_row="reject", piece=size) for size in (1 << 20, piece)]
    tables = [read(folder, data, piece=one.piece, on_bad_row="reject") for one in how]
    assert tables[0].to_pydict() == tables[1].to_pydict()
    assert read_fragments(FORMATS["csv"], folder, {"data.csv": data}, how[1], 3) == read_fragments(
        FORMATS["csv"], folder, {"data.csv": data}, how[1], 1
    )
    ended = sum(record.count(b"\n") + 1 for record in (one.record for one in whole))
    inside = sum(str(value).count("\n") for column in tables[0].to_pydict().values() for value in column)
    blank = sum(1 for line in data.split(b"\n") if not line)
    assert 1 + tables[0].num_rows + inside + ended + blank >= data.count(b"\n") + 1


def test_more_than_memory_should_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of next to nothing but bad rows is an error that names it, before they fill the memory; fewer are put aside."""
    data = b"a,b\n1,2\n" + b"3\n" * 3000
    monkeypatch.setattr("mldata.formats.rejects.MOST_HELD", 3001 * 513)
    assert read(tmp_path, data, "csv", on_bad_row="reject", header=True).num_rows == 1
    monkeypatch.setattr("mldata.formats.rejects.MOST_HELD", 2999 * 512)
    with pytest.raises(DataError, match=r"data\.csv: expected rows that can be read(.|\n)*mldata info"):
        read(tmp_path, data, "csv", on_bad_row="reject", header=True)
