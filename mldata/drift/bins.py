"""What is counted on both sides: bins of numbers by the baseline's quantiles, of categories by the baseline's values, and of words.

Invariant: the counts of a side add up to its rows (of words, to its words), and a bin has a count on one side at least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from mldata.drift.steps import Steps
    from mldata.profile.summary import ColumnSummary, Frequent, Value

__all__ = [
    "MISSING",
    "NAN",
    "OTHER",
    "UNSEEN",
    "Cell",
    "boolean_cells",
    "category_cells",
    "frequent_cells",
    "number_cells",
]

MISSING, NAN, UNSEEN, OTHER = _NO_VALUES = "(missing)", "(NaN)", "(unseen)", "(other)"
_NO_NUMBER = [-math.inf, float(np.finfo(np.float64).max)]
"""Cuts of a baseline without a finite number: all that is finite is one bin."""
FREQUENT = 50
"""The most frequent words, or values, of both sides together have a bin each."""
SEEN = 20
"""One that is seen less often, both sides together, tells nothing of its share, and is among the others; so is one that is seen less than so many times as
often as counts may be wrong."""


class Cell(NamedTuple):
    """A bin before it is measured."""

    label: str
    baseline: int
    current: int


def number_cells(
    baseline: Steps,
    current: Steps,
    nulls: tuple[int, int],
    bins: int,
    write: Callable[[list[float]], list[str]],
) -> list[Cell]:
    """Numbers in bins of the baseline's quantiles, whose ends are open: infinities are in the first and the last.

    A value that is as frequent as a bin, and each of at most ``bins`` values, has a bin of its own.

    Args:
        nulls: rows without a value on each side.
        write: numbers as people read them, told apart.
    """
    cuts, alone = _cuts(baseline, bins)
    ranks = [np.append(side.up_to(cuts), side.ordered) for side in (baseline, current)]
    counts = np.diff(ranks, prepend=0)
    labels = _labels(cuts, alone, write)
    nan = baseline.numbers.nan, current.numbers.nan
    told = [Cell(label, int(b), int(c)) for label, b, c in zip(labels, *counts, strict=True)]
    return _with_rows([*told, Cell(NAN, *nan), Cell(MISSING, *nulls)])


def _cuts(baseline: Steps, bins: int) -> tuple[list[float], set[float]]:
    """The greatest number of each bin but the last, and those numbers that have a bin of their own."""
    numbers = baseline.numbers
    if not numbers.finite:
        return _NO_NUMBER, set()
    few = len(baseline.points) <= bins and numbers.rank_error == 0
    heavy = baseline.points if few else baseline.points[numbers.weights * bins >= numbers.finite]
    alone = set(heavy.tolist())
    quantiles = baseline.quantiles([place / bins for place in range(1, bins)])
    return sorted({*quantiles, *alone, *(math.nextafter(value, -math.inf) for value in alone)}), alone


def _labels(cuts: list[float], alone: set[float], write: Callable[[list[float]], list[str]]) -> Iterator[str]:
    if cuts == _NO_NUMBER:
        yield from ("-inf", "(a number)", "inf")
        return
    before = {math.nextafter(value, -math.inf): value for value in alone}
    # The last number before a value that is alone is told by that value, unless it is one itself.
    shown = [cut if cut in alone else before.get(cut, cut) for cut in cuts]
    texts = dict(zip(dict.fromkeys(shown), write(list(dict.fromkeys(shown))), strict=True))
    for number, cut in enumerate(cuts):
        text = texts[shown[number]]
        below = cut in before
        if cut in alone:
            yield f"= {text}"
        elif not number:
            yield f"{'<' if below else '<='} {text}"
        else:
            yield f"{texts[shown[number - 1]]} to {'below ' if below else ''}{text}"
    yield f"> {texts[shown[-1]]}"


def boolean_cells(baseline: ColumnSummary, current: ColumnSummary) -> list[Cell]:
    """True, false and missing."""
    sides = baseline, current
    false = [side.numbers.zeros if side.numbers is not None else 0 for side in sides]
    true = [side.values - no for side, no in zip(sides, false, strict=True)]
    return _with_rows(
        [Cell("true", *true), Cell("false", *false), Cell(MISSING, baseline.nulls, current.nulls)]
    )


def category_cells(baseline: ColumnSummary, current: ColumnSummary) -> list[Cell]:
    """Each value of the baseline, all of which are known; what else the current rows hold is unseen."""
    before, after = _counts(baseline.frequent), _counts(current.frequent)
    told = [Cell(_label(value), count, after.get(value, 0)) for value, count in before.items()]
    unseen = current.values - sum(cell.current for cell in told)
    return _with_rows([*told, Cell(UNSEEN, 0, unseen), Cell(MISSING, baseline.nulls, current.nulls)])


def frequent_cells(baseline: Frequent, current: Frequent) -> list[Cell]:
    """The words, or values, that are the most frequent on both sides together, and all others."""
    before, after = _counts(baseline), _counts(current)
    sizes = [max(1, sum(counts.values())) for counts in (before, after)]
    least = SEEN * max(1, baseline.over + current.over)
    weights = {}
    for word in {**before, **after}:
        old, new = before.get(word, 0), after.get(word, 0)
        if old + new >= least:
            weights[word] = old / sizes[0] + new / sizes[1]
    lowest = min(nlargest(FREQUENT, weights.values()), default=0.0)
    likely = [word for word, weight in weights.items() if weight >= lowest]
    top = sorted(likely, key=lambda word: (-weights[word], str(word)))[:FREQUENT]
    told = [Cell(_label(word), before.get(word, 0), after.get(word, 0)) for word in top]
    rest = [
        sum(counts.values()) + words.rest - sum(counts.get(word, 0) for word in top)
        for words, counts in ((baseline, before), (current, after))
    ]
    return _with_rows([*told, Cell(OTHER, *rest)])


def _counts(frequent: Frequent | None) -> Mapping[Value, int]:
    return frequent.counts() if frequent is not None else {}


def _label(value: Value) -> str:
    """A value that reads as one of the bins that are no value, or as nothing, stands in quotes; so does one that reads so in quotes."""
    text = str(value)
    bare = text.strip("'\"")
    return repr(text) if bare in _NO_VALUES or not bare.strip() else text


def _with_rows(cells: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.baseline or cell.current]
