"""The distributions that tests are judged by: chi-squared and Kolmogorov's, to about eleven digits, in plain Python.

Sources: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 1964 (the series 6.5.29 and the continued fraction 6.5.31 of the incomplete gamma
function, evaluated as I. Thompson and A. Barnett have it, "Coulomb and Bessel functions of complex arguments and order", 1986); A. Kolmogorov, "Sulla determinazione empirica di una legge di distribuzione", 1933, in both of its series.
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["chi2_quantile", "chi2_tail", "gamma_tail", "kolmogorov_tail"]

_EPSILON = 1e-16
_TINY = 1e-300
_STEPS = 100_000
"""More than any argument takes that a table of counts can give: about ten times the square root of the degrees of freedom."""


def gamma_tail(shape: float, at: float) -> float:
    """The regularized upper incomplete gamma function Q(shape, at); ``shape`` above 0, ``at`` of at least 0."""
    if at <= 0:
        return 1.0
    if math.isinf(at):
        return 0.0
    front = math.exp(shape * math.log(at) - at - math.lgamma(shape))
    if at < shape + 1:
        return max(0.0, 1.0 - front * _series(shape, at))
    return min(1.0, front * _fraction(shape, at))


def _series(shape: float, at: float) -> float:
    """P(shape, at) without its front factor; converges fast below ``shape + 1``."""
    term = total = 1.0 / shape
    for step in range(1, _STEPS):
        term *= at / (shape + step)
        total += term
        if term < total * _EPSILON:
            break
    return total


def _fraction(shape: float, at: float) -> float:
    """Q(shape, at) without its front factor; converges fast above ``shape + 1``."""
    bottom = at + 1.0 - shape
    above, below = 1.0 / _TINY, 1.0 / bottom
    value = below
    for step in range(1, _STEPS):
        factor = -step * (step - shape)
        bottom += 2.0
        below = factor * below + bottom
        below = 1.0 / (below if abs(below) > _TINY else _TINY)
        above = bottom + factor / above
        above = above if abs(above) > _TINY else _TINY
        change = above * below
        value *= change
        if abs(change - 1.0) < 4 * _EPSILON:
            break
    return value


def chi2_tail(freedom: int, at: float) -> float:
    """The chance that chi-squared of ``freedom`` degrees of freedom is above ``at``; 1 of no freedom."""
    return gamma_tail(freedom / 2, at / 2) if freedom > 0 else 1.0


@lru_cache(maxsize=4096)
def chi2_quantile(freedom: int, share: float) -> float:
    """What chi-squared of ``freedom`` degrees of freedom is at or below with the chance ``share`` (between 0 and 1); 0 of no freedom."""
    if freedom <= 0:
        return 0.0
    low, high = 0.0, float(freedom)
    while chi2_tail(freedom, high) > 1 - share:
        low, high = high, high * 2
    for _ in range(200):  # a bracket halves each time, and an ulp is reached within 60
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if chi2_tail(freedom, middle) > 1 - share else (low, middle)
    return high


def kolmogorov_tail(at: float) -> float:
    """The chance that Kolmogorov's statistic (the limit of sqrt(n) D) is above ``at``."""
    if at <= 0:
        return 1.0
    if at < 1:
        turns = (math.exp(-(((2 * k - 1) * math.pi / at) ** 2) / 8) for k in range(1, 6))
        return 1.0 - math.sqrt(2 * math.pi) / at * sum(turns)
    terms = (math.exp(-2 * (k * at) ** 2) * (1 if k % 2 else -1) for k in range(1, 8))
    return min(1.0, 2 * sum(terms))
