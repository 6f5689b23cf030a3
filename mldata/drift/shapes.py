"""Both distributions of a numeric column as one looks at them: how many values lie in each of some bins of equal width.

Invariant: told by the summaries alone; the same bins for both sides, so that they can be laid over each other; what lies beyond them is counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mldata.drift.report import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.drift.steps import Steps

    Write = Callable[[list[float]], list[str]]

__all__ = ["shape"]

BINS = 30
EXACT = 2.0**52
"""Whole numbers below it have a half between them."""
WIDEST = 1e307
"""A wider range has no room for bins: their edges would run over."""
TAIL = 0.001
"""What is further out than all but so many values of either side is beyond them, where it would take more than half of the width."""


def shape(before: Steps, after: Steps, write: Write) -> Shape | None:
    """Both sides in the same bins; None where there is no number, or only one.

    Args:
        write: numbers as people read them, told apart.
    """
    sides = [side for side in (before, after) if len(side.points)]
    if not sides:
        return None
    low, high = min(float(it.points[0]) for it in sides), max(float(it.points[-1]) for it in sides)
    inner = [it.quantiles([TAIL, 1 - TAIL]) for it in sides]
    near, far = min(it[0] for it in inner), max(it[1] for it in inner)
    if far > near and high / 2 - low / 2 > far - near:
        low, high = near, far
    if not low < high or high - low > WIDEST:
        return None
    wholes = all(bool((it.points == np.floor(it.points)).all()) for it in sides)
    if wholes and max(abs(low), abs(high)) < EXACT:
        edges, labels, ends = _whole(low, high, write)
    else:
        edges = np.linspace(low, high, BINS + 1)
        texts = write(edges.tolist())
        labels = [f"{it} to {last}" for it, last in pairwise(texts)]
        ends = texts[0], texts[-1]
    if not bool((np.diff(edges) > 0).all()):
        return None  # neighbours among floats: there is no room for bins between them
    cuts = [math.nextafter(float(edges[0]), -math.inf), *edges[1:].tolist()]
    counts = [np.diff(side.up_to(cuts)) for side in (before, after)]
    inside = [int(count.sum()) for count in counts]
    return Shape(
        tuple(labels),
        ends,
        tuple(counts[0].tolist()),
        tuple(counts[1].tolist()),
        (before.numbers.finite - inside[0], after.numbers.finite - inside[1]),
    )


def _whole(low: float, high: float, write: Write) -> tuple[NDArray[np.float64], list[str], tuple[str, str]]:
    """Edges, labels and ends of bins that each hold as many whole numbers: else some would hold one more, and stick out."""
    low, high = float(np.floor(low)), float(np.ceil(high))  # quantiles lie between two of them
    wide = math.ceil((high - low + 1) / BINS)
    firsts = np.arange(low, high + 1, wide)
    texts, lasts = write(firsts.tolist()), write((firsts + wide - 1).tolist())
    labels = texts if wide == 1 else [f"{it} to {last}" for it, last in zip(texts, lasts, strict=True)]
    return np.append(firsts, firsts[-1] + wide) - 0.5, labels, (texts[0], lasts[-1])
