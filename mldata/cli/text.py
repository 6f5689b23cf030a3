"""Text from elsewhere as a terminal may be given it: on one line, without anything that it would obey.

Names and titles come from servers and files; an escape sequence in one could move the cursor, or say what is not so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

__all__ = ["cut_cells", "one_line", "table"]

CELL = 60
"""Columns of a cell in a table."""


def one_line(text: str, most: int | None = None) -> str:
    """``text`` without control characters and line ends; what is longer than ``most`` characters is cut."""
    safe = "".join(
        " " if c in "\t\n\r" else c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return safe if most is None or len(safe) <= most else f"{safe[: most - 1]}…"


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Rows of cells as columns of text; ``right``: columns of numbers."""
    lines = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            _padded(cell, width, at in right)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def cut_cells(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """``rows`` with each cell on one line, and short enough to stand beside others."""
    return [[one_line(cell, CELL) for cell in row] for row in rows]


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space


def _width(text: str) -> int:
    """Columns that a terminal takes for it."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
