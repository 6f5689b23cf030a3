"""How far two rows of counts are from each other. Formulas, their conventions and sources: ``DRIFT.md`` beside this file.

Invariant: every number is finite; equal shares have the distance 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mldata.drift.special import chi2_quantile, chi2_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CONFIDENCE", "Distances", "distances"]

CONFIDENCE = 0.95
"""How often two samples of one distribution stay below the critical value of the PSI."""


class Distances(NamedTuple):
    """Of two rows of counts, bin by bin."""

    terms: Sequence[float]
    """What each bin adds to the PSI."""
    psi: float
    psi_critical: float
    kl: float
    js: float
    hellinger: float
    chi2: float
    chi2_p_value: float


def distances(
    baseline: Sequence[int],
    current: Sequence[int],
    epsilon: float,
    drawn: tuple[int, int] | None = None,
) -> Distances:
    """The distances of two rows of counts of the same bins, each with at least one count above 0 in it.

    Args:
        epsilon: share that a bin with less is taken to have, where a logarithm is taken of it.
        drawn: how many were drawn for each row independently of each other, which its critical value depends on; None: as many as are counted.
    """
    rows = np.array([baseline, current], np.float64)
    rows = rows[:, rows.sum(axis=0) > 0]
    sizes = rows.sum(axis=1)
    shares = rows / sizes[:, np.newaxis]
    filled = np.maximum(np.array([baseline, current], np.float64) / sizes[:, np.newaxis], epsilon)
    terms = (filled[1] - filled[0]) * np.log(filled[1] / filled[0])
    freedom = rows.shape[1] - 1
    chi2 = _chi2(rows, sizes)
    return Distances(
        tuple(terms.tolist()),
        float(terms.sum()),
        chi2_quantile(freedom, CONFIDENCE)
        * float((1 / (sizes if drawn is None else np.maximum(drawn, 1))).sum()),
        _kl(filled),
        _jensen_shannon(shares),
        float(np.sqrt(np.sum((np.sqrt(shares[1]) - np.sqrt(shares[0])) ** 2) / 2)),
        chi2,
        chi2_tail(freedom, chi2),
    )


def _kl(filled: NDArray[np.float64]) -> float:
    whole = filled / filled.sum(axis=1, keepdims=True)
    return max(0.0, float(np.sum(whole[1] * np.log(whole[1] / whole[0]))))


def _jensen_shannon(shares: NDArray[np.float64]) -> float:
    middle = shares.mean(axis=0)
    logs = np.log2(np.where(shares > 0, shares, middle) / middle)
    return float(np.sqrt(max(0.0, float(np.sum(shares * logs)) / 2)))


def _chi2(rows: NDArray[np.float64], sizes: NDArray[np.float64]) -> float:
    expected = np.outer(sizes, rows.sum(axis=0)) / sizes.sum()
    return float(np.sum((rows - expected) ** 2 / expected))
