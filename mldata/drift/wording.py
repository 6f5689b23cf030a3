"""A comparison as people read it; the same in the terminal, in Markdown and on the page. All of it is text: who shows it makes it harmless there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldata.plural import counted

if TYPE_CHECKING:
    from mldata.drift.report import Bin, ColumnDrift, DriftReport

__all__ = [
    "MEASURES",
    "BinRow",
    "bin_rows",
    "change",
    "foremost",
    "judgement",
    "known",
    "number",
    "outlook",
    "remarks",
    "share",
    "shares",
    "shortest",
    "sizes",
    "some",
    "three",
]

MEASURES = (
    (
        "PSI",
        "psi",
        "population stability index: how far the shares of the bins are apart; 0 means not at all",
    ),
    ("critical PSI", "psi_critical", "what chance alone stays below in 95 of 100 cases at these sizes"),
    ("KL", "kl", "Kullback-Leibler divergence of the current rows from the baseline, in nats"),
    ("JS", "js", "Jensen-Shannon distance, 0 to 1"),
    ("Hellinger", "hellinger", "Hellinger distance, 0 to 1"),
    ("Wasserstein", "wasserstein", "how far values moved on average, in standard deviations of the baseline"),
    ("KS", "ks", "Kolmogorov-Smirnov statistic: the greatest distance of the cumulated shares, 0 to 1"),
    ("KS p", "ks_p_value", "how often chance alone gives such a distance"),
    ("chi2", "chi2", "chi-squared statistic of the counts of the bins"),
    ("chi2 p", "chi2_p_value", "how often chance alone gives such counts"),
)
"""Name, attribute, and what it says."""

BinRow = tuple[str, str, str, str, str, str]
"""Label, count and share of the baseline, count and share of the current rows, what it adds to the PSI."""


def number(value: float) -> str:
    """Four digits at most, with thousands separators where there are more before the point: ``0.03125``, ``3.142``, ``12,346``, ``1.5e+12``."""
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def three(value: float | None) -> str:
    """Three decimals; nothing where there is no number."""
    return "" if value is None else f"{value:.3f}"


def share(value: float, digits: int = 0) -> str:
    """A share as per cent: ``12%``, ``0.4%``, ``<0.1%``; ``0%`` only of none and ``100%`` only of all."""
    if value in (0, 1):
        return f"{value:.0%}"
    if value < 0.001:
        return "<0.1%"
    if value > 0.999:
        return ">99.9%"
    near_an_end = value < 0.0095 or value > 0.9905
    return f"{value:.{max(digits, int(near_an_end))}%}"


def shares(before: float, after: float) -> str:
    """Two shares, with as many digits as it takes to see that they differ, up to one."""
    digits = 1 if share(before) == share(after) else 0
    return f"{share(before, digits)} → {share(after, digits)}"


def change(before: float, after: float) -> str:
    """Two numbers, with as many digits as it takes to see that they differ."""
    told = [number(before), number(after)]
    for digits in (6, 9, 13):
        if told[0] == told[1]:
            told = [f"{value:.{digits}g}" for value in (before, after)]
    return " → ".join(told if told[0] != told[1] else map(shortest, (before, after)))


def shortest(value: float) -> str:
    """A number with as few digits as tell it apart from all others."""
    return repr(float(value)).removesuffix(".0")


def judgement(report: DriftReport) -> str:
    """How much of it has drifted, in a sentence without the full stop."""
    if not report.comparable:
        told = "no column in common: nothing could be compared"
    elif not report.judged:
        told = f"nothing to compare: there are no {'rows' if report.columns else 'columns'} on either side"
    else:
        columns = counted(len(report.judged), "column")
        told = f"{len(report.drifted):,} of {columns} drifted ({share(report.share)})"
    return f"{told}; {counted(report.baseline_rows, 'row')} before, {report.current_rows:,} now"


def remarks(column: ColumnDrift) -> str:
    """What has moved in a column, and what else is to be known of it."""
    return "; ".join([*column.moved, *([column.note] if column.note is not None else [])])


def known(column: ColumnDrift) -> list[tuple[str, str]]:
    """Name and number of each measure that a column has."""
    values = [(name, getattr(column, attribute)) for name, attribute, _ in MEASURES]
    return [(name, number(value)) for name, value in values if value is not None]


def sizes(bins: Sequence[Bin]) -> tuple[int, int]:
    """What the bins of each side hold together; 1 instead of nothing, to divide by."""
    return max(1, sum(it.baseline for it in bins)), max(1, sum(it.current for it in bins))


def foremost(bins: Sequence[Bin], most: int) -> Sequence[Bin]:
    """The bins that add most to the PSI, in their order."""
    if len(bins) <= most:
        return bins
    # Rounded, so that which of two equals is left out is told by their order.
    ranked = sorted(range(len(bins)), key=lambda at: (-round(bins[at].psi, 9), at))
    return [bins[at] for at in sorted(ranked[:most])]


def bin_rows(bins: Sequence[Bin], most: int) -> list[BinRow]:
    """The bins that add most to the PSI, and a row that counts the others."""
    before, now = sizes(bins)
    rows = [
        (
            it.label,
            f"{it.baseline:,}",
            share(it.baseline / before, 1),
            f"{it.current:,}",
            share(it.current / now, 1),
            f"{it.psi:.4f}",
        )
        for it in foremost(bins, most)
    ]
    return rows if len(bins) <= most else [*rows, (f"and {len(bins) - most:,} more", "", "", "", "", "")]


def outlook(rest: Sequence[ColumnDrift]) -> str:
    """What is said of columns that are left out: ``12 more columns, of which 3 drifted``."""
    drifted = sum(it.drift_detected for it in rest)
    more = counted(len(rest), "more column")
    return f"{more}, of which {f'{drifted:,}' if drifted else 'none'} drifted"


def some(names: Sequence[str], most: int) -> tuple[Sequence[str], str]:
    """The first names, and what is said of the others."""
    return names[:most], f" and {len(names) - most:,} more" if len(names) > most else ""
