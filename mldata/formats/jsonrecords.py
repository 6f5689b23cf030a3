"""The records in the text of a piece, by Python's parser, which refuses what is no record and says why and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from mldata.errors import shown
from mldata.formats.jsoncut import Form, trailing
from mldata.formats.jsonfault import MAX_DEPTH, MAX_DIGITS, Fault, Walker, called, short, skip_space
from mldata.formats.jsonrejects import Aside

KEY = "key"
"""The column of the keys of an object of records."""
Row = dict[str, Any]


class _Every(frozenset[str]):
    def __contains__(self, key: object) -> bool:
        return True


EVERY = _Every("*")
"""All keys."""


class Records:
    """The records in the text of a piece.

    Args:
        raw: keys of the record whose values are kept as the text they are written in.
        broken: the file breaks off behind the text.
        aside: takes bad records; without it the first is raised.
    """

    def __init__(
        self,
        text: str,
        form: Form,
        raw: frozenset[str] = frozenset(),
        broken: bool = False,
        aside: Aside | None = None,
    ) -> None:
        self.text, self.form, self.raw, self.broken, self.aside = text, form, raw, broken, aside

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """Each record and where it begins. Raises :class:`Fault`."""
        return {
            Form.LINES: self._lines,
            Form.VALUES: self._values,
            Form.ELEMENTS: self._elements,
            Form.ENTRIES: self._entries,
        }[self.form]()

    def _lines(self) -> Iterator[tuple[int, Row]]:
        text, at = self.text, 0
        while at < len(text):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            start = skip_space(text, at)
            if start < end:
                row, _ = self._sound(start, start, end) if self.aside else self._line(start, end)
                if row is not None:
                    yield start, row
            at = max(start, end + 1)

    def _values(self) -> Iterator[tuple[int, Row]]:
        at = skip_space(self.text, 0)
        while at < len(self.text):
            row, end = self._sound(at, at)
            if row is not None:
                yield at, row
            at = skip_space(self.text, end)

    def _elements(self) -> Iterator[tuple[int, Row]]:
        at = skip_space(self.text, 0)
        while at < len(self.text):
            row, end = self._sound(at, at)
            if row is not None:
                yield at, row
            at = self._comma(end, "]")

    def _entries(self) -> Iterator[tuple[int, Row]]:
        text, at = self.text, skip_space(self.text, 0)
        while at < len(text):
            if text[at] != '"':
                raise Fault(f"expected a key in double quotes, found {called(text, at)}", at)
            key_end = Walker(text).value(at)
            key, colon = json.loads(text[at:key_end]), skip_space(text, key_end)
            if text[colon : colon + 1] != ":":
                raise Fault(f"expected ':' after the key {shown(key)}, found {called(text, colon)}", colon)
            start = skip_space(text, colon + 1)
            row, end = self._sound(at, start)
            if row is not None and KEY in row:
                raise Fault(
                    f"the records of this object have a key {KEY!r} of their own, which is the column of the outer keys",
                    start,
                    "write the file as an array of objects",
                )
            if row is not None:
                yield at, {KEY: json.dumps(key) if KEY in self.raw else key, **row}
            at = self._comma(end, "}")

    def _comma(self, at: int, close: str) -> int:
        text = self.text
        at = skip_space(text, at)
        if at < len(text):
            if text[at] != ",":
                raise Fault(f"expected ',' or {close!r} behind a record, found {called(text, at)}", at)
            comma, at = at, skip_space(text, at + 1)
            if at == len(text) and not self.broken:
                raise Fault(trailing(close), comma)
        return at

    def _sound(self, at: int, start: int, line_end: int | None = None) -> tuple[Row | None, int]:
        """The record at ``at``, whose value begins at ``start``, and its end; no record if it is put aside."""
        aside = self.aside
        if aside is None:
            return self._line(start, line_end) if line_end is not None else self._record(self.text, start)
        if (known := aside.end(start)) is not None:
            return None, known
        try:
            row, end = self._line(start, line_end) if line_end is not None else self._record(self.text, start)
            fault = aside.no_text(at, end)
        except Fault as found:
            fault = found
        return (row, end) if fault is None else (None, aside.put(at, start, fault))

    def _line(self, start: int, end: int) -> tuple[Row, int]:
        """The record on a line. Only the line is looked at: a bad one must not cost the time of all behind it."""
        line = self.text[start:end]
        try:
            row, stop = self._record(line, 0, line=True)
            if stop < len(line) and (behind := skip_space(line, stop)) < len(line):
                raise Fault(
                    f"expected the end of the line behind its object, found {called(line, behind)}", behind
                )
        except Fault as fault:
            raise Fault(fault.reason, start + fault.at, fault.hint) from None
        return row, end

    def _record(self, text: str, at: int, line: bool = False) -> tuple[Row, int]:
        try:
            if text[at : at + 1] == "{":
                return self._raw_record(text, at) if self.raw else STRICT.raw_decode(text, at)
        except (ValueError, RecursionError):
            pass
        self._explain(text, at, line)

    def _explain(self, text: str, at: int, line: bool) -> NoReturn:
        """Say why there is no record here."""
        if text[at : at + 1] != "{":
            try:
                end = Walker(text).value(at)
            except Fault as fault:
                if text[at : at + 1] != "[" or fault.at < len(text):
                    raise
                end = fault.at
            hint = None
            if text[at] == "[" and line:
                hint = "if the file is one array, write `normalize: {format: json}` in mldata.yaml"
            raise Fault(f"expected an object, found {called(text, at)} ({short(text[at:end])})", at, hint)
        try:
            Walker(text, raw=self.raw).value(at)
        except Fault as fault:
            if not line or fault.at < len(text):
                raise
            reason = "expected one whole object on the line, found one that goes on"
            hint = "if objects take several lines, write `normalize: {format: json}` in mldata.yaml; else correct the line"
            raise Fault(f"{reason} ({fault.reason})", fault.at, hint) from None
        raise Fault("this record cannot be read", at)

    def _raw_record(self, text: str, at: int) -> tuple[Row, int]:
        """A record with the values of the raw keys as text."""
        row = Row()
        at = skip_space(text, at + 1)
        if text[at : at + 1] == "}":
            return row, at + 1
        while True:
            if text[at : at + 1] != '"':
                raise ValueError
            key, at = STRICT.raw_decode(text, at)
            at = skip_space(text, at)
            if key in row or text[at : at + 1] != ":":
                raise ValueError
            at = skip_space(text, at + 1)
            value, end = (LENIENT if key in self.raw else STRICT).raw_decode(text, at)
            if key in self.raw:
                deep = text.count("[", at, end) + text.count("{", at, end) >= MAX_DEPTH
                if deep or "\\u" in text[at:end]:
                    Walker(text, raw=self.raw).value(at, (key,), 1)
                value = None if value is None else text[at:end]
            row[key] = value
            at = skip_space(text, end)
            mark = text[at : at + 1]
            if mark == "}":
                return row, at + 1
            if mark != ",":
                raise ValueError
            at = skip_space(text, at + 1)


def _pairs(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a key is given twice")
    return row


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("too large")
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS + 1:
        raise ValueError("too many digits")
    value = int(text)
    if not -(10**MAX_DIGITS) < value < 10**MAX_DIGITS:
        raise ValueError("too many digits")
    return value


STRICT = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_int, parse_float=_float
)
LENIENT = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_int=str, parse_float=str)
