"""The first byte in which two files differ, and where that is: line and column of a text, or the byte's number."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ByteDifference", "bytes_difference"]

CHUNK = 1 << 20
BEFORE, SHOWN = 24, 64
"""Bytes around the difference that a message has: so many before it, so many in all."""


@dataclass(frozen=True)
class ByteDifference:
    """Where two files differ first."""

    offset: int
    """Counted from 0."""
    line: int | None
    """Line and column (in bytes) count from 1; None if one of the files is no UTF-8 there."""
    column: int | None
    expected: str
    """What stands around it."""
    got: str

    @property
    def where(self) -> str:
        """``line 3, column 7``, or ``byte 1,234``."""
        return f"byte {self.offset:,}" if self.line is None else f"line {self.line:,}, column {self.column:,}"


def bytes_difference(expected: Path, got: Path) -> ByteDifference | None:
    """The first difference of two files, None if they are equal. Reads both in pieces."""
    offset, lines, line_start = 0, 0, 0
    with open(expected, "rb") as old, open(got, "rb") as new:
        while True:
            one, two = old.read(CHUNK), new.read(CHUNK)
            if one == two == b"":
                return None
            same = len(one) if one == two else _common(one, two)
            lines += one.count(b"\n", 0, same)
            last = one.rfind(b"\n", 0, same)
            line_start = offset + last + 1 if last >= 0 else line_start
            offset += same
            if one != two:
                break
        start = max(offset - BEFORE, line_start)
        windows = []
        for file in (old, new):
            file.seek(start)
            windows.append(file.read(SHOWN).partition(b"\n")[0])
    texts = [_text(window) for window in windows]
    if texts[0] is None or texts[1] is None:
        return ByteDifference(offset, None, None, *(repr(window)[1:] for window in windows))
    return ByteDifference(offset, lines + 1, offset - line_start + 1, texts[0], texts[1])


def _common(one: bytes, two: bytes) -> int:
    """Length of what two different byte strings begin with alike."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == two[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _text(window: bytes) -> str | None:
    """The window as text, without characters that are cut at either end; None for what is no text."""
    ahead = next((place for place, byte in enumerate(window[:3]) if not 0x80 <= byte < 0xC0), 3)
    try:
        text = getincrementaldecoder("utf-8")().decode(window[ahead:])
    except UnicodeDecodeError:
        return None
    return None if any(char < " " and char not in "\t\r" for char in text) else text
