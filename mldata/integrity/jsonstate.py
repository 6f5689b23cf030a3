"""The grammar of RFC 8259, a token at a time: what may follow what. A token is a letter of the skeletons of :mod:`mldata.integrity.jsonscan`."""

from __future__ import annotations

__all__ = ["ARRAY", "END", "KINDS", "OBJECT", "SCALAR", "STRING", "State"]

STRING, SCALAR, OBJECT, ARRAY = b"\xf8", b"\xf9", b"\xfa", b"\xfb"
"""Letters of a skeleton: bytes that UTF-8 never has."""
KINDS = {STRING[0]: "string", SCALAR[0]: "scalar", OBJECT[0]: "object", ARRAY[0]: "array"}
OPEN_ARRAY, OPEN_OBJECT = b"[{"
COLON = "':' behind the key"
VALUE, FIRST_VALUE = "a value", "a value or ']'"
KEY, FIRST_KEY = "a key in double quotes", "a key in double quotes or '}'"
MORE_ARRAY, MORE_OBJECT = "',' or ']' in the array", "',' or '}' in the object"
ROOT, END = "the end of the file or another object", "the end of the file behind its one value"


class State:
    """Where a reader of tokens stands."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._roots: set[int] = set()
        self.wanted = VALUE

    def take(self, token: int) -> str | None:
        """Go past a token; what was expected instead if it cannot be there."""
        wanted, inner = self.wanted, self._open[-1] if self._open else 0
        value = token in KINDS or token in (OPEN_ARRAY, OPEN_OBJECT)
        another = wanted == ROOT and token in (OPEN_OBJECT, OBJECT[0])
        if another or (value and wanted in (VALUE, FIRST_VALUE)):
            self._value(token)
        elif wanted in (KEY, FIRST_KEY) and token == STRING[0]:
            self.wanted = COLON
        elif wanted == COLON and token == 0x3A:
            self.wanted = VALUE
        elif wanted in (MORE_ARRAY, MORE_OBJECT) and token == 0x2C:
            self.wanted = VALUE if inner == OPEN_ARRAY else KEY
        elif (wanted in (MORE_ARRAY, FIRST_VALUE) and token == 0x5D) or (
            wanted in (MORE_OBJECT, FIRST_KEY) and token == 0x7D
        ):
            self._open.pop()
            self._closed(OBJECT[0] if token == 0x7D else ARRAY[0])
        else:
            return wanted
        return None

    def _value(self, token: int) -> None:
        if token in (OPEN_ARRAY, OPEN_OBJECT):
            self._open.append(token)
            self.wanted = FIRST_VALUE if token == OPEN_ARRAY else FIRST_KEY
        else:
            self._closed(token)

    def _closed(self, token: int) -> None:
        if self._open:
            self.wanted = MORE_ARRAY if self._open[-1] == OPEN_ARRAY else MORE_OBJECT
        else:
            self._roots.add(token)
            self.wanted = ROOT if self._roots == {OBJECT[0]} else END
