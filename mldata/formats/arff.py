"""ARFF, Weka's attribute-relation files, dense and sparse, line by line.

Nominal values are text that is one of those declared; ``numeric`` columns are of integers where all values are whole, ``real`` ones never. ``?`` is a
missing value, and ``nulls`` does not apply. What a sparse row leaves out is 0, or the first of the nominal values; text and dates must be there. Relational
attributes and weights of instances are refused.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, BinaryIO, NoReturn

from mldata.errors import DataError, Where
from mldata.formats.arffhead import Attribute, Fault, Token, parse_attribute, tokens
from mldata.formats.base import Options, SourceFile
from mldata.formats.csvhead import check_encoding, not_utf8
from mldata.formats.heads import FIRST_BYTES, LINE, copy, take_records
from mldata.formats.valued import Rows, Value, ValuedFormat

HEAD_BYTES = 64 << 10
LINE_BYTES = 64 << 20
"""A longer line is refused: there is most often none at all."""
MISSING = "?"
_KEYWORD = re.compile(r"\s*@(\w+)", re.ASCII)
_FIELD = re.compile(r"""\s*+(?:'([^'\\]*+)'|([^\s'"{},%\\]++(?:[ \t]++[^\s'"{},%\\]++)*+))\s*+(,|\Z)""")
"""A field between commas: in single quotes without escapes, or words without quotes."""
_PLAIN = re.compile(r"""[^'"\\{}%]*+""")


class Arff(ValuedFormat):
    """The ``arff`` format."""

    seeks = False

    def opened(
        self, file: SourceFile, options: Options, checkpoint: Callable[[], None], *, first: bool = False
    ) -> AbstractContextManager[_Rows]:
        """See :class:`~mldata.formats.valued.ValuedFormat`."""
        return nullcontext(_Rows(file, options))

    def head(self, file: SourceFile, data: BinaryIO, options: Options, rows: int) -> str:
        """See :class:`~mldata.formats.heads.Headed`."""
        inside = False

        def counts(line: bytes) -> bool:
            nonlocal inside
            if inside:
                return bool(line.strip()) and not line.lstrip().startswith(b"%")
            inside = line.strip().lower() == b"@data"
            return False

        with open(file.path, "wb+") as out:
            copy(data, out, FIRST_BYTES)
            out.seek(0)
            check_encoding(
                out.read(HEAD_BYTES), replace(file, size=max(out.seek(0, 2), HEAD_BYTES + 1)), options
            )
            take_records(data, out, 0, LINE, counts, max(rows, 1))
        return "arff"

    def told(self, rows: Rows, options: Options) -> dict[str, Any]:
        """See :class:`~mldata.formats.valued.ValuedFormat`."""
        return {"encoding": options.encoding or "utf-8"}


class _Rows:
    """The rows of a file (:class:`~mldata.formats.valued.Rows`)."""

    def __init__(self, file: SourceFile, options: Options) -> None:
        self.file, self.options = file, options
        with open(file.path, "rb") as handle:
            self._mark = check_encoding(handle.read(HEAD_BYTES), file, options)
        self._attributes, self._head = self._read_head()
        self._readers = [attribute.value for attribute in self._attributes]
        self._lines = array("Q")

    @property
    def names(self) -> Sequence[str]:
        return [attribute.name for attribute in self._attributes]

    def where(self, row: int) -> Where:
        return Where(self.file.name, self._lines[row])

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        self._lines = array("Q")
        for number, line in self._text():
            if number <= self._head or not line.strip() or line.lstrip().startswith("%"):
                continue
            try:
                row = self._row(line)
            except Fault as fault:
                self._refuse(number, fault)
            self._lines.append(number)
            yield row

    def _text(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers, without line ends."""
        number = 0
        with open(self.file.path, "rb") as handle:
            handle.seek(self._mark)
            while data := handle.readline(LINE_BYTES):
                if len(data) == LINE_BYTES:
                    self._refuse(
                        number + 1,
                        Fault(f"expected lines of less than {LINE_BYTES >> 20} MiB, found a longer one", 0),
                    )
                try:
                    text = data.decode()
                except UnicodeDecodeError:
                    raise not_utf8(self.file, self.options) from None
                for line in text.removesuffix("\n").removesuffix("\r").split("\r"):
                    number += 1
                    yield number, line

    def _read_head(self) -> tuple[list[Attribute], int]:
        """The attributes, and the number of the line that says ``@data``."""
        attributes: list[Attribute] = []
        number = 0
        for number, line in self._text():
            if not line.strip() or line.lstrip().startswith("%"):
                continue
            found = _KEYWORD.match(line)
            word = found[1].lower() if found else ""
            try:
                if word == "data" and attributes:
                    return attributes, number
                if found and word == "attribute":
                    attributes.append(parse_attribute(line, found.end()))
                elif word != "relation":
                    raise Fault(
                        f"expected @relation, @attribute or (behind these) @data, found {line.strip()[:40]!r}",
                        0,
                    )
            except Fault as fault:
                self._refuse(number, fault)
        self._refuse(
            number,
            Fault(
                "expected @data behind the attributes, found the end of the file",
                0,
                "fetch the file again: it may be truncated",
            ),
        )

    def _row(self, line: str) -> tuple[Value, ...]:
        if (row := self._usual_row(line)) is not None:
            return row
        if line.lstrip().startswith("{"):
            return self._sparse(tokens(line))
        return tuple(map(self._value, self._attributes, self._fields(line)))

    def _usual_row(self, line: str) -> tuple[Value, ...] | None:
        """A sound dense row without escapes and comments, as most are; None for any other."""
        texts: list[str | None] = []
        at, field = 0, _FIELD.match
        while (found := field(line, at)) is not None:
            text, word = found[1], found[2]
            texts.append(text if word is None else None if word == MISSING else word)
            at = found.end()
            if found[3] != ",":
                break
        if found is None or len(texts) != len(self._attributes):
            return None
        try:
            return tuple([t if t is None else of(t) for of, t in zip(self._readers, texts, strict=True)])
        except ValueError:
            return None

    def _fields(self, line: str) -> list[Token]:
        """The fields of a dense row: between commas or, if there are none, between spaces."""
        count = len(self._attributes)
        if _PLAIN.fullmatch(line):
            fields, at = [], 0
            for text in line.split(","):
                fields.append(Token(text.strip(), at + len(text) - len(text.lstrip()), at + len(text)))
                at += len(text) + 1
            if len(fields) == 1 < count:
                fields = tokens(line)
        else:
            fields = _separate(tokens(line))
        if len(fields) != count:
            raise Fault(f"expected {count:,} values, found {len(fields):,}", 0)
        return fields

    def _sparse(self, found: Sequence[Token]) -> tuple[Value, ...]:
        given: dict[int, Value] = {}
        if found[-1].text != "}" or not found[-1].mark:
            raise Fault(
                "expected '}' at the end of a sparse row",
                found[-1].start,
                "weights of instances are not read",
            )
        for pair in _pairs(found[1:-1]):
            index = int(pair[0].text) if pair[0].text.isdecimal() and len(pair[0].text) < 10 else -1
            if not 0 <= index < len(self._attributes) or index in given:
                raise Fault(
                    f"expected the number of an attribute (from 0), each once; found {pair[0].text!r}",
                    pair[0].start,
                )
            given[index] = self._value(self._attributes[index], pair[1])
        for index, attribute in enumerate(self._attributes):
            if index not in given and attribute.zero is None:
                raise Fault(
                    f"expected a value of {attribute.name!r}: what a sparse row leaves out has no meaning for a {attribute.kind}",
                    0,
                )
        return tuple(given.get(index, attribute.zero) for index, attribute in enumerate(self._attributes))

    def _value(self, attribute: Attribute, token: Token) -> Value:
        if not token.quoted and token.text == MISSING:
            return None
        if not token.quoted and not token.text:
            raise Fault(
                f"column {attribute.name!r}: expected a value, found none",
                token.start,
                "a missing value is written as ?",
            )
        try:
            return attribute.value(token.text)
        except ValueError as error:
            raise Fault(
                f"column {attribute.name!r}: expected {error}, found {token.text[:40]!r}", token.start
            ) from None

    def _refuse(self, number: int, fault: Fault) -> NoReturn:
        raise DataError(
            fault.reason,
            where=Where(self.file.name, max(number, 1), fault.at + 1),
            hint=fault.hint or "correct the line",
        )


def _separate(found: Sequence[Token]) -> list[Token]:
    """One field for each place between commas or, if there are none, each token."""
    marks = [token for token in found if token.mark]
    for token in marks:
        if token.text != ",":
            hint = "put text with braces into quotes; weights of instances are not read"
            raise Fault(f"expected values with commas between them, found {token.text!r}", token.start, hint)
    if not marks:
        return list(found)
    fields: list[Token] = []
    group: list[Token] = []
    for token in [*found, Token(",", found[-1].end, found[-1].end, mark=True)]:
        if not token.mark:
            group.append(token)
            continue
        if len(group) > 1:
            raise Fault(
                "expected one value between commas", group[1].start, "put text with spaces into quotes"
            )
        fields += group or [Token("", token.start, token.start)]
        group = []
    return fields


def _pairs(found: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Index and value of each entry of a sparse row."""
    for at in range(0, len(found), 3):
        part = found[at : at + 3]
        if (
            len(part) < 2
            or part[0].mark
            or part[1].mark
            or (len(part) == 3 and (part[2].text != "," or not part[2].mark))
        ):
            raise Fault(
                "expected the number of an attribute and its value, with commas between such pairs",
                part[0].start,
            )
        if len(part) == 3 and at + 3 == len(found):
            raise Fault("expected a pair behind the comma", part[2].start)
        yield part[0], part[1]
