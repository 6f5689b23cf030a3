"""The card of a column on a profile's page: its alerts, its numbers, its plot, how parts differ in it, and what is folded away.

A card has three forms, from all that is known to what fits where there are thousands; see :class:`Detail`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from mldata.cells import clipped
from mldata.plural import counted
from mldata.profile.pageparts import by_part
from mldata.profile.pagewords import alert_line, distinct, edges_of, number_text, shape_of, shown_name
from mldata.profile.svg import bars, histogram, short
from mldata.profile.words import VALUE, number, percent, teller, teller_of, value_text
from mldata.webpage import escaped, table

if TYPE_CHECKING:
    from mldata.profile.profile import ColumnProfile, Profile, Spread

__all__ = ["Detail", "card"]

VALUE_CELLS = 80
ALL, BARS = 10, 6
"""Values that a card draws: of few all, of more so many; those that are known are in its details."""


class Detail(IntEnum):
    """How much a card tells."""

    SHORT = 0
    """Numbers, alerts and the plot."""
    PLAIN = 1
    """And the table of values."""
    FULL = 2
    """And what each bin is, and each part."""


def card(column: ColumnProfile, place: int, parts: Mapping[str, Profile], detail: Detail) -> str:
    """All that is told of a column, as much as ``detail`` says.

    Args:
        place: which it is, from 1.
        parts: profiles of the parts that are compared.
    """
    alerts = "".join(map(alert_line, column.alerts))
    lines = [
        f'<article class="column" id="column-{place}" aria-labelledby="name-{place}"><h3 id="name-{place}">{shown_name(column.name)} '
        f'<code>{short(column.dtype, 60)}</code> <span class="role">{escaped(column.role)}</span></h3>',
        f'<ul class="alerts">{alerts}</ul>' if alerts else "",
        f'<div class="glance"><div>{_figures(_facts(column))}',
        by_part(column, place, parts) if detail is Detail.FULL and parts else "",
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
    missing = f"{percent(column.missing)} ({column.nulls:,})" if column.nulls else "0"
    facts = [("distinct", distinct(column)), ("missing", missing)]
    if column.role == "constant" and column.top:
        return [*facts, ("value", value_text(column.top[0].value, 60))]
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
        facts += [(f"look like {look}", percent(part)) for look, part in text.looks.items() if part >= 0.005]
    elif column.lengths is not None:
        facts += [
            (f"{name} {'size' if column.role == 'binary' else 'length'}", value)
            for name, value in _range(column.lengths)
        ]
    if column.role in ("category", "boolean") and column.top:
        most = column.top[0]
        facts.append(("most frequent", f"{value_text(most.value)} ({percent(most.share)})"))
    return facts


def _numbers(spread: Spread, role: str) -> list[tuple[str, str]]:
    shown = [("min", spread.min), ("median", spread.percentiles.get("50")), ("max", spread.max)]
    if role != "time":
        shown += [("mean", spread.mean), ("std", spread.std)]
    tell = teller_of(spread)
    facts = [(name, tell(value)) for name, value in shown if value is not None]
    counts = {
        "zeros": spread.zeros if role != "time" else 0,
        "negative": spread.negatives if role != "time" else 0,
    }
    counts |= {"NaN": spread.nan, "infinite": spread.infinite, "outliers": spread.outliers or 0}
    return facts + [(name, f"{count:,}") for name, count in counts.items() if count]


def _range(spread: Spread) -> list[tuple[str, str]]:
    shown = (("min", spread.min), ("median", spread.percentiles.get("50")), ("max", spread.max))
    if spread.min is not None and spread.min == spread.max:
        return [("every", number(spread.min))]
    tell = teller_of(spread)
    return [(name, tell(value)) for name, value in shown if value is not None]


def _plot(column: ColumnProfile, detail: Detail) -> str:
    shape, what = shape_of(column)
    if shape is not None:
        return histogram(
            shape.counts,
            edges_of(shape),
            title=f"Histogram of {what}",
            tips=detail is Detail.FULL,
            single=shape.single,
            below=shape.below,
            above=shape.above,
        ) + (f'<p class="small">{what}</p>' if what != "values" else "")
    if not column.top or column.role == "constant":
        return ""
    drawn = len(column.top) if len(column.top) <= ALL and not column.top_rest else BARS
    shown = _values(column, VALUE)
    rows = [(text, it.share, percent(it.share)) for text, it in zip(shown, column.top[:drawn], strict=False)]
    others = column.top_rest + sum(it.count for it in column.top[drawn:])
    values = column.rows - column.nulls
    if others and values:
        rows.append(("(others)", others / values, percent(others / values)))
    return bars(rows, title="Most frequent values", rest=len(rows) - 1 if others else None)


def _values(column: ColumnProfile, most: int) -> list[str]:
    """The frequent values, each in about so many characters: numbers so that different ones look different."""
    tell = teller(it.value for it in column.top)
    return [
        tell(it.value) if isinstance(it.value, float) else value_text(it.value, most) for it in column.top
    ]


def _details(column: ColumnProfile) -> Iterator[str]:
    """What is folded away: percentiles, values, words, characters."""
    text = column.text if column.role not in ("category", "constant") else None
    lengths = column.lengths or (text.lengths if text is not None else None)
    measured = " of sizes" if column.kind == "binary" else " of lengths"
    for spread, what in ((column.spread, ""), (lengths, measured)):
        if spread is not None and spread.percentiles.get("50") is not None and column.role != "constant":
            yield from _percentiles(spread, what)
    if column.top and column.role != "constant":
        yield f"<h4>{'Values' if not column.top_rest else 'Most frequent values'}</h4>"
        yield table(
            ["value", "count", "share"],
            [
                (clipped(text, VALUE_CELLS), it.count, percent(it.share))
                for text, it in zip(_values(column, VALUE_CELLS), column.top, strict=True)
            ],
        )
        if column.top_rest:
            yield f'<p class="small">{counted(column.top_rest, "value")} {"is" if column.top_rest == 1 else "are"} none of these.'
            yield f" Counts may be too low by {column.top_over:,} at most.</p>" if column.top_over else "</p>"
    if text is not None:
        if text.words and text.words[0].count > 1:
            yield f"<h4>Most frequent words of {counted(text.looked, 'text')}</h4>"
            yield f"<p>{', '.join(f'{short(value_text(it.value, 40), 40)} ({it.count:,})' for it in text.words)}</p>"
        total = sum(text.characters.values())
        if total:
            told = (f"{name} {percent(count / total)}" for name, count in text.characters.items() if count)
            yield f"<h4>Characters</h4><p>{escaped(', '.join(told))}</p>"


def _percentiles(spread: Spread, what: str) -> Iterator[str]:
    yield f"<h4>Percentiles{what}</h4>"
    tell = teller_of(spread)
    yield _figures([(f"{name}%", number_text(value, tell)) for name, value in spread.percentiles.items()])
    told = [("skewness", spread.skewness), ("excess kurtosis", spread.kurtosis)]
    words = [f"{name} {number(value)}" for name, value in told if value is not None]
    if spread.rank_error:
        words.append(f"ranks of percentiles are right to {spread.rank_error:.2%} of the values")
    if spread.histogram_error:
        words.append(f"outliers and bins to {spread.histogram_error:.2%}")
    if words:
        yield f'<p class="small">{escaped("; ".join(words))}</p>'
