"""Numbers as people write them."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.formats.csvtypes import typed
from mldata.formats.infer import infer
from mldata.formats.numbers import COMMA, EITHER, POINT, NumberStyle, evidence, is_typed
from mldata.formats.unify import Column, join

SEEN = {
    "12,5": {COMMA}, "1.234,5": {COMMA}, "1.234.567": {COMMA}, "0,123": {COMMA}, "-12345,678": {COMMA},
    "12.5": {POINT}, "1,234.5": {POINT}, "1,234,567": {POINT}, "0.123": {POINT}, "12345.678": {POINT},
    "1,234": {EITHER}, "1.234": {EITHER}, "-123.456": {EITHER},
    "5": set(), "1,2,3": set(), "12,34,56": set(), "1.2.3": set(), "192.168.0.1": set(), "x,5": set(), "2020-01-01": set(), "1.234,567.8": set(),
}  # fmt: skip


@pytest.mark.parametrize("text", SEEN)
def test_what_a_number_proves(text: str) -> None:
    """Only what cannot be read in two ways is evidence."""
    cell = text.encode()
    assert evidence(b"a\n" + cell, [cell], b";")[0] == SEEN[text]


def test_evidence_for_both_decides_nothing() -> None:
    """Such columns stay text."""
    cells = [b"12,5", b"12.5"]
    assert evidence(b"12,5;12.5", cells, b";") == (frozenset({COMMA, POINT}), ".", "")


@pytest.mark.parametrize(
    "text",
    ["5", "-1.5", "1e5", "nan", "true", "2020-01-01", "2020-01-01T10:00:00Z", "1.2.2020", "1,5"],
)
def test_values_look_like_values(text: str) -> None:
    """Numbers, booleans and dates."""
    assert is_typed(text.encode())


@pytest.mark.parametrize("text", ["", "a", "x1", "5 kg", "column_1", "12-34-56-78", "Q1"])
def test_names_look_like_names(text: str) -> None:
    """Words, also with digits."""
    assert not is_typed(text.encode())


@given(
    st.decimals(-(10**9), 10**9, allow_nan=False, places=3),
    st.sampled_from([(",", "."), (".", ","), (",", "'"), (",", ""), (".", " ")]),
)
def test_a_number_in_a_style_means_what_was_written(number: Decimal, marks: tuple[str, str]) -> None:
    """With and without marks between thousands."""
    decimal, thousands = marks
    style = NumberStyle(decimal, thousands)
    for text in (f"{number:,}", f"{number}"):
        written = text.replace(",", "\0").replace(".", decimal).replace("\0", thousands)
        made = style.standard(pa.chunked_array([[written, None]]))
        assert made is not None
        assert [made[0].as_py(), made[1].as_py()] == [str(number), None]


@pytest.mark.parametrize(
    "text", ["1.5", "1.2345,5", "0.123", "012.345", "12.34.567", "1.234.56", ",5.", "5,", "1 234,5", "x,y"]
)
def test_what_is_no_number_in_a_style(text: str) -> None:
    """Marks stand every three digits, or it is text."""
    assert NumberStyle(",", ".").standard(pa.chunked_array([[text]])) is None


WORDS = ["5", "-7", "0.5", ".5", "5.", "1e5", "nan", "-inf", "1,234.5", "1,234", "1.5", "1,5", "12,34", "007", "x", "x,y", "2020-01-01", "2020-01-01 10:00:00.5", "true"]  # fmt: skip
STYLES = [
    NumberStyle(),
    NumberStyle(".", ","),
    NumberStyle(",", "."),
    NumberStyle(",", ""),
    NumberStyle(".", "'’"),
]


@pytest.mark.parametrize("style", STYLES[1:], ids=str)
@pytest.mark.parametrize(
    "word", ["5", "-7", "1e5", "nan", "-inf", "Infinity", "007", "x", "2020-01-01", "true"]
)
def test_a_style_changes_nothing_where_no_number_is_in_it(word: str, style: NumberStyle) -> None:
    """What has neither mark nor comma is read as everywhere: a column with NaN stays one of numbers."""
    text = pa.chunked_array([[word, None, word]])
    found, plain = typed(text, None, style).column, infer(text).column
    assert (found.type, str(found.to_pylist())) == (plain.type, str(plain.to_pylist()))


@given(
    st.lists(st.sampled_from(WORDS) | st.none(), min_size=1, max_size=5), st.sampled_from(STYLES), st.data()
)
def test_the_type_of_a_column_is_that_of_its_pieces_together(
    words: list[str | None], style: NumberStyle, data: st.DataObject
) -> None:
    """Wherever a column is cut, its types join to the type of the whole."""
    at = data.draw(st.integers(0, len(words)))
    first, second, whole = (
        typed(pa.chunked_array([part], pa.string()), None, style) for part in (words[:at], words[at:], words)
    )
    columns = [Column(it.column.type, "", True, it.wide, it.spelling) for it in (first, second)]
    assert join(*columns).type == whole.column.type
