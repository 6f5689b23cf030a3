"""Says what is wrong with JSON text, and where: a strict reading of RFC 8259, one character after the other.

It runs only after a quick parser has refused a record, or to find a value again for a message. Beyond the grammar it refuses what no table
can hold as written: a key given twice in one object, half a surrogate pair, a number that no type holds, nesting beyond :data:`MAX_DEPTH`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NoReturn

from mldata.errors import shown

MAX_DEPTH = 48
"""Objects and arrays inside each other, the record included. Parquet takes two levels for an array, and its readers 100 in all."""
MAX_DIGITS = 76
"""Of an integer: what decimal256 holds."""

Path = tuple[str | None, ...]
"""Keys from the record down to a value; None stands for the elements of an array."""
Visit = Callable[[Path, int], None]
"""Takes the path of a value and where it begins."""

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u([0-9a-fA-F]{4}))')
_WORD = re.compile(r"[A-Za-z0-9_+.-]+")
_LITERALS = ("null", "true", "false")
_PYTHON = {"None": "null", "True": "true", "False": "false", "nan": "null"}


class Fault(Exception):
    """What is wrong with the text at the character ``at``."""

    def __init__(self, reason: str, at: int, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.at, self.hint = reason, at, hint


def skip_space(text: str, at: int) -> int:
    """Where the next token begins."""
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]


def called(text: str, at: int) -> str:
    """What kind of value begins at ``at``."""
    lead = text[at : at + 1]
    names = {
        "{": "an object",
        "[": "an array",
        '"': "a string",
        "t": "a boolean",
        "f": "a boolean",
        "n": "null",
    }
    if lead in names:
        return names[lead]
    number = _NUMBER.match(text, at)
    if number is None:
        return f"{text[at : at + 12]!r}" if lead else "the end"
    return "a number" if number[2] or number[3] else "an integer"


class Walker:
    """Walks through one value of ``text``.

    Args:
        visit: called for every value, outer ones first.
        raw: keys of the record whose values are kept as text, so that no number is too large.
    """

    def __init__(self, text: str, visit: Visit | None = None, raw: frozenset[str] = frozenset()) -> None:
        self._text, self._visit, self._raw = text, visit, raw

    def value(self, at: int, path: Path = (), depth: int = 0) -> int:
        """The end of the value that begins at ``at``. Raises :class:`Fault`."""
        text = self._text
        if self._visit is not None:
            self._visit(path, at)
        lead = text[at : at + 1]
        if lead in ("{", "[") and lead:
            if depth == MAX_DEPTH:
                raise Fault(f"objects and arrays are nested more than {MAX_DEPTH} deep", at)
            return self._object(at, path, depth) if lead == "{" else self._array(at, path, depth)
        if lead == '"':
            return self._string(at)
        for word in _LITERALS:
            if text.startswith(word, at) and _WORD.match(text, at)[0] == word:  # type: ignore[index]
                return at + len(word)
        return self._number(at, path)

    def _object(self, at: int, path: Path, depth: int) -> int:
        text, keys, open_at = self._text, set[str](), at
        at = skip_space(text, at + 1)
        if text[at : at + 1] == "}":
            return at + 1
        while True:
            if text[at : at + 1] != '"':
                self._no_key(at, open_at)
            key_at, at = at, self._string(at)
            key = json.loads(text[key_at:at])
            if key in keys:
                raise Fault(f"the key {shown(key)} is given twice in one object", key_at)
            keys.add(key)
            at = skip_space(text, at)
            if text[at : at + 1] != ":":
                raise Fault(f"expected ':' after the key {shown(key)}, found {called(text, at)}", at)
            at = self.value(skip_space(text, at + 1), (*path, key), depth + 1)
            at, ended = self._behind(at, "}", "object")
            if ended:
                return at

    def _array(self, at: int, path: Path, depth: int) -> int:
        text = self._text
        at = skip_space(text, at + 1)
        if text[at : at + 1] == "]":
            return at + 1
        while True:
            at, ended = self._behind(self.value(at, (*path, None), depth + 1), "]", "array")
            if ended:
                return at

    def _behind(self, at: int, close: str, what: str) -> tuple[int, bool]:
        """Past what follows a value in an object or array: where to go on, and whether that was its end."""
        text = self._text
        at = skip_space(text, at)
        if text[at : at + 1] == close:
            return at + 1, True
        if text[at : at + 1] != ",":
            self._no_comma(at, close, what)
        comma, at = at, skip_space(text, at + 1)
        if text[at : at + 1] == close:
            raise Fault(f"a comma before {close!r}: JSON has no trailing commas", comma)
        return at, False

    def _no_key(self, at: int, open_at: int) -> NoReturn:
        found = self._text[at : at + 1]
        if not found:
            raise Fault("the text ends inside of an object", at)
        if found == "'":
            raise Fault("a key in single quotes: JSON has double quotes only", at)
        if found in "/#":
            raise Fault("JSON has no comments", at)
        raise Fault(f"expected a key in double quotes, found {found!r}", at)

    def _no_comma(self, at: int, close: str, what: str) -> NoReturn:
        found = self._text[at : at + 1]
        if not found:
            raise Fault(f"the text ends inside of an {what}", at)
        if found in "/#":
            raise Fault("JSON has no comments", at)
        raise Fault(f"expected ',' or '{close}' in the {what}, found {found!r}", at)

    def _string(self, at: int) -> int:
        """The end of a string; escapes are whole and surrogates in pairs."""
        text, start, high = self._text, at, -1
        at += 1
        while True:
            end = _PLAIN.match(text, at).end()  # type: ignore[union-attr]
            if high >= 0 and end > at:
                raise Fault(_half(text, high), high)
            at, found = end, text[end : end + 1]
            if found == "\\":
                escape = _ESCAPE.match(text, at)
                if escape is None:
                    raise Fault(f"{text[at : at + 2]!r} is no escape of JSON", at)
                code = int(escape[1], 16) if escape[1] else 0
                low = 0xDC00 <= code < 0xE000
                if low != (high >= 0):
                    raise Fault(_half(text, at if low else high), at if low else high)
                high = at if 0xD800 <= code < 0xDC00 else -1
                at = escape.end()
                continue
            if high >= 0:
                raise Fault(_half(text, high), high)
            if found == '"':
                return at + 1
            if not found:
                raise Fault("this string is never closed", start)
            raise Fault(f"a control character ({found!r}) inside of a string: write it as an escape", at)

    def _number(self, at: int, path: Path) -> int:
        text = self._text
        word = _WORD.match(text, at)
        found = _NUMBER.match(text, at)
        if found is None or word is None or found.end() != word.end():
            self._no_value(at, word[0] if word else "")
        if path and path[0] in self._raw:
            return found.end()
        if found[2] or found[3]:
            if float(found[0]) in (float("inf"), float("-inf")):
                raise Fault(f"the number {short(found[0])} is too large for a float64", at)
        elif len(found[1].lstrip("-")) > MAX_DIGITS:
            raise Fault(
                f"the integer {short(found[0])} has more digits than any type holds ({MAX_DIGITS})", at
            )
        return found.end()

    def _no_value(self, at: int, word: str) -> NoReturn:
        lead = self._text[at : at + 1]
        if not lead:
            raise Fault("the text ends where a value should be", at)
        if word.lstrip("+-").lower() in ("nan", "inf", "infinity"):
            raise Fault(f"{word} is not JSON; write null where there is no number", at)
        if word in _PYTHON:
            raise Fault(f"{word} is not JSON; write {_PYTHON[word]}", at)
        if lead == "'":
            raise Fault("a string in single quotes: JSON has double quotes only", at)
        if lead in "/#":
            raise Fault("JSON has no comments", at)
        if word[:1].isdigit() or (word[:1] in ("-", "+", ".") and word):
            raise Fault(f"{short(word)} is no number of JSON", at)
        raise Fault(f"expected a value, found {word[:24] or lead!r}", at)


def _half(text: str, at: int) -> str:
    return f"{text[at : at + 6]} is half of a surrogate pair, which is no character"


def short(text: str) -> str:
    """The beginning of ``text``, for a message."""
    return text if len(text) <= 40 else f"{text[:40]}…"
