"""Columns of tables in memory, compared."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from mldata.drift.compare import compare
from mldata.drift.report import ColumnDrift, Thresholds
from mldata.profile.summarize import summarize
from mldata.profile.summary import ColumnSummary

__all__ = ["drift", "summary", "told"]


def summary(values: Any) -> ColumnSummary:
    """What is known of a column of a list, a NumPy array or an Arrow array."""
    [column] = summarize(pa.table({"x": pa.array(values)})).columns
    return column


def drift(baseline: Any, current: Any, thresholds: Thresholds | None = None) -> ColumnDrift:
    """How far a column has moved."""
    before, after = (summarize(pa.table({"x": pa.array(it)})) for it in (baseline, current))
    [column] = compare(before, after, thresholds).columns
    return column


def told(column: ColumnDrift) -> dict[str, tuple[int, int]]:
    """Its bins with their counts."""
    return {it.label: (it.baseline, it.current) for it in column.bins}
