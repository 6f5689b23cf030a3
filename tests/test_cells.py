"""Text is as wide as it was asked for, whatever it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.cells import clipped, encodable, one_line, padded, width, wrapped


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("abc", 3),
        ("数据", 4),
        ("e\N{COMBINING ACUTE ACCENT}", 1),
        ("a\N{ZERO WIDTH JOINER}b", 2),
        ("ﾊ", 1),
        ("", 0),
    ],
)
def test_width(text: str, cells: int) -> None:
    """Wide characters take two cells, marks on others none."""
    assert width(text) == cells


@settings(max_examples=60)
@given(st.text(max_size=30).map(one_line), st.integers(5, 20))
def test_nothing_is_wider_than_its_cells(text: str, cells: int) -> None:
    """Cut and wrapped text fits, padded text fills its cells, and what fits is not changed."""
    cut = clipped(text, cells)
    assert width(cut) <= cells
    assert (cut == text) == (width(text) <= cells)
    assert width(padded(cut, cells)) == width(padded(cut, cells, right=True)) == cells
    assert all(width(line) <= cells for line in wrapped(text, cells, "  "))


def test_wrapping_keeps_the_words() -> None:
    """A sentence is cut at spaces alone; every line but the first is indented."""
    told = wrapped("one two three four five", 10, "  ")
    assert told == ["one two", "  three", "  four", "  five"]


def test_a_cut_is_seen() -> None:
    """What was cut ends with the mark, also where half a wide character would have fitted."""
    assert clipped("数据数据", 6) == "数据…"
    assert clipped("abcdefgh", 6, "...") == "abc..."


def test_controls_do_nothing() -> None:
    """Escape sequences, line ends and marks that turn the direction of text are none any more."""
    assert one_line("a\x1b[31m\nb\N{RIGHT-TO-LEFT OVERRIDE}c") == "a\ufffd[31m b\ufffdc"
    assert one_line("10\N{NO-BREAK SPACE}€\t\N{IDEOGRAPHIC SPACE}\N{LINE SEPARATOR}|") == "10 €   |"


def test_what_an_encoding_does_not_have() -> None:
    """It is told by question marks that take as much room."""
    text = "a数e\N{COMBINING ACUTE ACCENT}ü"
    assert encodable(text, "utf-8") == text
    assert encodable(text, "ascii") == "a??e?"
    assert encodable(text, "latin-1") == "a??eü"
