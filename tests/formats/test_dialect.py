"""Dialects: what the beginning of a CSV file says, and when it does not say."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.formats import dialect
from mldata.formats.dialect import Dialect, Unclear, Wish, _records, sniff

FOUND = {
    "commas": (b"a,b\n1,2\n", {}),
    "semicolons": (b"a;b\n1;2\n", {"delimiter": b";"}),
    "tabs": (b"a\tb\n1\t2\n", {"delimiter": b"\t"}),
    "bars": (b"a|b\n1|2\n", {"delimiter": b"|"}),
    "one column": (b"a\n1\n", {}),
    "one column of text with semicolons": (b"text\nx; y\nz\n", {}),
    "semicolons and decimal commas": (b"a;b\n1,5;2,5\n", {"delimiter": b";", "decimal": ",", "thousands": "."}),
    "semicolons and commas in the names": (b"a,x;b,y\n1,5;2,25\n", {"delimiter": b";", "decimal": ",", "thousands": "."}),
    "semicolons and commas in every field": (
        b"last, first;born, died\nDoe, Jane;1 , 2\nRoe, Max;3 , 4\n", {"delimiter": b","}),  # both agree: the format's own
    "commas and one bar a record": (b"a,b|c\nx,y|z\nx,y|z\n", {}),
    "bars and a comma in some texts": (b"id|text\n1|x, y\n2|z\n", {"delimiter": b"|"}),
    "sep=": (b"sep=;\na,b;c\n1;2\n", {"delimiter": b";"}),
    "sep= of an odd sign": (b"SEP=^\r\na^b\r\n1^2\r\n", {"delimiter": b"^"}),
    "quotes hide delimiters": (b'"a;b",c\n"1;2",3\n', {}),
    "single quotes": (b"a,b\n'1,5',2\n'2,5',3\n", {}),  # the header alone does not show them: see `quote`
    "single quotes in the header": (b"'a,x',b\n'1,5',2\n", {"quote": b"'", "decimal": ",", "thousands": "."}),
    "apostrophes": (b"it's,b\nit's,2\n", {}),
    "marks of more than one byte": ("n;m\n1’234;5\n".encode(), {"delimiter": b";", "thousands": "’"}),
    "blanks that do not break": ("n;m\n1\u202f234;5\n".encode(), {"delimiter": b";", "thousands": "\u202f"}),
    "blanks that do": (b"n;m\n1,5;123 456\n", {"delimiter": b";", "decimal": ",", "thousands": "."}),
    "an empty field at the very end": (b"a,b\n1,", {}),
    "no header": (b"5.1,3.5,setosa\n4.9,3.0,setosa\n", {"header": False}),
    "no header, dates": (b"2020-01-01,x\n2020-01-02,y\n", {"header": False}),
    "no header, repeated": (b"1,1\n2,3\n", {"header": False}),
    "names of text": (b"a,b\nx,y\n", {}),
    "a number among the names": (b"id,2019\n1,5\n", {}),
    "dates as names": (b"place,2020-01-22,2020-01-23\nx,y,z\n", {}),
    "only a header": (b"a,b\n", {}),
    "comments": (b"# made by hand\n#\n# of a and b\na,b\n# more\n1,2\n", {"comment": b"#"}),
    "a header that begins with #": (b"#chrom,start\nx,1\n", {}),
    "only a header that begins with #": (b"#chrom,start\n", {}),
    "blank lines before": (b"\n\r\n\na;b\n1;2\n", {"delimiter": b";"}),
    "a decimal comma among commas": (b'a,b\n"1,5",x\n', {"decimal": ",", "thousands": "."}),
    "marks between thousands": (b'a,b\n"1,234,567",x\n', {"thousands": ","}),
    "a mark that could be a comma": (b'a,b\n"1,234",x\n', {}),
    "a mark, and a point elsewhere": (b'a,b\n"1,234",1.5\n', {"thousands": ","}),
    "points and commas": (b"a;b\n1,5;1.5\n", {"delimiter": b";"}),
    "apostrophes between thousands": (b"a;b\n1'234'567;x\n", {"delimiter": b";", "thousands": "'"}),
    "blanks between thousands are telephone numbers": (b"a;b\n555 123 456;x\n", {"delimiter": b";"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_dialect_of_a_file(name: str) -> None:
    """Found out from the beginning of the file alone."""
    sample, expected = FOUND[name]
    assert sniff(sample, True, b",", Wish()).dialect == Dialect(**expected)  # type: ignore[arg-type]


UNCLEAR = {
    "years as names": (b"place,2019,2020,2021\nx,5,6,7\n", "header"),
    "one record of numbers": (b"5.1,3.5\n", "header"),
    "numbers that could be names": (b"0,1,2\n5,6,7\n", "header"),
    "a comment that could be the header": (b"# about\n#a,b\n1,2\n", "comment"),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_two_ways_to_read_a_file_are_refused(name: str) -> None:
    """With the key that decides; and with that key, the file is read."""
    sample, key = UNCLEAR[name]
    with pytest.raises(Unclear) as caught:
        sniff(sample, True, b",", Wish())
    assert f"{{{key}:" in caught.value.hint
    if key == "header":
        for header in (True, False):
            assert sniff(sample, True, b",", Wish(header=header)).dialect.header is header
    for comment in (b"", b"#"):
        assert sniff(sample, True, b",", Wish(comment=comment, header=True)).dialect.comment == comment


def test_what_the_spec_says_is_not_looked_for() -> None:
    """Even where the file looks otherwise."""
    wish = Wish(b"|", b"", False, b"%", ",", "'")
    assert sniff(b"a,b\n1.5,2\n", True, b",", wish).dialect == Dialect(b"|", b"", False, b"%", ",", "'")
    assert sniff(b"%x\n%y\na,b\n", True, b",", Wish(comment=b"%")).start == 6


def test_a_sample_that_ends_inside_a_record() -> None:
    """What may be cut off is not looked at."""
    assert sniff(b"a,b;c\nx,y;z\nx,y;z,", False, b",", Wish()).dialect.delimiter == b","
    assert sniff(b'"a,b', False, b",", Wish()).dialect == Dialect()


@given(
    st.sampled_from([",", ";", "\t", "|"]),
    st.lists(st.lists(st.text("abc ,;|.", max_size=4), min_size=3, max_size=3), min_size=1, max_size=8),
)
def test_text_in_quotes_never_misleads(delimiter: str, records: list[list[str]]) -> None:
    """Whatever is in quoted fields, the delimiter between them is the one that is found."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["x", "y", "z"], *records])
    assert sniff(out.getvalue().encode(), True, b",", Wish()).dialect.delimiter == delimiter.encode()


def test_comments_in_a_file_of_bare_carriage_returns() -> None:
    """The line after them is one line, not the rest of the file."""
    assert sniff(b"# by hand, twice\ra,b,c\r1,2,3\r", True, b",", Wish()).dialect.comment == b"#"


@given(
    st.text("a,;\"'\r\n#1", max_size=40).map(str.encode),
    st.sampled_from([b",", b";"]),
    st.sampled_from([b'"', b"'", b""]),
    st.sampled_from([b"#", b""]),
    st.integers(1, 9),
)
def test_lines_without_quotes_are_split_as_records_are(
    sample: bytes, mark: bytes, quote: bytes, comment: bytes, most: int
) -> None:
    """Going by lines, where that can be, gives the records that going by fields gives, whole files and cut ones."""
    rest = (mark, quote, most, comment)
    told = [_records(sample, 0, whole, *rest) for whole in (True, False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "_unquoted", lambda sample, start, quote: start)  # field by field throughout
        assert told == [_records(sample, 0, whole, *rest) for whole in (True, False)]
