"""CSV and TSV: what cannot be read as it was meant is told by line and column, and every sound way to write a table is valid."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats import test_csv as formats
from tests.integrity.checking_bytes import check, codes, cuts, errors

TABLE = b"id,name,score\n" + b"".join(b"%d,n%d,%d.5\n" % (n, n, n) for n in range(1000, 1400))


@pytest.mark.parametrize("name", formats.SOUND)
def test_what_is_read_is_not_corrupt(name: str) -> None:
    """No file that the format reads is corrupt."""
    assert not errors(check("csv", formats.SOUND[name][0]))


@pytest.mark.parametrize("name", formats.BAD)
def test_what_is_refused_is_not_valid(name: str) -> None:
    """No file that the format refuses passes without a word, and the line is the same."""
    data, where, _ = formats.BAD[name]
    found = check("csv", data)
    assert found.problems
    line = found.problems[0].line
    assert line is None or str(line) == where.split(":")[1]


ODD = {
    "no line end": b"a,b\n1,2\n3,4",
    "semicolons": b"a;b;c\n1,5;x;y\n2,5;x;y\n",
    "quoted line ends": b'a,b\n"x\r\ny",2\n',
    "comments": b"# made by hand\n# twice\na,b\n1,2\n",
    "a line for spreadsheets": b"sep=;\r\na;b\r\n1;2\r\n",
    "a mark": b"\xef\xbb\xbfa,b\n1,2\n",
    "UTF-16": "a,b\n1,ä\n".encode("utf-16"),
    "UTF-16 without a mark": "name,b\n1,ä\n".encode("utf-16-le"),
    "Windows-1252": "name,stadt\n1,München\n2,Köln\n3,Düsseldorf\n".encode("cp1252"),
    "carriage returns": b"a,b\r1,2\r",
    "no header": b"1,2.5\n3,4.5\n",
    "one column": b"a\n\n1\n",
    "blank lines": b"a,b\n\n1,2\n\n",
    "text that looks like a box of a film": b"aaaafree,b\n1,2\n",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_valid(name: str) -> None:
    """There are many ways to write a sound table."""
    found = check("csv", ODD[name])
    assert (found.verdict, codes(found)) == ("valid", [])


def test_facts() -> None:
    """Rows, columns, encoding and delimiter are told."""
    facts = check("csv", "a;b\n1,5;ä\n".encode("utf-16")).facts
    assert (facts["rows"], facts["columns"], facts["delimiter"]) == (1, 2, ";")
    assert facts["encoding"] == "utf-16-le"


DAMAGED = {
    "a record cut short": (TABLE[:-12], "truncated", 401),
    "a short record inside": (TABLE.replace(b"1200,n1200,", b"1200,"), "ragged-row", 202),
    "a block of zeros": (TABLE[:3000] + bytes(512) + TABLE[3512:], "zero-filled", None),
    "a quote that is never closed": (TABLE.replace(b"n1200", b'"n1200'), "ragged-row", None),
    "an open quote at the end": (TABLE + b'1400,"n', "unclosed-quote", 402),
    "a byte that is no text": (TABLE.replace(b"n1200", "nä".encode() + b"\xff"), "undecodable", 202),
    "a page of a server": (
        b"<!DOCTYPE html>\n<html><body>404, not found</body></html>\n",
        "wrong-content",
        None,
    ),
    "binary data": (bytes(range(256)) * 40, "not-text", None),
    "nothing but line ends": (b"\n\n", "empty", None),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_found(name: str) -> None:
    """Damage makes a file corrupt, and its line is told."""
    data, code, line = DAMAGED[name]
    found = check("csv", data)
    assert found.verdict == "corrupt"
    if name != "a quote that is never closed":
        assert code in codes(found)
        assert line is None or line in [problem.line for problem in errors(found)]


@pytest.mark.no_cover
def test_every_cut_inside_a_record_is_found() -> None:
    """A file that ends before the last field of its last record is truncated, wherever it was cut."""
    for data in cuts(TABLE[:700]):
        last = data.rpartition(b"\n")[2]
        if data.count(b"\n") and len(last) > 0 and last.count(b",") < 2:
            assert codes(check("csv", data)) == ["truncated"]


def test_many_ragged_records_are_meant() -> None:
    """Where a large part of the records is of another length, the file is odd, not corrupt."""
    data = b"a,b,c\n" + b"1,2,3\n1,2\n" * 40
    found = check("csv", data)
    assert (found.verdict, codes(found)) == ("suspect", ["ragged"])
    assert "40 of 80" in found.problems[0].message


def test_ragged_records_hide_nothing() -> None:
    """Damage of another sort is told beside them."""
    data = b"a,b,c\n" + b"1,2,3\n1,2\n" * 40 + b"1,\xff\xfe,3\n" + "1,ä,3\n".encode() * 9
    found = check("csv", data)
    assert (found.verdict, codes(found)) == ("corrupt", ["ragged", "undecodable"])


def test_only_some_bad_records_are_told() -> None:
    """Of many bad records the first are told one by one, and how many more there are."""
    found = check("csv", TABLE * 2 + b'"x"y,1,2\n' * 15)
    assert codes(found).count("bad-quote") == 10
    assert found.problems[-1].message.startswith("5 more")


def test_a_header_alone_is_suspect() -> None:
    """A table without rows decodes, but is hardly meant."""
    assert codes(check("csv", b"a,b\n")) == ["no-rows"]


def test_tabs() -> None:
    """A TSV file is read with tabs."""
    assert check("tsv", b"a\tb,c\n1\t2\n").facts["delimiter"] == "\t"


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    dialect=st.sampled_from(("excel", "unix", "excel-tab")),
)
def test_what_python_writes_is_never_corrupt(rows: list[list[str]], dialect: str) -> None:
    """Any text, written by Python's own writer, is no damage."""
    out = io.StringIO(newline="")
    csv.writer(out, dialect=dialect).writerows([["alpha", "beta", "gamma"], *rows])
    assert not errors(check("tsv" if "tab" in dialect else "csv", out.getvalue().encode()))
