"""The columns of a profile on its page: a line each in a table, and a card each with its plot, its numbers and how parts differ in it.

A card has three forms, from all that is known to what fits where there are thousands; see :class:`Detail`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from mldata.cells import clipped
from mldata.profile.figures import NONE, distinct, figure, share
from mldata.profile.svg import badge, bars, histogram, short, spark
from mldata.webpage import escaped, table

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, ColumnProfile, Histogram, Profile, Spread, Top

__all__ = ["Detail", "alert_line", "card", "index_row", "index_table", "shown_name", "tools"]

NAME_CELLS = 60
VALUE_CELLS = 80
BARS = 6
"""Values that a card draws; all that are known are in its details."""
PARTS = 8
"""Parts that a card compares."""


class Detail(IntEnum):
    """How much a card tells."""

    SHORT = 0
    """Numbers, alerts and the plot."""
    PLAIN = 1
    """And the table of values."""
    FULL = 2
    """And what each bin is, and each part."""


def shown_name(name: str) -> str:
    """A column's name as markup, cut where it is very long."""
    return _soft(short(name, NAME_CELLS)) if name else '<span class="null">(no name)</span>'


def _soft(markup: str) -> str:
    """Markup of a name that may be broken after what joins its words."""
    return re.sub("(?<=[^_])_(?=[^_])", "_<wbr>", markup)


def alert_line(alert: Alert, where: str = "") -> str:
    """An item of a list. ``where``: markup that says which column it is about."""
    word = "warning" if alert.severity == "warning" else "note"
    return (
        f"<li><span>{badge(alert.severity, word)}</span><span>{where}{short(alert.message, 400)}</span></li>"
    )


def tools(columns: Sequence[ColumnProfile]) -> str:
    """What finds columns, where a script can: without one it is not there."""
    roles = sorted({column.role for column in columns})
    kinds = "".join(f'<option value="{escaped(role)}">{escaped(role)}</option>' for role in roles)
    return (
        '<div class="tools" id="tools" role="search" aria-label="Columns" hidden><label class="search">Find columns<input type="search" id="search" '
        'autocomplete="off" spellcheck="false"></label><label>Show<select id="role"><option value="">all</option><option value="!">with alerts</option>'
        f'{kinds}</select></label><button type="button" id="fold" aria-pressed="false">Open all details</button><p id="said" class="small" role="status"></p></div>'
    )


def index_table(rows: Sequence[str], *, drawn: bool) -> str:
    """The table of columns. ``rows``: of :func:`index_row`; ``data-key``: what the script sorts by."""
    heads = (
        ("n", "No."),
        ("name", "Column"),
        ("", "Told as"),
        ("alerts", "Alerts"),
        ("missing", "Missing"),
        ("distinct", "Distinct"),
        ("", "Values"),
        *([("", "Distribution")] if drawn else []),
    )
    cells = "".join(f'<th scope="col"{f" data-key={key}" if key else ""}>{word}</th>' for key, word in heads)
    return (
        '<div class="wide"><table class="index" id="index">'
        f"<thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def index_row(column: ColumnProfile, number: int, *, link: bool, drawn: bool) -> str:
    """A line of the table of columns.

    Args:
        number: which column it is, from 1.
        link: it has a card.
        drawn: with a small histogram.
    """
    name = shown_name(column.name)
    warned = any(alert.severity == "warning" for alert in column.alerts)
    count = len(column.alerts)
    told = badge("warning" if warned else "info", str(count)) if count else ""
    missing = escaped(share(column.missing)) if column.nulls else "0"
    return (
        f'<tr id="row-{number}" data-missing="{column.missing:.6g}" data-distinct="{column.distinct or 0}" data-alerts="{count + 1000 * warned}"><td>{number}</td>'
        f'<th scope="row">{f"""<a href="#column-{number}">{name}</a>""" if link else name}<code>{short(column.dtype, 40)}</code></th>'
        f"<td>{escaped(column.role)}</td><td>{told}</td><td>{missing}</td><td>{escaped(distinct(column))}</td>"
        f"<td>{_values(column)}</td>{f'<td>{_small(column)}</td>' if drawn else ''}</tr>"
    )


def _values(column: ColumnProfile) -> str:
    """What the values are like, in a few words."""
    spread = column.spread
    if column.role == "constant" and column.top:
        return short(_value(column.top[0]), 40)
    if spread is not None and spread.min is not None:
        mean = f"<small> · {'mean' if column.role == 'number' else 'median'} {escaped(_middle(column.role, spread))}</small>"
        return f"{escaped(figure(spread.min))} to {escaped(figure(spread.max))}{mean}"
    if (
        column.text is not None
        and column.role not in ("category", "constant")
        and column.text.lengths.min is not None
    ):
        lengths = column.text.lengths
        return f"{figure(lengths.min)} to {figure(lengths.max)} characters"
    if column.lengths is not None and column.lengths.min is not None:
        unit = "bytes" if column.role == "binary" else "elements"
        return f"{figure(column.lengths.min)} to {figure(column.lengths.max)} {unit}"
    told = (f"{clipped(figure(it.value), 20)} {share(it.share)}" for it in column.top[:3])
    return escaped(", ".join(told))


def _middle(role: str, spread: Spread) -> str:
    return figure(spread.mean if role == "number" else spread.percentiles.get("50"))


def _shape(column: ColumnProfile) -> tuple[Histogram | None, str]:
    """The histogram that tells most of a column, and of what it is."""
    if column.spread is not None:
        return column.spread.histogram, "values"
    if column.role in ("category", "constant", "boolean"):
        return None, ""
    if column.text is not None:
        return column.text.lengths.histogram, "lengths in characters"
    if column.lengths is not None:
        return (
            column.lengths.histogram,
            "sizes in bytes" if column.role == "binary" else "lengths in elements",
        )
    return None, ""


def _small(column: ColumnProfile) -> str:
    shape, what = _shape(column)
    if shape is not None:
        return spark(shape.counts, title=f"histogram of {what}, {_span(shape)}")
    if column.top and column.role in ("category", "boolean"):
        counts = [it.count for it in column.top]
        return spark(counts, title=f"counts of the {len(counts)} most frequent values, falling")
    return ""


def _span(shape: Histogram) -> str:
    edges = _edges(shape)
    return f"{edges[0]} to {edges[-2] if shape.single else edges[-1]}"


def _edges(shape: Histogram) -> Sequence[str]:
    return shape.labels or [figure(edge) for edge in shape.edges]


def card(column: ColumnProfile, number: int, parts: Mapping[str, Profile], detail: Detail) -> str:
    """All that is told of a column, as much as ``detail`` says.

    Args:
        number: which it is, from 1.
        parts: profiles of the parts that are compared.
    """
    alerts = "".join(map(alert_line, column.alerts))
    lines = [
        f'<article class="column" id="column-{number}" aria-labelledby="name-{number}"><h3 id="name-{number}">{shown_name(column.name)} '
        f'<code>{short(column.dtype, 60)}</code> <span class="role">{escaped(column.role)}</span></h3>',
        f'<ul class="alerts">{alerts}</ul>' if alerts else "",
        f'<div class="glance"><div>{_figures(_facts(column))}',
        _by_part(column, number, parts) if detail is Detail.FULL and parts else "",
        f"</div><div>{_plot(column, detail)}</div></div>",
    ]
    if detail >= Detail.PLAIN:
        more = "".join(_details(column))
        if more:
            lines.append(
                f'<details><summary>More<span class="unseen"> about {shown_name(column.name)}</span></summary>{more}</details>'
            )
    return "".join([*lines, "</article>"])


def _figures(facts: Sequence[tuple[str, str]]) -> str:
    items = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{short(value, 60)}</dd></div>" for name, value in facts
    )
    return f'<dl class="figures">{items}</dl>'


def _facts(column: ColumnProfile) -> list[tuple[str, str]]:
    missing = f"{share(column.missing)} ({column.nulls:,})" if column.nulls else "0"
    facts = [("distinct", distinct(column)), ("missing", missing)]
    if column.role == "constant" and column.top:
        return [*facts, ("value", _value(column.top[0]))]
    if column.spread is not None:
        facts += _numbers(column.spread, column.role)
    elif column.text is not None:
        text = column.text
        facts += (
            [(f"{name} length", value) for name, value in _range(text.lengths)]
            if column.role != "category"
            else []
        )
        facts += [
            (name, f"{count:,}")
            for name, count in (("empty", text.empty), ("blank", text.blank), ("padded", text.padded))
            if count
        ]
        facts += [(f"look like {look}", share(part)) for look, part in text.looks.items() if part >= 0.005]
    elif column.lengths is not None:
        facts += [
            (f"{name} {'size' if column.role == 'binary' else 'length'}", value)
            for name, value in _range(column.lengths)
        ]
    if column.role in ("category", "boolean") and column.top:
        most = column.top[0]
        facts.append(("most frequent", f"{figure(most.value)} ({share(most.share)})"))
    return facts


def _numbers(spread: Spread, role: str) -> list[tuple[str, str]]:
    shown = [("min", spread.min), ("median", spread.percentiles.get("50")), ("max", spread.max)]
    if role != "time":
        shown += [("mean", spread.mean), ("std", spread.std)]
    facts = [(name, figure(value)) for name, value in shown if value is not None]
    counts = {
        "zeros": spread.zeros if role != "time" else 0,
        "negative": spread.negatives if role != "time" else 0,
    }
    counts |= {"NaN": spread.nan, "infinite": spread.infinite, "outliers": spread.outliers or 0}
    return facts + [(name, f"{count:,}") for name, count in counts.items() if count]


def _range(spread: Spread) -> list[tuple[str, str]]:
    shown = (("min", spread.min), ("median", spread.percentiles.get("50")), ("max", spread.max))
    return [(name, figure(value)) for name, value in shown if value is not None]


def _plot(column: ColumnProfile, detail: Detail) -> str:
    shape, what = _shape(column)
    if shape is not None:
        return histogram(
            shape.counts,
            _edges(shape),
            title=f"Histogram of {what}",
            tips=detail is Detail.FULL,
            single=shape.single,
            below=shape.below,
            above=shape.above,
        ) + (f'<p class="small">{what}</p>' if what != "values" else "")
    if not column.top or column.role == "constant":
        return ""
    rows = [(_value(it), it.share, share(it.share)) for it in column.top[:BARS]]
    others = column.top_rest + sum(it.count for it in column.top[BARS:])
    values = column.rows - column.nulls
    if others and values:
        rows.append(("(others)", others / values, share(others / values)))
    return bars(rows, title="Most frequent values", rest=len(rows) - 1 if others else None)


def _value(top: Top) -> str:
    return figure(top.value) if top.value != "" else "(empty)"


def _details(column: ColumnProfile) -> Iterator[str]:
    for spread, what in (
        (column.spread, ""),
        (column.lengths, " of lengths"),
        (column.text.lengths if column.text is not None else None, " of lengths"),
    ):
        if spread is not None and spread.percentiles.get("50") is not None:
            yield from _percentiles(spread, what)
    if column.top:
        yield f"<h4>{'Values' if not column.top_rest else 'Most frequent values'}</h4>"
        yield table(
            ["value", "count", "share"],
            [(clipped(_value(it), VALUE_CELLS), it.count, share(it.share)) for it in column.top],
        )
        if column.top_rest:
            yield f'<p class="small">{column.top_rest:,} values are none of these.'
            yield f" Counts may be too low by {column.top_over:,} at most.</p>" if column.top_over else "</p>"
    if column.text is not None:
        text = column.text
        if text.words:
            yield f"<h4>Most frequent words of {text.looked:,} texts</h4>"
            yield f"<p>{escaped(', '.join(f'{clipped(figure(it.value), 40)} ({it.count:,})' for it in text.words))}</p>"
        total = sum(text.characters.values())
        if total:
            told = ", ".join(
                f"{name} {share(count / total)}" for name, count in text.characters.items() if count
            )
            yield f"<h4>Characters</h4><p>{escaped(told)}</p>"


def _percentiles(spread: Spread, what: str) -> Iterator[str]:
    yield f"<h4>Percentiles{what}</h4>"
    head = [f"{name}%" for name in spread.percentiles]
    yield table(
        ["min", *head, "max"], [[figure(it) for it in (spread.min, *spread.percentiles.values(), spread.max)]]
    )
    told = [("skewness", spread.skewness), ("excess kurtosis", spread.kurtosis)]
    words = [f"{name} {figure(value)}" for name, value in told if value is not None]
    if spread.rank_error:
        words.append(f"ranks of percentiles are right to {spread.rank_error:.2%} of the values")
    if words:
        yield f'<p class="small">{escaped("; ".join(words))}</p>'


def _by_part(column: ColumnProfile, number: int, parts: Mapping[str, Profile]) -> str:
    """A small plot and a few numbers of each part, over the same axis."""
    told = [(part, profile.columns[number - 1]) for part, profile in list(parts.items())[:PARTS]]
    if column.role in ("category", "boolean"):
        return _shares_by_part(column, told)
    shape, what = _shape(column)
    if shape is None:
        return ""
    numbers = column.spread is not None and column.role == "number"
    lines = []
    for part, other in told:
        drawn, _ = _shape(other)
        spread = other.spread or other.lengths or (other.text.lengths if other.text is not None else None)
        middle = spread.percentiles.get("50") if spread is not None else None
        cells = (
            [figure(spread.mean if spread else None), figure(spread.std if spread else None)]
            if numbers
            else []
        )
        cells = [figure(middle), *cells, share(other.missing) if other.nulls else "0", distinct(other)]
        picture = (
            spark(drawn.counts, title=f"histogram of {what} from {_span(shape)}")
            if drawn is not None
            else NONE
        )
        lines.append(
            f'<tr><th scope="row">{short(part, 40)}</th><td>{picture}</td>'
            + "".join(f'<td class="number">{escaped(cell)}</td>' for cell in cells)
            + "</tr>"
        )
    head = [
        "part",
        _span(shape),
        "median",
        *(["mean", "std"] if numbers else []),
        "missing",
        "distinct",
    ]
    return _part_table(head, lines, 2, len(parts) - len(told))


def _shares_by_part(column: ColumnProfile, told: Sequence[tuple[str, ColumnProfile]]) -> str:
    lines = []
    for it in column.top[:BARS]:
        cells = ""
        for _, other in told:
            found = next(
                (top.share for top in other.top if top.value == it.value), None if other.top_rest else 0.0
            )
            drawn = f'<i style="width:{found:.1%}"></i>' if found else ""
            cells += f'<td class="number">{NONE if found is None else escaped(share(found))}<span class="share" aria-hidden="true">{drawn}</span></td>'
        lines.append(f'<tr><th scope="row">{short(_value(it), 40)}</th>{cells}</tr>')
    if not lines:
        return ""
    return _part_table(["value", *(clipped(part, 40) for part, _ in told)], lines, 1, 0)


def _part_table(head: Sequence[str], lines: Sequence[str], words: int, more: int) -> str:
    heads = "".join(
        f'<th scope="col"{"" if at < words else " class=number"}>{escaped(name)}</th>'
        for at, name in enumerate(head)
    )
    rest = f'<p class="small">{more:,} more parts are not shown.</p>' if more > 0 else ""
    return (
        f'<div class="wide"><table class="parts"><caption>By part</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>{rest}"
    )
