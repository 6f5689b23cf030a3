"""What the parts of a profile's page have in common: how a column's name, its alerts and its distribution are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldata.profile.svg import badge, short
from mldata.profile.words import duplicate_rows, number, teller

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, ColumnProfile, Duplicates, Histogram
    from mldata.profile.summary import Value
    from mldata.profile.words import Tell

__all__ = [
    "NONE",
    "alert_line",
    "distinct",
    "duplicates",
    "edges_of",
    "number_text",
    "shape_of",
    "shown_name",
    "span_of",
]

NAME_CELLS = 60
NONE = "–"
"""Where there is no number."""


def shown_name(name: str) -> str:
    """A column's name as markup, cut where it is very long; one that is read from right to left turns nothing around it."""
    if not name:
        return '<span class="null">(no name)</span>'
    told = _soft(short(name, NAME_CELLS))
    return told if name.isascii() else f"<bdi>{told}</bdi>"


def _soft(markup: str) -> str:
    """Markup of a name that may be broken after what joins its words."""
    return re.sub("(?<=[^_])_(?=[^_])", "_<wbr>", markup)


def alert_line(alert: Alert, where: str = "") -> str:
    """An item of a list. ``where``: markup that says which column it is about."""
    word = "warning" if alert.severity == "warning" else "note"
    return (
        f"<li><span>{badge(alert.severity, word)}</span><span>{where}{short(alert.message, 400)}</span></li>"
    )


def shape_of(column: ColumnProfile, role: str | None = None) -> tuple[Histogram | None, str]:
    """The histogram that tells most of a column, and of what it is. ``role``: how the column is told of which this is a part."""
    role = role or column.role
    if column.spread is not None and role != "category":
        return column.spread.histogram, "values"
    if role in ("category", "constant", "boolean"):
        return None, ""
    if column.text is not None:
        return column.text.lengths.histogram, "lengths in characters"
    if column.lengths is not None:
        return (
            column.lengths.histogram,
            "sizes in bytes" if role == "binary" else "lengths in elements",
        )
    return None, ""


def span_of(shape: Histogram) -> str:
    """From where to where a histogram goes."""
    edges = edges_of(shape)
    return f"{edges[0]} to {edges[-2] if shape.single else edges[-1]}"


def edges_of(shape: Histogram) -> Sequence[str]:
    """Its edges as people read them."""
    edges = shape.labels or shape.edges
    told = list(map(number, edges))
    return told if len(set(told)) == len(told) else list(map(teller(edges), edges))


def distinct(column: ColumnProfile) -> str:
    """How many distinct values there are, and how sure that is."""
    if column.distinct is None:
        return NONE
    if not column.distinct_error:
        return f"{column.distinct:,}"
    return f"≈ {column.distinct:,} (±{column.distinct_error:.1%})"


def duplicates(found: Duplicates) -> str:
    """How many duplicate rows there are, and how sure that is."""
    return duplicate_rows(found, "≈ ")


def number_text(value: Value | None, tell: Tell = number) -> str:
    """A number or a time; a dash where there is none."""
    return NONE if value is None else tell(value)
