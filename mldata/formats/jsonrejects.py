"""Bad records of a piece of JSON, put aside one by one with place and reason, where the spec asks for it.

A record is put aside only where it is known where it ends, and with it where the next one begins: at the end of its line, of its brackets, of
its string or of its word. Brackets are counted as :mod:`mldata.formats.jsoncut` counts them, so that the same records are put aside wherever
the file is cut. What is wrong *between* records (a missing comma, a bracket too many, a torn array) is wrong with the file, and stays an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mldata.formats.jsoncut import Form, State
from mldata.formats.jsonfault import Fault
from mldata.formats.rejects import Bad, put_aside

_CLOSE = {"{": "}", "[": "]"}
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_WORD = re.compile(r'[^\s"\[\]{},:]+')
_NO_TEXT = re.compile("[\udc80-\udcff]")
"""What bytes that are not UTF-8 are decoded to (PEP 383)."""


def decoded(data: bytes) -> str:
    """Text, in which bytes that are not UTF-8 are lone surrogates; no others can be there."""
    return data.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """The bytes that :func:`decoded` made ``text`` of."""
    return text.encode("utf-8", "surrogateescape")


class Aside:
    """The records of a piece that are put aside. Known ones are stepped over when the piece is read again.

    Args:
        text: the piece, as :func:`decoded` makes it.
    """

    def __init__(self, text: str, form: Form) -> None:
        self._text, self._form = text, form
        self._whole = _NO_TEXT.search(text) is None
        self._known: dict[int, tuple[int, int, Fault]] = {}
        """By where the record's value begins: where the record does, where it ends, and what is wrong."""

    def end(self, start: int) -> int | None:
        """The end of the record whose value begins at ``start``, if it was put aside."""
        known = self._known.get(start)
        return known[1] if known is not None else None

    def put(self, at: int, start: int, fault: Fault) -> int:
        """Put aside the record at ``at``, whose value begins at ``start``. Returns its end; raises the fault if that is not known."""
        end = self._end(start)
        if end is None:
            raise fault
        self._known[start] = at, end, self.no_text(at, end) or fault
        return end

    def no_text(self, start: int, end: int) -> Fault | None:
        """What is wrong with a record that is not UTF-8."""
        found = None if self._whole else _NO_TEXT.search(self._text, start, end)
        if found is None:
            return None
        return Fault(f"expected UTF-8, found the byte 0x{ord(found[0]) - 0xDC00:02x}", found.start())

    def bad(self, offset: int) -> Iterator[Bad]:
        """What was put aside, in order.

        Args:
            offset: of the piece in the file.
        """
        passed, text = 0, self._text
        for at, end, fault in sorted(self._known.values(), key=lambda known: known[0]):
            offset += len(encoded(text[passed:at]))
            passed = at
            record = encoded(text[at:end].rstrip(" \t\r\n"))
            yield put_aside(offset, offset + len(encoded(text[at : fault.at])), fault.reason, record)

    def _end(self, start: int) -> int | None:
        text = self._text
        if self._form is Form.LINES:
            end = text.find("\n", start)
            return len(text) if end < 0 else end
        if (close := _CLOSE.get(text[start : start + 1])) is not None:
            after = int(np.searchsorted(self._closed, start, "right"))
            end = int(self._closed[after]) if after < len(self._closed) else 0
            return end if text[end - 1 : end] == close else None
        found = (_STRING if text[start : start + 1] == '"' else _WORD).match(text, start)
        return found.end() if found is not None else None

    @cached_property
    def _closed(self) -> NDArray[np.int64]:
        """Behind each bracket that closes a record."""
        places, depths = State().places(self._text.encode("latin-1", "replace"))  # a byte a character
        closed: NDArray[np.int64] = places[depths == 0] + 1
        return closed
