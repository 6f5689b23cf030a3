"""The check ``missing``: how many rows have no value, by column.

A value is missing if it is null. NaN is a value (of which the check ``schema`` says whether it may be there), and so is what lacks something inside: a
struct whose fields are null, an empty list, an empty text (``nulls:`` under normalize says which texts are none).

What the spec allows is held to exactly. A column of which it says nothing is looked at with suspicion where more than half of its values
are missing (what is left tells little, and most often a join or a rename went wrong), and where a part has none though others have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks.base import (
    ERROR,
    WARNING,
    Blob,
    Finding,
    Plan,
    Rows,
    Sketch,
    Subject,
    allows,
    counted,
    percent,
)
from mldata.checks.blocks import blocks
from mldata.checks.columns import check_names, in_code
from mldata.checks.tallies import TallyBlock, merge_tallies, places_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MissingCheck"]

SUSPICIOUS = "50%"
"""More than this is a warning where the spec says nothing."""


class MissingCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: ``max`` (a number or share of rows, or None) and ``columns``, the same by name."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Raises ``SpecError`` for a name that is no column."""
        check_names("columns", list(params["columns"]), subject.schema)
        if not len(subject.schema):
            return "the table has no columns"
        return _Plan(subject, params["max"], params["columns"])


@dataclass(frozen=True)
class _Plan:
    subject: Subject
    most: int | str | None
    by_column: Mapping[str, int | str]

    @property
    def columns(self) -> Sequence[str]:
        return list(self.subject.schema.names)

    @property
    def key(self) -> Mapping[str, Any]:
        return {"columns": self.columns}

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        for block in blocks(batches):
            seen = TallyBlock(_nulls)
            for batch in block:
                seen.add(batch)
            yield seen.blob()

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        return merge_tallies(sketches, rows, self.columns)

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        findings = [self._column(column, merged[column]) for column in self.columns]
        return [finding for found in findings for finding in found]

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
            suggestion = (
                "See where they were lost, drop the column, or say under `validate:` that it may be: "
                f"`missing: {{columns: {{{in_code(column)}: 100%}}}}`"
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


def _nulls(batch: pa.RecordBatch) -> Iterator[tuple[str, Any, None]]:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not column.null_count:
            yield name, np.zeros(len(column), np.bool_), None
        else:
            yield name, np.asarray(column.is_null()), None
