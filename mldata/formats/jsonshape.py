"""Where the records of a JSON file are: the file's outermost values decide, or ``records:`` of the spec.

==========================================================  ===========================================
the file                                                    its records
==========================================================  ===========================================
``[{…}, {…}]``                                              the elements
``{…} {…}``, on one line, on many, or pretty-printed        the objects
``{"data": [{…}, {…}]}`` and nothing beside                 the elements of the array
``{"a": {…}, "b": {…}}``, all with a key in common          the values; their keys become the column ``key``
any other object whose values are not all alike             the object itself: one row
==========================================================  ===========================================

What can be read in two ways (an array of objects beside other keys, columns instead of records) is refused, and the message says what to
write: ``records: row`` (each outermost object is a row), ``records: values`` (each value of the outermost object is), or the
key or JSON Pointer (RFC 6901) of the array or object that holds them. Values beside the one pointed to are checked and not read.
"""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO, NamedTuple

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.jsoncut import Form, Text
from mldata.formats.jsonfault import skip_space
from mldata.formats.pieces import MAX_RECORD_BYTES

BOM = b"\xef\xbb\xbf"
LOOK_BYTES = 1 << 20
"""How much of an object is looked at to tell what it is."""

_OTHER_UNICODE = {
    b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16",
}  # fmt: skip
_WIDE = re.compile(rb"\0{1,3}[\t\n\r -~]|[\t\n\r -~]\0")
_DECODER = json.JSONDecoder(parse_int=float)


class Shape(NamedTuple):
    """Where the records are."""

    form: Form | None
    """None where what ``pointer`` leads to tells."""
    pointer: tuple[str, ...] = ()
    alone: bool = False
    """Nothing may stand beside what the pointer leads to: it was found, not given."""


class Open(NamedTuple):
    """A value that goes on behind what was looked at."""

    lead: str
    """Its first characters, without space."""


def shape_of(file: SourceFile, handle: BinaryIO, records: str) -> tuple[Shape, int]:
    """Where the records are, and where the text begins. Raises ``DataError`` if that cannot be told."""
    head = handle.read(4)
    for mark, name in _OTHER_UNICODE.items():
        if head.startswith(mark):
            raise _encoding(file, name)
    if _WIDE.match(head):
        raise _encoding(file, "UTF-32" if head.count(b"\0") > 2 else "UTF-16")
    start = len(BOM) if head.startswith(BOM) else 0
    if records == "row":
        return Shape(Form.VALUES), start
    if records == "values":
        return Shape(Form.ENTRIES), start
    if records != "auto":
        return Shape(None, _tokens(records)), start
    text = Text(handle, start, file.size)
    lead = text.peek()
    if lead == b"[":
        return Shape(Form.ELEMENTS), start
    if lead != b"{":
        return Shape(Form.VALUES), start
    end = text.end_of_container()
    if end is None and file.size - text.at <= MAX_RECORD_BYTES:
        return Shape(Form.VALUES), start  # cut off: reading tells where
    if end is not None and Text(handle, end, file.size).peek():
        return Shape(Form.VALUES), start
    look = text.read(text.at, min(LOOK_BYTES, (end or file.size) - text.at))
    return _of_object(file, _outline(look.decode("utf-8", "replace"))), start


def _tokens(records: str) -> tuple[str, ...]:
    if not records.startswith("/"):
        return (records,)
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in records[1:].split("/"))


def _outline(text: str) -> list[tuple[str, Any]]:
    """The entries of the object that ``text`` begins with, as far as it goes; the last may be :class:`Open`."""
    entries: list[tuple[str, Any]] = []
    at = skip_space(text, 1)
    try:
        while text[at : at + 1] == '"':
            key, at = _DECODER.raw_decode(text, at)
            at = skip_space(text, at)
            if text[at : at + 1] != ":":
                break
            at = skip_space(text, at + 1)
            try:
                value, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError):
                inner = skip_space(text, at + 1)
                return [*entries, (key, Open(text[at : at + 1] + text[inner : inner + 1]))]
            entries.append((key, value))
            at = skip_space(text, end)
            if text[at : at + 1] != ",":
                break
            at = skip_space(text, at + 1)
    except ValueError:
        pass  # the look ends in a key, or this is no JSON, which reading will tell
    return entries


def _of_object(file: SourceFile, entries: list[tuple[str, Any]]) -> Shape:
    values = [value for _, value in entries]
    arrays = [key for key, value in entries if _is_records(value)]
    if arrays and len(entries) == 1:
        return Shape(Form.ELEMENTS, (arrays[0],), alone=True)
    if arrays:
        others = ", ".join(repr(key) for key, _ in entries if key not in arrays[:1])
        raise _unclear(
            file,
            f"an object with an array of objects under {arrays[0]!r}, and {others}",
            " or ".join(f"`records: {key}` (the elements of {key!r} are the rows)" for key in arrays[:3]),
        )
    if values and all(isinstance(value, dict) or _opens(value, "{") for value in values):
        return _of_objects(file, [value for value in values if isinstance(value, dict)])
    lengths = {len(value) if isinstance(value, list) else -1 for value in values}
    if values and len(lengths) == 1 and lengths.pop() > 1:
        raise _unclear(file, "an object of arrays of one length (columns?)", _COLUMNS)
    return Shape(Form.VALUES)


_COLUMNS = "write columns as rows (pandas: `to_json(orient='records', lines=True)`)"


def _of_objects(file: SourceFile, values: list[dict[str, Any]]) -> Shape:
    filled = [value.keys() for value in values if value]
    common = set(filled[0]).intersection(*filled) if filled else set[str]()
    choice = "`records: values` (each value of the object is a row)"
    if common and all(key.isdigit() for keys in filled for key in keys):
        raise _unclear(
            file, "an object of objects whose keys are numbers (columns?)", f"{_COLUMNS}, or {choice}"
        )
    if len(values) > 1 and common:
        return Shape(Form.ENTRIES)
    raise _unclear(file, "an object of objects without a key in common", choice)


def _is_records(value: Any) -> bool:
    return (isinstance(value, list) and bool(value) and isinstance(value[0], dict)) or _opens(value, "[{")


def _opens(value: Any, lead: str) -> bool:
    return isinstance(value, Open) and value.lead.startswith(lead)


def _unclear(file: SourceFile, found: str, choices: str) -> DataError:
    return DataError(
        f"expected records in a form that can be told by itself, found {found}",
        where=Where(file.name),
        hint=f"say under normalize in mldata.yaml where they are: {choices}, or `records: row` (each object of the file is a row)",
    )


def _encoding(file: SourceFile, name: str) -> DataError:
    return DataError(
        f"expected UTF-8, found {name}: JSON between systems is UTF-8 (RFC 8259)",
        where=Where(file.name),
        hint=f"convert the file, for example with `iconv -f {name} -t UTF-8`",
    )
