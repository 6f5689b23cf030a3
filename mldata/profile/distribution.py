"""How numbers are spread: a distribution told by some of its points and what each stands for.

Invariant: :attr:`Numbers.points` are ascending, distinct and finite, and their weights add up to :attr:`Numbers.finite`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Numbers", "exact_number", "plain_number"]


@dataclass(frozen=True, eq=False)
class Numbers:
    """How numbers are spread: those of a numeric column, the ticks of times since the epoch (in the column's own unit), the lengths of texts and lists.

    Nulls are not among them; NaN and infinities are counted, and no part of anything else.
    """

    finite: int = 0
    nan: int = 0
    positive_infinities: int = 0
    negative_infinities: int = 0
    zeros: int = 0
    negatives: int = 0
    minimum: int | float | None = None
    """Exact; an integer of any size as it is. None: there is no finite number."""
    maximum: int | float | None = None
    mean: float | None = None
    central: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Sums of the second, third and fourth powers of the distances to the mean; infinite where they are beyond what a double holds."""
    points: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    """Finite numbers, ascending and distinct: what the distribution is told by."""
    weights: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """How many numbers each point stands for; they add up to :attr:`finite`."""
    rank_error: float = 0.0
    """The share of numbers by which a rank that the points tell can be off at most; 0: they are all distinct numbers, and exact."""
    percentile_error: float = 0.0
    """The same of :meth:`quantile` at whole percents, whose points are always kept; 0: these are exact, as of all tables of at most :data:`EXACT_ROWS` rows."""

    @property
    def count(self) -> int:
        """Numbers, NaN and infinities."""
        return self.finite + self.nan + self.positive_infinities + self.negative_infinities

    @property
    def variance(self) -> float | None:
        """Of the sample (n - 1), as pandas and DuckDB have it; None of fewer than two numbers."""
        return self.central[0] / (self.finite - 1) if self.finite > 1 else None

    @property
    def std(self) -> float | None:
        """Standard deviation of the sample."""
        return math.sqrt(self.variance) if self.variance is not None else None

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """How many numbers the first so many points stand for, from none to all: one more than there are points."""
        made: NDArray[np.int64] = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.weights)])
        return made

    def quantile(self, share: float) -> float | None:
        """The number that ``share`` of the finite numbers are below or at, between neighbours as Hyndman and Fan's type 7 has it
        ("Sample Quantiles in Statistical Packages", 1996), the default of NumPy, pandas and DuckDB. None: there is no finite number."""
        if not self.finite:
            return None
        place = share * (self.finite - 1)
        low = math.floor(place)
        first, second = np.searchsorted(self.ends[1:], [low, min(low + 1, self.finite - 1)], side="right")
        below, above = float(self.points[first]), float(self.points[second])
        inside = place - low
        return below if inside == 0 or below == above else below * (1 - inside) + above * inside

    def ranks(self, edges: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many finite numbers are at or below each of ``edges``."""
        found: NDArray[np.int64] = self.ends[np.searchsorted(self.points, edges, side="right")]
        return found

    def to_plain(self) -> dict[str, Any]:
        """For ``store.encode``."""
        return {
            "counts": [
                self.finite,
                self.nan,
                self.positive_infinities,
                self.negative_infinities,
                self.zeros,
                self.negatives,
            ],
            "minimum": plain_number(self.minimum),
            "maximum": plain_number(self.maximum),
            "mean": self.mean,
            "central": list(self.central),
            "points": self.points.astype("<f8").tobytes(),
            "weights": self.weights.astype("<i8").tobytes(),
            "rank_errors": [self.rank_error, self.percentile_error],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Numbers:
        """What :meth:`to_plain` gave."""
        central = plain["central"]
        finite, nan, positive, negative, zeros, negatives = plain["counts"]
        return cls(
            finite,
            nan,
            positive,
            negative,
            zeros,
            negatives,
            minimum=exact_number(plain["minimum"]),
            maximum=exact_number(plain["maximum"]),
            mean=plain["mean"],
            central=(central[0], central[1], central[2]),
            points=np.frombuffer(plain["points"], "<f8").astype(np.float64),
            weights=np.frombuffer(plain["weights"], "<i8").astype(np.int64),
            rank_error=plain["rank_errors"][0],
            percentile_error=plain["rank_errors"][1],
        )


def plain_number(value: str | int | float | bool | None) -> Any:
    """Integers as text: the encoding ends at 64 bits, decimals do not."""
    return str(value) if isinstance(value, int) else value


def exact_number(plain: Any) -> int | float | None:
    return int(plain) if isinstance(plain, str) else plain
