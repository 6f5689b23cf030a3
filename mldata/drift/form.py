"""A drift report as JSON: what ``mldata drift --json`` has as its result.

Invariant: no number is NaN or infinite, and numbers have nine digits, so that the same report is the same bytes whichever machine made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldata.drift.report import ColumnDrift, DriftReport

__all__ = ["drift_to_json"]

_MEASURES = (
    "psi",
    "psi_critical",
    "kl",
    "js",
    "wasserstein",
    "ks",
    "ks_p_value",
    "chi2",
    "chi2_p_value",
    "hellinger",
)


def drift_to_json(report: DriftReport) -> dict[str, Any]:
    """The report as plain JSON."""
    return {
        "drift": report.drift,
        "severity": report.severity,
        "comparable": report.comparable,
        "share": _rounded(report.share),
        "baseline": {"name": report.baseline, "rows": report.baseline_rows},
        "current": {"name": report.current, "rows": report.current_rows},
        "columns": _by_name(report.columns),
        "added": list(report.added),
        "removed": list(report.removed),
        "thresholds": asdict(report.thresholds),
    }


def _by_name(columns: Sequence[ColumnDrift]) -> Mapping[str, Any]:
    """Columns by name; a name that was there before has its number behind it."""
    named: dict[str, Any] = {}
    for column in columns:
        name, again = column.name, 2
        while name in named:
            name, again = f"{column.name} ({again})", again + 1
        named[name] = _column(column)
    return named


def _column(column: ColumnDrift) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "kind": column.kind,
        **{name: _rounded(getattr(column, name)) for name in _MEASURES},
        "severity": column.severity,
        "drift_detected": column.drift_detected,
        "note": column.note,
        "moved": list(column.moved),
        "bins": [{**it._asdict(), "psi": _rounded(it.psi)} for it in column.bins],
    }
    if column.facets:
        plain["facets"] = {name: _column(facet) for name, facet in column.facets.items()}
    return plain


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.9g}")
