"""The check ``leakage``: what parts share, and what gives the label away.

Rows of a later part (val, test) that an earlier one (train) has, whole, and values of ``groups`` that are in several parts, are errors: what is
measured on them is not what it seems. Rows that an earlier part has with another label, and texts, pictures and recordings that are nearly those of an earlier part, are warnings unless
the spec says how many may be. A column that looks like one of groups, though the spec does not say so, is only noted.

A column that is a copy of the label is an error, and one that has a value of its own for each label a warning, as it may be the label's other name: whoever
learns from it learns nothing else. A column that tells rows apart tells their labels, too, and means nothing by it, so that only columns of few values are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks.base import (
    ERROR,
    INFO,
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
from mldata.checks.columnroles import NUMBERING, is_group, label_column
from mldata.checks.columns import check_names
from mldata.checks.equalrows import EqualRows, RunBlock
from mldata.checks.labelpairs import COPY, PairBlock, telling
from mldata.checks.nearness import Nearness, nearness
from mldata.plural import counted
from mldata.rowhash import hash_column
from mldata.yamlkey import yaml_key

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LeakageCheck"]

EVIDENCE = 5
"""Rows a label, at least, before a column that has a value for each is no chance."""
SHOWN_COLUMNS = 4
_ROWS, _INPUTS = "run", "run-inputs"


class LeakageCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: ``rows`` (a number or share, or None: told elsewhere), ``groups``, ``near``, ``label``, ``ignore``."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Raises ``SpecError`` for a name that is no column."""
        schema = subject.schema
        for setting in ("groups", "ignore"):
            check_names(setting, params[setting], schema)
        if params["label"] is not None:
            check_names("label", [params["label"]], schema)
        label = params["label"] or label_column(subject)
        if not subject.split and label is None:
            return "the table is not split, and no column is known for its label"
        fit = [name for name in schema.names if _can_be_compared(schema.field(name).type)]
        if subject.kind != "tabular":
            rows = [name for name in fit if name == "digest"]
        else:
            rows = fit if len(fit) == len(schema.names) else []
        near = nearness(params["near"] if subject.split and rows else None, subject, rows, "leakage")
        return _Plan(subject, params, label if label in fit else None, tuple(fit), tuple(rows), near)


def _can_be_compared(kind: pa.DataType) -> bool:
    import pyarrow as pa

    try:
        hash_column(pa.nulls(0, kind))
    except TypeError:
        return False
    return True


@dataclass(frozen=True)
class _Plan:
    subject: Subject
    params: Mapping[str, Any]
    label: str | None
    fit: tuple[str, ...]
    """Columns that can be compared."""
    rows: tuple[str, ...]
    """By which rows are equal; none: they are not compared."""
    near: Nearness

    @property
    def columns(self) -> Sequence[str]:
        return [*self.fit]

    @property
    def key(self) -> Mapping[str, Any]:
        return {
            "rows": list(self._equal),
            "inputs": list(self._inputs),
            "groups": self._groups,
            "label": self.label,
            "features": self._features,
            "near": self.near.key,
        }

    @property
    def looks(self) -> Sequence[Look]:
        """See :func:`mldata.checks.base.looks_of`."""
        return self.near.looks

    @property
    def _equal(self) -> tuple[str, ...]:
        """Columns by which whole rows are compared."""
        return self.rows if self.subject.split else ()

    @property
    def _inputs(self) -> tuple[str, ...]:
        """Columns by which rows are compared but for the label."""
        if self.label is None or not self.subject.split:
            return ()
        left_out = {self.label, *self.params["ignore"]}
        kept = tuple(it for it in self.rows if it not in left_out and it.lower() not in NUMBERING)
        return kept if self.label in self.rows else ()

    @property
    def _groups(self) -> list[str]:
        """Columns of groups: those of the spec, then those that look like it."""
        named = list(self.params["groups"])
        found = [name for name in self.fit if is_group(name) and name not in (*named, self.label)]
        return [*named, *found] if self.subject.split else []

    @property
    def _features(self) -> list[str]:
        """Columns that must not tell the label."""
        return (
            [name for name in self.fit if name not in (self.label, *self.params["ignore"])]
            if self.label
            else []
        )

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        runs = {_ROWS: self._equal, _INPUTS: self._inputs}
        for block in blocks(batches):
            made = {kind: RunBlock() for kind, columns in runs.items() if columns}
            groups = [RunBlock() for _ in self._groups]
            pairs = PairBlock(self._features)
            for batch in block:
                for kind, run in made.items():
                    run.add([batch.column(name) for name in runs[kind]])
                for group, name in zip(groups, self._groups, strict=True):
                    column = batch.column(name)
                    group.add([column], np.asarray(column.is_valid()))
                if self.label is not None:
                    pairs.add(batch, self.label)
            yield from (run.blob(kind) for kind, run in made.items())
            yield from (group.blob(f"run-group-{number}") for number, group in enumerate(groups))
            yield pairs.blob()

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        shown = self._shown
        merged: dict[str, Any] = {"rows": {}, "inputs": {}, "groups": {}}
        if self._equal:
            merged["rows"] = EqualRows(sketches, rows).told(shown, both=self.subject.kind != "tabular")[
                "across"
            ]
        if self._inputs:
            assert self.label is not None
            inputs = EqualRows(sketches, rows, kind=_INPUTS).told(
                [self.label, *[it for it in shown if it != self.label][: SHOWN_COLUMNS - 1]], both=True
            )
            merged["inputs"] = _but_for_label(inputs["across"], merged["rows"], rows, self.label)
        for number, name in enumerate(self._groups):
            found = EqualRows(sketches, rows, kind=f"run-group-{number}").told([name])
            merged["groups"][name] = found["across"]
        merged["features"] = [list(it) for it in telling(sketches, self._features)]
        merged["near"] = self.near.merge(sketches, rows)
        return merged

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        most = self.params["rows"]
        found: list[Finding] = []
        if not self.rows and self.subject.split:
            found.append(self._not_compared())
        for part in self.subject.parts:
            if part in merged["rows"] and most is not None:
                found += self._shared_rows(part, merged["rows"][part], most)
        for part in self.subject.parts:
            if part in merged["inputs"]:
                found += self._shared_inputs(part, merged["inputs"][part])
        for name in self._groups:
            found += self._group(name, merged["groups"][name])
        found += self.near.across(merged["near"])
        labels_known = [it for it in merged["features"] if self.subject.rows >= EVIDENCE * max(it[2], 2)]
        return found + [self._feature(*it) for it in labels_known]

    @property
    def _shown(self) -> list[str]:
        names = self.subject.schema.names
        if self.subject.kind != "tabular" and "path" in names:
            return ["path"]
        return list(self.rows[:SHOWN_COLUMNS])

    def _shared_rows(self, part: str, told: Mapping[str, Any], most: int | str) -> Iterator[Finding]:
        parts, total = self.subject.in_order(told["parts"]), self.subject.parts[part]
        rows = sum(parts.values())
        if allows(most, rows, total):
            return
        yield Finding(
            ERROR,
            "shared-row",
            f"{counted(rows)} of part '{part}' ({percent(rows, total)}) {'is' if rows == 1 else 'are'} in {_and(parts)} too{self._by()}",
            "Keep equal rows together (`split: {method: hash}`), keep one of each (`transform: [{dedupe: true}]`), or "
            "allow it: `leakage: {rows: N}` under `validate:`",
            part=part,
            rows=rows,
            parts=parts,
            places=_places(told),
        )

    def _by(self) -> str:
        return "" if self.subject.kind == "tabular" else ", by the content of their files"

    def _shared_inputs(self, part: str, told: Mapping[str, Any]) -> Iterator[Finding]:
        rows, total = told["rows"], self.subject.parts[part]
        yield Finding(
            WARNING,
            "shared-input",
            f"{counted(rows)} of part '{part}' ({percent(rows, total)}) {'is' if rows == 1 else 'are'} in an earlier part too, but for "
            f"{self.label!r}, which is another one there",
            "See which label is right; rows with equal inputs belong in one part: `split: {group: [...]}` by the columns that they share",
            column=self.label,
            part=part,
            rows=rows,
            places=_places(told),
        )

    def _group(self, name: str, told: Mapping[str, Any]) -> Iterator[Finding]:
        named = name in self.params["groups"]
        code = yaml_key(name)
        for part in self.subject.parts:
            if part not in told:
                continue
            parts, total = self.subject.in_order(told[part]["parts"]), self.subject.parts[part]
            rows = sum(parts.values())
            yield Finding(
                ERROR if named else INFO,
                "shared-group" if named else "maybe-group",
                f"{counted(rows)} of part '{part}' ({percent(rows, total)}) {'has' if rows == 1 else 'have'} a {name!r} that {_and(parts)} "
                f"{'has' if len(parts) == 1 else 'have'}, too",
                f"Keep the rows of each together: `split: {{group: {code}}}`"
                + (
                    ""
                    if named
                    else f"; then `leakage: {{groups: {code}}}` under `validate:` sees to it. If it is no group, there is nothing to do"
                ),
                column=name,
                part=part,
                rows=rows,
                parts=parts,
                places=_places(told[part]),
            )

    def _feature(self, column: str, how: str, labels: int) -> Finding:
        said = (
            f"{column!r} is a copy of the label {self.label!r}"
            if how == COPY
            else f"{column!r} has one value of its own for each of the {labels:,} values of the label {self.label!r}"
        )
        code = yaml_key(column)
        return Finding(
            ERROR if how == COPY else WARNING,
            "label-copy" if how == COPY else "label-renamed",
            said,
            f"Drop it (`normalize: {{drop: {code}}}`), or say that nobody learns from it: `leakage: {{ignore: {code}}}` under `validate:`",
            column=column,
        )

    def _not_compared(self) -> Finding:
        missing = [name for name in self.subject.schema.names if name not in self.fit]
        why = (
            f"the column {missing[0]!r} is of a type whose values cannot be compared"
            if missing
            else "the table has no column 'digest', by which media files are compared"
        )
        return Finding(
            INFO,
            "not-compared",
            f"Rows of different parts were not compared: {why}",
            "Drop the column or give it another type",
        )


def _but_for_label(
    inputs: Mapping[str, Any], whole: Mapping[str, Any], rows: Rows, label: str
) -> dict[str, Any]:
    """Of rows whose inputs an earlier part has, those of which it has no copy in full."""
    found = {}
    for part, it in inputs.items():
        same = whole.get(part, {"parts": {}})["parts"]
        left = sum(it["parts"].values()) - sum(same.values())
        if left > 0:
            places = [place for place in it["places"] if _differ(place, rows, label)]
            found[part] = {"rows": left, "places": places[:left]}
    return found


def _differ(place: Mapping[str, Any], rows: Rows, label: str) -> bool:
    return rows.text(place["row"], [label]) != rows.text(place["like"]["row"], [label])


def _and(parts: Mapping[str, int]) -> str:
    return " and ".join(f"'{name}'" for name in parts)


def _places(told: Mapping[str, Any]) -> tuple[Place, ...]:
    return tuple(Place.from_json(place) for place in told["places"])
