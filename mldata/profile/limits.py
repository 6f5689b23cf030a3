"""How much a summary keeps: all that drift, contracts and profiles can use of tables of usual width, and less of each column of a very wide one."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits", "limits_of"]

_POINTS_MOST, _POINTS_LEAST = 1 << 16, 1 << 12
_VALUES_MOST, _VALUES_LEAST = 10_000, 100
_COLUMNS_IN_FULL = 1 << 20
"""Points, and listed values, of all columns."""
_ROWS_MOST, _ROWS_LEAST, _SAMPLED = 10_000, 1_000, 1 << 21
"""Rows of the sample, and rows times columns."""


@dataclass(frozen=True)
class Limits:
    """Of a summary."""

    points: int
    """That the distribution of a column is told by (and the percentiles)."""
    values: int
    """That are listed with their counts."""
    rows: int
    """Of the sample."""


def limits_of(columns: int) -> Limits:
    """For a table of so many columns."""
    columns = max(columns, 1)
    return Limits(
        min(_POINTS_MOST, max(_POINTS_LEAST, _COLUMNS_IN_FULL // columns)),
        min(_VALUES_MOST, max(_VALUES_LEAST, _COLUMNS_IN_FULL // columns)),
        min(_ROWS_MOST, max(_ROWS_LEAST, _SAMPLED // columns)),
    )
