"""What a profile's page says of the table as a whole: figures, alerts, parts, correlations, missing values.

Invariant: each section is bounded, whatever the number of columns, and says how much it leaves out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mldata.cells import clipped
from mldata.plural import counted
from mldata.profile.pagewords import NONE, alert_line, duplicates, shown_name
from mldata.profile.svg import badge, bars, heatmap, short
from mldata.profile.words import more_are, percent
from mldata.sizes import human_size
from mldata.webpage import escaped, table

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, Correlation, Profile

__all__ = ["Link", "alerts", "correlations", "missing", "named", "overview", "parts"]

Link = Callable[[str], str]
"""A column's name as markup that leads to it."""

METHODS = {
    "pearson": ("Pearson", "linear relations of numbers"),
    "spearman": ("Spearman", "relations of ranks, whether linear or not"),
    "cramers_v": ("Cramér's V", "relations of categories, 0 to 1"),
}
ALIKE = 4
"""Alerts of one kind that are told one by one."""
NAMED = 30
"""Columns that an alert of many names."""
PAIRS = 12
PATTERNS = 12
PATTERN_COLUMNS = 24
PARTS = 50
STRONG = 0.1
"""A pair below is not told among the strongest."""


def overview(profile: Profile) -> Iterator[str]:
    """The numbers that come first."""
    warnings = sum(alert.severity == "warning" for alert in profile.alerts)
    tiles: list[tuple[str, str, str]] = [
        ("Rows", f"{profile.rows:,}", f"a sample of {percent(profile.share)}" if profile.share < 1 else ""),
        ("Columns", f"{len(profile.columns):,}", ""),
    ]
    if profile.columns:
        with_nulls = sum(column.nulls > 0 for column in profile.columns)
        tiles.append(
            (
                "Missing values",
                percent(profile.missing),
                f"in {counted(with_nulls, 'column')}",
            )
        )
    if profile.duplicates is not None:
        told = duplicates(profile.duplicates)
        some = profile.duplicates.rows and not told.endswith("%")
        tiles.append(("Duplicate rows", told, percent(profile.duplicates.share) if some else ""))
    if profile.size is not None:
        tiles.append(("Size", human_size(profile.size), "as stored"))
    if profile.parts:
        tiles.append(("Parts", f"{len(profile.parts):,}", clipped(", ".join(profile.parts), 40)))
    tiles.append(("Alerts", f"{len(profile.alerts):,}", counted(warnings, "warning")))
    items = "".join(
        f"<div><dt>{name}</dt><dd>{escaped(value)}{f'<small>{escaped(more)}</small>' if more else ''}</dd></div>"
        for name, value, more in tiles
    )
    yield f'<dl class="tiles">{items}</dl>'


def alerts(profile: Profile, link: Link) -> Iterator[str]:
    """Warnings, then notes; many of one kind as one. Each leads to its column."""
    kinds: dict[tuple[str, str], list[Alert]] = {}
    for alert in sorted(profile.alerts, key=lambda it: it.severity != "warning"):
        kinds.setdefault((alert.severity, alert.code), []).append(alert)
    if not kinds:
        yield "<p>Nothing to look out for was found.</p>"
        return
    yield '<ul class="alerts">'
    for (severity, code), found in kinds.items():
        of_columns = [alert for alert in found if alert.column is not None]
        if len(of_columns) <= ALIKE:
            for alert in found:
                yield alert_line(alert, f"{link(alert.column)}: " if alert.column is not None else "")
            continue
        yield from (alert_line(alert) for alert in found if alert.column is None)
        yield _many(severity, code, of_columns, link)
    yield "</ul>"


def _many(severity: str, code: str, found: Sequence[Alert], link: Link) -> str:
    """Alerts of one kind, of many columns, that can be unfolded."""
    items = "".join(f"<li>{link(it.column or '')}: {short(it.message, 200)}</li>" for it in found[:NAMED])
    rest = f"<li>and {len(found) - NAMED:,} more</li>" if len(found) > NAMED else ""
    word = "warning" if severity == "warning" else "note"
    return (
        f"<li><span>{badge(severity, word)}</span><details><summary>{short(code.replace('-', ' '), 60)}: {len(found):,} columns</summary>"
        f"<ul>{items}{rest}</ul></details></li>"
    )


def parts(profile: Profile) -> Iterator[str]:
    """How large each part is, and how whole."""
    total = sum(part.rows for part in profile.parts.values()) or 1
    shown = list(profile.parts.items())[:PARTS]
    yield '<div class="pair">'
    yield table(
        ["part", "rows", "share", "missing", "duplicate rows"],
        [
            (
                clipped(name, 40),
                part.rows,
                percent(part.rows / total),
                percent(part.missing),
                _duplicates(part),
            )
            for name, part in shown
        ],
    )
    yield bars(
        [(name, part.rows, percent(part.rows / total)) for name, part in shown[:12]],
        title="Rows of parts",
        full=total,
    )
    yield "</div>"
    if len(profile.parts) > len(shown):
        yield f'<p class="small">{more_are(len(profile.parts) - len(shown), "part")} not shown.</p>'


def _duplicates(part: Profile) -> str | int:
    if part.duplicates is None:
        return NONE
    return duplicates(part.duplicates) if part.duplicates.error else part.duplicates.rows


def correlations(profile: Profile, link: Link) -> Iterator[str]:
    """A heat map of each kind, and its strongest pairs in words."""
    for found in profile.correlations:
        name, about = METHODS.get(found.method, (found.method, ""))
        yield f"<h3>{escaped(name)}</h3>"
        rest = f"; {more_are(found.left_out, 'column')} left out" if found.left_out else ""
        yield f'<p class="small">{escaped(about)}; of {found.rows:,} rows{rest}</p>'
        pairs = _strongest(found)
        told = "; the strongest: " + ", ".join(
            f"{clipped(one, 40)} and {clipped(two, 40)} {value:.2f}" for one, two, value in pairs[:3]
        )
        yield '<div class="pair"><div class="wide">'
        yield heatmap(found.columns, found.matrix, title=name, about=told if pairs else "")
        yield "</div><div>"
        if pairs:
            lines = "".join(
                f'<tr><th scope="row">{link(one)}, {link(two)}</th><td class="number">{value:.2f}</td></tr>'
                for one, two, value in pairs
            )
            yield f'<table><caption>Strongest pairs</caption><thead><tr><th scope="col">columns</th><th scope="col" class="number">{escaped(name)}</th></tr></thead><tbody>{lines}</tbody></table>'
        else:
            yield f"<p>No pair is at {STRONG} or beyond.</p>"
        yield "</div></div>"


def _strongest(found: Correlation) -> list[tuple[str, str, float]]:
    pairs = [
        (one, two, value)
        for row, (one, values) in enumerate(zip(found.columns, found.matrix, strict=True))
        for two, value in zip(found.columns[:row], values[:row], strict=True)
        if value is not None and abs(value) >= STRONG
    ]
    return sorted(((two, one, value) for one, two, value in pairs), key=lambda it: -abs(it[2]))[:PAIRS]


def missing(profile: Profile, link: Link) -> Iterator[str]:
    """Which columns have nulls, and which have them together."""
    lacking = sorted((column for column in profile.columns if column.nulls), key=lambda it: -it.nulls)
    if not lacking:
        yield "<p>No value is missing.</p>"
        return
    yield '<div class="pair"><div>'
    yield bars(
        [(it.name, it.missing, percent(it.missing)) for it in lacking[:20]],
        title="Missing values by column",
        full=1.0,
    )
    if len(lacking) > 20:
        yield f'<p class="small">{_more_lacking(len(lacking) - 20)} missing values.</p>'
    yield "</div>"
    if profile.missing_patterns:
        yield "<div>"
        yield from _patterns(profile, link)
        yield "</div>"
    yield "</div>"


def _more_lacking(count: int) -> str:
    return f"{counted(count, 'more column')} {'has' if count == 1 else 'have'}"


def _patterns(profile: Profile, link: Link) -> Iterator[str]:
    patterns = list(profile.missing_patterns[:PATTERNS])
    weights: Counter[str] = Counter()
    for names, count in patterns:
        for name in dict.fromkeys(names):
            weights[name] += count
    order = {column.name: at for at, column in enumerate(profile.columns)}
    chosen = sorted(weights, key=lambda it: (-weights[it], order.get(it, 0)))[:PATTERN_COLUMNS]
    heads = "".join(f'<th scope="col">{link(name)}</th>' for name in chosen)
    rest = len(weights) - len(chosen)
    others = '<th scope="col">others</th>' if rest else ""
    yield '<div class="wide"><table class="dots"><caption>Missing together: each line is a set of rows</caption>'
    yield f'<thead><tr><th scope="col" class="number">rows</th><th scope="col" class="number">share</th>{heads}{others}</tr></thead><tbody>'
    for names, count in patterns:
        cells = "".join(_dot(name in names) for name in chosen)
        more = len(set(names) - set(chosen))
        cells += f"<td>{more or ''}</td>" if rest else ""
        part = escaped(percent(count / profile.rows)) if profile.rows else ""
        yield f'<tr><th scope="row" class="number">{count:,}</th><td class="number">{part}</td>{cells}</tr>'
    yield "</tbody></table></div>"
    if len(profile.missing_patterns) > len(patterns):
        yield '<p class="small">Rarer ones are left out.</p>'


def _dot(there: bool) -> str:
    return '<td>■<span class="unseen"> missing</span></td>' if there else '<td class="soft">·</td>'


def named(profile: Profile, places: Sequence[str | None]) -> Link:
    """Links to columns by name: to the first of those that share one. ``places``: the anchor of each column; None: it has none."""
    anchors: dict[str, str | None] = {}
    for column, place in zip(profile.columns, places, strict=True):
        anchors.setdefault(column.name, place)

    def link(name: str) -> str:
        anchor = anchors.get(name)
        return f'<a href="#{anchor}">{shown_name(name)}</a>' if anchor is not None else shown_name(name)

    return link
