"""How the parts of a table differ in a column, in its card on a profile's page: small plots over one axis, or shares side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mldata.profile.pagewords import NONE, distinct, number_text, shape_of, span_of
from mldata.profile.svg import short, spark
from mldata.profile.words import more_are, number, percent, teller_of, value_text
from mldata.webpage import escaped

if TYPE_CHECKING:
    from mldata.profile.profile import ColumnProfile, Profile

__all__ = ["by_part"]

VALUES = 10
"""Frequent values whose shares are compared."""
PARTS = 8


def by_part(column: ColumnProfile, place: int, parts: Mapping[str, Profile]) -> str:
    """A small plot and a few numbers of each part, over the same axis. ``place``: which column it is, from 1."""
    told = [(part, profile.columns[place - 1]) for part, profile in list(parts.items())[:PARTS]]
    if column.role in ("category", "boolean"):
        return _shares_by_part(column, told, len(parts) - len(told))
    shape, what = shape_of(column)
    if shape is None:
        return ""
    numbers, span = column.spread is not None and column.role == "number", span_of(shape)
    lines = []
    for part, other in told:
        drawn, _ = shape_of(other, column.role)
        picture = spark(drawn.counts, title=f"histogram of {what} from {span}") if drawn is not None else NONE
        cells = "".join(f'<td class="number">{escaped(it)}</td>' for it in _figures(column, other, numbers))
        lines.append(f'<tr><th scope="row">{short(part, 40)}</th><td>{picture}</td>{cells}</tr>')
    more = ["mean", "std"] if numbers else []
    head = ["part", span, "median", *more, "missing", "distinct"]
    return _part_table(head, lines, 2, len(parts) - len(told))


def _figures(column: ColumnProfile, part: ColumnProfile, numbers: bool) -> Iterator[str]:
    """Of a part of a column; ``numbers``: with mean and standard deviation."""
    tell = teller_of(column.spread) if column.spread is not None else number
    spread = part.spread or part.lengths or (part.text.lengths if part.text is not None else None)
    yield number_text(spread.percentiles.get("50") if spread is not None else None, tell)
    if numbers:
        yield number_text(spread.mean if spread is not None else None, tell)
        yield number_text(spread.std if spread is not None else None)
    yield percent(part.missing) if part.nulls else "0"
    yield distinct(part)


def _shares_by_part(column: ColumnProfile, told: Sequence[tuple[str, ColumnProfile]], more: int) -> str:
    lines = []
    for it in column.top[:VALUES]:
        cells = ""
        for _, other in told:
            found = next(
                (top.share for top in other.top if top.value == it.value), None if other.top_rest else 0.0
            )
            drawn = f'<i style="width:{found:.1%}"></i>' if found else ""
            cells += f'<td class="number">{NONE if found is None else escaped(percent(found))}<span class="share" aria-hidden="true">{drawn}</span></td>'
        lines.append(f'<tr><th scope="row">{short(value_text(it.value), 40)}</th>{cells}</tr>')
    if not lines:
        return ""
    return _part_table(["value", *(part for part, _ in told)], lines, 1, more)


def _part_table(head: Sequence[str], lines: Sequence[str], words: int, more: int) -> str:
    heads = "".join(
        f'<th scope="col"{"" if at < words else " class=number"}>{short(name, 40)}</th>'
        for at, name in enumerate(head)
    )
    rest = f'<p class="small">{more_are(more, "part")} not shown.</p>' if more > 0 else ""
    return (
        f'<div class="wide"><table class="parts"><caption>By part</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>{rest}"
    )
