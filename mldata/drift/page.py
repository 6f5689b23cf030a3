"""A drift report as one web page: the verdict, a line for each column, then each column with both distributions, the worst first.

Format: the frame of :mod:`mldata.webpage`; the section of a column is ``#column-N``, counted from 0, the worst first.
Invariant: the same bytes for the same report, at most :data:`MOST` of them whatever the number of columns; what is left out is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mldata.drift.overlay import overlay
from mldata.drift.report import MAJOR, MODERATE, STABLE
from mldata.drift.wording import (
    MEASURES,
    bin_rows,
    foremost,
    judgement,
    known,
    outlook,
    remarks,
    sizes,
    some,
    three,
)
from mldata.errors import brief
from mldata.plural import counted
from mldata.profile.svg import STYLE, badge, compared, key
from mldata.webpage import bar, details, escaped, page, theme_switch

if TYPE_CHECKING:
    from mldata.drift.report import Bin, ColumnDrift, DriftReport

__all__ = ["drift_page"]

MOST = 2_000_000
"""Bytes of a page."""
LINES, SECTIONS = 700_000, 1_200_000
"""Bytes for the lines of columns, and for what is told of each."""
NAMES = 50
"""Added and removed columns that are named."""
BARS = 10
"""Bins that are drawn as bars; of columns with more, those that add most to the PSI."""
MOST_BINS = 100
"""Bins of a column that are in its table; of columns with more, those that add most to the PSI."""
_STYLE = """
.head{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:start;gap:.5rem 1rem;max-width:68rem;margin:0 auto;padding:1.25rem 1.25rem 0}
.head h1{margin:0;flex:1 1 18rem}.head+main{padding-top:.5rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:1rem 14px;align-items:start}
.cards>details{margin:0;padding:.25rem 0 .5rem;border-top:2px solid var(--line);min-width:0;break-inside:avoid}
.cards>details>summary{overflow-wrap:anywhere}
.cards h3{margin:.75rem 0 .25rem}
.cards .wide table{font-size:.85rem}
.lines tbody th{font-size:1rem;color:var(--text);white-space:normal;overflow-wrap:anywhere;min-width:6rem}
.lines td.short{white-space:nowrap}
@media (max-width:40rem){.lines .wordy{display:none}.head{padding:1rem .9rem 0}}
dl{display:grid;grid-template-columns:auto 1fr;gap:.15rem 1rem;margin:.5rem 0}dt{font-weight:600}dd{margin:0}
"""


def drift_page(report: DriftReport) -> str:
    """The page of one report."""
    current, baseline = brief(report.current, 200), brief(report.baseline, 200)
    head = f"<h1>Drift of {escaped(current)} against {escaped(baseline)} {badge(report.severity)}</h1>"
    title = f"Drift of {current} against {baseline}: {report.severity}"
    top = [f'<header class="head">{head}{theme_switch()}</header>']
    return page(title, _body(report), top=top, style=STYLE + _STYLE)


def _body(report: DriftReport) -> Iterator[str]:
    yield f"<p><b>{escaped(judgement(report).capitalize())}</b></p>"
    if report.columns:
        yield from bar(
            [
                (severity, sum(it.severity == severity for it in report.columns), colour)
                for severity, colour in ((STABLE, "green"), (MODERATE, "yellow"), (MAJOR, "red"))
            ]
        )
    for what, names in (("Added", report.added), ("Removed", report.removed)):
        if names:
            named, more = some(names, NAMES)
            told = ", ".join(f"<code>{escaped(brief(name))}</code>" for name in named)
            yield f'<p class="note">{what} columns, which nothing can be compared with: {told}{more}.</p>'
    sections, shown = _sections(report)
    if report.columns:
        yield "<h2>Columns</h2>"
        yield from _lines(report.ranked, shown)
        yield "<h2>Distributions</h2>"
        yield key((f"baseline: {brief(report.baseline)}", f"current: {brief(report.current)}"))
        yield '<div class="cards">'
        yield from sections
        yield "</div>"
        if len(sections) < len(report.columns):
            rest = counted(len(report.columns) - len(sections), "more column")
            yield f'<p class="note">There is no room here for {rest}.</p>'
    yield from _about(report)


def _lines(ranked: Sequence[ColumnDrift], shown: int) -> Iterator[str]:
    names = ("column", "kind", "PSI", "critical", "severity", "what moved")
    kinds = ("", ' class="wordy"', ' class="number"', ' class="number"', "", ' class="wordy"')
    head = "".join(f'<th scope="col"{kind}>{name}</th>' for name, kind in zip(names, kinds, strict=True))
    yield f'<div class="wide lines"><table><thead><tr>{head}</tr></thead><tbody>'
    room = LINES
    for at, column in enumerate(ranked):
        name = escaped(brief(column.name))
        linked = f'<a href="#column-{at}">{name}</a>' if at < shown else name
        line = (
            f'<tr><th scope="row">{linked}</th><td class="short wordy">{column.kind}</td>'
            f'<td class="number">{three(column.psi)}</td><td class="number">{three(column.psi_critical)}</td>'
            f'<td class="short">{badge(column.severity)}</td><td class="wordy">{escaped(remarks(column))}</td></tr>'
        )
        room -= len(line.encode(errors="replace")) + 1
        if room < 0:
            yield f'<tr><td colspan="6">And {outlook(ranked[at:])}.</td></tr>'
            break
        yield line
    yield "</tbody></table></div>"


def _sections(report: DriftReport) -> tuple[list[str], int]:
    """As many as there is room for, and how many these are."""
    room, made = SECTIONS, []
    names = brief(report.baseline, 40), brief(report.current, 40)
    for at, column in enumerate(report.ranked):
        summary = f"{escaped(brief(column.name))} {badge(column.severity)}"
        body = details(summary, _column(column, names), name=f"column-{at}", opened=column.drift_detected)
        section = "\n".join(body)
        room -= len(section.encode(errors="replace")) + 1
        if room < 0:
            break
        made.append(section)
    return made, len(made)


def _column(column: ColumnDrift, names: tuple[str, str]) -> Iterator[str]:
    if told := remarks(column):
        yield f"<p>{escaped(told)}</p>"
    if not column.facets:
        yield from _distribution(column, column.name, names)
    for name, facet in column.facets.items():
        yield f"<h3>{escaped(name)} {badge(facet.severity)}</h3>"
        yield from _distribution(facet, f"{name} of {column.name}", names)


def _distribution(column: ColumnDrift, title: str, names: tuple[str, str]) -> Iterator[str]:
    title = brief(title)
    if column.shape is not None:
        yield overlay(column.shape, f"{title}, {names[0]} and {names[1]}")
        if any(column.shape.beyond):
            before, now = column.shape.beyond
            yield f'<p class="soft">Further out: {counted(before, "value")} of the baseline, {now:,} of the current rows.</p>'
    elif column.bins:
        yield _bars(column, title, names)
    yield from _numbers(column)


def _bars(column: ColumnDrift, title: str, names: tuple[str, str]) -> str:
    before, now = sizes(column.bins)
    told = foremost(column.bins, BARS)
    return compared(
        [brief(it.label, 60) for it in told],
        [it.baseline / before for it in told],
        [it.current / now for it in told],
        title=title,
        names=names,
    )


def _numbers(column: ColumnDrift) -> Iterator[str]:
    """The measures, and all that the plot shows."""
    if measured := known(column):
        yield f"<details><summary>Measures and {counted(len(column.bins), 'bin')}</summary>"
        told = (f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>" for name, value in measured)
        yield f"<dl>{''.join(told)}</dl>"
        yield from _bins(column.bins)
        yield "</details>"


def _bins(bins: Sequence[Bin]) -> Iterator[str]:
    names = ("bin", "baseline", "share", "current", "share", "PSI")
    kinds = ("", *[' class="number"'] * (len(names) - 1))
    head = "".join(f'<th scope="col"{kind}>{name}</th>' for name, kind in zip(names, kinds, strict=True))
    yield f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>'
    for label, *numbers in bin_rows(bins, MOST_BINS):
        cells = "".join(f'<td class="number">{escaped(cell)}</td>' for cell in numbers)
        yield f"<tr><td>{escaped(brief(label))}</td>{cells}</tr>"
    yield "</tbody></table></div>"


def _about(report: DriftReport) -> Iterator[str]:
    limits = report.thresholds
    lines = "".join(f"<dt>{name}</dt><dd>{escaped(says)}</dd>" for name, _, says in MEASURES)
    yield "<h2>How to read this</h2>"
    yield (
        f"<p>The severity of a column is told by its PSI: stable below {limits.moderate:g}, major above {limits.major:g}, moderate in between; "
        "stable, too, where no test tells the two sides apart, as of few rows. Numbers are compared in "
        f"{limits.bins} bins that each hold as many rows of the baseline; missing values are a bin of their own. A bin that is empty on one side is "
        f"taken to have a share of {limits.epsilon:g}. Plots show bins of equal width instead, which the eye understands.</p>"
    )
    yield f"<dl>{lines}</dl>"
