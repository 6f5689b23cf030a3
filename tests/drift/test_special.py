"""The distributions that tests are judged by."""

from __future__ import annotations

import math

import pytest

from mldata.drift.special import chi2_quantile, chi2_tail, gamma_tail, kolmogorov_tail

SHAPES = (0.5, 1, 1.5, 4.5, 10, 49.5, 500, 4999.5)
FACTORS = (0.01, 0.3, 0.9, 0.999, 1.0, 1.001, 1.1, 1.5, 4.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_incomplete_gamma_is_that_of_scipy(shape: float) -> None:
    """The regularized upper incomplete gamma function agrees to ten digits, around its middle and in both tails."""
    special = pytest.importorskip("scipy.special")
    for factor in FACTORS:
        expected = float(special.gammaincc(shape, shape * factor))
        assert gamma_tail(shape, shape * factor) == pytest.approx(expected, rel=1e-10, abs=1e-290)


def test_chi_squared_quantiles_are_those_of_tables() -> None:
    """Critical values of printed tables: 3.841 of one degree of freedom, 16.919 of nine, 124.342 of a hundred, each at 5 %."""
    found = [round(chi2_quantile(freedom, 0.95), 3) for freedom in (1, 9, 100)]
    assert found == [3.841, 16.919, 124.342]


def test_chi_squared_quantiles_are_those_of_scipy() -> None:
    """Quantiles agree to ten digits, also of very many degrees of freedom."""
    stats = pytest.importorskip("scipy.stats")
    for freedom in (1, 2, 9, 10, 57, 1000, 9999):
        for share in (0.5, 0.9, 0.95, 0.999):
            expected = float(stats.chi2.ppf(share, freedom))
            assert chi2_quantile(freedom, share) == pytest.approx(expected, rel=1e-10)


def test_kolmogorov_is_that_of_scipy() -> None:
    """Kolmogorov's distribution agrees to ten digits on both sides of where its series meet."""
    special = pytest.importorskip("scipy.special")
    for step in range(1, 160):
        at = step / 20
        expected = float(special.kolmogorov(at))
        assert kolmogorov_tail(at) == pytest.approx(expected, rel=1e-10, abs=1e-300)


def test_ends_are_chances() -> None:
    """Nothing is above infinity, everything is above 0, and without a degree of freedom nothing is surprising."""
    assert [gamma_tail(3, 0), gamma_tail(3, math.inf), chi2_tail(9, 1e308)] == [1, 0, 0]
    assert [chi2_tail(0, 0.0), chi2_quantile(0, 0.95)] == [1, 0]
    assert [kolmogorov_tail(0), kolmogorov_tail(1e9)] == [1, 0]
