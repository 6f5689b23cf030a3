"""What the order of numbers tells: Kolmogorov-Smirnov and Wasserstein, known answers and those of SciPy."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.drift import steps
from mldata.drift.steps import Pair, Steps, kolmogorov_smirnov, wasserstein
from mldata.profile.summarize import summarize
from mldata.profile.summary import Numbers


def steps_of(values: Sequence[float] | np.ndarray) -> Steps:
    """The steps of some numbers."""
    [column] = summarize(pa.table({"x": pa.array(values, pa.float64())})).columns
    assert column.numbers is not None
    return Steps(column.numbers)


floats = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


@settings(max_examples=30)
@given(floats, floats)
def test_kolmogorov_smirnov_is_that_of_scipy(before: list[float], after: list[float]) -> None:
    """The statistic is SciPy's, ties included."""
    stats = pytest.importorskip("scipy.stats")
    found = kolmogorov_smirnov(Pair(steps_of(before), steps_of(after)))
    assert found is not None
    assert found[0] == pytest.approx(
        float(stats.ks_2samp(before, after, method="asymp").statistic), abs=1e-12
    )


def test_p_values_are_about_those_of_scipy() -> None:
    """The p-value of samples of 50 and more is within 0.01 of SciPy's asymptotic one, whose sample size is exact."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    for size, other, shift in ((50, 50, 0), (60, 400, 0.2), (1000, 1000, 0.05), (5000, 3000, 0.01)):
        before, after = rng.normal(size=size), rng.normal(shift, size=other)
        found = kolmogorov_smirnov(Pair(steps_of(before), steps_of(after)))
        assert found is not None
        expected = stats.ks_2samp(before, after, method="asymp").pvalue
        assert found[1] == pytest.approx(float(expected), abs=0.01)


def test_infinities_have_a_place_in_the_order() -> None:
    """Infinities are the least and the greatest of all: half of the numbers being so moves the statistic by a half."""
    found = kolmogorov_smirnov(Pair(steps_of([1.0, 2.0]), steps_of([1.0, math.inf])))
    assert found is not None and found[0] == 0.5
    found = kolmogorov_smirnov(Pair(steps_of([-math.inf]), steps_of([math.inf])))
    assert found is not None and found[0] == 1


@settings(max_examples=30)
@given(floats, floats)
def test_wasserstein_is_that_of_scipy(before: list[float], after: list[float]) -> None:
    """The distance is SciPy's over the baseline's standard deviation; without one it is told only of what has not moved."""
    stats = pytest.importorskip("scipy.stats")
    distance = float(stats.wasserstein_distance(before, after))
    found = wasserstein(Pair(steps_of(before), steps_of(after)))
    std = float(np.std(before, ddof=1))
    if std > 1e-3:
        assert found == pytest.approx(distance / std, rel=1e-6, abs=1e-9)
    elif len(set(before)) == 1:
        assert found == (0 if set(before) == set(after) else None)


def test_the_greatest_numbers_do_not_overflow() -> None:
    """Numbers as far apart as doubles go have a distance, and nothing warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        big = Numbers(
            2, points=np.array([-1.7e308, 1.7e308]), weights=np.array([1, 1]), central=(math.inf,) * 3
        )
        bigger = Numbers(
            2, points=np.array([1.6e308, 1.7e308]), weights=np.array([1, 1]), central=(math.inf,) * 3
        )
        found = wasserstein(Pair(Steps(big), Steps(bigger)))
        tiny = Numbers(2, points=np.array([0, 5e-324]), weights=np.array([1, 1]))
        small = wasserstein(
            Pair(Steps(tiny), Steps(Numbers(1, points=np.array([5e-324]), weights=np.array([1]))))
        )
    assert found == pytest.approx(1.65 / (1.7 * math.sqrt(2)))
    assert small == pytest.approx(0.5 * math.sqrt(2))


def test_many_points_are_told_by_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more points than are kept the distances change by at most two in so many."""
    rng = np.random.default_rng(5)
    before, after = rng.normal(size=5000), np.round(rng.normal(0.3, size=7000), 2)
    exact = kolmogorov_smirnov(Pair(steps_of(before), steps_of(after)))
    far = wasserstein(Pair(steps_of(before), steps_of(after)))
    monkeypatch.setattr(steps, "MOST_POINTS", 256)
    assert exact is not None and far is not None
    assert len(steps_of(before).few[0]) <= 256
    found = kolmogorov_smirnov(Pair(steps_of(before), steps_of(after)))
    assert found is not None and abs(found[0] - exact[0]) <= 2 / 256
    assert wasserstein(Pair(steps_of(before), steps_of(after))) == pytest.approx(far, abs=0.02)


def test_quantiles_are_those_of_numbers() -> None:
    """Many quantiles at once are those that a summary tells one by one."""
    made = steps_of([3.5, 1.0, 1.0, 7.0, -2.0, 9.25, 1.0])
    shares = [place / 10 for place in range(11)]
    assert made.quantiles(shares) == [made.numbers.quantile(share) for share in shares]
