"""Points tell the ranks of many numbers within a bound that is stated, whatever the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mldata.profile.counted import count_values, union
from mldata.profile.numbers import fold_numbers, numbers_among
from mldata.profile.quantiles import compact

RNG = np.random.default_rng(7)
NASTY = {
    "normal": RNG.normal(size=50_000),
    "heavy ties": np.repeat(RNG.normal(size=400), RNG.integers(1, 2_000, 400)),
    "one heavy value": np.concatenate([np.zeros(40_000), RNG.normal(size=20_000)]),
    "runs of constants": np.concatenate([np.full(9_999, 1.0), np.arange(20_000) / 7, np.full(30_001, 2.0)]),
    "huge": RNG.choice([1e308, -1e308, 1.7e308], 30_000) * RNG.random(30_000),
    "subnormal": RNG.integers(1, 10**6, 30_000) * 5e-324,
    "heavy tail": RNG.pareto(0.3, 50_000),
    "integers": RNG.integers(-(2**62), 2**62, 30_000),
}


def furthest(values: NDArray[Any], points: NDArray[Any], weights: NDArray[np.int64]) -> int:
    """By how many ranks points are off at most."""
    told = np.concatenate([[0], np.cumsum(weights)])
    ordered = np.sort(values)
    edges = np.unique(values)
    after = np.searchsorted(ordered, edges, "right") - told[np.searchsorted(points, edges, "right")]
    # Just below a value, where the points still say what they said before it.
    below = np.searchsorted(ordered, edges, "left") - told[np.searchsorted(points, edges, "left")]
    return int(max(np.abs(after).max(), np.abs(below).max()))


@pytest.mark.parametrize("name", NASTY)
def test_bound_of_a_block(name: str) -> None:
    """One compaction is off by at most what it states, and that by half a step at most; ends and percentiles stay."""
    values = NASTY[name]
    points, weights, error = compact(*count_values(values), 256)
    assert len(points) <= 256 + 2 + 202
    assert weights.sum() == len(values)
    assert (weights > 0).all()
    assert furthest(values, points, weights) <= error <= -(-len(values) // 256) // 2
    assert (points[0], points[-1]) == (values.min(), values.max())
    ends = np.cumsum(weights)
    ordered = np.sort(values)
    for percent in range(101):
        rank = percent * (len(values) - 1) // 100
        for at in (rank, min(rank + 1, len(values) - 1)):
            assert points[np.searchsorted(ends, at, "right")] == ordered[at]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(-8, 8) | st.integers(-(10**6), 10**6), min_size=1, max_size=80),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
def test_bound_of_a_union(blocks: list[list[int]], most: int, shuffle: Any) -> None:
    """Bounds add up over blocks and over compactions, and the order of blocks does not matter."""
    made = [compact(*count_values(np.array(block)), most) for block in blocks]
    error = sum(bound for _, _, bound in made)
    points, weights = union([(values, counts) for values, counts, _ in made])
    shuffle.shuffle(made)
    again = union([(values, counts) for values, counts, _ in made])
    assert (points.tolist(), weights.tolist()) == (again[0].tolist(), again[1].tolist())
    kept, counts, more = compact(points, weights, most)
    values = np.array([value for block in blocks for value in block])
    assert furthest(values, kept, counts) <= error + more


def test_stated_error() -> None:
    """What a summary of many blocks states as its error holds, and is small."""
    random = np.random.default_rng(8)
    blocks = [random.gamma(2, scale, 30_000) for scale in (0.1, 1, 10, 1, 1)]
    sketch = fold_numbers([numbers_among(block).settled(exact=False) for block in blocks], exact=False)
    told = sketch.told(4_096)
    values = np.concatenate(blocks)
    assert told.finite == len(values)
    assert furthest(values, told.points, told.weights) <= told.rank_error * len(values)
    assert told.percentile_error <= 1 / 4_000
    assert told.rank_error <= 1 / 4_000 + 1 / 8_000
    for share in (0.01, 0.25, 0.5, 0.99):
        found = told.quantile(share)
        assert found is not None
        rank = np.searchsorted(np.sort(values), found) / len(values)
        assert abs(rank - share) <= told.percentile_error + 2 / len(values)


def test_percentiles_of_exact_tables() -> None:
    """Percentiles of an exact table are exact, though the summary has few points."""
    values = np.random.default_rng(9).normal(size=30_000)
    told = numbers_among(values).told(500)
    assert told.percentile_error == 0 < told.rank_error
    assert len(told.points) < 800
    for percent in range(101):
        assert told.quantile(percent / 100) == pytest.approx(np.quantile(values, percent / 100), rel=1e-12)
