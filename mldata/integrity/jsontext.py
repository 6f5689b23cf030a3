"""What is sound JSON by the grammar and cannot be kept as it is written all the same: a key given twice, half a surrogate pair, numbers that no type holds.

Such text decodes, and other programs read other things from it: it is off, not broken.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from mldata.formats.jsoncut import depth_of
from mldata.formats.jsonfault import MAX_DEPTH, Fault, Walker, skip_space
from mldata.formats.jsonrecords import STRICT

__all__ = ["Oddity", "code_of", "is_json", "is_shallow", "oddity"]

MOST_WALKED = 1 << 20
"""Characters that are gone through one by one to find a place: a second or so."""
_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_CODES = (
    ("given twice", "duplicate-key"),
    ("surrogate", "half-surrogate"),
    ("too large", "number-range"),
    ("more digits", "number-range"),
    ("nested ", "too-deep"),
    ("is not JSON", "not-a-number"),
)


class Oddity(NamedTuple):
    """What is off, and at which character; None where the text is too long to look for it."""

    code: str
    reason: str
    at: int | None


def oddity(text: str) -> Oddity | None:
    """The first thing that is off in sound text: one value, or several."""
    half = next((found for found in _HALF.finditer(text) if _is_escape(text, found.start())), None)
    if half is not None:
        return Oddity(
            "half-surrogate", f"{half[0]} is half of a surrogate pair, which is no character", half.start()
        )
    at, shallow = skip_space(text, 0), is_shallow(text)
    while at < len(text):
        try:
            if not shallow:
                raise RecursionError("it is nested too deep")
            _, end = STRICT.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            return _explained(text, at, error)
        at = skip_space(text, end)
    return None


def _explained(text: str, at: int, error: Exception) -> Oddity | None:
    if len(text) - at > MOST_WALKED:
        return Oddity(code_of(str(error)), f"JSON that cannot be kept as it is written: {error}", None)
    try:
        Walker(text).value(at)
    except Fault as fault:
        return Oddity(code_of(fault.reason), fault.reason, fault.at)
    return None


def is_json(text: str) -> bool:
    """Whether this is one value by the grammar, with what many programs write beside it."""
    try:
        json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return False
    return True


def is_shallow(text: str) -> bool:
    """Whether nesting is certainly within :data:`~mldata.formats.jsonfault.MAX_DEPTH`."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return True
    return depth_of(text.encode(), lines=False) <= MAX_DEPTH


def code_of(reason: str) -> str:
    """The code of what :class:`~mldata.formats.jsonfault.Walker` refuses beyond the grammar."""
    return next((code for word, code in _CODES if word in reason), "odd-json")


def _is_escape(text: str, at: int) -> bool:
    """Whether the backslash at ``at`` is not escaped itself."""
    before = at
    while text[before - 1 : before] == "\\":
        before -= 1
    return (at - before) % 2 == 0
