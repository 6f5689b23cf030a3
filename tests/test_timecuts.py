"""Cuts in time: how they are read, and what they are in a column's own numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.timecuts import UnfitCut, cut_number, nearest_edges, parse_cut


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("2024", 2024),
        ("-5", -5),
        ("2024-01-31", datetime(2024, 1, 31)),
        ("2024-01-31 12:30", datetime(2024, 1, 31, 12, 30)),
        ("2024-01-31T12:30:15.5Z", datetime(2024, 1, 31, 12, 30, 15, 500_000, UTC)),
        ("2024-02-30", None),
        ("2024-1-1", None),
        ("20240101T00", None),
        ("2024-W01", None),
        ("", None),
        ("1.5", None),
    ],
)
def test_what_a_cut_is(text: str, cut: Any) -> None:
    """A number or a time in full, and nothing else that some parser takes for one."""
    assert parse_cut(text) == cut


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("1970-01-03", pa.date32(), 2),
        ("1970-01-03T00:01", pa.date32(), 3),
        ("1969-12-31T12:00", pa.date32(), 0),
        ("1970-01-03", pa.date64(), 2 * 86_400_000),
        ("1970-01-01T00:00:01.5", pa.timestamp("s"), 2),
        ("1970-01-01T00:00:01.5", pa.timestamp("ms"), 1500),
        ("1970-01-01T00:00:01.5", pa.timestamp("ns"), 1_500_000_000),
        ("1970-01-01T00:00Z", pa.timestamp("s", "Europe/Berlin"), 0),
        ("1970-01-01T01:00", pa.timestamp("s", "Europe/Berlin"), 0),
        ("1970-01-01T01:30", pa.timestamp("s", "+01:30"), 0),
        ("1969-12-31T22:30", pa.timestamp("s", "-01:30"), 0),
        ("7", pa.uint8(), 7),
    ],
)
def test_the_number_of_a_cut(text: str, kind: pa.DataType, number: int) -> None:
    """It is the least stored number not before the cut; without an offset a cut is by the column's clock."""
    cut = parse_cut(text)
    assert cut is not None
    assert cut_number(cut, kind) == number


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("2024", pa.date32(), "expected a date"),
        ("2024-01-01", pa.int64(), "expected a whole number"),
        ("0001-01-01", pa.timestamp("us", "Asia/Tokyo"), "a time that the column can have, found 0001"),
        ("9999-01-01", pa.timestamp("ns"), "a time that the column can have, found 9999"),
        ("2024-01-01T00:00Z", pa.timestamp("s"), "without an offset"),
        ("2024-01-01", pa.timestamp("s", "Nowhere/Else"), "does not know the zone Nowhere/Else"),
    ],
)
def test_unfit_cuts(text: str, kind: pa.DataType, message: str) -> None:
    """What the column has is said."""
    cut = parse_cut(text)
    assert cut is not None
    with pytest.raises(UnfitCut, match=message):
        cut_number(cut, kind)


@given(st.lists(st.integers(1, 50), max_size=30), st.lists(st.floats(0, 1), max_size=4))
def test_edges_are_as_near_as_can_be(sizes: list[int], shares: list[float]) -> None:
    """No other cut between times has a number of rows before it that is nearer; edges keep their order."""
    edges = sorted(int(share * sum(sizes)) for share in shares)
    firsts = nearest_edges(np.array(sizes, np.int64), edges)
    assert firsts == sorted(firsts)
    for edge, first in zip(edges, firsts, strict=True):
        off = [abs(sum(sizes[:other]) - edge) for other in range(len(sizes) + 1)]
        assert off[first] == min(off)
