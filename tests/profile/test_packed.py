"""Texts in one array are a sequence of texts as any other."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.profile.packed import PackedTexts, packed

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=8)


@given(TEXTS)
def test_they_are_what_was_packed(texts: list[str]) -> None:
    """One by one, from the end, in slices, counted, and read again."""
    made = packed(texts)
    assert (len(made), list(made)) == (len(texts), texts)
    assert [made[place] for place in range(-len(texts), len(texts))] == texts * 2
    assert (made[1:3], made[::-1]) == (texts[1:3], texts[::-1])
    assert made.tally() == Counter(texts)
    assert list(PackedTexts.from_plain(made.to_plain())) == texts


@pytest.mark.parametrize("place", [-3, 2, 100])
def test_there_is_nothing_beyond_the_ends(place: int) -> None:
    """A place that there is not is an IndexError, as of a list."""
    with pytest.raises(IndexError):
        packed(["a", "b"])[place]
