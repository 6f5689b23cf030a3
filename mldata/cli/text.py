"""Rows of text from elsewhere in columns; see :mod:`mldata.cells` for what a terminal may be given."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mldata.cells import one_line, padded, width

__all__ = ["cut_cells", "one_line", "table"]

CELL = 60
"""Columns of a cell in a table."""


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Rows of cells as columns of text; ``right``: columns of numbers."""
    lines = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            padded(cell, cells, at in right)
            for at, (cell, cells) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def cut_cells(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """``rows`` with each cell on one line, and short enough to stand beside others."""
    return [[one_line(cell, CELL) for cell in row] for row in rows]
