"""What the formats share whose cells have types of their own, one by one (SQLite, spreadsheets): rows of Python values to pieces.

The type of a column is found from its values, as in JSON: integers are int64 (decimals, if one does not fit), integers among reals are float64 if
each is within ±2**53, days among times are timestamps. Any other mixture is an error that names both rows, unless the spec forces a type:
then each value is taken by its text. A piece ends with the row that reaches its size; a span is in rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.types as pt

from mldata.errors import DataError, Where
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span
from mldata.formats.columns import Plan, plan_columns
from mldata.formats.infer import EXACT
from mldata.formats.jsonexact import wants_text
from mldata.formats.jsonfault import MAX_DIGITS, short
from mldata.formats.typed import Widths, conform, shaped
from mldata.formats.unify import join_types
from mldata.yamlkey import types_setting

__all__ = ["Rows", "Value", "ValuedFormat"]

Value = None | bool | int | float | str | bytes | dt.date | dt.datetime | dt.time | dt.timedelta
CELL_BYTES = 8
"""What a value counts for besides its text, when pieces are cut."""

_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    dt.date: pa.date32(),
    dt.datetime: pa.timestamp("us"),
    dt.time: pa.time64("us"),
    dt.timedelta: pa.duration("us"),
}
_CALLED = {
    bool: "a boolean", int: "an integer", float: "a real", str: "text", bytes: "binary data",
    dt.date: "a day", dt.datetime: "a time", dt.time: "a time of day", dt.timedelta: "a duration",
}  # fmt: skip


class Rows(Protocol):
    """An open file."""

    @property
    def names(self) -> Sequence[str]:
        """The file's own column names."""
        ...

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        """All rows in order, from the first on each time. Raises ``DataError``."""
        ...

    def where(self, row: int) -> Where:
        """The place of a row (counted from 0), for messages."""
        ...


class ValuedFormat:
    """The :class:`~mldata.formats.base.TabularFormat` of such files; what is left to a subclass is to open them."""

    text = False

    def opened(
        self, file: SourceFile, options: Options, checkpoint: Callable[[], None], *, first: bool = False
    ) -> AbstractContextManager[Rows]:
        """The rows of a file. Raises ``DataError``.

        Args:
            checkpoint: raises when the build is being stopped.
            first: the file is looked at for the first time: what need not be checked again is to be checked now.
        """
        raise NotImplementedError

    def told(self, rows: Rows, options: Options) -> dict[str, Any]:
        """How the file turned out to be made, when it was read for the first time."""
        raise NotImplementedError

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in rows."""
        with self.opened(file, options, sink.checkpoint, first=True) as rows:
            made = read_rows(rows, file, options, sink)
            sink.note(self.told(rows, options))
        return made

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
        with self.opened(file, options, sink.checkpoint) as rows:
            return reread_rows(rows, file, options, schema, spans, sink)

    def example(
        self, file: SourceFile, options: Options, span: Span, column: str, other: pa.DataType
    ) -> tuple[Where, str] | None:
        """The place and text of the first value of ``column`` in ``span`` that ``other`` does not go with."""
        with self.opened(file, options, lambda: None) as rows:
            return find_example(rows, file, options, span, column, other)


class Clash(Exception):
    """The values at these two rows of a column have no type that holds both."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first, second)
        self.first, self.second = first, second


def read_rows(rows: Rows, file: SourceFile, options: Options, sink: Sink) -> list[Piece]:
    """See :meth:`mldata.formats.base.TabularFormat.read`."""
    plan = plan_columns(rows.names, options, file.name)
    made: list[Piece] = []
    start = 0
    for part in _cut(rows, options.piece):
        table = _table(part, plan, rows, start)
        schema = shaped(table.schema, plan, file)
        table = conform(table, plan, schema, options, file, start, len(part), _placer(rows, start))
        widths = Widths()
        widths.look(table)
        sink(len(made), table)
        span = (start, start + len(part))
        made.append(Piece(len(part), span, schema, plan.names, frozenset(widths.wide)))
        start += len(part)
    return made


def reread_rows(
    rows: Rows, file: SourceFile, options: Options, schema: pa.Schema, spans: Sequence[Span], sink: Sink
) -> list[int]:
    """See :meth:`mldata.formats.base.TabularFormat.reread`."""
    plan = plan_columns(rows.names, options, file.name)
    counts = []
    for span, part in _spans(rows, spans):
        table = _table(part, plan, rows, span.start)
        place = _placer(rows, span.start)
        sink(span.index, conform(table, plan, schema, options, file, span.start, len(part), place))
        counts.append(len(part))
    return counts


def find_example(
    rows: Rows, file: SourceFile, options: Options, span: Span, column: str, other: pa.DataType
) -> tuple[Where, str] | None:
    """The place and text of the first value of ``column`` in ``span`` that ``other`` does not go with."""
    plan = plan_columns(rows.names, options, file.name)
    at = plan.keep[plan.final.index(column)]
    for _, part in _spans(rows, [span]):
        for number, row in enumerate(part):
            value = row[at]
            if value is None:
                continue
            wide = not isinstance(value, int) or abs(value) > EXACT
            if join_types(type_of([value]), other, wide=wide) is None:
                return rows.where(span.start + number), _shown(value)
    return None


def type_of(values: Sequence[Value]) -> pa.DataType:
    """The narrowest type that holds ``values`` as they are. Raises :class:`Clash`."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.null()
    if kinds == {int}:
        return _integer([value for value in values if isinstance(value, int)])
    if len(kinds) == 1:
        return _TYPES[kinds.pop()]
    if kinds == {dt.date, dt.datetime}:
        return _TYPES[dt.datetime]
    if kinds == {int, float}:
        if all(-EXACT <= value <= EXACT for value in values if type(value) is int):
            return pa.float64()
        real = next(i for i, value in enumerate(values) if type(value) is float)
        large = next(i for i, v in enumerate(values) if type(v) is int and not -EXACT <= v <= EXACT)
        raise Clash(min(real, large), max(real, large))
    first = next(i for i, value in enumerate(values) if value is not None)
    group = _group(values[first])
    raise Clash(first, next(i for i, v in enumerate(values) if v is not None and _group(v) != group))


def _group(value: Value) -> type:
    """Kinds that have a type together."""
    kind = type(value)
    return {int: float, dt.datetime: dt.date}.get(kind, kind)


def _integer(values: Sequence[int]) -> pa.DataType:
    if min(values) >= -(2**63) and max(values) < 2**63:
        return pa.int64()
    most = max(abs(value) for value in values)
    return pa.decimal128(38, 0) if most < 10**38 else pa.decimal256(MAX_DIGITS, 0)


def _table(part: Sequence[tuple[Value, ...]], plan: Plan, rows: Rows, start: int) -> pa.Table:
    """The columns of some rows, all of the file's; those of a forced type by their text, if it is made from text."""
    final = dict(zip(plan.keep, plan.final, strict=True))
    columns = []
    for at, name in enumerate(plan.names):
        values = [row[at] for row in part]
        forced = plan.forced.get(final[at]) if at in final else None
        try:
            columns.append(_column(values, forced, kept=at in final))
        except Clash as clash:
            raise _mixed(name, values, clash, rows, start) from None
    return pa.Table.from_arrays(columns, names=list(plan.names))


def _column(values: list[Value], forced: pa.DataType | None, kept: bool) -> pa.Array:
    if not kept:
        return pa.nulls(len(values))
    textual = forced is not None and not any(isinstance(value, bytes) for value in values)
    if forced is None or not (textual and wants_text(forced)):
        try:
            kind = type_of(values)
            days = pt.is_timestamp(kind) and any(type(value) is dt.date for value in values)
            return pa.array([_midnight(value) for value in values] if days else values, kind)
        except Clash:
            if forced is None or not textual:
                raise
    return pa.array([None if value is None else _text(value, forced) for value in values], pa.string())


def _midnight(value: Value) -> Value:
    return dt.datetime.combine(value, dt.time()) if type(value) is dt.date else value


def _text(value: Value, forced: pa.DataType) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and pt.is_integer(forced):
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _cut(rows: Rows, size: int) -> Iterator[list[tuple[Value, ...]]]:
    """Rows put together until they reach ``size``; one empty part if there are none."""
    part: list[tuple[Value, ...]] = []
    held, none = 0, True
    for row in rows:
        part.append(row)
        held += CELL_BYTES * len(row)
        for value in row:
            if type(value) is str or type(value) is bytes:
                held += len(value)
        if held >= size:
            yield part
            part, held, none = [], 0, False
    if part or none:
        yield part


def _spans(rows: Rows, spans: Iterable[Span]) -> Iterator[tuple[Span, list[tuple[Value, ...]]]]:
    """The rows of each of ascending ``spans``, in one pass."""
    source, at = iter(rows), 0
    for span in spans:
        part = list(islice(source, span.start - at, span.stop - at))
        at = span.stop
        yield span, part


def _placer(rows: Rows, start: int) -> Callable[[int], Where]:
    """The place of a row of a part that begins at ``start``."""
    return lambda row: rows.where(start + row)


def _mixed(name: str, values: Sequence[Value], clash: Clash, rows: Rows, start: int) -> DataError:
    first, second = values[clash.first], values[clash.second]
    found = f"{_CALLED[type(second)]} ({_shown(second)}) after {_CALLED[type(first)]} ({_shown(first)})"
    return DataError(
        f"column {name!r}: found {found} at {rows.where(start + clash.first)}, and no type holds both without loss",
        where=rows.where(start + clash.second),
        hint=f"make them one kind of value, or keep them as text with `{types_setting(name, 'string')}` in mldata.yaml",
    )


def _shown(value: Value) -> str:
    return short(repr(value) if isinstance(value, str | bytes) else str(value))
