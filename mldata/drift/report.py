"""What comparing two summaries has found, column by column.

Invariant: no number in it is NaN or infinite; what cannot be said is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = [
    "BINS",
    "EPSILON",
    "MAJOR",
    "MODERATE",
    "SEVERITIES",
    "STABLE",
    "Bin",
    "ColumnDrift",
    "DriftReport",
    "Shape",
    "Thresholds",
]

STABLE, MODERATE, MAJOR = "stable", "moderate", "major"
SEVERITIES = (STABLE, MODERATE, MAJOR)
"""From the least to the worst."""
BINS = (2, 1000)
"""How many may be asked for: more are no help to anyone, and their rows too few to tell a share by."""
EPSILON = (1e-9, 0.1)
"""What the share of an empty bin may be: the logarithm of one that is next to nothing runs over, and a large one hides what other bins hold."""


@dataclass(frozen=True)
class Thresholds:
    """What is called how."""

    moderate: float = 0.1
    """PSI from which on a column has moved."""
    major: float = 0.25
    """PSI above which it has moved far."""
    epsilon: float = 1e-4
    """Share that an empty bin is taken to have, so that its logarithm can be taken."""
    bins: int = 10
    """Bins of the baseline's quantiles."""


class Bin(NamedTuple):
    """One bin of a comparison."""

    label: str
    """``<= 3.5``, ``3.5 to 7``, a category, ``(missing)``, ``(unseen)``, ...; a category that reads as one of the latter, or is blank, is in quotes."""
    baseline: int
    current: int
    psi: float
    """What it adds to the column's PSI."""


@dataclass(frozen=True)
class Shape:
    """Both distributions in bins of equal width, as one looks at them: bins of the baseline's quantiles are all as high, and show no shape."""

    labels: Sequence[str]
    """Of the bins: ``3.5 to 4``, or a whole number."""
    ends: tuple[str, str]
    """Where the first bin begins and the last one ends: at the lowest and the highest value of both, or where all but a few in a thousand are within."""
    baseline: Sequence[int]
    current: Sequence[int]
    beyond: tuple[int, int] = (0, 0)
    """Of the baseline and of the current rows, finite numbers outside of the bins."""


@dataclass(frozen=True)
class ColumnDrift:
    """How far a column has moved."""

    name: str
    kind: str
    """How it was compared: ``numeric``, ``categorical``, ``boolean``, ``time``, ``text``, ``list``, ``binary``, ``other`` (whether there is a value); or
    ``incomparable``, with a :attr:`note`."""
    severity: str
    psi: float | None = None
    psi_critical: float | None = None
    """What the PSI of two samples of these sizes from one distribution stays below in 95 of 100 cases (Yurdakul, "Statistical Properties of Population
    Stability Index", 2018)."""
    kl: float | None = None
    js: float | None = None
    hellinger: float | None = None
    wasserstein: float | None = None
    """Normed by the baseline's standard deviation; None where there are no numbers."""
    ks: float | None = None
    ks_p_value: float | None = None
    chi2: float | None = None
    chi2_p_value: float | None = None
    bins: Sequence[Bin] = ()
    facets: Mapping[str, ColumnDrift] = field(default_factory=dict)
    """Of texts: ``length``, ``words`` and, where whole texts repeat, ``values``, compared each by itself; the column is as severe as the worst of them."""
    note: str | None = None
    """Why it could not be compared, or what to know of it."""
    moved: Sequence[str] = ()
    """What has moved, in words, what tells most first: ``mean 3.2 → 4.1``, ``b: 12% → 40%``, ``missing 1% → 9%``."""
    shape: Shape | None = None
    """Of numbers and times."""

    @property
    def drift_detected(self) -> bool:
        """Whether it has moved at all."""
        return self.severity != STABLE


@dataclass(frozen=True)
class DriftReport:
    """How far rows have moved."""

    baseline: str
    current: str
    """What was compared, as it was named."""
    baseline_rows: int
    current_rows: int
    columns: Sequence[ColumnDrift]
    """Those that both have, in the order of the baseline."""
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def drifted(self) -> Sequence[ColumnDrift]:
        """The columns that have moved."""
        return [column for column in self.columns if column.drift_detected]

    @property
    def ranked(self) -> Sequence[ColumnDrift]:
        """All columns, the worst first: by severity, then by PSI; equal ones in their order."""
        return sorted(self.columns, key=lambda it: (-SEVERITIES.index(it.severity), -(it.psi or 0.0)))

    @property
    def judged(self) -> Sequence[ColumnDrift]:
        """The columns that could be compared, or changed beyond comparing."""
        return [column for column in self.columns if column.psi is not None or column.drift_detected]

    @property
    def share(self) -> float:
        """Of the columns that could be judged, those that have moved."""
        return len(self.drifted) / len(self.judged) if self.judged else 0.0

    @property
    def comparable(self) -> bool:
        """Whether anything could be compared: not where there are columns, and none that both have."""
        return bool(self.columns) or not (self.added or self.removed)

    @property
    def severity(self) -> str:
        """The worst of its columns; major where nothing could be compared."""
        worst = STABLE if self.comparable else MAJOR
        return max((column.severity for column in self.columns), key=SEVERITIES.index, default=worst)

    @property
    def drift(self) -> bool:
        """Whether any column has moved, or nothing could be compared."""
        return self.severity != STABLE
