"""The check ``duplicates``: rows that are there more than once, within a part and across parts.

A row of a later part (val, test) that an earlier one (train) has, too, is an error unless the spec allows it: what is measured on it is not what it
seems. Equal rows within a part are a warning, since real data has them, unless the spec says how many may be.

Rows are compared by all columns, or by those that ``columns`` names; of images and recordings by the content of their files.

Texts, pictures and recordings that are nearly equal to an earlier one of their part are a warning unless the spec says how many may be; of what is nearly equal to something in
another part the check ``leakage`` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldata.checks.base import (
    ERROR,
    WARNING,
    Blob,
    Finding,
    Look,
    Place,
    Plan,
    Rows,
    Sketch,
    Subject,
    allows,
    percent,
)
from mldata.checks.blocks import blocks
from mldata.checks.columns import check_names
from mldata.checks.equalrows import EqualRows, RunBlock
from mldata.checks.nearness import Nearness, nearness
from mldata.errors import SpecError
from mldata.plural import counted
from mldata.rowhash import hash_column
from mldata.yamlkey import yaml_key

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DuplicatesCheck"]

SHOWN_COLUMNS = 4
"""Of a row that a finding names."""


class DuplicatesCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: ``within`` and ``across`` (a number or share of a part's rows, or None), ``columns``, and ``near``.

    Without a limit, equal rows within a part are a warning, and those across parts are left to the check ``leakage``.
    """

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Raises ``SpecError`` for a name that is no column, and for columns that cannot be compared."""
        import pyarrow as pa

        check_names("columns", params["columns"], subject.schema)
        columns = params["columns"] or (subject.schema.names if subject.kind == "tabular" else ["digest"])
        if not columns:
            return "the table has no columns"
        for name in columns:
            if name not in subject.schema.names:
                return f"the table has no column '{name}', by which media files are compared"
            try:
                hash_column(pa.nulls(0, subject.schema.field(name).type))
            except TypeError as error:
                hint = "name the columns that tell rows apart: duplicates: {columns: [id]}"
                raise SpecError(f"rows cannot be compared: {error}", hint=hint) from None
        near = nearness(params.get("near"), subject, columns, "duplicates")
        return _Plan(subject, tuple(columns), params["within"], params["across"], near)


@dataclass(frozen=True)
class _Plan:
    subject: Subject
    columns: tuple[str, ...]
    most_within: int | str | None
    most_across: int | str | None
    near: Nearness

    @property
    def key(self) -> Mapping[str, Any]:
        return {"columns": list(self.columns), "near": self.near.key}

    @property
    def looks(self) -> Sequence[Look]:
        """See :func:`mldata.checks.base.looks_of`."""
        return self.near.looks

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        for block in blocks(batches):
            run = RunBlock()
            for batch in block:
                run.add(batch.columns)
            yield run.blob()

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        merged = EqualRows(sketches, rows).told(self._shown, both=self._shown == ["path"])
        return merged | {"near": self.near.merge(sketches, rows)}

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        order = list(self.subject.parts)
        across = [self._across(part, merged["across"][part]) for part in order if part in merged["across"]]
        within = [self._within(part, merged["within"][part]) for part in order if part in merged["within"]]
        exact = [finding for finding in (*across, *within) if finding is not None]
        return [*exact, *self.near.within(merged["near"])]

    def _across(self, part: str, found: Mapping[str, Any]) -> Finding | None:
        parts, total = self.subject.in_order(found["parts"]), self.subject.parts[part]
        rows = sum(parts.values())
        if self.most_across is None or allows(self.most_across, rows, total):
            return None
        others = " and ".join(f"'{name}'" for name in parts)
        return Finding(
            ERROR,
            "duplicate-across",
            f"{counted(rows)} of part '{part}' ({percent(rows, total)}) {'is' if rows == 1 else 'are'} in {others} too"
            + self._by(),
            f"Keep equal rows together (`split: {self._split()}`), keep one of each (`transform: [{self._dedupe()}]`), or "
            "allow it: `duplicates: {across: N}` under `validate:`",
            part=part,
            rows=rows,
            parts=parts,
            places=_places(found),
        )

    def _within(self, part: str, found: Mapping[str, Any]) -> Finding | None:
        rows, total = found["rows"], self.subject.parts[part]
        if self.most_within is not None and allows(self.most_within, rows, total):
            return None
        where = f" of part '{part}'" if self.subject.split else ""
        return Finding(
            WARNING if self.most_within is None else ERROR,
            "duplicate-within",
            f"{counted(rows)}{where} ({percent(rows, total)}) {'equals an earlier one' if rows == 1 else 'equal earlier ones'}"
            + self._by(),
            f"Keep one of each (`transform: [{self._dedupe()}]`), or allow so many: `duplicates: {{within: N}}` under `validate:`",
            part=part,
            rows=rows,
            places=_places(found),
        )

    @property
    def _shown(self) -> Sequence[str]:
        """Columns that tell people which row is meant: of a file its name, not its digest."""
        if (
            self.subject.kind != "tabular"
            and self.columns == ("digest",)
            and "path" in self.subject.schema.names
        ):
            return ["path"]
        return self.columns[:SHOWN_COLUMNS]

    @property
    def _whole(self) -> bool:
        """Whether all columns are compared."""
        return list(self.columns) == list(self.subject.schema.names)

    def _by(self) -> str:
        return "" if self._whole else f", by {', '.join(repr(name) for name in self.columns)}"

    def _names(self) -> str:
        return f"[{', '.join(map(yaml_key, self.columns))}]"

    def _split(self) -> str:
        return "{method: hash}" if self._whole else f"{{group: {self._names()}}}"

    def _dedupe(self) -> str:
        return "{dedupe: true}" if self._whole else f"{{dedupe: {self._names()}}}"


def _places(found: Mapping[str, Any]) -> tuple[Place, ...]:
    return tuple(Place.from_json(place) for place in found["places"])
