"""What the columns of a table hold, as ``validate.schema`` declares it: a section to start from, which the table itself passes.

- ``type``, if the spec has a name for it;
- ``nullable: false`` where nothing is missing;
- ``min`` and ``max`` of numbers, dates and times, unless one is NaN or infinite, or more than a spec can say;
- ``allowed`` for text of at most :data:`FEW` distinct values, which ten rows each have on average;
- ``unique`` for columns that are called as ids are (:data:`IDS`) and repeat nothing; of these no range and no values, which the next rows are beyond.

It is sketched and merged as a check is (:mod:`mldata.checks.base`), so the table may be larger than memory.

The blob ``facts`` is the canonical encoding of ``{COLUMN: {"nulls": n, "range": [least, most] or None, "odd": bool}}``: whole numbers and stored times as integers,
floating-point numbers as such, decimals as text; ``odd`` says that there are NaN or infinities.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.checks import base
from mldata.checks.base import Blob, Rows, Sketch
from mldata.checks.blocks import blocks
from mldata.checks.categories import CategoryBlock, merge_counts
from mldata.checks.columns import plain, type_name
from mldata.checks.constraints import Unfit, in_range
from mldata.checks.equalrows import EqualRows, RunBlock
from mldata.checks.spread import is_number
from mldata.checks.textmarks import is_text
from mldata.checks.valuemarks import is_time
from mldata.rowhash import hash_column
from store import decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEW", "IDS", "Declaring"]

FEW = 20
"""Distinct texts that are named; more are no list that people look over."""
IDS = frozenset({"id", "row_id", "uuid", "guid", "path"})
"""Names of columns that tell rows apart, in any case. Not ``*_id``: an id of something else repeats sooner or later."""
_ROWS_EACH = 10
_FACTS = "facts"
_MOST = 2**63
"""Numbers of a spec are nearer to zero."""
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Declaring:
    """Sketches fragments, and merges the sketches into what is to be declared: ``columns`` of the section."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self.columns: Sequence[str] = list(schema.names)
        self._texts = [it.name for it in schema if is_text(it.type)]
        self._ids = [it.name for it in schema if it.name.casefold() in IDS and _hashable(it.type)]

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        """What there is to know of a fragment."""
        for block in blocks(batches):
            facts: dict[str, _Facts] = {it.name: _Facts(it.type) for it in self._schema}
            values, runs = (
                CategoryBlock(self._texts, FEW, by_row=False),
                {name: RunBlock() for name in self._ids},
            )
            for batch in block:
                for name, fact in facts.items():
                    fact.add(batch.column(name))
                values.add(batch)
                for name, run in runs.items():
                    run.add([batch.column(name)])
            yield Blob(_FACTS, encode({name: fact.to_plain() for name, fact in facts.items()}))
            yield values.blob()
            for number, run in enumerate(runs.values()):
                yield run.blob(f"run-{number}")

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> dict[str, dict[str, Any]]:
        """Settings by column, in the order of the table."""
        facts = {it.name: _Facts(it.type) for it in self._schema}
        for sketch in sketches:
            for _, _, path in sketch.blocks(_FACTS, base.BLOCK_ROWS):
                seen: Any = decode(path.read_bytes())
                for name, fact in facts.items():
                    fact.join(seen[name])
        total = sum(sketch.rows for sketch in sketches)
        values = merge_counts(sketches, self._texts, FEW)
        unique = {
            name
            for number, name in enumerate(self._ids)
            if total
            and not facts[name].nulls
            and not EqualRows(sketches, rows, apart=False, kind=f"run-{number}").within[0]
        }
        return {
            name: _settings(self._schema.field(name).type, fact, total, values.get(name), name in unique)
            for name, fact in facts.items()
        }


def _hashable(kind: pa.DataType) -> bool:
    try:
        hash_column(pa.nulls(0, kind))
    except TypeError:
        return False
    return True


def _settings(
    kind: pa.DataType, fact: _Facts, total: int, values: Sequence[Sequence[Any]] | None, unique: bool
) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if (name := _spec_type(kind)) is not None:
        settings["type"] = name
    if total and not fact.nulls:
        settings["nullable"] = False
    if unique:
        return {**settings, "unique": True}
    if fact.range is not None and not fact.odd:
        low, high = fact.range
        bounds = {"min": _bound(kind, low, below=True), "max": _bound(kind, high, below=False)}
        settings |= {name: bound for name, bound in bounds.items() if bound is not None}
    known = sorted(value for value, _ in values or () if value is not None)
    if known and len(known) * _ROWS_EACH <= total - fact.nulls:
        settings["allowed"] = known
    return settings


def _spec_type(kind: pa.DataType) -> str | None:
    """A type as the spec has it; None: it has no name for it, or it is that of no value."""
    from pydantic_core import PydanticCustomError

    from mldata.specvalues import column_type

    try:
        name = column_type(type_name(kind))
    except PydanticCustomError:
        return None
    return None if name == "null" else name


class _Facts:
    """Of one column."""

    def __init__(self, kind: pa.DataType) -> None:
        self.nulls, self.odd = 0, False
        self.range: tuple[Any, Any] | None = None
        self._kind = kind

    def add(self, column: pa.Array) -> None:
        """Look at the next values."""
        self.nulls += column.null_count
        if not (is_number(self._kind) or is_time(self._kind)):
            return
        known = plain(column).drop_null()
        if not len(known):
            return
        if pt.is_decimal(self._kind):
            found = pc.min_max(known).as_py()
            self._widen(found["min"], found["max"])
            return
        numbers = _numbers(known)
        if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            self.odd = True
        elif numbers.dtype.kind == "f":
            self._widen(float(numbers.min()), float(numbers.max()))
        else:
            self._widen(int(numbers.min()), int(numbers.max()))

    def _widen(self, low: Any, high: Any) -> None:
        known = self.range or (low, high)
        self.range = min(known[0], low), max(known[1], high)

    def to_plain(self) -> dict[str, Any]:
        """As the blob has it."""
        ends = [str(it) if isinstance(it, Decimal) else it for it in self.range or ()]
        return {"nulls": self.nulls, "range": ends or None, "odd": self.odd}

    def join(self, seen: Mapping[str, Any]) -> None:
        """Add what a blob has."""
        self.nulls += seen["nulls"]
        self.odd |= seen["odd"]
        if seen["range"] is not None:
            ends = [Decimal(it) if isinstance(it, str) else it for it in seen["range"]]
            self._widen(*ends)


def _numbers(known: pa.Array) -> NDArray[Any]:
    """Values without null as they are stored."""
    if is_time(known.type):
        known = known.view(pa.int32() if known.type.bit_width == 32 else pa.int64())
    return np.asarray(known.cast(pa.float32()) if pt.is_float16(known.type) else known)


def _bound(kind: pa.DataType, value: Any, *, below: bool) -> int | float | str | None:
    """A bound that ``value`` is within, as a spec writes it; None: it cannot."""
    if is_time(kind):
        moment = _moment(kind, value, below=below)
        return moment if moment is not None and _fits(kind, moment) else None
    if isinstance(value, Decimal):
        near = float(value)
        # The nearest float may be on the other side.
        if (Decimal(repr(near)) > value) if below else (Decimal(repr(near)) < value):
            near = math.nextafter(near, -math.inf if below else math.inf)
        value = near
    return value if abs(value) < _MOST else None


def _fits(kind: pa.DataType, bound: str) -> bool:
    """Whether a column can be compared with a bound: the microsecond after the last nanosecond is none."""
    try:
        in_range(kind, bound, bound)
    except Unfit:
        return False
    return True


def _moment(kind: pa.DataType, stored: int, *, below: bool) -> str | None:
    """A stored date or time to the microsecond, in UTC where the column has a zone."""
    ticks = _TICKS[kind.unit] if pt.is_timestamp(kind) else 1000
    if pt.is_date32(kind):
        stored, ticks = stored * 86_400, 1
    micros = stored * 10**6 // ticks if below else -(-stored * 10**6 // ticks)
    try:
        moment = datetime(1970, 1, 1) + timedelta(microseconds=micros)
    except OverflowError:
        return None
    if pt.is_date(kind):
        return moment.date().isoformat() if moment.time() == datetime.min.time() else None
    zoned = pt.is_timestamp(kind) and kind.tz is not None
    return (moment.replace(tzinfo=UTC) if zoned else moment).isoformat()
