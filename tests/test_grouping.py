"""Whole groups in parts near their sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.grouping import place_groups
from mldata.partition import apportion
from mldata.splitmix import row_keys

SIZES = st.lists(st.integers(1, 60), max_size=60)
RATIOS = st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any)


def placed(sizes: list[int], ratios: list[int], *, by_size: bool = False) -> tuple[list[int], list[int]]:
    """Part of each group, and the rows of each part."""
    wanted = apportion(sum(sizes), ratios)
    parts = place_groups(np.array(sizes, np.int64), row_keys(1, 0, len(sizes)), wanted, by_size=by_size)
    return parts.tolist(), np.bincount(parts, sizes, len(ratios)).astype(int).tolist()


@given(SIZES, RATIOS, st.booleans())
def test_no_part_exceeds_its_size_by_the_largest_group(
    sizes: list[int], ratios: list[int], by_size: bool
) -> None:
    """The bound of the module holds; a part is empty only where there are too few groups."""
    parts, counts = placed(sizes, ratios, by_size=by_size)
    wanted = apportion(sum(sizes), ratios)
    assert sum(counts) == sum(sizes)
    for asked, got in zip(wanted, counts, strict=True):
        assert asked or not got
        assert got < asked + max(sizes, default=1)
    some = sum(1 for asked in wanted if asked)
    assert len(set(parts)) == min(some, len(sizes))


@given(SIZES, RATIOS, st.randoms(use_true_random=False), st.booleans())
def test_the_numbers_of_groups_do_not_matter(
    sizes: list[int], ratios: list[int], random: object, by_size: bool
) -> None:
    """A group's part depends on its size and key and on those of others, not on its place."""
    wanted, keys = apportion(sum(sizes), ratios), row_keys(1, 0, len(sizes))
    order = np.random.default_rng(random.randrange(100)).permutation(len(sizes))  # type: ignore[attr-defined]
    before = place_groups(np.array(sizes, np.int64), keys, wanted, by_size=by_size)
    after = place_groups(np.array(sizes, np.int64)[order], keys[order], wanted, by_size=by_size)
    assert (before[order] == after).all()


@pytest.mark.parametrize(
    ("sizes", "ratios", "counts"),
    [
        ([30, 30, 20, 20], [8, 1, 1], [60, 20, 20]),  # train gives its smallest to the empty one
        ([41, 39, 20], [8, 1, 1], [41, 20, 39]),
        ([100], [8, 1, 1], [100, 0, 0]),
        ([1] * 100, [8, 1, 1], [80, 10, 10]),
    ],
)
def test_examples(sizes: list[int], ratios: list[int], counts: list[int]) -> None:
    """What becomes of a few groups."""
    assert placed(sizes, ratios)[1] == counts


def test_folds_are_filled_by_size() -> None:
    """The largest groups first come nearer to equal parts than any other order."""
    assert placed([10, 20, 50, 40, 30], [1, 1, 1], by_size=True)[1] == [50, 50, 50]


def test_parts_do_not_choose_by_size() -> None:
    """Of many small groups the mean size is about that of all in every part."""
    sizes = np.random.default_rng(0).integers(1, 100, 5000)
    parts = place_groups(sizes, row_keys(3, 0, 5000), apportion(int(sizes.sum()), [0.8, 0.1, 0.1]))
    for part in range(3):
        own = sizes[parts == part]
        assert abs(own.mean() - sizes.mean()) < 5 * sizes.std() / np.sqrt(len(own))
