"""JSON Lines: one object a line, in UTF-8, read exactly.

Python's parser reads each line by itself and Arrow takes the values with their types checked, since what a faster reader would do silently (numbers
too large for their type, keys given twice, strings that look like times, lines that only together make JSON) must not happen.
Keys that a line lacks are null; new keys may come at any line. Blank lines are not records. NaN and Infinity are not JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

import pyarrow as pa

from mldata.errors import DataError, Where
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span, ordered
from mldata.formats.columns import plan_columns
from mldata.formats.pieces import BadRecord, Cutter, RawPiece, line_of
from mldata.formats.typed import Widths, conform, shaped

INT64_MOST = 2**63 - 1
BOM = b"\xef\xbb\xbf"
Row = dict[str, Any]


class JsonLines:
    """The ``jsonl`` format."""

    text = False

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in bytes."""

        def one(raw: RawPiece) -> Piece:
            rows = _rows(raw, file)
            table = _table(rows, raw, file)
            plan = plan_columns(table.column_names, options, file.name)
            table_out = conform(table, plan, shaped(table.schema, plan, file), options, file)
            widths = Widths()
            widths.look(table_out)
            sink(raw.number, table_out)
            span = (raw.start, raw.start + raw.data.size)
            return Piece(len(rows), span, table_out.schema, plan.names, frozenset(widths.wide))

        with open(file.path, "rb", buffering=0) as handle:
            start = len(BOM) if handle.read(len(BOM)) == BOM else 0
            cutter = Cutter(handle, start, file.size, delimiter=None, end_of_line=b"\n", target=options.piece)
            try:
                pieces = list(ordered(cutter, one, threads))
            except BadRecord as bad:
                raise _at(file, bad.offset, bad.reason) from None
        return pieces or [one(RawPiece(0, start, pa.py_buffer(b""), False))]

    def reread(
        self,
        file: SourceFile,
        options: Options,
        schema: pa.Schema,
        spans: Sequence[Span],
        sink: Sink,
        threads: int,
    ) -> list[int]:
        """See :class:`~mldata.formats.base.TabularFormat`."""
        with open(file.path, "rb", buffering=0) as handle:

            def load(span: Span) -> RawPiece:
                handle.seek(span.start)
                return RawPiece(
                    span.index, span.start, pa.py_buffer(handle.read(span.stop - span.start)), False
                )

            def one(raw: RawPiece) -> int:
                rows = _rows(raw, file)
                table = _table(rows, raw, file)
                plan = plan_columns(table.column_names, options, file.name)
                sink(raw.number, conform(table, plan, schema, options, file, rows=len(rows)))
                return len(rows)

            return list(ordered(map(load, spans), one, threads))


def _table(rows: list[Row], raw: RawPiece, file: SourceFile) -> pa.Table:
    names: Row = {}
    for row in rows:
        if row.keys() != names.keys():
            names.update(dict.fromkeys(row))
    columns = [_column(name, [row.get(name) for row in rows], raw, file) for name in names]
    return pa.Table.from_arrays(columns, names=list(names))


def _rows(raw: RawPiece, file: SourceFile) -> list[Row]:
    data = raw.data.to_pybytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as bad:
        raise _at(
            file, raw.start + bad.start, f"expected UTF-8, found the byte 0x{data[bad.start]:02x}"
        ) from None
    rows: list[Row] = []
    decode, add = _DECODER.decode, rows.append
    for number, line in enumerate(text.split("\n")):
        try:
            row = decode(line)
        except ValueError as error:
            if not line.strip(" \t\r"):
                continue
            raise _bad_line(text, number, error, raw, file) from None
        if type(row) is not dict:
            raise _bad_line(text, number, ValueError(f"expected an object, found {_called(row)}"), raw, file)
        add(row)
    return rows


def _column(name: str, values: list[Any], raw: RawPiece, file: SourceFile) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError) as error:
        raise _bad_column(name, values, str(error), raw, file) from None


def _pairs(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} is given twice in one object")
    return row


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text} is too large for a float64")
    return value


def _int(text: str) -> int:
    value = int(text) if len(text) <= 20 else INT64_MOST + 1
    if not -INT64_MOST - 1 <= value <= INT64_MOST:
        raise ValueError(f"the integer {text[:24]} is too large for an int64; write it as a string")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_int, parse_float=_float
)


def _bad_line(text: str, number: int, error: ValueError, raw: RawPiece, file: SourceFile) -> DataError:
    lines = text.split("\n")
    start = raw.start + sum(len(line.encode()) + 1 for line in lines[:number])
    line, _ = line_of(file.path, start)
    column = error.colno if isinstance(error, json.JSONDecodeError) else 1
    message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return DataError(
        f"expected one JSON object on the line: {message}",
        where=Where(file.name, line, column),
        hint="correct or remove the line",
    )


def _bad_column(name: str, values: list[Any], why: str, raw: RawPiece, file: SourceFile) -> DataError:
    """Find the first value that does not go with those before it."""
    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            pa.array(values[:middle])
            low = middle
        except (pa.ArrowException, OverflowError):
            high = middle
    row = high - 1
    others = sorted({_called(value) for value in values[:row] if value is not None}) or ["nothing"]
    lines = [i for i, line in enumerate(raw.data.to_pybytes().split(b"\n")) if line.strip(b" \t\r")]
    first, _ = line_of(file.path, raw.start)
    return DataError(
        f"column {name!r}: found {_called(values[row])} ({str(values[row])[:40]}) after {' and '.join(others)}: {why}",
        where=Where(file.name, first + lines[row]),
        hint="make the values of the column one type, or drop the column under normalize in mldata.yaml",
    )


def _called(value: Any) -> str:
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "an integer",
        float: "a number",
    }
    return names.get(type(value), "null")


def _at(file: SourceFile, offset: int, message: str) -> DataError:
    return DataError(message, where=Where(file.name, *line_of(file.path, offset)), hint="check the line")
