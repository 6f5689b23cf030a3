"""Names of builds, and which of them there are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import UnknownDataset
from mldata.records import parse_name, removed


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [("d", "d", None), ("d@3", "d", 3), ("d@latest", "d", None), ("a-b.c@10", "a-b.c", 10)],
)
def test_names(text: str, name: str, number: int | None) -> None:
    """A dataset, or one build of it."""
    assert parse_name(text) == (name, number)


@pytest.mark.parametrize("text", ["", "@3", "d@", "d@x", "d@-1", "d@1@2", "d@٣", "d@newest"])
def test_what_is_no_name(text: str) -> None:
    """Anything else is refused, with an example."""
    with pytest.raises(UnknownDataset, match="expected NAME or NAME@BUILD"):
        parse_name(text)


@given(st.sets(st.integers(1, 30)))
def test_removed_builds(kept: set[int]) -> None:
    """Every number below the newest that is not kept, in ranges that do not touch."""
    ranges = removed(sorted(kept))
    gone = {number for first, last in ranges for number in range(first, last + 1)}
    assert gone == set(range(1, max(kept, default=0))) - kept
    assert all(low[1] + 1 < high[0] for low, high in pairwise(ranges))
