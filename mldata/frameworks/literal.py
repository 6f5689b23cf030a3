"""Values of a dataset as Python source, laid out as ``ruff format`` (and Black) leave them at 88 columns.

Invariant: whatever text goes in, ``ast.literal_eval`` of what comes out gives it back, it has no character that is not
printable, and formatting it again changes nothing. Names and classes are data of others: they reach code here alone.
"""

from __future__ import annotations

from typing import Any

__all__ = ["WIDTH", "assignment", "literal"]

WIDTH = 88
"""Columns of a line: the default of ruff and Black."""


def literal(value: Any) -> str:
    """A string, number, boolean, None, or a list or dict of these, on one line."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if value is None or isinstance(value, bool | int):
        return repr(value)
    raise TypeError(f"expected text, a whole number, a boolean, None, a list or a dict; found {value!r}")


def assignment(name: str, annotation: str, value: Any, doc: str) -> str:
    """``NAME: ANNOTATION = VALUE``, over several lines where it must be, and a docstring below it."""
    head = f"{name}: {annotation} = "
    text = _laid(value, head, "", 0) if isinstance(value, list | tuple | dict) else _alone(value, head)
    return f'{head}{text}\n"""{doc}"""\n'


def _text(text: str, plain: bool = False) -> str:
    """In double quotes, or single ones where that saves escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    show = ascii if plain else repr
    body = (f"\\{quote}" if it == quote else it if it in "'\"" else show(it)[1:-1] for it in text)
    return quote + "".join(body) + quote


def _laid(value: Any, head: str, tail: str, indent: int) -> str:
    """``value`` after ``head`` on its line and before ``tail``; a list or mapping that is too long is one item a line."""
    line = literal(value)
    if not value or not isinstance(value, list | tuple | dict) or _surely_fits(head + line + tail):
        return line
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        starts = {f"{inner}{literal(key)}: ": item for key, item in value.items()}
        items = [start + _laid(item, start, ",", indent + 4) for start, item in starts.items()]
        opening, closing = "{", "}"
    else:
        items = [inner + _laid(item, inner, ",", indent + 4) for item in value]
        opening, closing = "[", "]"
    return opening + "\n" + "".join(f"{item},\n" for item in items) + " " * indent + closing


def _alone(value: Any, head: str) -> str:
    """A value that cannot be cut; it goes into parentheses where it fits only there."""
    line = literal(value)
    if isinstance(value, str) and not _surely_fits(head + line):
        line = _text(value, plain=True)  # so that its width is certain
    if len(head + line) > WIDTH >= len(line) + 4:
        return f"(\n    {line}\n)"
    return line


def _surely_fits(line: str) -> bool:
    """Whether a line fits, however wide its characters are shown; a list that might have fitted stays one item a line."""
    return len(line) + sum(not letter.isascii() for letter in line) <= WIDTH
