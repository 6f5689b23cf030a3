"""Text from elsewhere as a terminal may be given it: on one line, without anything that it would obey, and as wide as there is room.

Names and titles come from servers and files; an escape sequence in one could move the cursor, or say what is not so. Widths are told in cells: what a
terminal takes for a character, none for marks that stand on another one, two for wide and full-width ones (Unicode Standard Annex #11).
"""

from __future__ import annotations

import unicodedata

__all__ = ["clipped", "encodable", "one_line", "padded", "width", "wrapped"]

_ON_ANOTHER = frozenset({"Mn", "Me", "Cf"})
"""Categories of characters that take no cell of their own."""


def one_line(text: str, most: int | None = None) -> str:
    """``text`` without control characters, white space of any kind as spaces; what is longer than ``most`` characters is cut."""
    safe = text if text.isprintable() else "".join(map(_shown, text))
    return safe if most is None or len(safe) <= most else f"{safe[: most - 1]}…"


def _shown(char: str) -> str:
    """No-break and wide spaces stand in sound text: they do not look like damage."""
    if char.isprintable():
        return char
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


def width(text: str) -> int:
    """Cells that a terminal takes for it."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def clipped(text: str, cells: int, mark: str = "…") -> str:
    """``text``, or as much of its beginning as fits into ``cells`` with a mark after it."""
    if width(text) <= cells:
        return text
    room = cells - len(mark)
    end = 0
    for end, char in enumerate(text):  # noqa: B007
        room -= _cells(char)
        if room < 0:
            break
    return text[:end] + mark


def padded(text: str, cells: int, right: bool = False) -> str:
    """``text`` with spaces after it, or before it, to fill ``cells``."""
    space = " " * (cells - width(text))
    return space + text if right else text + space


def wrapped(text: str, cells: int, indent: str = "") -> list[str]:
    """``text`` as lines of at most ``cells``, cut at spaces; ``indent`` begins every line but the first. Words without room are cut."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line.strip() else line + word
        if line.strip() and width(longer) > cells:
            lines.append(line.rstrip())
            longer = indent + word
        line = clipped(longer, cells)
    return [*lines, line.rstrip()]


def encodable(text: str, encoding: str) -> str:
    """``text`` with as many question marks as there were cells in place of characters that an encoding does not have."""
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        known = {c: c.encode(encoding, "ignore") for c in set(text)}
        return "".join(c if known[c] else "?" * _cells(c) for c in text)


def _cells(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in _ON_ANOTHER:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
