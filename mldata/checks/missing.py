"""The check ``missing``: how many rows have no value, by column; how many values a row lacks; and what may stand for a missing value.

A value is missing if it is null. NaN is a value (of which the check ``outliers`` tells), and so is what lacks something inside: a
struct whose fields are null, an empty list, an empty text (``nulls:`` under normalize says which texts are none).

What the spec allows is held to exactly. A column of which it says nothing is looked at with suspicion where more than half of its values
are missing (what is left tells little, and most often a join or a rename went wrong), and where a part has none though others have. A row that has no value
at all is a warning, one that lacks more than half a note, unless half of all rows are so: then the columns tell of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks.base import (
    ERROR,
    INFO,
    KEPT,
    WARNING,
    Blob,
    Finding,
    Place,
    Plan,
    Rows,
    Sketch,
    Subject,
    allows,
    percent,
)
from mldata.checks.blocks import blocks
from mldata.checks.columns import check_names, in_code
from mldata.checks.placeholders import BLANK, NUMBERS
from mldata.checks.sentinels import (
    OthersBlock,
    candidates,
    merge_others,
    plausible,
    sentinel_marks,
)
from mldata.checks.tallies import TallyBlock, merge_tallies, places_of
from mldata.plural import counted
from mldata.yamlkey import yaml_key

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MissingCheck"]

OFTEN_NULL = {"images": ("orientation",)}
"""Columns of media tables that most often have no value, and mean nothing by it: few pictures say how they are to be turned."""
SUSPICIOUS = "50%"
"""More than this is a warning where the spec says nothing."""
_SUSPICIOUS_ROW = 0.5


class MissingCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: see ``Missing.to_plain`` of :mod:`mldata.checkspecs.missing`."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Raises ``SpecError`` for a name that is no column."""
        check_names("columns", list(params["columns"]), subject.schema)
        if not len(subject.schema):
            return "the table has no columns"
        return _Plan(subject, params["max"], params["columns"], params["row"], params["sentinels"])


@dataclass(frozen=True)
class _Plan:
    subject: Subject
    most: int | str | None
    by_column: Mapping[str, int | str]
    row: float | None
    sentinels: Sequence[str] | None

    @property
    def columns(self) -> Sequence[str]:
        return list(self.subject.schema.names)

    @property
    def key(self) -> Mapping[str, Any]:
        return {"columns": self.columns, "sentinels": self.sentinels and list(self.sentinels)}

    @cached_property
    def _wanted(self) -> dict[str, list[str]]:
        """Candidates of each column that can have one."""
        wanted = {it.name: candidates(it.type, self.sentinels) for it in self.subject.schema}
        return {name: texts for name, texts in wanted.items() if texts}

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        for block in blocks(batches):
            seen, others = TallyBlock(self._find), OthersBlock(self._wanted)
            for batch in block:
                seen.add(batch)
                others.add(batch)
            yield seen.blob()
            yield others.blob()

    def _find(self, batch: pa.RecordBatch) -> Iterator[tuple[str, Any, Any]]:
        lacking = np.zeros(batch.num_rows, np.int32)
        for name, mask in _nulls(batch):
            lacking += mask
            yield f"null:{name}", mask, None
        for count in np.unique(lacking).tolist():
            if count:
                yield f"row:{count}", lacking == count, None
        for name, wanted in self._wanted.items():
            column = batch.column(name)
            for text, mask in sentinel_marks(column, wanted):
                yield f"stands:{wanted.index(text)}:{name}", mask, column

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        names = [f"null:{name}" for name in self.columns]
        names += [f"row:{count}" for count in range(1, len(self.columns) + 1)]
        # By number: any character may be in a value and in a name.
        names += [
            f"stands:{number}:{name}" for name, texts in self._wanted.items() for number in range(len(texts))
        ]
        tallies = merge_tallies(sketches, rows, names)
        found = {name: tally for name, tally in tallies.items() if tally["rows"]}
        return {"tallies": found, "others": merge_others(sketches)}

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        tallies, others = merged["tallies"], merged["others"]
        findings = [*self._rows(tallies)] if len(self.columns) > 1 else []
        for column in self.columns:
            findings += self._column(column, tallies.get(f"null:{column}", _NONE))
            findings += self._stands(column, tallies, others.get(column))
        return findings

    def _rows(self, tallies: Mapping[str, Any]) -> Iterator[Finding]:
        width, total = len(self.columns), self.subject.rows
        # As it is written: 0.29 * 100 is less than 29.
        most = Fraction(str(self.row if self.row is not None else _SUSPICIOUS_ROW)) * width
        lacking = [
            (count, tallies[f"row:{count}"]) for count in range(1, width + 1) if f"row:{count}" in tallies
        ]
        over = [tally for count, tally in lacking if count > most]
        rows = sum(tally["rows"] for tally in over)
        hint = "See whether lines were cut or a join found nothing; fill in what is missing, or leave these rows out"
        if self.row is not None:
            if rows:
                said = f"{_have(rows)} no value in more than {self.row:.0%} of the {width:,} columns"
                yield self._of_rows(ERROR, "row-missing", said, hint, over)
            return
        empty = [tally for count, tally in lacking if count == width]
        if empty and empty[0]["rows"] < total:
            yield self._of_rows(
                WARNING, "row-empty", f"{_have(empty[0]['rows'])} no value in any column", hint, empty
            )
        rest = [tally for count, tally in lacking if most < count < width]
        few = sum(tally["rows"] for tally in rest)
        if few and not 2 * rows > total:
            said = f"{_have(few)} no value in more than half of the {width:,} columns"
            yield self._of_rows(INFO, "row-mostly-missing", said, hint, rest)

    def _of_rows(
        self, severity: str, code: str, said: str, hint: str, found: Sequence[Mapping[str, Any]]
    ) -> Finding:
        rows, parts, places = _joined(found)
        return Finding(
            severity, code, said, hint, rows=rows, parts=self.subject.in_order(parts), places=places
        )

    def _stands(
        self, column: str, tallies: Mapping[str, Any], others: Sequence[float] | None
    ) -> Iterator[Finding]:
        told = []
        for number, text in enumerate(self._wanted.get(column, ())):
            tally = tallies.get(f"stands:{number}:{column}")
            if tally is None:
                continue
            guess = self.sentinels is None and text in NUMBERS
            if not guess or plausible(text, tally["rows"], self.subject.rows, others):
                told.append((text, tally))
        if not told:
            return
        guessed = self.sentinels is None and told[0][0] in NUMBERS
        rows, parts, places = _joined([tally for _, tally in told])
        said = " and ".join(
            f"{_quoted(text, guessed)} in {counted(tally['rows'])} ({percent(tally['rows'], self.subject.rows)})"
            for text, tally in told
        )
        names = ", ".join(f'"{text}"' for text, _ in told)
        yield Finding(
            WARNING if guessed or self.sentinels is not None else INFO,
            "stands-for-missing",
            f"{column!r} has {said}, which may stand for a missing value",
            f"If so, have it read as one: `normalize: {{nulls: [{in_code(names)}]}}`; if not, say which do: `missing: {{sentinels: [...]}}` under `validate:`",
            column=column,
            rows=rows,
            parts=self.subject.in_order(parts),
            places=places,
        )

    def _column(self, column: str, tally: Mapping[str, Any]) -> Iterator[Finding]:
        rows, total = tally["rows"], self.subject.rows
        limit = self.by_column.get(column, self.most)
        told = {"column": column, "parts": self.subject.in_order(tally["parts"]), "rows": rows}
        said = f"{column!r} has no value in {rows:,} of {counted(total)} ({percent(rows, total)})"
        if limit is not None and not allows(limit, rows, total):
            most = (
                "where none may be missing" if limit in (0, "0%") else f"where at most {limit} may be missing"
            )
            suggestion = (
                "Fill them in, leave these rows or the column out, or raise `missing:` under `validate:`"
            )
            yield Finding(ERROR, "missing", f"{said}, {most}", suggestion, places=places_of(tally), **told)
        elif limit is None and not allows(SUSPICIOUS, rows, total):
            if column in OFTEN_NULL.get(self.subject.kind, ()):
                return
            suggestion = (
                "See where they were lost, drop the column, or say under `validate:` that it may be: "
                f"`missing: {{columns: {{{yaml_key(column)}: 100%}}}}`"
            )
            yield Finding(WARNING, "mostly-missing", said, suggestion, places=places_of(tally), **told)
        for part, of_part in self.subject.parts.items() if rows < total else ():
            if of_part and tally["parts"].get(part) == of_part:
                yield Finding(
                    WARNING,
                    "missing-in-part",
                    f"{column!r} has no value in any of the {counted(of_part)} of part '{part}', though it has elsewhere",
                    "See whether the rows of that part come from a source that lacks the column, or split otherwise",
                    column=column,
                    part=part,
                    rows=of_part,
                )


_NONE: Mapping[str, Any] = {"rows": 0, "parts": {}, "places": []}


def _have(rows: int) -> str:
    return f"{counted(rows)} {'has' if rows == 1 else 'have'}"


def _quoted(text: str, number: bool) -> str:
    return "blank text" if text == BLANK else text if number else repr(text)


def _joined(found: Sequence[Mapping[str, Any]]) -> tuple[int, dict[str, int], tuple[Place, ...]]:
    """Rows, rows by part and the first few of tallies that have no row in common."""
    parts: dict[str, int] = {}
    for tally in found:
        for part, count in tally["parts"].items():
            parts[part] = parts.get(part, 0) + count
    places = sorted((place for tally in found for place in places_of(tally)), key=lambda it: it.row)
    return sum(tally["rows"] for tally in found), parts, tuple(places[:KEPT])


def _nulls(batch: pa.RecordBatch) -> Iterator[tuple[str, Any]]:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not column.null_count:
            yield name, np.zeros(len(column), np.bool_)
        else:
            yield name, np.asarray(column.is_null())
