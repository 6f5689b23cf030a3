"""Guessed renames: found where values stay, not made up where they do not."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.evolution.renames import PAIRS, THRESHOLD, guess_renames, likeness
from mldata.profile.summarize import summarize
from mldata.profile.summary import ColumnSummary


def column(values: Any, name: str = "a", kind: pa.DataType | None = None) -> ColumnSummary:
    """What is known of a column."""
    return summarize(pa.table({name: pa.array(values, kind)})).columns[0]


def normal(seed: int, mean: float = 0.0, count: int = 500) -> list[float]:
    """Numbers of a normal distribution."""
    return np.random.default_rng(seed).normal(mean, 1, count).tolist()


def words(seed: int, vocabulary: str, count: int = 300) -> list[str]:
    """Texts of a few words."""
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(vocabulary.split(), k=3)) for _ in range(count)]


SAME = [
    (normal(1), normal(1)),
    (normal(1), normal(2)),  # other rows of one distribution
    (normal(1), [*normal(1)[:450], *[None] * 50]),
    (list("abc") * 50, list("abc") * 60),
    (words(1, "red green blue"), words(2, "red green blue")),
    (list(range(400)), list(range(50, 450))),
    ([True, False, True] * 50, [True, False, True] * 50),
    ([[1], [1, 2], []] * 30, [[1], [1, 2], []] * 30),
]
OTHER = [
    (normal(1), normal(2, mean=1.0)),
    (list("abc") * 50, list("xyz") * 50),
    (list("abc") * 50, list(range(150))),
    (words(1, "red green blue"), words(2, "4711 0815 1234567890")),
    ([True, False] * 50, [True] * 53 + [False] * 47),
    ([1, 2, 3, 4, 5] * 40, [1, 1, 2, 3, 4, 5] * 40),
    ([None, None], [None, None]),
    ([], []),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_values_that_stay_are_known_again(old: list[Any], new: list[Any]) -> None:
    """Whatever its name, a column with the same values, or drawn alike, is taken for the same."""
    score = likeness(column(old, "a"), column(new, "q"))
    assert THRESHOLD <= score <= 1
    assert score == pytest.approx(likeness(column(new, "q"), column(old, "a"))), "it has no direction"


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_other_values_are_another_column(old: list[Any], new: list[Any]) -> None:
    """Another distribution, other words, another kind; flags and ratings that are only about as frequent; nothing at all."""
    kind = pa.int64() if not any(value is not None for value in old) else None
    assert likeness(column(old, "a", kind), column(new, "q", kind)) < THRESHOLD


def test_a_like_name_tells_a_flag() -> None:
    """A flag whose shares have moved a little is the same one under a name that is nearly the same."""
    old, new = [True, False] * 50, [True] * 53 + [False] * 47
    assert likeness(column(old, "is_active"), column(new, "active")) >= THRESHOLD
    assert likeness(column(old, "is_active"), column(new, "paid")) < THRESHOLD


def test_the_most_alike_go_together() -> None:
    """Each column is in one guess: the best one there is, whatever the order."""
    gone = [column(normal(1), "x"), column(normal(2, 0.2), "y"), column(list("ab") * 250, "z")]
    fresh = [
        column(normal(2, 0.2), "p"),
        column(list("ab") * 250, "q"),
        column(normal(1), "r"),
        column([0.5] * 500, "s"),
    ]
    pairs = [(gone[it.old].name, fresh[it.new].name) for it in guess_renames(gone, fresh)]
    assert pairs == [("x", "r"), ("y", "p"), ("z", "q")]
    assert guess_renames([], fresh) == guess_renames(gone, []) == []


def test_equal_columns_are_told_apart_by_their_names() -> None:
    """Several columns with the same values: the names say which is which, else their order does."""
    values = list(range(100))
    gone = [column(values, name) for name in ("height", "width", "x")]
    fresh = [column(values, name) for name in ("q", "width_cm", "height_cm")]
    pairs = {gone[it.old].name: fresh[it.new].name for it in guess_renames(gone, fresh)}
    assert pairs == {"height": "height_cm", "width": "width_cm", "x": "q"}


def test_hundreds_of_columns() -> None:
    """More columns than there are pairs to compare: those that stayed as they were are found all the same."""
    count = 120
    assert count * count > PAIRS
    gone = summarize(pa.table({f"a{n}": [n, n + 1, n * n] for n in range(count)})).columns
    fresh = summarize(pa.table({f"b{n}": [n, n + 1, n * n] for n in reversed(range(count))})).columns
    assert [(it.old, it.new) for it in guess_renames(gone, fresh)] == [
        (n, count - 1 - n) for n in range(count)
    ]
