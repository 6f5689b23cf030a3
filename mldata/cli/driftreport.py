"""How ``mldata drift`` shows a report: the verdict, then a line for each column, the worst first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mldata.cells import clipped, one_line, padded, width, wrapped
from mldata.cli.text import table
from mldata.drift.report import MAJOR, MODERATE, STABLE
from mldata.drift.wording import bin_rows, judgement, known, outlook, remarks, some, three

if TYPE_CHECKING:
    from mldata.cli.base import Output
    from mldata.drift.report import ColumnDrift, DriftReport

__all__ = ["drift_text"]

SIGNS = {STABLE: "\N{CHECK MARK}", MODERATE: "!", MAJOR: "\N{MULTIPLICATION X}"}
COLOURS = {STABLE: "32", MODERATE: "33", MAJOR: "31"}
HEAD = ("column", "kind", "PSI", "critical", "severity", "what moved")
RIGHT = (2, 3)
"""Columns of numbers."""
LINES = 40
"""Columns that are listed; of tables with more, the worst."""
NAME, LABEL = 20, 30
"""Cells of a column's name, and of a bin's, which has more where there is room."""
NAMES = 10
"""Added and removed columns that are named."""
LEAST, MOST = 80, 160
"""Width of what is told."""
BESIDE = 40
"""With less room than that beside a column's numbers, what moved stands below them."""
BINS = 40
"""Bins of a column that are shown; of columns with more, those that add most to the PSI."""


def drift_text(report: DriftReport, output: Output, *, detailed: bool) -> str:
    """For people. ``detailed``: every measure and the bins of each column, however many there are."""
    room = min(max(shutil.get_terminal_size().columns, LEAST), MOST)
    lines = list(_head(report, output, room))
    shown = report.ranked if detailed else report.ranked[:LINES]
    if detailed:
        for column in shown:
            lines += ["", *_column(column, output, room)]
    elif shown:
        lines += ["", *_table(shown, output, room)]
    if len(shown) < len(report.columns):
        lines.append(f"and {outlook(report.ranked[len(shown) :])}; --detailed shows all")
    return "\n".join(lines)


def _head(report: DriftReport, output: Output, room: int) -> Iterator[str]:
    sides = f"Drift of {one_line(report.current)} against {one_line(report.baseline)}: "
    yield sides + _verdict(report.severity, output)
    yield judgement(report)
    for what, names in (("added", report.added), ("removed", report.removed)):
        if names:
            named, more = some(names, NAMES)
            told = ", ".join(clipped(one_line(name), NAME) for name in named)
            yield from wrapped(f"{what}: {told}{more}", room, "  ")


def _verdict(severity: str, output: Output, cells: int = 0) -> str:
    return output.paint(padded(f"{SIGNS[severity]} {severity}", cells), COLOURS[severity])


def _table(columns: Sequence[ColumnDrift], output: Output, room: int) -> Iterator[str]:
    rows = [
        (clipped(one_line(it.name), NAME), it.kind, three(it.psi), three(it.psi_critical), it.severity)
        for it in columns
    ]
    sign = width(SIGNS[STABLE]) + 1
    cells = [max(width(row[at]) for row in (HEAD, *rows)) for at in range(len(RIGHT) + 2)]
    cells.append(max(sign + width(it.severity) for it in columns))
    used = sum(cells) + 2 * len(cells)
    beside = room - used >= BESIDE
    head = [padded(name, cell, at in RIGHT) for at, (name, cell) in enumerate(zip(HEAD, cells, strict=False))]
    yield "  ".join([*head, *(HEAD[-1:] if beside else ())]).rstrip()
    for column, row in zip(columns, rows, strict=True):
        first = [
            padded(text, cell, at in RIGHT)
            for at, (text, cell) in enumerate(zip(row[:-1], cells, strict=False))
        ]
        line = "  ".join([*first, _verdict(column.severity, output, cells[-1] if beside else 0)])
        told = one_line(remarks(column))
        if not told:
            yield line.rstrip()
        elif beside:
            lines = wrapped(told, room - used)
            yield f"{line}  {lines[0]}"
            yield from (" " * used + more for more in lines[1:])
        else:
            yield line
            yield from (f"    {more}" for more in wrapped(told, room - 4))


def _column(column: ColumnDrift, output: Output, room: int) -> Iterator[str]:
    """Everything about one column."""
    name = clipped(one_line(column.name), room // 2)
    yield f"{name}  {column.kind}  {_verdict(column.severity, output)}"
    if told := one_line(remarks(column)):
        yield from (f"  {line}" for line in wrapped(told, room - 2))
    if not column.facets:
        yield from _measures(column, room)
    for name, facet in column.facets.items():
        yield f"  {one_line(name)}  {_verdict(facet.severity, output)}"
        yield from _measures(facet, room)


def _measures(column: ColumnDrift, room: int) -> Iterator[str]:
    if measured := known(column):
        told = ", ".join(f"{name} {value}" for name, value in measured)
        yield from (f"  {line}" for line in wrapped(told, room - 2))
    if column.bins:
        rows = [("bin", "before", "", "now", "", "PSI"), *bin_rows(column.bins, BINS)]
        numbers = sum(2 + max(width(row[at]) for row in rows) for at in range(1, 6))
        cells = max(LABEL, room - 4 - numbers)
        made = table([(clipped(one_line(row[0]), cells), *row[1:]) for row in rows], right=range(1, 6))
        yield from (f"    {line}" for line in made.split("\n"))
