"""Dialects: how a CSV file separates and quotes its fields, whether it has a header, and how it writes numbers.

What the options leave open is read from the beginning of the file, by rules that rather refuse than guess:

- *delimiter*: the one of ``, ; tab |`` under which all records have the same number of fields, at least two; a line ``sep=;`` as
  spreadsheets write it. Where several do, the one that makes more fields numbers or dates; then the format's own.
- *quote*: ``"``, or ``'`` where only that makes records agree.
- *header*: the first record is one unless its fields are numbers or dates like those below them. Whole numbers in even steps could
  be either (years as names of columns): refused.
- *comment*: lines before the header that begin with ``#`` and have another number of fields than the records after them.
- *decimal*: see :mod:`mldata.formats.numbers`.

Which dialect was found decides how strictly the same bytes are read, never whether a record that does not fit is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any

from mldata.formats.numbers import evidence, is_typed
from mldata.formats.pieces import field_pattern

DELIMITERS = (b",", b";", b"\t", b"|")
SAMPLE_BYTES = 256 << 10
SAMPLE_RECORDS = 200

_SEP = re.compile(rb"sep=([^\r\n\"'])(?:\r\n?|\n|\Z)", re.IGNORECASE)
_BLANK = re.compile(rb"[\r\n]+")
_COMMENTS = re.compile(rb"(?:#[^\r\n]*(?:\r\n?|\n|\Z)(?:\r\n?|\n)*)+")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)")


@dataclass(frozen=True)
class Dialect:
    """How one file is written. Bytes are single ASCII characters."""

    delimiter: bytes = b","
    quote: bytes = b'"'
    """Empty where quotes have no meaning."""
    header: bool = True
    comment: bytes = b""
    """What a line begins with that is no record; empty where every line is one."""
    decimal: str = "."
    thousands: str = ""

    def to_facts(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "delimiter": self.delimiter.decode(),
            "quote": self.quote.decode(),
            "header": self.header,
            "comment": self.comment.decode(),
            "decimal": self.decimal,
            "thousands": self.thousands,
        }


class Unclear(Exception):
    """The beginning of a file does not tell. ``offset`` is in the sample."""

    def __init__(self, reason: str, hint: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.offset = reason, hint, offset


@dataclass(frozen=True)
class Found:
    """What the beginning of a file says."""

    dialect: Dialect
    start: int
    """Offset in the sample of the first record: blank lines, comments and ``sep=`` come before it."""
    numbers: frozenset[str] = frozenset()
    """Evidence of how numbers are written, see :func:`mldata.formats.numbers.evidence`."""


@dataclass(frozen=True)
class Wish:
    """What the options say; None is left to the file."""

    delimiter: bytes | None = None
    quote: bytes | None = None
    header: bool | None = None
    comment: bytes | None = None
    decimal: str | None = None
    thousands: str | None = None


Records = list[list[bytes]]


def sniff(sample: bytes, whole: bool, own: bytes, wish: Wish) -> Found:
    """The dialect of a file.

    Args:
        sample: its beginning, in UTF-8, without a byte order mark.
        whole: whether that is all of it.
        own: the delimiter that the format's name stands for.

    Raises:
        Unclear: the file could be read in two ways that give different tables.
    """
    start = _past_blank(sample, 0)
    if wish.delimiter is None and (sep := _SEP.match(sample, start)):
        wish = replace(wish, delimiter=sep[1])
        start = _past_blank(sample, sep.end())
    comment, first = _comment(sample, start, wish)
    start = _past_blank(sample, first)
    delimiter, quote = _shape(sample, start, whole, own, wish, comment)

    def records(most: int = SAMPLE_RECORDS) -> Records:
        return _records(sample, start, whole, delimiter, quote, most, comment)

    header = _has_header(records, start) if wish.header is None else wish.header
    marks, decimal, thousands = frozenset[str](), wish.decimal, wish.thousands
    if decimal is None:

        def cells() -> Iterator[bytes]:
            for record in records()[header:]:
                yield from record

        # Where the delimiter leaves no room for doubt, no record is looked at.
        marks, decimal, said = evidence(sample, cells(), delimiter)
        thousands = said if thousands is None else thousands
    dialect = Dialect(delimiter, quote, header, comment, decimal, thousands or "")
    return Found(dialect, start, marks)


def _past_blank(sample: bytes, start: int) -> int:
    found = _BLANK.match(sample, start)
    return found.end() if found else start


def _comment(sample: bytes, start: int, wish: Wish) -> tuple[bytes, int]:
    """What comments begin with, and where those before the header end."""
    if wish.comment == b"" or not (wish.comment or sample[start : start + 1] == b"#"):
        return wish.comment or b"", start
    if wish.comment:
        while sample.startswith(wish.comment, start):
            line = _LINE.match(sample, start)
            assert line is not None
            start = _past_blank(sample, line.end())
        return wish.comment, start
    block = _COMMENTS.match(sample, start)
    assert block is not None
    lines = [line for line in re.split(rb"[\r\n]+", block[0]) if line]
    rest = _LINE.match(sample, block.end())
    if rest is None or not rest[0].strip():
        return b"", start  # nothing but such lines: the last word is the header's
    same = any(lines[-1].count(one) == rest[0].count(one) > 0 for one in DELIMITERS)
    if same and len(lines) == 1:
        return b"", start  # "#chrom,start,end": a header
    if same:
        raise Unclear(
            f"the last line that begins with '#' could be the header: {_text(lines[-1])!r}",
            "say which: `normalize: {comment: none}` if no line is a comment, `comment: '#'` if all of these are",
            block.start(),
        )
    return b"#", block.end()


def _shape(
    sample: bytes, start: int, whole: bool, own: bytes, wish: Wish, comment: bytes
) -> tuple[bytes, bytes]:
    """Delimiter and quote."""
    quotes = (b'"', b"'") if wish.quote is None else (wish.quote,)
    delimiters = (
        (own, *(one for one in DELIMITERS if one != own)) if wish.delimiter is None else (wish.delimiter,)
    )
    line = _LINE.match(sample, start)
    assert line is not None
    used = [one for one in delimiters if one in line[0]]
    plain = b"'" not in line[0]
    if len(used) <= 1 and plain:
        # Nothing to choose from; whether all records agree is found out when they are read.
        return used[0] if used else delimiters[0], quotes[0]
    best: tuple[tuple[float, int], bytes, bytes] | None = None
    for rank, (quote, delimiter) in enumerate((q, d) for q in quotes for d in used or delimiters[:1]):
        records = _records(sample, start, whole, delimiter, quote, SAMPLE_RECORDS, comment)
        widths = {len(record) for record in records}
        agree = len(widths) == 1 and widths != {1}
        typed = sum(is_typed(cell) for record in records[1:] for cell in record)
        cells = max(1, sum(map(len, records[1:])))
        score = (typed / cells if agree else -1.0, -rank)
        if best is None or score > best[0]:
            best = (score, delimiter, quote)
    assert best is not None
    return best[1:]


def _records(
    sample: bytes, start: int, whole: bool, delimiter: bytes, quote: bytes, most: int, comment: bytes = b""
) -> Records:
    """The first records, without quotes, up to one that does not scan or that the sample may have cut."""
    fields = field_pattern(delimiter, quote)
    records: Records = []
    record: list[bytes] = []
    position = start
    while position < len(sample) and len(records) < most:
        if not record and (end := _unquoted(sample, position, quote)) > position:
            lines = sample[position:end].splitlines()
            if end == len(sample) and not whole:
                lines.pop()
            told = (line for line in lines if line and not (comment and line.startswith(comment)))
            records += (line.split(delimiter) for line in islice(told, most - len(records)))
            position = end
            continue
        if comment and not record and sample.startswith(comment, position):
            line = _LINE.match(sample, position)
            assert line is not None
            position = line.end()
            continue
        found = fields.match(sample, position)
        if found is None or (found.end() == len(sample) and not whole):
            break
        position = found.end()
        cell = found[1]
        record.append(cell[1:-1] if quote and cell.startswith(quote) else cell)
        if found[2] == delimiter:
            continue
        if len(record) > 1 or cell:
            records.append(record)
        record = []
    if record and position == len(sample):  # it ends with a delimiter, so with an empty field
        records.append([*record, b""])
    return records


def _unquoted(sample: bytes, start: int, quote: bytes) -> int:
    """Where the lines from ``start`` on end that have no quote: these are soon split."""
    stop = sample.find(quote, start) if quote else -1
    if stop < 0:
        return len(sample)
    return max(sample.rfind(b"\n", start, stop), sample.rfind(b"\r", start, stop)) + 1


def _has_header(read: Callable[..., Records], start: int) -> bool:
    """Whether the first record names columns; see the module."""
    records = read(1)
    if not records or not any(map(is_typed, records[0])):
        return True
    first, *rest = read()
    if not rest:
        raise Unclear(
            f"the only record could be a header or a row: {_text(b' '.join(first))!r}", _SAY_HEADER, start
        )
    alike = []
    for position, cell in enumerate(first):
        below = [record[position] for record in rest if len(record) > position and record[position]]
        if not below or not all(map(is_typed, below)):
            continue
        if not is_typed(cell):
            return True
        alike.append(cell)
    if not alike:
        return True
    if len(set(first)) == len(first) and b"" not in first and _even_steps(alike):
        raise Unclear(
            f"the first record could be a header or a row: {_text(b' '.join(first))!r}", _SAY_HEADER, start
        )
    return False


_SAY_HEADER = "say which: `normalize: {header: true}` or `{header: false}` in mldata.yaml"


def _even_steps(cells: Sequence[bytes]) -> bool:
    """Whether these are whole numbers in even steps: 2019 2020 2021."""
    if not all(cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    steps = {after - before for before, after in pairwise(numbers)}
    return len(steps) <= 1 and 0 not in steps


def _text(data: bytes) -> str:
    return data.decode(errors="replace")[:80]
