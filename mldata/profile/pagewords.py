"""What the parts of a profile's page have in common: how a column's name, its alerts and its distribution are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldata.profile.figures import figure, measure
from mldata.profile.svg import badge, short

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, ColumnProfile, Histogram, Top

__all__ = ["alert_line", "edges_of", "shape_of", "shown_name", "span_of", "value_text"]

NAME_CELLS = 60


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


def shape_of(column: ColumnProfile) -> tuple[Histogram | None, str]:
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


def span_of(shape: Histogram) -> str:
    """From where to where a histogram goes."""
    edges = edges_of(shape)
    return f"{edges[0]} to {edges[-2] if shape.single else edges[-1]}"


def edges_of(shape: Histogram) -> Sequence[str]:
    """Its edges as people read them."""
    return [measure(label) for label in shape.labels] or [figure(edge) for edge in shape.edges]


def value_text(top: Top) -> str:
    """A frequent value; not nothing where it is empty."""
    return figure(top.value) if top.value != "" else "(empty)"
