"""What the checkers of text have in common: errors of the formats as problems, bytes that no text has, and faults by line and column."""

from __future__ import annotations

import re
from pathlib import Path

from mldata.errors import DataError, Where
from mldata.formats.encodings import marked
from mldata.formats.pieces import places_of
from mldata.integrity.base import ERROR, WARNING, Problem

__all__ = ["NUL_RUN", "Nuls", "looks_binary", "refused", "wide"]

NUL_RUN = 16
"""So many NULs in a row are a block that was never written."""
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_RUN = re.compile(rb"\0+")
TOLD = 3


def refused(code: str, error: DataError, severity: str = ERROR, said: str | None = None) -> Problem:
    """The problem that an error of a format tells of, where it is in the file."""
    where = error.where if isinstance(error.where, Where) else None
    line, column = (where.line, where.column) if where is not None else (None, None)
    return Problem(code, said or error.message, severity, line=line, column=column)


def looks_binary(head: bytes) -> bool:
    """Whether these bytes hold more control characters than text of any one-byte encoding does."""
    return len(_CONTROL.findall(head)) * 100 > len(head)


class Nuls:
    """NUL bytes in text: a run of them is a block that was lost, a single one is odd."""

    def __init__(self) -> None:
        self._single, self._runs = 0, 0
        self._first: dict[bool, int] = {}
        self._longest = 0

    def look(self, data: bytes | memoryview, start: int) -> None:
        """Go over a part of the file that begins at ``start``. A run that a part ends in counts by its parts."""
        for found in _RUN.finditer(data):
            size = found.end() - found.start()
            run = size >= NUL_RUN
            self._runs += run
            self._single += 0 if run else size
            self._longest = max(self._longest, size)
            self._first.setdefault(run, start + found.start())

    def problems(self, path: Path) -> list[Problem]:
        """What was found, with its places in the file at ``path``."""
        made = []
        for run, offset in sorted(self._first.items(), key=lambda item: item[1]):
            said = (
                f"expected text, found {self._longest:,} zero bytes in a row"
                if run
                else f"expected text, found {self._single:,} NUL characters"
            )
            ((line, column),) = places_of(path, [offset])
            made.append(
                Problem(
                    "zero-filled" if run else "nul", said, ERROR if run else WARNING, offset, line, column
                )
            )
        return made


def wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32, where text that should be UTF-8 begins as these do."""
    found = marked(head)
    if found is not None:
        return None if found.name == "utf-8" else found.name.upper()[:6]
    zeros = head[:4].count(0)
    if (
        len(head) >= 4
        and zeros in (2, 3)
        and head[:4] != bytes(4)
        and (zeros == 3 or head[0:4:2] == b"\0\0" or head[1:4:2] == b"\0\0")
    ):
        return "UTF-32" if zeros == 3 else "UTF-16"
    return None
