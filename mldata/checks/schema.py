"""The check ``schema``: columns, their types and their values are as the spec declares them, and the same in all parts.

Whatever is declared and does not hold is an error. That a column is not there, or has become one of text because of a single bad value, is a fault of the
data, so it is found here rather than refused as a fault of the spec. All parts have the columns and types of the one table that they are
parts of; what can differ between them is whether a column has values, which the check ``missing`` looks at, and which: categories that the part ``train``
lacks are told, declared or not (:mod:`mldata.checks.unseen`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks.base import ERROR, Blob, Finding, Place, Plan, Rows, Sketch, Subject
from mldata.checks.blocks import blocks
from mldata.checks.categories import CategoryBlock, merge_categories
from mldata.checks.columns import did_you_mean, plain, type_name
from mldata.checks.constraints import Breaks, Unfit, allowed, in_length, in_range, matching
from mldata.checks.equalrows import EqualRows, RunBlock
from mldata.checks.tallies import TallyBlock, merge_tallies, places_of
from mldata.checks.unseen import MOST_VALUES, compared_columns, unseen_categories
from mldata.plural import counted
from mldata.rowhash import hash_column
from mldata.yamlkey import types_setting, yaml_key

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SchemaCheck"]

_NAMED_VALUES = 5
"""How many allowed values a message names."""


class SchemaCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: see ``Schema.to_plain`` of :mod:`mldata.checkspecs.schema`."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Raises nothing: see the module."""
        compared = compared_columns(subject)
        if not params["columns"] and params["extra"] == "allow" and not compared:
            return "no columns are declared"
        return _Plan(subject, params["columns"], params["extra"] == "error", compared, params["unseen"])


class _Plan:
    def __init__(
        self,
        subject: Subject,
        declared: Mapping[str, Mapping[str, Any]],
        closed: bool,
        compared: Sequence[str],
        unseen: int | str | None,
    ) -> None:
        self._subject, self._declared, self._closed = subject, declared, closed
        self._compared, self._most_unseen = compared, unseen
        schema = subject.schema
        self._rules: dict[str, _Rule] = {}
        self._unfit: list[Finding] = []
        self._unique: list[str] = []
        for column, settings in declared.items():
            if column not in schema.names:
                continue
            for rule, make in _rules(settings, _value_type(schema, column)):
                try:
                    self._rules[f"{rule}:{column}"] = _Rule(column, make())
                except Unfit as error:
                    self._unfit.append(_unfit(column, str(error)))
            if settings.get("unique"):
                try:
                    hash_column(_no_values(schema, column))
                    self._unique.append(column)
                except TypeError as error:
                    self._unfit.append(_unfit(column, f"'unique' cannot be seen: {error}"))

    @property
    def columns(self) -> Sequence[str]:
        return [
            name for name in self._subject.schema.names if name in self._declared or name in self._compared
        ]

    @property
    def key(self) -> Mapping[str, Any]:
        schema = self._subject.schema
        return {
            "columns": {
                name: {"as": str(schema.field(name).type), **_of_values(self._declared[name])}
                for name in self.columns
                if name in self._declared
            },
            "compared": list(self._compared),
        }

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        for block in blocks(batches):
            tally, runs = TallyBlock(self._find), {name: RunBlock() for name in self._unique}
            values = CategoryBlock(self._compared, MOST_VALUES)
            for batch in block:
                tally.add(batch)
                values.add(batch)
                for name, run in runs.items():
                    column = batch.column(name)
                    run.add([column], np.asarray(column.is_valid()))
            yield tally.blob()
            yield values.blob()
            for number, run in enumerate(runs.values()):
                yield run.blob(f"run-{number}")

    def _find(self, batch: pa.RecordBatch) -> Iterator[tuple[str, Any, pa.Array]]:
        columns = {name: plain(batch.column(name)) for name in {rule.column for rule in self._rules.values()}}
        for name, rule in self._rules.items():
            yield name, rule.breaks(columns[rule.column]), columns[rule.column]

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        merged: dict[str, Any] = merge_tallies(sketches, rows, list(self._rules))
        merged["values"] = merge_categories(sketches, rows, self._compared, MOST_VALUES)
        for number, column in enumerate(self._unique):
            equal = EqualRows(sketches, rows, apart=False, kind=f"run-{number}")
            merged[f"unique:{column}"] = {
                "rows": int(equal.within[0]),
                "parts": {},
                "places": equal.places(equal.first_within.get(0, []), [column]),
            }
        return merged

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        found: list[Finding] = []
        schema = self._subject.schema
        for column, settings in self._declared.items():
            if column not in schema.names:
                found.append(_absent(column, schema))
                continue
            found += _type_finding(column, settings.get("type"), type_name(schema.field(column).type))
            found += [finding for finding in self._unfit if finding.column == column]
            for rule in _ORDER:
                tally = merged.get(f"{rule}:{column}")
                if tally is not None and tally["rows"]:
                    found.append(self._broken(column, rule, settings, tally))
        extra = [name for name in schema.names if name not in self._declared] if self._closed else []
        found += [_extra(name) for name in extra]
        for column in self._compared:
            found += unseen_categories(self._subject, column, merged["values"][column], self._most_unseen)
        return found

    def _broken(
        self, column: str, rule: str, settings: Mapping[str, Any], tally: Mapping[str, Any]
    ) -> Finding:
        said, suggestion = _told(column, rule, settings)
        count = tally["rows"]
        places = places_of(tally)
        return Finding(
            ERROR,
            rule,
            f"{column!r} {said} in {counted(count)}",
            suggestion,
            column=column,
            rows=count,
            parts=self._subject.in_order(tally["parts"]),
            places=tuple(Place(it.row, it.part) for it in places) if rule == "nullable" else places,
        )


@dataclass(frozen=True)
class _Rule:
    column: str
    breaks: Breaks


_ORDER = ("nullable", "unique", "range", "length", "allowed", "pattern")


def _of_values(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "type"}


def _rules(settings: Mapping[str, Any], kind: pa.DataType) -> Iterator[tuple[str, Callable[[], Breaks]]]:
    """Each rule that the settings make for a column of a type, and how it is made ready; that raises ``Unfit``."""
    import pyarrow.types as pt

    get = settings.get
    if get("nullable") is False:
        yield "nullable", lambda: lambda column: np.asarray(column.is_null())
    if pt.is_null(kind):
        return  # nulls break nothing else
    if "min" in settings or "max" in settings:
        yield "range", lambda: in_range(kind, get("min"), get("max"))
    if "min_length" in settings or "max_length" in settings:
        yield "length", lambda: in_length(kind, get("min_length"), get("max_length"))
    if "allowed" in settings:
        yield "allowed", lambda: allowed(kind, settings["allowed"])
    if "pattern" in settings:
        yield "pattern", lambda: matching(kind, settings["pattern"])


def _told(column: str, rule: str, settings: Mapping[str, Any]) -> tuple[str, str]:
    """What a broken rule says of the column, and what to do."""
    correct = "Correct these values at the source, leave the rows out (`transform: [{filter: ...}]`), or declare what is right"
    if rule == "nullable":
        return "has no value", "Fill them in (`transform: [{fill_null: ...}]`), or leave these rows out"
    if rule == "unique":
        return (
            "repeats an earlier value",
            f"Keep one row of each (`transform: [{{dedupe: [{yaml_key(column)}]}}]`), or see where the others come from",
        )
    if rule == "range":
        return f"is {_between(settings.get('min'), settings.get('max'))}", correct
    if rule == "length":
        span = _between(settings.get("min_length"), settings.get("max_length"))
        return f"has a length that is {span}", correct
    if rule == "allowed":
        values = settings["allowed"]
        more = f" and {len(values) - _NAMED_VALUES} more" if len(values) > _NAMED_VALUES else ""
        return f"is none of {', '.join(values[:_NAMED_VALUES])}{more}", correct
    return f"does not match {settings['pattern']}", correct


def _between(low: Any, high: Any) -> str:
    if low is None:
        return f"not at most {high}"
    return f"not at least {low}" if high is None else f"not from {low} to {high}"


def _value_type(schema: pa.Schema, column: str) -> pa.DataType:
    import pyarrow.types as pt

    kind = schema.field(column).type
    return kind.value_type if pt.is_dictionary(kind) else kind


def _no_values(schema: pa.Schema, column: str) -> pa.Array:
    import pyarrow as pa

    return pa.nulls(0, schema.field(column).type)


def _unfit(column: str, why: str) -> Finding:
    return Finding(
        ERROR,
        "unfit",
        f"{column!r}: {why}",
        f"Give the column its type (`{types_setting(column, 'TYPE')}`), which names the values that are in the way; or declare otherwise",
        column=column,
    )


def _absent(column: str, schema: pa.Schema) -> Finding:
    near = did_you_mean(column, schema)
    have = f"the columns are: {', '.join(schema.names[:50])}"
    hint = (near or have).capitalize() if near else have.replace("the", "The", 1)
    return Finding(ERROR, "absent", f"expected a column {column!r}, found none", hint, column=column)


def _type_finding(column: str, wanted: str | None, found: str) -> list[Finding]:
    if wanted is None or wanted == found:
        return []
    return [
        Finding(
            ERROR,
            "type",
            f"{column!r} is {found}, declared is {wanted}",
            f"Have it read so: `{types_setting(column, wanted)}`, which names a value that is in the way",
            column=column,
        )
    ]


def _extra(column: str) -> Finding:
    return Finding(
        ERROR,
        "extra",
        f"{column!r} is not declared",
        "Declare it below `columns:`, drop it (`normalize: {drop: [...]}`), or allow others by `extra: allow`",
        column=column,
    )
