"""Exact counts and the rows that realize them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata import partition
from mldata.partition import apportion, apportion_many, bounds, fold_counts, random_parts, stratified_parts
from mldata.splitmix import row_keys

RATIOS = st.lists(st.integers(0, 100), min_size=1, max_size=6).filter(any)


def joined(pieces: object) -> np.ndarray:
    """The pieces as one array."""
    return np.concatenate([np.empty(0, np.uint8), *pieces])


@pytest.mark.parametrize(
    ("total", "ratios", "expected"),
    [
        (344, [0.8, 0.1, 0.1], [275, 35, 34]),  # 275.2, 34.4, 34.4: the first of the equal remainders
        (10, [0.8, 0.1, 0.1], [8, 1, 1]),
        (1, [0.1, 0.8, 0.1], [0, 1, 0]),
        (1, [0.5, 0.5], [1, 0]),
        (0, [0.8, 0.2], [0, 0]),
        (3, [0.7, 0.1, 0.1, 0.1], [2, 1, 0, 0]),  # 2.1, 0.3, 0.3, 0.3
        (10, [1 / 3, 1 / 3, 1 / 3], [4, 3, 3]),
        (7, [1.0], [7]),
    ],
)
def test_counts_by_largest_remainder(total: int, ratios: list[float], expected: list[int]) -> None:
    """Counts are Hamilton's, ties by order."""
    assert apportion(total, ratios) == expected


@given(st.integers(0, 10**12), RATIOS)
def test_counts_are_exact(total: int, ratios: list[int]) -> None:
    """Counts sum to the total and each is within one of its quota."""
    counts = apportion(total, ratios)
    assert sum(counts) == total
    assert all(
        abs(count - Fraction(ratio * total, sum(ratios))) < 1
        for count, ratio in zip(counts, ratios, strict=True)
    )


@given(st.lists(st.integers(0, 1000), max_size=20), RATIOS)
def test_many_counts_are_one_by_one_the_same(totals: list[int], ratios: list[int]) -> None:
    """``apportion_many`` is ``apportion`` of each."""
    many = apportion_many(np.array(totals, np.int64), ratios)
    assert many.tolist() == [apportion(total, ratios) for total in totals]


@given(st.lists(st.integers(0, 1000), max_size=20), st.integers(1, 12))
def test_folds_are_equal_by_class_and_in_all(totals: list[int], folds: int) -> None:
    """Nothing is lost, and no two counts of a class, nor of all, differ by more than one."""
    counts = fold_counts(np.array(totals, np.int64), folds)
    assert counts.shape == (len(totals), folds)
    assert counts.sum(axis=1).tolist() == totals
    for row in [*counts, counts.sum(axis=0)]:
        assert row.max() - row.min() <= 1


def test_bounds_are_exact() -> None:
    """Bounds come from the decimal fractions as written: 0.1 + 0.2 is 3/10 here."""
    assert bounds([0.1, 0.2, 0.7]) == [2**64 // 10, 3 * 2**64 // 10]
    assert bounds([1.0]) == []


@given(st.integers(0, 3000), st.integers(0, 2**63 - 1), RATIOS)
def test_random_parts_have_exact_counts(rows: int, seed: int, ratios: list[int]) -> None:
    """Every row has one part and every part exactly its count."""
    counts = apportion(rows, ratios)
    parts = joined(random_parts(rows, seed, counts))
    assert len(parts) == rows
    assert np.bincount(parts, minlength=len(ratios)).tolist() == counts


@given(st.integers(0, 500), st.integers(0, 100))
def test_random_parts_are_ranges_of_rank(rows: int, seed: int) -> None:
    """Thresholds give what sorting all keys would."""
    counts = apportion(rows, [0.6, 0.3, 0.1])
    rank = np.argsort(np.argsort(row_keys(seed, 0, rows)))
    expected = np.searchsorted(np.cumsum(counts), rank, side="right")
    assert joined(random_parts(rows, seed, counts)).tolist() == expected.tolist()


def test_random_parts_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of the steps is not seen in the result."""
    counts = apportion(100_000, [0.8, 0.1, 0.1])
    expected = joined(random_parts(100_000, 1, counts))
    monkeypatch.setattr(partition, "CHUNK", 777)
    assert (joined(random_parts(100_000, 1, counts)) == expected).all()


def test_a_window_that_misses_is_widened() -> None:
    """Thresholds are exact also if keys are nowhere near where they were expected."""
    edges = [1, 2500, 4999]
    assert partition._thresholds(5000, 1, edges, 0) == partition._thresholds(5000, 1, edges)
    codes, size = np.zeros(5000, np.uint8), np.array([5000])
    for edge in edges:
        found = partition._class_thresholds(codes, 1, np.array([edge]), size, 0)
        assert found == partition._class_thresholds(codes, 1, np.array([edge]), size)


@given(
    st.lists(st.integers(0, 7), max_size=400),
    st.integers(0, 100),
    st.sampled_from([[0.8, 0.1, 0.1], [0.5, 0.5], [1.0], [0, 1, 0]]),
    st.sampled_from([0, 2000]),
)
def test_stratified_parts_have_exact_counts_in_every_class(
    classes: list[int], seed: int, ratios: list[float], few_rows: int
) -> None:
    """Of each class each part has its count, by sorting and by thresholds; numbering classes otherwise changes nothing."""
    codes = np.array(classes, np.uint8)
    sizes = np.bincount(codes, minlength=8).astype(np.int64)
    counts = apportion_many(sizes, ratios)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "_FEW_ROWS", few_rows)
        parts = joined(stratified_parts(codes, seed, counts))
        renamed = joined(stratified_parts(7 - codes, seed, counts[::-1]))
    for code in range(8):
        assert np.bincount(parts[codes == code], minlength=len(ratios)).tolist() == counts[code].tolist()
    assert (parts == renamed).all()


def test_stratified_by_thresholds_is_stratified_by_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large classes, whose thresholds are searched in windows, split as if all rows were sorted."""
    codes = np.random.default_rng(0).choice(3, 60_000, p=[0.9, 0.09, 0.01]).astype(np.uint8)
    counts = apportion_many(np.bincount(codes).astype(np.int64), [0.7, 0.2, 0.1])
    found = joined(stratified_parts(codes, 3, counts))
    monkeypatch.setattr(partition, "_FEW_ROWS", 10**9)
    assert (found == joined(stratified_parts(codes, 3, counts))).all()


def test_one_class_is_the_random_split() -> None:
    """Stratifying by a constant changes nothing."""
    counts = apportion(10_000, [0.8, 0.2])
    stratified = joined(stratified_parts(np.zeros(10_000, np.uint8), 9, np.array([counts])))
    assert (stratified == joined(random_parts(10_000, 9, counts))).all()


def test_random_parts_look_random() -> None:
    """Parts are even over blocks, neighbours and seeds: chi-square statistics within five standard deviations."""
    rows, blocks = 200_000, 100
    parts = joined(random_parts(rows, 42, [rows // 2, rows // 2]))
    per_block = parts.reshape(blocks, -1).sum(axis=1)
    size = rows / blocks
    chi = float(((per_block - size / 2) ** 2 / (size / 4)).sum())
    assert abs(chi - blocks) < 5 * np.sqrt(2 * blocks)
    for other in (joined(random_parts(rows, 43, [rows // 2, rows // 2])), np.roll(parts, 1)):
        agree = int((parts == other).sum())
        assert abs(agree - rows / 2) < 5 * np.sqrt(rows / 4)
