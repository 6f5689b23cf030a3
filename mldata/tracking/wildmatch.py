r"""Patterns of ``.gitattributes`` as git matches them.

Format (gitattributes(5), gitignore(5)): ``*`` and ``?`` do not match ``/``; ``**`` between slashes, or at an end, matches any folders; a
pattern without ``/`` is matched against the last part of a path, any other against the path below the file's folder; ``[...]`` is a set,
``\`` takes the next character as it is. Bytes are matched, not characters. What a file with the pattern cannot match, such as a folder's
name with ``/`` at its end, has no expression.
"""

from __future__ import annotations

import re
import string
from typing import NamedTuple

__all__ = ["Matcher", "matcher"]

_SLASH = ord("/")
_SPECIAL = re.compile(rb"[*?\[\\]")
_CLASSES: dict[bytes, bytes] = {
    b"alnum": (string.ascii_letters + string.digits).encode(),
    b"alpha": string.ascii_letters.encode(),
    b"blank": b" \t",
    b"cntrl": bytes([*range(32), 127]),
    b"digit": string.digits.encode(),
    b"graph": bytes(range(33, 127)),
    b"lower": string.ascii_lowercase.encode(),
    b"print": bytes(range(32, 127)),
    b"punct": string.punctuation.encode(),
    b"space": string.whitespace.encode(),
    b"upper": string.ascii_uppercase.encode(),
    b"xdigit": string.hexdigits.encode(),
}


class _NoMatch(Exception):
    """The pattern is malformed: git takes it for one that nothing matches."""


class Matcher(NamedTuple):
    """A pattern that can match files."""

    expression: re.Pattern[bytes]
    by_name: bool
    """It is matched against the last part of a path."""


def matcher(pattern: bytes, *, ignore_case: bool = False) -> Matcher | None:
    """A pattern made ready; None if no file can match it."""
    if not pattern or pattern.endswith(b"/"):
        return None
    by_name = b"/" not in pattern
    pattern = pattern.removeprefix(b"/")
    try:
        text = _expression(pattern, ignore_case)
    except _NoMatch:
        return None
    return Matcher(re.compile(text, re.DOTALL), by_name)


def _expression(pattern: bytes, fold: bool) -> bytes:
    # What comes before the first special character is compared by itself: "**" that follows it stands at the start of what is matched.
    first = _SPECIAL.search(pattern)
    begin = first.start() if first else len(pattern)
    parts = [_literal(char, fold) for char in pattern[:begin]]
    at = begin
    while at < len(pattern):
        char = pattern[at]
        if char == ord("*"):
            end = at
            while pattern[end : end + 1] == b"*":
                end += 1
            apart = at == begin or pattern[at - 1] == _SLASH
            after = pattern[end : end + 1]
            if end - at < 2 or not apart or not (after in (b"", b"/") or pattern[end : end + 2] == b"\\/"):
                parts.append(b"[^/]*")
            elif after == b"/":
                parts.append(b"(?:.*/)?")
                end += 1
            else:
                parts.append(b".*")
            at = end
        elif char == ord("?"):
            parts.append(b"[^/]")
            at += 1
        elif char == ord("["):
            found, at = _set(pattern, at + 1, fold)
            parts.append(_class(found))
        elif char == ord("\\"):
            if at + 1 == len(pattern):
                raise _NoMatch
            parts.append(_literal(pattern[at + 1], fold, escaped=True))
            at += 2
        else:
            parts.append(_literal(char, fold))
            at += 1
    return b"".join(parts)


def _literal(char: int, fold: bool, *, escaped: bool = False) -> bytes:
    text = bytes([char])
    if not fold or not text.isalpha():
        return re.escape(text)
    if escaped and text.isupper():
        raise _NoMatch  # git compares it with the path in lower case
    return b"[" + text.lower() + text.upper() + b"]"


def _set(pattern: bytes, at: int, fold: bool) -> tuple[set[int], int]:
    """The bytes that a set stands for, and where the pattern goes on."""
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    found: set[int] = set()
    previous: int | None = None
    first = True
    while first or pattern[at : at + 1] != b"]":
        first = False
        char = _at(pattern, at)
        if char == ord("-") and previous and pattern[at + 1 : at + 2] not in (b"", b"]"):
            at += 1
            char = _at(pattern, at)
            if char == ord("\\"):
                at += 1
                char = _at(pattern, at)
            found.update(range(previous, char + 1))
            if fold:
                found.update(it for it in range(97, 123) if previous <= it - 32 <= char)
            previous = None
        elif char == ord("[") and pattern[at + 1 : at + 2] == b":":
            end = pattern.find(b"]", at + 2)
            if end < 0:
                raise _NoMatch
            name = pattern[at + 2 : end]
            if name.endswith(b":"):
                found.update(_named(name[:-1], fold))
                previous = None
                at = end
            else:
                found.add(char)
                previous = char
        else:
            if char == ord("\\"):
                at += 1
                char = _at(pattern, at)
            found.add(char)
            previous = char
        at += 1
    if fold:  # the path is looked at in lower case
        lower = {it for it in found if not 65 <= it <= 90}
        found = lower | {it - 32 for it in lower if 97 <= it <= 122}
    return (set(range(256)) - found if negated else found), at + 1


def _at(pattern: bytes, at: int) -> int:
    if at >= len(pattern):
        raise _NoMatch
    return pattern[at]


def _named(name: bytes, fold: bool) -> bytes:
    if name not in _CLASSES:
        raise _NoMatch
    if fold and name == b"upper":
        return string.ascii_letters.encode()
    return _CLASSES[name]


def _class(found: set[int]) -> bytes:
    allowed = sorted(found - {_SLASH})
    if not allowed:
        return b"(?!)"
    return b"[" + b"".join(b"\\x%02x" % it for it in allowed) + b"]"
