"""Which files are looked at where there are too many."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.integrity.sample import MANY, choose, share_of, suffix

PATHS = [
    f"{folder}/{number}.{end}"
    for folder in ("a", "a/b", "c")
    for end in ("jpg", "PNG")
    for number in range(50)
]


def test_up_to_ten_thousand_all_are_looked_at() -> None:
    """Above that a tenth, unless another share is asked for."""
    assert share_of(MANY) == 1
    assert share_of(MANY + 1) == Fraction(1, 10)
    assert share_of(10 * MANY, Fraction(1)) == 1
    assert share_of(5, Fraction(1, 4)) == Fraction(1, 4)


def test_every_folder_and_type_gets_its_share() -> None:
    """A tenth of each stratum, and one of a stratum that is too small for that."""
    paths = [*PATHS, "lonely/one.wav", "none"]
    chosen = [paths[place] for place in choose(paths, Fraction(1, 10))]
    strata = Counter((path.rpartition("/")[0], suffix(path)) for path in chosen)
    assert strata.pop(("lonely", ".wav")) == strata.pop(("", "")) == 1
    assert set(strata.values()) == {5} and len(strata) == 6


def test_these_are_chosen() -> None:
    """The same on every machine, for ever."""
    assert choose([f"{number}.jpg" for number in range(100)], Fraction(5, 100)) == [18, 23, 25, 31, 79]


@given(st.permutations(PATHS), st.integers(0, 3), st.fractions(Fraction(1, 100), 1))
@settings(max_examples=10)
def test_the_order_does_not_matter(paths: list[str], seed: int, share: Fraction) -> None:
    """The same paths are chosen, in the order in which they are given."""
    places = choose(paths, share, seed)
    assert places == sorted(places)
    assert {paths[place] for place in places} == {PATHS[place] for place in choose(PATHS, share, seed)}


def test_another_seed_chooses_others() -> None:
    """And a larger share has all that a smaller one has."""
    assert choose(PATHS, Fraction(1, 10), 1) != choose(PATHS, Fraction(1, 10), 2)
    assert (
        set(choose(PATHS, Fraction(1, 10)))
        < set(choose(PATHS, Fraction(1, 2)))
        < set(choose(PATHS, Fraction(1)))
    )


@pytest.mark.parametrize("share", [Fraction(0), Fraction(-1, 2), Fraction(3, 2)])
def test_a_share_is_above_nothing_and_at_most_all(share: Fraction) -> None:
    """Others are refused."""
    with pytest.raises(ValueError, match="expected a share"):
        choose(PATHS, share)


def test_names_without_suffix() -> None:
    """A dot at the beginning makes none, and case does not matter."""
    assert [suffix(name) for name in ("a.JPG", "a", ".hidden", "a.tar.gz", "a.")] == [
        ".jpg",
        "",
        "",
        ".gz",
        ".",
    ]
