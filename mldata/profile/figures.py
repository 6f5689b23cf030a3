"""Numbers of a profile as people read them.

Counts have separators; values have four significant digits, and none where they are whole and short, so that a year stays one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldata.profile.profile import ColumnProfile
    from mldata.profile.summary import Value

__all__ = ["NONE", "distinct", "figure", "measure", "share"]

NONE = "–"
"""Where there is no number."""


def figure(value: Value | None) -> str:
    """A value: ``3.142``, ``2007``, ``1,234,567``, ``1.5e-09``, ``2024-02-29``; texts as they are."""
    if value is None:
        return NONE
    if isinstance(value, bool | str):
        return str(value).lower() if isinstance(value, bool) else value
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9):
        whole = int(value)
        if abs(whole) >= 1e18:
            return f"{float(whole):.4g}"
        return str(whole) if abs(whole) < 100_000 else f"{whole:,}"
    if 10_000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def measure(value: Value | None) -> str:
    """A number or a time of a spread; ``2024-02-29 12:00:00`` can be broken where ISO 8601 has a T."""
    told = figure(value)
    return told.replace("T", " ", 1) if isinstance(value, str) else told


def share(part: float) -> str:
    """A share from 0 to 1: ``12.3%``; neither none nor all look like it when they are not."""
    if 0 < part < 0.001:
        return "<0.1%"
    if 0.999 < part < 1:
        return ">99.9%"
    return f"{part:.1%}" if 0 < part < 1 else f"{part:.0%}"


def distinct(column: ColumnProfile) -> str:
    """How many distinct values there are, and how sure that is."""
    if column.distinct is None:
        return NONE
    if not column.distinct_error:
        return f"{column.distinct:,}"
    return f"≈ {column.distinct:,} (±{column.distinct_error:.1%})"
