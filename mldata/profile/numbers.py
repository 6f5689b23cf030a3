"""How numbers of a column are spread, of blocks and of blocks put together: :class:`mldata.profile.summary.Numbers` in the making.

A sketch is *complete* as long as it has each distinct number with its count: in an exact table always, else up to :data:`mldata.profile.distinct.FEW` distinct ones.
Then its moments are computed of these when it is told, so that they are the same however rows were cut; otherwise it has points and moments of its own.

Numbers are kept as the column has them (integers and ticks of 64 bits, or doubles), so that large integers stay apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mldata.profile.counted import count_sorted, count_values, tally, total_of, union
from mldata.profile.distinct import FEW
from mldata.profile.moments import Moments, combine, moments_of
from mldata.profile.quantiles import compact
from mldata.profile.sections import plain_counts, read_counts
from mldata.profile.summary import Numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

__all__ = ["BLOCK_POINTS", "LEAF_POINTS", "NumberSketch", "fold_numbers", "numbers_among", "numbers_of"]

BLOCK_POINTS = 1 << 11
"""Of a block."""
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
LEAF_POINTS = 1 << 12
"""Of several blocks of a leaf together."""


@dataclass(frozen=True, eq=False)
class NumberSketch:
    """Some numbers. Of those that are finite, how they are spread."""

    special: tuple[int, int, int]
    """NaN, positive and negative infinities."""
    zeros: int
    negatives: int
    ends: tuple[int | float, int | float] | None
    """The least and the greatest; None: there are none."""
    values: NDArray[Any]
    """Ascending and distinct."""
    counts: Counts
    error: int
    """By how many ranks the points are off at most."""
    complete: bool
    moments: Moments | None
    """None: it is complete."""

    @property
    def finite(self) -> int:
        """Finite numbers."""
        return total_of(self.counts)

    def moment(self) -> Moments | None:
        """Moments of the numbers; None: there are none."""
        if self.moments is None and len(self.values):
            return moments_of(self.values, self.counts)
        return self.moments

    def settled(self, *, exact: bool) -> NumberSketch:
        """What a block keeps of complete numbers."""
        if exact or len(self.values) <= FEW:
            return self
        return _compacted(self, [self], BLOCK_POINTS)

    def told(self, most: int) -> Numbers:
        """The numbers by at most about ``most`` points."""
        finite, moments = self.finite, self.moment()
        values, counts, error = compact(self.values, self.counts, most)
        points = values.astype(np.float64)
        if points.dtype != values.dtype:  # integers that are the same double
            points, counts = tally(points, counts)
        mean, central = moments.told() if moments is not None else (None, (0.0, 0.0, 0.0))
        nan, positive, negative = self.special
        least, greatest = self.ends or (None, None)
        return Numbers(
            finite,
            nan,
            positive,
            negative,
            self.zeros,
            self.negatives,
            least,
            greatest,
            mean=mean,
            central=central,
            points=points,
            weights=counts,
            rank_error=(self.error + error) / finite if finite else 0.0,
            percentile_error=self.error / finite if finite else 0.0,
        )

    def to_plain(self) -> dict[str, Any]:
        """For a section."""
        return {
            "special": list(self.special),
            "signs": [self.zeros, self.negatives],
            "ends": list(self.ends or ()),
            "values": self.values,
            "counts": plain_counts(self.counts),
            "error": self.error,
            "complete": self.complete,
            "moments": self.moments.to_plain() if self.moments is not None else None,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> NumberSketch:
        """What :meth:`to_plain` gave."""
        values = plain["values"]
        nan, positive, negative = plain["special"]
        zeros, negatives = plain["signs"]
        ends = plain["ends"]
        moments = plain["moments"]
        return cls(
            (nan, positive, negative),
            zeros,
            negatives,
            (ends[0], ends[1]) if ends else None,
            values,
            read_counts(plain["counts"], len(values)),
            plain["error"],
            plain["complete"],
            Moments(*moments) if moments is not None else None,
        )


def numbers_of(
    values: NDArray[Any],
    counts: Counts,
    *,
    special: tuple[int, int, int] = (0, 0, 0),
    ends: tuple[int | float, int | float] | None = None,
) -> NumberSketch:
    """Of distinct finite numbers in ascending order, without -0.0; complete.

    Args:
        ends: the least and the greatest, where a double would not do.
    """
    zero = values.dtype.type(0)
    first, last = (int(np.searchsorted(values, zero, side)) for side in _SIDES)
    zeros, negatives = total_of(counts[first:last]), total_of(counts[:first])
    if ends is None and len(values):
        ends = values[0].item(), values[-1].item()
    return NumberSketch(special, zeros, negatives, ends, values, counts, 0, True, None)


def numbers_among(values: NDArray[Any]) -> NumberSketch:
    """Of numbers in any order, NaN and infinities among them; complete."""
    if values.dtype.kind != "f":
        return numbers_of(*count_values(values))
    special = (0, 0, 0)
    finite = np.isfinite(values)
    if not finite.all():
        positive, negative = int(np.isposinf(values).sum()), int(np.isneginf(values).sum())
        special = int(np.isnan(values).sum()), positive, negative
        values = values[finite]
    values = values + 0.0  # -0.0 becomes 0.0
    values.sort()
    return numbers_of(*count_sorted(values), special=special)


def fold_numbers(sketches: Sequence[NumberSketch], *, exact: bool, most: int | None = None) -> NumberSketch:
    """Of all together (at least one).

    Args:
        most: points to keep of what is not complete; None: all.
    """
    if len(sketches) == 1:
        return sketches[0]
    values, counts = union([(each.values, each.counts) for each in sketches])
    ends = [end for each in sketches if each.ends is not None for end in each.ends]
    nan, positive, negative = (sum(each.special[number] for each in sketches) for number in range(3))
    made = NumberSketch(
        (nan, positive, negative),
        sum(each.zeros for each in sketches),
        sum(each.negatives for each in sketches),
        (min(ends), max(ends)) if ends else None,
        values,
        counts,
        sum(each.error for each in sketches),
        True,
        None,
    )
    complete = all(each.complete for each in sketches) and (exact or len(values) <= FEW)
    return made if complete else _compacted(made, sketches, most)


def _compacted(made: NumberSketch, of: Sequence[NumberSketch], most: int | None) -> NumberSketch:
    found = [moments for each in of if (moments := each.moment()) is not None]
    values, counts, error = compact(made.values, made.counts, most or len(made.values))
    return NumberSketch(
        made.special,
        made.zeros,
        made.negatives,
        made.ends,
        values,
        counts,
        made.error + error,
        False,
        combine(found),
    )
