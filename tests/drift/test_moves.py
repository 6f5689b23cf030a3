"""What is told in words of a column that has moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.drift.compare import compare
from mldata.profile.summarize import summarize

RANDOM = np.random.default_rng(3)
NORMAL = RANDOM.normal(10, 2, 2000)
START = datetime(2024, 1, 1)
DAYS = [START + timedelta(days=number % 100) for number in range(2000)]


def moved(before: Any, after: Any) -> str:
    sides = (summarize(pa.table({"x": pa.array(values)})) for values in (before, after))
    [column] = compare(*sides).columns
    return "; ".join(column.moved)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (NORMAL, NORMAL, ""),
        (NORMAL, NORMAL + 3, f"mean {NORMAL.mean():.4g} → {NORMAL.mean() + 3:.4g}"),
        (NORMAL, (NORMAL - 10) * 3 + 10, f"std {NORMAL.std(ddof=1):.4g} → {3 * NORMAL.std(ddof=1):.4g}"),
        (["a"] * 90 + ["b"] * 10, ["a"] * 10 + ["b"] * 90, "a: 90% → 10%; b: 10% → 90%"),
        (["a"] * 50 + ["b"] * 50, ["a"] * 50 + ["c"] * 50, "unseen 0% → 50%; b: 50% → 0%"),
        (["a"] * 50 + [None], ["a"] * 40 + [None] * 11, "missing 2% → 22%"),
        ([1.7e308, -1.7e308] * 50, [1.7e308] * 100, "median 0 → 1.7e+308"),
        ([""] * 50 + ["b"] * 50, ["b"] * 100, "'': 50% → 0%; b: 50% → 100%"),
        (["a"] * 50, [None] * 50, "missing 0% → 100%"),
        (["(missing)"] * 60 + [None] * 40, ["(missing)"] * 90 + [None] * 10, "missing 40% → 10%"),
        (
            ["(unseen)"] * 50 + ["b"] * 50,
            ["(unseen)"] * 20 + ["b"] * 50 + ["c"] * 30,
            "unseen 0% → 30%; '(unseen)': 50% → 20%",
        ),
        ([True, False] * 50, [True] * 100, "false: 50% → 0%; true: 50% → 100%"),
        (DAYS, [day + timedelta(days=60) for day in DAYS], "median 2024-02-19 → 2024-04-19"),
        ([[1]] * 50 + [[]] * 50, [[1, 2, 3]] * 100, "length: mean 0.5 → 3, std 0.5025 → 0"),
        ([1, 2] * 50, ["a", "b"] * 50, ""),
    ],
)
def test_what_moved(before: Any, after: Any, told: str) -> None:
    """Of each kind of column what explains most is told first, and nothing of one that has not moved or cannot be compared."""
    assert moved(before, after) == told


def test_an_outlier_says_nothing_of_the_middle() -> None:
    """Where one number drags the mean out of the middle half, the medians are told."""
    assert moved(NORMAL, np.append(NORMAL + 3, 1e9)).startswith("median 1")


def test_nan_is_no_value() -> None:
    """NaN that joins is told as such; the values, which are as before, are not."""
    assert moved(NORMAL, np.concatenate([NORMAL[:1000], np.full(1000, np.nan)])).startswith("NaN 0% → 50%")


def test_words_and_lengths() -> None:
    """Of texts both are told: how long they are, and which words have come."""
    before = [f"the market rose on day {number}" for number in range(300)]
    after = [f"a new model learnt a very long sequence of tokens in epoch {number}" for number in range(300)]
    told = moved(before, after)
    assert told.startswith("length: mean 25.63 → 61.63") and "'market': 17% → 0%" in told
