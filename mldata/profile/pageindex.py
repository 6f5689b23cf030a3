"""The table of columns on a profile's page: a line each, and what finds and sorts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldata.cells import width
from mldata.profile.pagewords import distinct, shape_of, shown_name, span_of
from mldata.profile.svg import badge, short, spark
from mldata.profile.words import described, percent
from mldata.webpage import escaped

if TYPE_CHECKING:
    from mldata.profile.profile import ColumnProfile

__all__ = ["index_row", "index_table", "tools"]

VALUES = 36
"""Cells of what values are like, in words: a line of a screen."""
TALL = 60
"""A table of more columns scrolls by itself, so that what comes after it is not far."""


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
        f'<div class="wide{" tall" if len(rows) > TALL else ""}"><table class="index" id="index">'
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
    missing = escaped(percent(column.missing)) if column.nulls else "0"
    return (
        f'<tr id="row-{number}" data-missing="{column.missing:.6g}" data-distinct="{column.distinct or 0}" data-alerts="{count + 1000 * warned}"><td>{number}</td>'
        f'<th scope="row">{f"""<a href="#column-{number}">{name}</a>""" if link else name}<code>{short(column.dtype, 40)}</code></th>'
        f"<td>{escaped(column.role)}</td><td>{told}</td><td>{missing}</td><td>{escaped(distinct(column))}</td>"
        f"<td>{short(_values(column), VALUES)}</td>{f'<td>{_small(column)}</td>' if drawn else ''}</tr>"
    )


def _values(column: ColumnProfile) -> str:
    """As much of what values are like as fits."""
    told = described(column)
    return next((words for words in told if width(words) <= VALUES), told[-1])


def _small(column: ColumnProfile) -> str:
    shape, what = shape_of(column)
    if shape is not None:
        return spark(shape.counts, title=f"histogram of {what}, {span_of(shape)}")
    if column.top and column.role in ("category", "boolean"):
        counts = [it.count for it in column.top]
        return spark(counts, title=f"counts of the {len(counts)} most frequent values, falling")
    return ""
