"""Which rows go together, by hashes of their keys and values."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mldata.evolution.matching import match_contents, match_keys, repeated

bags = st.lists(st.integers(0, 5), max_size=12)


def hashes(values: list[int]) -> NDArray[np.uint64]:
    return np.array(values, np.uint64)


@st.composite
def keyed(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Distinct keys, and the same with some gone, some come, and perhaps in another order."""
    old = draw(st.lists(st.integers(0, 30), max_size=14, unique=True))
    new = [key for key in old if draw(st.integers(0, 5))]
    for key in draw(st.lists(st.integers(31, 40), max_size=3, unique=True)):
        new.insert(draw(st.integers(0, len(new))), key)
    return old, draw(st.permutations(new)) if draw(st.booleans()) else new


@given(keys=keyed(), seed=st.integers(0, 99))
@settings(deadline=None)
def test_by_keys(keys: tuple[list[int], list[int]], seed: int) -> None:
    """Rows go together by their keys wherever they stand, and each is found at its place."""
    values = np.random.default_rng(seed)
    old, new = ({key: int(values.integers(0, 2)) for key in side} for side in keys)
    found = match_keys(*(hashes(it) for side in (old, new) for it in (list(side), list(side.values()))))
    assert [keys[0][place] for place in found.removed] == [key for key in old if key not in new]
    assert [keys[1][place] for place in found.added] == [key for key in new if key not in old]
    changed = [key for key in old if key in new and old[key] != new[key]]
    assert [keys[0][place] for place in found.changed_old] == changed
    assert [keys[1][place] for place in found.changed_new] == changed
    assert found.unchanged == sum(key in new and old[key] == new[key] for key in old)


@given(old=bags, new=bags)
@settings(deadline=None)
def test_by_contents(old: list[int], new: list[int]) -> None:
    """Without keys what went and what came is the difference of two bags, in the order of the tables."""
    found = match_contents(hashes(old), hashes(new))
    assert Counter(old[place] for place in found.removed) == Counter(old) - Counter(new)
    assert Counter(new[place] for place in found.added) == Counter(new) - Counter(old)
    assert list(found.removed) == sorted(found.removed) and list(found.added) == sorted(found.added)
    assert found.unchanged == (Counter(old) & Counter(new)).total()


def test_what_is_too_many() -> None:
    """Of equal rows those that stand where the other side has one are not the ones that went or came; of others it is the last."""
    found = match_contents(hashes([1, 2, 1]), hashes([3, 2, 1]))
    assert (found.removed.tolist(), found.added.tolist()) == ([0], [0])
    found = match_contents(hashes([4, 1, 1, 5, 6]), hashes([1, 4, 7, 8, 9]))
    assert found.removed.tolist() == [2, 3, 4]


@given(keys=bags)
@settings(deadline=None)
def test_repeated(keys: list[int]) -> None:
    """Each row whose key an earlier one has is found."""
    assert repeated(hashes(keys)).tolist() == [at for at, key in enumerate(keys) if key in keys[:at]]
