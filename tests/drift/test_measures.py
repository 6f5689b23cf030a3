"""Distances of two rows of counts: known answers, and those of SciPy."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.drift.measures import distances

EPSILON = 1e-4


def test_psi_of_two_classes() -> None:
    """6 and 5 rows to 5 and 4: the PSI of 0.00041 that the tests of the Python package strappy expect."""
    assert distances([6, 5], [5, 4], EPSILON).psi == pytest.approx(0.00041, abs=5e-6)


def test_psi_of_a_shifted_normal_distribution() -> None:
    """Deciles of a normal distribution, shifted by half a standard deviation, have the PSI that its distribution function gives: 0.238."""
    normal, size = NormalDist(), 10**12
    edges = [normal.inv_cdf(place / 10) for place in range(1, 10)]
    below = [0.0, *(normal.cdf(edge - 0.5) for edge in edges), 1.0]
    shares = [high - low for low, high in pairwise(below)]
    expected = sum((share - 0.1) * math.log(share / 0.1) for share in shares)
    found = distances([size // 10] * 10, [round(share * size) for share in shares], EPSILON)
    assert found.psi == pytest.approx(expected, rel=1e-9)
    assert round(expected, 3) == 0.238


def test_psi_of_an_empty_bin_is_that_of_the_filled_one() -> None:
    """A bin without a row is taken to have the share that is set; a bin with less than that is told no worse."""
    found = distances([50, 50, 0], [50, 40, 10], 0.001)
    assert found.terms[2] == pytest.approx((0.1 - 0.001) * math.log(0.1 / 0.001))
    assert found.psi == pytest.approx(sum(found.terms))
    scarce = distances([49_999, 50_000, 1], [50_000, 40_000, 10_000], 0.001)
    assert scarce.terms[2] == pytest.approx(found.terms[2])


def test_critical_psi_is_of_chi_squared() -> None:
    """Ten bins of 100 and 400 rows: 16.919 (1/100 + 1/400), as Yurdakul (2018) has it."""
    found = distances([10] * 10, [40] * 10, EPSILON)
    assert found.psi_critical == pytest.approx(16.919 * 0.0125, abs=1e-5)


def test_chi_squared_of_a_textbook() -> None:
    """Drinking at two colleges (140, 478, 300, 63 and 186, 661, 173, 16 students): a chi-squared of 96.526, and no chance."""
    found = distances([140, 478, 300, 63], [186, 661, 173, 16], EPSILON)
    assert found.chi2 == pytest.approx(96.526, abs=5e-4)
    assert found.chi2_p_value < 1e-19


counts = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=12).filter(
    lambda rows: all(sum(side) for side in zip(*rows, strict=True))
)


@settings(max_examples=15)
@given(counts)
def test_distances_are_those_of_scipy(rows: list[tuple[int, int]]) -> None:
    """Jensen-Shannon is SciPy's distance of base 2, KL its entropy of the filled shares, chi-squared its contingency test uncorrected."""
    distance = pytest.importorskip("scipy.spatial.distance")
    stats = pytest.importorskip("scipy.stats")
    before, after = ([row[side] for row in rows] for side in (0, 1))
    found = distances(before, after, EPSILON)
    # Of nearly equal shares the square root makes much of the last digit.
    assert found.js == pytest.approx(float(distance.jensenshannon(before, after, 2)), rel=1e-9, abs=2e-8)
    filled = [[max(it / sum(side), EPSILON) for it in side] for side in (before, after)]
    assert found.kl == pytest.approx(float(stats.entropy(filled[1], filled[0])), rel=1e-9, abs=1e-12)
    seen = [row for row in rows if any(row)]
    expected = stats.chi2_contingency(list(zip(*seen, strict=True)), correction=False)
    assert found.chi2 == pytest.approx(float(expected.statistic), rel=1e-9, abs=1e-9)
    assert found.chi2_p_value == pytest.approx(float(expected.pvalue), rel=1e-7, abs=1e-250)


@settings(max_examples=30)
@given(counts)
def test_distances_are_distances(rows: list[tuple[int, int]]) -> None:
    """Each is finite and at least 0; PSI, Jensen-Shannon, Hellinger and chi-squared are symmetric, the latter bounded distances by 1."""
    before, after = ([row[side] for row in rows] for side in (0, 1))
    there, back = distances(before, after, EPSILON), distances(after, before, EPSILON)
    for name in ("psi", "psi_critical", "js", "hellinger", "chi2", "chi2_p_value"):
        assert 0 <= getattr(there, name) < math.inf
        assert getattr(there, name) == pytest.approx(getattr(back, name), rel=1e-9, abs=1e-12)
    assert 0 <= there.kl < math.inf
    assert max(there.js, there.hellinger, there.chi2_p_value) <= 1
    assert all(term >= 0 for term in there.terms)
    same = distances(before, before, EPSILON)
    assert (same.psi, same.kl, same.js, same.hellinger, same.chi2) == (0, 0, 0, 0, 0)
