"""Mean and central moments of numbers, of blocks and of blocks put together.

One pass finds the mean, a second the sums of powers of distances to it; those of two sets are put together by the formulas of Chan, Golub, LeVeque ("Updating
formulae and a pairwise algorithm for computing sample variances", 1979) as Pébay has them up to the fourth power ("Formulas for robust, one-pass parallel
computation of covariances and arbitrary-order statistical moments", Sandia report SAND2008-6212).

Sums of floats depend on the order of what is added, so numbers are added in ascending order in pieces of a fixed length, and records in an order of their
own: the same multiset of records gives the same bytes. Very large and very small numbers are scaled by a power of two, which changes no digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Moments", "combine", "moments_of"]

_PIECE = 1 << 15
_FAR = 200
"""Fourth powers of numbers with exponents up to this, and sums of 2**63 of them, are doubles."""


@dataclass(frozen=True, order=True)
class Moments:
    """Of at least one number."""

    count: int
    exponent: int
    """Numbers were divided by two to this power; the others are of what they became."""
    mean: float
    second: float
    """Sum of the squares of the distances to the mean."""
    third: float
    fourth: float

    def told(self) -> tuple[float, tuple[float, float, float]]:
        """Mean and sums of powers of the numbers as they were; infinite where that is beyond a double."""
        sums = self.second, self.third, self.fourth
        second, third, fourth = (_scaled(it, self.exponent * n) for n, it in enumerate(sums, 2))
        return _scaled(self.mean, self.exponent), (second, third, fourth)

    def to_plain(self) -> list[Any]:
        """For a section."""
        return list(astuple(self))


def _scaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)


def moments_of(values: NDArray[Any], counts: NDArray[np.int64]) -> Moments:
    """Of distinct finite numbers in ascending order, at least one, and how often each is there."""
    low, high = float(values[0]), float(values[-1])
    exponent = math.frexp(max(abs(low), abs(high)))[1]
    if -_FAR <= exponent <= _FAR:
        exponent = 0
    total = int(counts.sum())
    if low == high:
        return Moments(total, exponent, math.ldexp(low, -exponent), 0.0, 0.0, 0.0)
    once = total == len(values)
    pieces = partial(_pieces, values, counts, exponent)
    mean = math.fsum(float(_weighted(*it, once).sum()) for it in pieces()) / total
    sums: list[list[float]] = [[], [], [], []]
    for piece, weights in pieces():
        far = piece - mean
        near = _weighted(far, weights, once)
        square = far * far
        for column, terms in zip(sums, (near, near * far, near * square, near * far * square), strict=True):
            column.append(float(terms.sum()))
    rest, second, third, fourth = map(math.fsum, sums)
    # What the first pass rounded away.
    mean = min(max(mean + rest / total, math.ldexp(low, -exponent)), math.ldexp(high, -exponent))
    return Moments(total, exponent, mean, second, third, fourth)


def _pieces(
    values: NDArray[Any], counts: NDArray[np.int64], exponent: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    for start in range(0, len(values), _PIECE):
        piece = values[start : start + _PIECE].astype(np.float64, copy=False)
        yield np.ldexp(piece, -exponent) if exponent else piece, counts[start : start + _PIECE]


def _weighted(values: NDArray[np.float64], counts: NDArray[np.int64], once: bool) -> NDArray[np.float64]:
    return values if once else values * counts


def combine(records: Sequence[Moments]) -> Moments | None:
    """Of all numbers; None: of no records. The same for any order of the records."""
    if not records:
        return None
    top = max(record.exponent for record in records)
    first, *others = sorted(_at(record, top) for record in records)
    for other in others:
        first = _pair(first, other)
    return first


def _at(record: Moments, exponent: int) -> Moments:
    down = record.exponent - exponent
    if not down:
        return record
    sums = record.second, record.third, record.fourth
    second, third, fourth = (math.ldexp(it, n * down) for n, it in enumerate(sums, 2))
    return Moments(record.count, exponent, math.ldexp(record.mean, down), second, third, fourth)


def _pair(a: Moments, b: Moments) -> Moments:
    count = a.count + b.count
    of_a, of_b = a.count / count, b.count / count
    gap = b.mean - a.mean
    square = gap * gap
    both = a.count * of_b  # n_a * n_b / n
    second = a.second + b.second + square * both
    third = (
        a.third
        + b.third
        + gap * square * both * (of_a - of_b)
        + 3 * gap * (of_a * b.second - of_b * a.second)
    )
    fourth = (
        a.fourth
        + b.fourth
        + square * square * both * (of_a * of_a - of_a * of_b + of_b * of_b)
        + 6 * square * (of_a * of_a * b.second + of_b * of_b * a.second)
        + 4 * gap * (of_a * b.third - of_b * a.third)
    )
    return Moments(count, a.exponent, a.mean + gap * of_b, second, third, fourth)
