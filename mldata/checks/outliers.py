"""The check ``outliers``: values that cannot be meant, and columns that say nothing.

- of any column: the same value in every row, or nearly;
- of numbers: NaN, infinities, and what is far outside of the others (:mod:`mldata.checks.spread` has the formula);
- of dates and times: moments that stand for none, and centuries that none is meant in;
- of text: damage by a wrong encoding, numbers or dates with words among them, spaces around;
- of tables of media: sizes that are zero.

No name of a column is read for what its values may be. What is inside of lists and structs is not looked at. A finding is a warning where values are damaged
beyond doubt or a column is useless to a model, and a note where it may be meant. How many damaged values there may be the spec can say (``max``), and is held to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.checks.base import (
    ERROR,
    INFO,
    WARNING,
    Blob,
    Finding,
    Plan,
    Rows,
    Sketch,
    Subject,
    allows,
    percent,
)
from mldata.checks.blocks import blocks
from mldata.checks.categories import CategoryBlock, has_values, merge_counts
from mldata.checks.columns import check_names, plain
from mldata.checks.spread import SpreadBlock, far_out, is_number, merge_spreads
from mldata.checks.tallies import TallyBlock, merge_tallies, places_of
from mldata.checks.textmarks import TEXT_MARKS, is_text, text_marks
from mldata.checks.valuemarks import is_time, number_marks, time_marks
from mldata.plural import counted
from mldata.yamlkey import types_setting, yaml_key

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["OutliersCheck"]

MOST_VALUES = 100
"""A column with more distinct values is not constant, nor nearly: what is rare in it is much."""
_RARE = 20
"""What more than one of so many values is, is no outlier but another kind of value."""
_OFTEN = 100
"""A moment that at least one of so many values is, and not only one, may stand for none."""
_FEWEST = 20
"""Of fewer texts it cannot be said what they are for the most part."""
_SIZES = ("width", "height", "duration", "sample_rate", "channels", "size")
"""Columns of tables of media that are zero of no sound file."""


class OutliersCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: see ``Outliers.to_plain`` of :mod:`mldata.checkspecs.outliers`."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Raises ``SpecError`` for a name that is no column."""
        check_names("skip", params["skip"], subject.schema)
        plan = _Plan(subject, params)
        return plan if plan.columns else "the table has no column of numbers, times or text"


@dataclass(frozen=True)
class _Plan:
    subject: Subject
    params: Mapping[str, Any]

    @property
    def columns(self) -> Sequence[str]:
        schema = self.subject.schema
        return [
            name
            for name in schema.names
            if name not in self.params["skip"] and has_values(schema.field(name).type)
        ]

    @property
    def key(self) -> Mapping[str, Any]:
        return {"columns": self.columns, "media": self.subject.kind != "tabular"}

    def _of(self, wanted: Any) -> list[str]:
        return [name for name in self.columns if wanted(self.subject.schema.field(name).type)]

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        numbers = self._of(is_number)
        for block in blocks(batches):
            tally = TallyBlock(self._find)
            values = CategoryBlock(self.columns, MOST_VALUES, by_row=False)
            spread = SpreadBlock(numbers)
            for batch in block:
                for seen in (tally, values, spread):
                    seen.add(batch)
            yield tally.blob()
            yield values.blob()
            yield spread.blob()

    def _find(self, batch: pa.RecordBatch) -> Iterator[tuple[str, Any, pa.Array]]:
        media = self.subject.kind != "tabular"
        for name in self.columns:
            column, kind = batch.column(name), self.subject.schema.field(name).type
            for mark, mask in _marks(column, kind):
                yield f"{mark}:{name}", mask, column
            if media and name in _SIZES and is_number(kind):
                yield f"zero:{name}", np.asarray(pc.fill_null(pc.less_equal(plain(column), 0), False)), column

    def _names(self) -> list[str]:
        names = [f"{mark}:{name}" for name in self._of(is_text) for mark in TEXT_MARKS]
        names += [f"{mark}:{name}" for name in self._of(pt.is_floating) for mark in ("infinite", "nan")]
        names += [f"{mark}:{name}" for name in self._of(is_time) for mark in ("stand-in", "far-date")]
        return names + [f"zero:{name}" for name in self._of(is_number) if name in _SIZES]

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        marks = merge_tallies(sketches, rows, self._names())
        return {
            "marks": {name: tally for name, tally in marks.items() if tally["rows"]},
            "values": merge_counts(sketches, self.columns, MOST_VALUES),
            "spreads": merge_spreads(sketches, rows, self._of(is_number)),
        }

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        found = [finding for column in self.columns for finding in self._column(column, merged)]
        return [held for finding in found for held in self._held(finding)]

    def _held(self, finding: Finding) -> Iterator[Finding]:
        """A warning of values, as the limit of the spec has it."""
        limit = self.params["max"]
        if limit is None or finding.severity != WARNING or not finding.rows:
            yield finding
        elif not allows(limit, finding.rows, self.subject.rows):
            yield replace(
                finding, severity=ERROR, message=f"{finding.message}, where at most {limit} may be so"
            )

    def _column(self, column: str, merged: Mapping[str, Any]) -> Iterator[Finding]:
        values, marks = merged["values"][column], merged["marks"]
        if values and self.subject.kind == "tabular":
            yield from self._constant(column, *values[0])
        if merged["spreads"].get(column) is not None:
            yield from self._far(column, merged["spreads"][column])
        for mark in _TOLD:
            tally = marks.get(f"{mark}:{column}")
            if tally is not None and not (mark == "stand-in" and self._seldom(tally)):
                yield self._marked(column, mark, tally)
        for kind, other in (("number", "word"), ("date", "undated")):
            yield from self._mixed(
                column, kind, marks.get(f"{kind}:{column}"), marks.get(f"{other}:{column}")
            )

    def _seldom(self, tally: Mapping[str, Any]) -> bool:
        rows: int = tally["rows"]
        return rows < 2 or rows * _OFTEN < self.subject.rows or rows == self.subject.rows

    def _constant(self, column: str, value: str | None, rows: int) -> Iterator[Finding]:
        total = self.subject.rows
        if value is None or total < 2:
            return
        drop = f"Drop the column, which tells a model nothing: `normalize: {{drop: [{yaml_key(column)}]}}`"
        if rows == total:
            said = f"{column!r} is {_short(repr(value))} in all of {counted(total)}"
            yield Finding(WARNING, "constant", said, drop, column=column)
        elif rows >= Fraction(str(self.params["constant"])) * total:
            said = f"{column!r} is {_short(repr(value))} in all but {counted(total - rows)} of {total:,}"
            hint = "See whether the others are meant; a column that hardly varies tells a model little"
            yield Finding(INFO, "nearly-constant", said, hint, column=column, rows=total - rows)

    def _far(self, column: str, spread: Mapping[str, Any]) -> Iterator[Finding]:
        count, (low, high), places = far_out(spread, self.params["far"])
        if not count or count * _RARE > spread["values"]:
            return
        first, third = spread["quartiles"]
        yield Finding(
            INFO,
            "far-out",
            f"{column!r} has {counted(count, 'value')} far from the others: half of them are from {_number(first)} to {_number(third)}, "
            f"these are not from {_number(low)} to {_number(high)}",
            f"See whether the units and the decimal point are right; say what may be, `schema: {{columns: {{{yaml_key(column)}: {{max: N}}}}}}`; or "
            "allow more: `outliers: {far: N}` under `validate:`",
            column=column,
            rows=count,
            places=places,
        )

    def _marked(self, column: str, mark: str, tally: Mapping[str, Any]) -> Finding:
        told, rows = _TOLD[mark], tally["rows"]
        return Finding(
            told.severity,
            mark,
            f"{column!r} {told.said} in {counted(rows)} ({percent(rows, self.subject.rows)})",
            told.suggestion.replace("COLUMN", yaml_key(column)),
            column=column,
            rows=rows,
            parts=self.subject.in_order(tally["parts"]),
            places=places_of(tally),
        )

    def _mixed(
        self, column: str, kind: str, these: Mapping[str, Any] | None, others: Mapping[str, Any] | None
    ) -> Iterator[Finding]:
        if these is None or others is None:
            return
        count, rows = these["rows"], others["rows"]
        total = count + rows
        if total < _FEWEST or count < Fraction(str(self.params["mixed"])) * total:
            return
        named = "int64" if kind == "number" else "date32"
        yield Finding(
            WARNING,
            "mixed-types",
            f"{column!r} is text, of which {percent(count, total)} are {kind}s and {counted(rows)} {'is' if rows == 1 else 'are'} not",
            "Correct these, or say which stand for a missing value (`normalize: {nulls: [...]}`), and give the column its type: "
            f"`{types_setting(column, named)}`",
            column=column,
            rows=rows,
            parts=self.subject.in_order(others["parts"]),
            places=places_of(others),
        )


def _marks(column: pa.Array, kind: pa.DataType) -> Iterator[tuple[str, Any]]:
    if is_text(kind):
        yield from text_marks(column)
    elif pt.is_floating(kind):
        yield from number_marks(column)
    elif is_time(kind):
        yield from time_marks(column)


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e15 else f"{value:.3g}"


def _short(text: str) -> str:
    from mldata.checks.wording import SHOWN_CHARACTERS

    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."


class _Told(NamedTuple):
    severity: str
    said: str
    suggestion: str


_READ_AGAIN = "Read the source in the encoding that it was written in: `normalize: {encoding: ...}`, or correct it there"
_TOLD = {
    "infinite": _Told(
        WARNING,
        "is infinite",
        "See what was divided by zero or overflowed; have it missing, or leave these rows out",
    ),
    "nan": _Told(
        WARNING,
        "is NaN, which is a value and not a missing one,",
        'Have it missing, or leave these rows out: `transform: [{filter: "..."}]`; most models cannot learn from NaN',
    ),
    "far-date": _Told(
        WARNING,
        "is before the year 1000 or after 2199",
        "If it stands for no date (0001-01-01, 9999-12-31), have it missing; else correct it at the source",
    ),
    "stand-in": _Told(
        INFO,
        "is a moment that programs write where they have none (such as 1970-01-01)",
        "If it stands for no date, have it missing",
    ),
    "zero": _Told(
        WARNING, "is zero or less", "See whether the file is whole: `mldata validate --checks files`"
    ),
    "mojibake": _Told(WARNING, "has letters of a wrong encoding (such as 'Ã©' for 'é')", _READ_AGAIN),
    "replacement": _Told(WARNING, "has characters that were lost in an encoding (U+FFFD)", _READ_AGAIN),
    "nul": _Told(
        WARNING, "has NUL characters", "Leave them out at the source; many programs end a text there"
    ),
    "control": _Told(WARNING, "has control characters", _READ_AGAIN),
    "byte-order-mark": _Told(
        INFO,
        "has a byte order mark (U+FEFF) inside",
        "Leave it out at the source: it makes texts differ that look the same",
    ),
    "html-entity": _Told(
        INFO, "has HTML entities (such as '&amp;')", "If it is not markup, decode it at the source"
    ),
    "spaces": _Told(
        INFO, "has spaces before or after the text", "Trim it at the source, so that equal texts are equal"
    ),
}
