"""A drift report in Markdown (CommonMark, GitHub's tables), for a pull request: the verdict, then a line for each column, the worst first.

Invariant: at most :data:`MOST` characters, what a comment on GitHub may have; what does not fit is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mldata.drift.report import MAJOR, MODERATE, STABLE
from mldata.drift.wording import bin_rows, judgement, known, outlook, remarks, some, three
from mldata.errors import brief
from mldata.markdown import escaped
from mldata.plural import counted

if TYPE_CHECKING:
    from mldata.drift.report import ColumnDrift, DriftReport

__all__ = ["drift_markdown"]

MOST = 65_536
ROOM = 4_000
"""Characters for what is told about what does not fit."""
NAMES = 20
"""Added and removed columns that are named."""
BINS = 30
"""Bins of a column that are shown; of columns with more, those that add most to the PSI."""
MARKS = {STABLE: "\N{LARGE GREEN CIRCLE}", MODERATE: "\N{LARGE YELLOW CIRCLE}", MAJOR: "\N{LARGE RED CIRCLE}"}
HEAD = "| column | kind | PSI | critical | severity | what moved |\n|---|---|---:|---:|---|---|"


def drift_markdown(report: DriftReport, *, detailed: bool = False) -> str:
    """The report. ``detailed``: every measure and the bins of each column, as far as they fit."""
    lines = list(_head(report))
    ranked = report.ranked
    if ranked:
        lines += ["", *HEAD.split("\n")]
        rows = [_row(column) for column in ranked]
        fit = _fitting(rows, MOST - ROOM - _size(lines))
        lines += rows[:fit]
        if fit < len(rows):
            lines += ["", f"And {outlook(ranked[fit:])}."]
    if detailed:
        told = ["\n".join(["", *_column(column)]) for column in ranked]
        fit = _fitting(told, MOST - ROOM // 2 - _size(lines))
        lines += told[:fit]
        if fit < len(told):
            rest = counted(len(told) - fit, "more column")
            lines += ["", f"There is no room here for the measures of {rest}."]
    limits = report.thresholds
    lines += [
        "",
        f"PSI over {limits.bins} bins of the baseline's quantiles: moderate from {limits.moderate:g}, major above {limits.major:g}. "
        "Critical: what the PSI of two samples of these sizes from one distribution stays below in 95 of 100 cases.",
    ]
    return "\n".join(lines) + "\n"


def _size(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _fitting(texts: Sequence[str], room: int) -> int:
    """How many of the first fit."""
    for at, text in enumerate(texts):
        room -= len(text) + 1
        if room < 0:
            return at
    return len(texts)


def _head(report: DriftReport) -> Iterator[str]:
    current, baseline = (escaped(brief(name, 200)) for name in (report.current, report.baseline))
    yield f"# Drift of {current} against {baseline}: {MARKS[report.severity]} {report.severity}"
    yield ""
    yield f"{judgement(report).capitalize()}."
    for what, names in (("Added", report.added), ("Removed", report.removed)):
        if names:
            named, more = some(names, NAMES)
            yield f"\n{what}: {', '.join(escaped(brief(name)) for name in named)}{more}."


def _row(column: ColumnDrift) -> str:
    cells = (
        escaped(brief(column.name)),
        column.kind,
        three(column.psi),
        three(column.psi_critical),
        f"{MARKS[column.severity]} {column.severity}",
        escaped(remarks(column)),
    )
    return f"| {' | '.join(cells)} |"


def _column(column: ColumnDrift) -> Iterator[str]:
    yield f"### {escaped(brief(column.name))}"
    for name, one in column.facets.items() or [("", column)]:
        name = f"{escaped(name)}: " if name else ""
        if measured := known(one):
            yield f"\n{name}{', '.join(f'{measure} {value}' for measure, value in measured)}"
        if one.bins:
            yield "\n| bin | before | | now | | PSI |\n|---|---:|---:|---:|---:|---:|"
            for label, *numbers in bin_rows(one.bins, BINS):
                yield f"| {' | '.join([escaped(brief(label)), *numbers])} |"
