"""Takes the pieces out of a JSON file: steps to where its records are, cuts them, and steps out again to the end.

What stands beside the records must be JSON as well. The first thing that is wrong around them travels behind the pieces before it, as their
last :attr:`~mldata.formats.jsoncut.JsonPiece.fault`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from mldata.errors import brief, shown
from mldata.formats.jsoncut import Cutter, Form, JsonPiece, Text
from mldata.formats.jsonfault import Fault, Walker
from mldata.formats.jsonshape import Shape
from mldata.formats.pieces import BadRecord


def pieces(text: Text, shape: Shape, target: int) -> Iterator[JsonPiece]:
    """The pieces of a file. What is wrong around the records is the :attr:`~JsonPiece.fault` of the last."""
    number, at = 0, text.at
    try:
        for piece in _reach(text, shape, shape.pointer, target):
            number, at = piece.number + 1, piece.start + len(piece.data)
            yield piece
        if shape.form is not Form.VALUES and text.peek():
            raise BadRecord("expected the end of the file behind its one value, found more", text.at)
    except BadRecord as bad:
        yield JsonPiece(number, at, b"", shape.form or Form.ELEMENTS, 0, bad)


def _reach(text: Text, shape: Shape, pointer: tuple[str, ...], target: int) -> Iterator[JsonPiece]:
    """Step into the value at ``text.at`` as far as the pointer says, over what is beside it, and out again."""
    lead = text.peek()
    if pointer:
        yield from _entry(text, shape, pointer, target)
        return
    if shape.form is Form.VALUES:
        yield from Cutter(text, Form.VALUES, target)
        return
    form = shape.form or {b"[": Form.ELEMENTS, b"{": Form.ENTRIES}.get(lead)
    wanted = {Form.ELEMENTS: b"[", Form.ENTRIES: b"{"}
    if form is None or lead != wanted[form]:
        what = "an object" if form is Form.ENTRIES else "an array of objects"
        raise BadRecord(f"expected {what}, found {_found(text)}", text.at)
    text.at += 1
    yield from Cutter(text, form, target)
    text.at += 1


def _entry(text: Text, shape: Shape, pointer: tuple[str, ...], target: int) -> Iterator[JsonPiece]:
    if text.peek() != b"{":
        raise BadRecord(f"expected an object with the key {shown(pointer[0])}, found {_found(text)}", text.at)
    open_at, keys, comma = text.at, set[str](), -1
    text.at += 1
    while (lead := text.peek()) != b"}":
        at = text.at
        if lead != b'"':
            raise BadRecord(f"expected a key in double quotes, found {_found(text)}", at)
        key = _checked(text.string(), at)
        if key in keys:
            raise BadRecord(f"the key {shown(key)} is given twice in one object", at)
        keys.add(key)
        if text.peek() != b":":
            raise BadRecord(f"expected ':' after the key {shown(key)}, found {_found(text)}", text.at)
        text.at += 1
        if key == pointer[0]:
            yield from _reach(text, shape, pointer[1:], target)
        elif shape.alone:
            said = f"found the key {shown(key)} beside {shown(pointer[0])}: which of them holds the records is not clear"
            raise BadRecord(f"{said}; write `normalize: {{records: {brief(pointer[0])}}}` in mldata.yaml", at)
        else:
            _skip(text)
        lead, comma = text.peek(), text.at
        if lead == b"}":
            comma = -1
            break
        if lead != b",":
            raise BadRecord(f"expected ',' or '}}' in the object, found {_found(text)}", text.at)
        text.at += 1
    if comma >= 0:
        raise BadRecord("a comma before '}': JSON has no trailing commas", comma)
    text.at += 1
    if pointer[0] not in keys:
        raise BadRecord(
            f"expected the key {shown(pointer[0])} of `records:` in this object, found none", open_at
        )


def _skip(text: Text) -> None:
    """Go over a value beside the records; it must be JSON all the same."""
    lead, at = text.peek(), text.at
    if lead in (b"{", b"["):
        end = text.end_of_container()
        if end is None:
            raise BadRecord("this value does not end, or is too long to step over", at)
        _checked(text.read(at, end - at), at)
        text.at = end
    elif lead == b'"':
        _checked(text.string(), at)
    else:
        data = text.read(at, 4096).split(b",")[0].split(b"}")[0].rstrip(b" \t\r\n")
        _checked(data, at)
        text.at += len(data)


def _checked(data: bytes, at: int) -> str:
    """The value, which must be whole and sound, as a key."""
    try:
        text = data.decode()
        end = Walker(text).value(0)
        if end != len(text):
            raise Fault("expected the end of the value, found more", end)
    except UnicodeDecodeError as bad:
        raise BadRecord(f"expected UTF-8, found the byte 0x{data[bad.start]:02x}", at + bad.start) from None
    except Fault as fault:
        raise BadRecord(fault.reason, at + len(text[: fault.at].encode())) from None
    return str(json.loads(text)) if text[:1] == '"' else ""


def _found(text: Text) -> str:
    lead = text.peek()
    names = {b"{": "an object", b"[": "an array", b'"': "a string", b"": "the end of the file"}
    return names.get(lead, repr(lead.decode("latin-1")))
