"""A profile for a terminal: what the table is, a line a column with a small histogram, what should be known of it, and its parts side by side.

Lines are made of pieces of text, each with a tone that whoever prints them gives a colour, or none. No line is wider than it was asked for (of at least
:data:`NARROWEST` cells), and nothing from data is more than text on its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldata.cells import clipped, one_line, padded, width, wrapped
from mldata.plural import counted
from mldata.profile.words import (
    bars,
    described,
    distinct_text,
    duplicate_rows,
    facts,
    glimpse,
    name_text,
    percent,
    spark,
    type_text,
)

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, ColumnProfile, Profile

__all__ = ["NARROWEST", "SOFT", "STRONG", "WARNING", "Line", "Room", "plain", "profile_lines"]

PLAIN, STRONG, SOFT, WARNING, BARS = "", "strong", "soft", "warning", "bars"
NARROWEST = 72
MOST_COLUMNS = 50
MOST_ALERTS = 20
GAP = "  "
NO_BREAK = "\N{NO-BREAK SPACE}"
HEADS = ("column", "type", "missing", "distinct", "", "values")
RIGHT = (2, 3)

Line = Sequence[tuple[str, str]]
"""Pieces of text with their tones."""


@dataclass(frozen=True)
class Room:
    """What there is to write on."""

    cells: int = 80
    ascii_only: bool = False
    """The terminal has no blocks and ellipses."""
    everything: bool = False
    """All columns and alerts, however many."""

    @property
    def mark(self) -> str:
        """Stands for what was cut."""
        return "..." if self.ascii_only else "…"


def profile_lines(profile: Profile, room: Room, seconds: float | None = None) -> Iterator[Line]:
    """All of it but correlations, patterns and rows, which a page shows. ``seconds``: how long it took."""
    room = room if room.cells >= NARROWEST else Room(NARROWEST, room.ascii_only, room.everything)
    yield [(clipped(one_line(profile.title), room.cells, room.mark), STRONG)]
    took = [f"{seconds:.1f} s"] if seconds is not None else []
    yield from _soft(_between([*facts(profile), *took], room.cells))
    if profile.columns:
        yield []
        yield from _columns(profile.columns, room)
    if profile.alerts:
        yield []
        yield from _alerts(profile.alerts, room)
    if profile.parts:
        yield []
        yield from _parts(profile.parts, room)
        yield []
        yield from _compared(profile.columns, profile.parts, room)


def plain(lines: Iterable[Line]) -> str:
    """The lines as text without tones."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def _columns(columns: Sequence[ColumnProfile], room: Room) -> Iterator[Line]:
    shown = columns if room.everything else columns[:MOST_COLUMNS]
    wide = room.cells >= 100
    bar_cells, type_cells = (16, 20) if wide else (8, 12)
    rows = [
        (
            clipped(name_text(column.name), room.cells // 4, room.mark),
            clipped(type_text(column.dtype, type_cells), type_cells, room.mark),
            percent(column.missing) if column.nulls else "",
            distinct_text(column),
            spark(bars(column, bar_cells), bar_cells, ascii_only=room.ascii_only),
        )
        for column in shown
    ]
    widths = [max(map(width, cells)) for cells in zip(HEADS, *rows, strict=False)]
    left = room.cells - sum(widths[:5]) - len(GAP) * 5
    yield [(_row(HEADS, [*widths, 0]), SOFT)]
    for column, row in zip(shown, rows, strict=True):
        line = [
            padded(cell, cells, at in RIGHT)
            for at, (cell, cells) in enumerate(zip(row, widths, strict=False))
        ]
        missing = WARNING if column.missing >= 0.5 else PLAIN
        tones = (STRONG, SOFT, missing, PLAIN, BARS)
        told = _fitting(described(column), left, room.mark)
        yield [*((text + GAP, tone) for text, tone in zip(line, tones, strict=True)), (told, PLAIN)]
    if rest := len(columns) - len(shown):
        more = f"and {counted(rest, 'more column')}: -v shows all, --columns A,B some; -o report.html has more of each"
        yield from _soft(wrapped(more, room.cells))


def _fitting(candidates: Sequence[str], cells: int, mark: str) -> str:
    """The longest that fits, else the beginning of the last one."""
    found = next((text for text in candidates if width(text) <= cells), None)
    return clipped(candidates[-1], cells, mark) if found is None else found


def _row(cells: Iterable[str], widths: Sequence[int], right: Sequence[int] = RIGHT) -> str:
    return GAP.join(
        padded(cell, wide, at in right) for at, (cell, wide) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def _alerts(alerts: Sequence[Alert], room: Room) -> Iterator[Line]:
    ordered = sorted(alerts, key=lambda alert: alert.severity != "warning")
    shown = ordered if room.everything else ordered[:MOST_ALERTS]
    yield [("alerts", SOFT)]
    for alert in shown:
        about = (
            clipped(name_text(alert.column), room.cells // 2, room.mark) if alert.column is not None else ""
        )
        text = f"{about}: {one_line(alert.message)}" if about else one_line(alert.message)
        first, *rest = wrapped(text, room.cells - 4)
        warned = alert.severity == "warning"
        yield [("  ! " if warned else "  - ", WARNING if warned else SOFT), (first, PLAIN)]
        yield from ([("    " + line, PLAIN)] for line in rest)
    if hidden := len(ordered) - len(shown):
        yield [(f"  and {hidden:,} more: -v shows all of them", SOFT)]


def _parts(parts: Mapping[str, Profile], room: Room) -> Iterator[Line]:
    total = sum(part.rows for part in parts.values())
    rows = [
        (
            clipped(one_line(name), room.cells // 4, room.mark),
            f"{part.rows:,}",
            percent(part.rows / total) if total else "",
            percent(part.missing) if part.missing else "",
            duplicate_rows(part.duplicates) if part.duplicates is not None else "",
        )
        for name, part in parts.items()
    ]
    yield from _table(("part", "rows", "share", "missing", "duplicates"), rows)


def _compared(columns: Sequence[ColumnProfile], parts: Mapping[str, Profile], room: Room) -> Iterator[Line]:
    """What each column is like in each part, as far as there is room for parts."""
    most = room.cells // 4
    fits = max(1, (room.cells - most) // 16)
    names = list(parts)[:fits]
    each = min(28, (room.cells - most) // len(names) - len(GAP))
    shown = columns if room.everything else columns[:MOST_COLUMNS]
    by_name = {name: {it.name: it for it in parts[name].columns} for name in names}
    rows = [
        (
            clipped(name_text(column.name), most, room.mark),
            *(
                _fitting(glimpse(by_name[name][column.name], column), each, room.mark)
                if column.name in by_name[name]
                else ""
                for name in names
            ),
        )
        for column in shown
    ]
    heads = ("column", *(clipped(one_line(name), each, room.mark) for name in names))
    yield from _table(heads, rows, right=())
    if rest := len(parts) - len(names):
        yield [(f"and {counted(rest, 'more part')}: -o report.html shows all", SOFT)]


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = (1, 2, 3, 4)
) -> Iterator[Line]:
    widths = [max(map(width, cells)) for cells in zip(heads, *rows, strict=True)]
    yield [(_row(heads, widths, right), SOFT)]
    for row in rows:
        rest = _row(row[1:], widths[1:], [at - 1 for at in right])
        yield [(padded(row[0], widths[0]) + GAP, STRONG), (rest, PLAIN)]


def _between(facts: Iterable[str], cells: int) -> Iterator[str]:
    """Facts with commas between them, as lines that end behind a comma: a number stays with its unit."""
    joined = ", ".join(fact.replace(" ", NO_BREAK) for fact in facts)
    yield from (line.replace(NO_BREAK, " ") for line in wrapped(joined, cells))


def _soft(lines: Iterable[str]) -> Iterator[Line]:
    yield from ([(line, SOFT)] for line in lines)
