"""Two distributions in the same bins of equal width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.drift.overlay import overlay
from mldata.drift.report import Shape
from mldata.drift.shapes import shape
from mldata.drift.steps import Steps
from mldata.profile.summary import Numbers


def steps(values: Any) -> Steps:
    points, weights = np.unique(np.asarray(values, np.float64) + 0.0, return_counts=True)
    return Steps(Numbers(len(values), points=points, weights=weights.astype(np.int64)))


def made(before: Any, after: Any) -> Shape:
    found = shape(steps(before), steps(after), lambda numbers: [f"{it:g}" for it in numbers])
    assert found is not None
    return found


def test_the_same_bins_for_both() -> None:
    """The bins reach from the lowest to the highest value of both sides and hold all of them, as numpy counts them."""
    random = np.random.default_rng(1)
    before, after = random.normal(size=500), random.normal(2, 1, 700)
    found = made(before, after)
    edges = np.linspace(min(before.min(), after.min()), max(before.max(), after.max()), 31)
    assert list(found.baseline) == np.histogram(before, edges)[0].tolist()
    assert list(found.current) == np.histogram(after, edges)[0].tolist()
    assert found.beyond == (0, 0)


def test_far_outliers_are_beyond() -> None:
    """A few values that would squeeze all others into one bin are counted beside the plot."""
    found = made(np.append(np.arange(5000) / 100, 1e12), np.arange(5000) / 100)
    assert found.beyond == (10, 9) and sum(found.baseline) == 4991
    assert max(found.baseline) < 400


def test_whole_numbers() -> None:
    """Whole numbers have a bar each where these are few, else each bar is of as many of them."""
    few, many = made([1, 2, 2, 6], [3]), made(np.arange(100), np.arange(100))
    assert (few.labels, few.baseline, few.ends) == (
        ("1", "2", "3", "4", "5", "6"),
        (1, 2, 0, 0, 0, 1),
        ("1", "6"),
    )
    assert many.labels[:2] == ("0 to 3", "4 to 7") and set(many.baseline) == {4}


def test_whole_numbers_with_far_outliers() -> None:
    """Where the bins leave outliers out, they still begin and end with whole numbers."""
    found = made(np.append(np.arange(4500), 1e12), np.arange(100, 4600))
    assert (found.labels[:2], found.ends) == (("4 to 157", "158 to 311"), ("4", "4623"))
    assert (found.baseline[0], found.current[0], found.beyond) == (154, 58, (5, 0))


@pytest.mark.parametrize(
    "values", [[], [1.0], [7, 7], [1.0, float(np.nextafter(1.0, 2.0))], [-1.7e308, 1.7e308]]
)
def test_nothing_to_draw(values: list[float]) -> None:
    """There is no picture of no number, of one, of neighbours among floats, or of a range that is none."""
    assert shape(steps(values), steps(values), lambda numbers: [f"{it:g}" for it in numbers]) is None


@settings(max_examples=40, deadline=None)
@given(*2 * [st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30)])
def test_every_number_is_counted(before: list[float], after: list[float]) -> None:
    """Whatever the numbers, each is in a bin or beyond, and the picture can be drawn."""
    found = shape(steps(before), steps(after), lambda numbers: [f"{it:g}" for it in numbers])
    if found is not None:
        assert sum(found.baseline) + found.beyond[0] == len(before)
        assert sum(found.current) + found.beyond[1] == len(after)
        assert "nan" not in overlay(found, "x")
