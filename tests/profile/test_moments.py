"""Moments of pieces put together are those of the whole."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.profile.counted import count_values
from mldata.profile.moments import Moments, combine, moments_of

FINITE = st.floats(-1e6, 1e6) | st.integers(-5, 5).map(float)


def moments(values: list[float]) -> Moments:
    return moments_of(*count_values(np.array(values)))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(FINITE, min_size=1, max_size=20), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_pieces(pieces: list[list[float]], shuffle: random.Random) -> None:
    """They agree with two passes over all numbers, and to the last bit with themselves in another order."""
    records = [moments(piece) for piece in pieces]
    found = combine(records)
    assert found is not None
    shuffle.shuffle(records)
    assert combine(records) == found
    values = np.array([value for piece in pieces for value in piece])
    far = values - math.fsum(values) / len(values)
    size = max(np.abs(values).max(), 1e-300)
    mean, central = found.told()
    assert found.count == len(values)
    assert mean == pytest.approx(math.fsum(values) / len(values), abs=1e-13 * size)
    for power, one in enumerate(central, 2):
        assert one == pytest.approx((far**power).sum(), rel=1e-8, abs=1e-11 * size**power * len(values))


@pytest.mark.parametrize("scale", [2.0**900, 2.0**-900])
def test_scale(scale: float) -> None:
    """A power of two changes no digit of the shape, even where powers of the numbers are no doubles."""
    values = np.random.default_rng(2).gamma(2, 3, 1000)
    plain, scaled = (moments_of(*count_values(values * factor)) for factor in (1.0, scale))
    assert scaled.told()[0] == pytest.approx(plain.told()[0] * scale, rel=1e-15)
    ratios = [record.third / record.second**1.5 for record in (plain, scaled)]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-12)
    both = combine([scaled, moments_of(*count_values(values[:10] * scale))])
    assert both is not None
    assert math.isfinite(both.mean)


def test_large_offset() -> None:
    """A small spread around a large mean is not lost (Welford's example, and worse)."""
    values = np.array([4.0, 7, 13, 16]) + 1e9
    assert moments_of(*count_values(values)).told()[1][0] == 90
    together = combine([moments([1e9 + 4, 1e9 + 7]), moments([1e9 + 13, 1e9 + 16])])
    assert together is not None
    assert together.told()[1][0] == 90


def test_nothing() -> None:
    """Of no records there are none."""
    assert combine([]) is None
