"""What has changed since a build, judged by a contract with it: the schema, how many rows there are, how far columns have moved.

What the contract does not allow is an error, what it does a note. It is made of schemas and summaries: no row is read. No :class:`mldata.checks.base.Check`,
as it compares two tables; the validate stage tells it as one (:mod:`mldata.stages.expecting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldata.checks.base import ERROR, INFO, Finding, allows, percent
from mldata.checks.columns import did_you_mean
from mldata.drift.report import MAJOR, SEVERITIES, ColumnDrift, DriftReport, Thresholds
from mldata.errors import SpecError, brief
from mldata.evolution.schemadiff import ADDED, NULLABILITY, REMOVED, RENAMED, REORDERED, Change
from mldata.plural import counted
from mldata.yamlkey import yaml_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from mldata.profile.summary import TableSummary

__all__ = ["Known", "expectations"]

ANY, SAME = "any", "same"


@dataclass(frozen=True)
class Known:
    """One of the two tables."""

    name: str
    """``penguins@3``; of the data that is checked the dataset's."""
    rows: int
    schema: pa.Schema
    summary: Callable[[], TableSummary]
    """Made or looked up when it is asked for."""


def expectations(params: Mapping[str, Any], before: Known, now: Known) -> list[Finding]:
    """What has changed from a build to the data that is checked.

    Args:
        params: see ``Expect.to_plain`` of :mod:`mldata.specexpect`.

    Raises:
        SpecError: it names a column that neither has (``where`` has the keys that lead to it).
    """
    drift = params["drift"]
    known = {*before.schema.names, *now.schema.names}
    for column in drift["columns"] if drift is not None else ():
        if column not in known:
            have = f"the columns are: {', '.join(now.schema.names[:50])}"
            raise SpecError(
                f"expected a column, found none called {column!r}, neither in {before.name} nor now",
                where=f"expect.drift.columns.{column}",
                hint=did_you_mean(column, now.schema) or have,
            )
    found = list(_schema(params, before, now)) if params["schema"] != ANY else []
    found += _rows(params["rows"], before, now)
    if drift is not None:
        found += _drift(drift, before, now)
    return found


def _judged(
    breach: bool, code: str, message: str, remedy: str, before: Known, column: str | None = None
) -> Finding:
    """What has changed: an error with its remedy where it is a breach, else a note."""
    suggestion = remedy if breach else f"Nothing: the contract with {before.name} allows it"
    return Finding(ERROR if breach else INFO, code, message, suggestion, column=column)


# -- the schema ----------------------------------------------------------------------------------------------------------


def _schema(params: Mapping[str, Any], before: Known, now: Known) -> Iterator[Finding]:
    from mldata.evolution.schemas import compare_schemas

    diff = compare_schemas(before.schema, now.schema)
    if diff.guessable:
        diff = compare_schemas(before.schema, now.schema, before.summary(), now.summary())
    for change in diff.changes:
        breach = (change.breaking or params["schema"] == SAME) and change.kind not in params["allow"]
        remedy = _remedy(change, before.name, now.name)
        yield _judged(
            breach, f"schema-{change.kind}", _told(change, before.name), remedy, before, change.path
        )


def _told(change: Change, name: str) -> str:
    """A change as a sentence."""
    path = repr(change.path)
    old, new = brief(change.old or ""), brief(change.new or "")  # a struct may have hundreds of fields
    if change.kind == ADDED:
        return f"{path} ({new}) is new since {name}"
    if change.kind == REMOVED:
        return f"{path} ({old}) is gone since {name}"
    if change.kind == RENAMED:
        return f"{old!r} of {name} seems to be called {path} now (a guess: their values are alike)"
    if change.kind == REORDERED:
        return f"{path} is column {new} now, and {old} in {name}"
    if change.kind == NULLABILITY:
        return f"{path} is {new} now, and {old} in {name}"
    return f"{path} is {new} now, and {old} in {name}: {change.why}"


def _remedy(change: Change, before: str, now: str) -> str:
    return (
        f"If it is not meant, see where it comes from: `mldata diff {before} {now}`; if it is, allow it (`expect: {{allow: [{change.kind}]}}`), or go on "
        "from a build that has it (`expect: {against: ...}`)"
    )


# -- rows ----------------------------------------------------------------------------------------------------------------


def _rows(params: Mapping[str, Any], before: Known, now: Known) -> Iterator[Finding]:
    suggestion = (
        "See what is missing or too much in the sources, or say what is right (`expect: {rows: {...}}`)"
    )
    least, most, change = params["min"], params["max"], params["max_change"]
    found = f"there {'is' if now.rows == 1 else 'are'} {counted(now.rows)}"
    if least is not None and now.rows < least:
        yield Finding(ERROR, "rows", f"{found}, expected are at least {least:,}", suggestion)
    if most is not None and now.rows > most:
        yield Finding(ERROR, "rows", f"{found}, expected are at most {most:,}", suggestion)
    if change is not None and not allows(change, abs(now.rows - before.rows), before.rows):
        moved = abs(now.rows - before.rows)
        share = f" ({percent(moved, before.rows)})" if 0 < moved <= before.rows else ""
        allowed = f"{change:,}" if isinstance(change, int) else change
        message = (
            f"{found}, {moved:,}{share} {'more' if now.rows > before.rows else 'fewer'} than in {before.name}; expected are at most "
            f"{allowed}"
        )
        yield Finding(ERROR, "rows-changed", message, suggestion)


# -- drift ---------------------------------------------------------------------------------------------------------------


def _drift(params: Mapping[str, Any], before: Known, now: Known) -> Iterator[Finding]:
    from mldata.drift.compare import compare

    thresholds = Thresholds(**params["thresholds"])
    report = compare(before.summary(), now.summary(), thresholds, names=(before.name, now.name))
    for column in report.drifted:
        allowed = params["columns"].get(column.name, params["max"])
        breach = SEVERITIES.index(column.severity) > SEVERITIES.index(allowed)
        remedy = _drift_remedy(column, before.name, now.name)
        yield _judged(
            breach, f"drift-{column.severity}", _moved(column, before.name), remedy, before, column.name
        )
    if not report.comparable:
        told = f"no column of {before.name} is there now: there is nothing to tell drift by"
        yield _judged(
            params["max"] != MAJOR, "drift-incomparable", told, _other_columns(before.name, now.name), before
        )
    if params["share"] is not None and report.share > params["share"]:
        yield _too_many(report, params["share"])


def _moved(column: ColumnDrift, name: str) -> str:
    """How far a column has moved, as a sentence."""
    if column.psi is None:
        return f"{column.name!r} cannot be held against {name}: {column.note}"
    far = "far" if column.severity == MAJOR else "moderately"
    how = f": {'; '.join(column.moved)}" if column.moved else ""
    return f"{column.name!r} has moved {far} since {name} (PSI {column.psi:.3g}){how}"


def _drift_remedy(column: ColumnDrift, before: str, now: str) -> str:
    return (
        f"See how: `mldata drift {before} {now}`; if it is meant, allow it (`expect: {{drift: {{columns: {{{yaml_key(column.name)}: {column.severity}}}}}}}`), "
        "or go on from a build that has it (`expect: {against: ...}`)"
    )


def _other_columns(before: str, now: str) -> str:
    return (
        f"See which there are: `mldata diff {before} {now}`; if it is meant, allow it (`expect: {{drift: {{max: major}}}}`), or go on from a build that "
        "has them (`expect: {against: ...}`)"
    )


def _too_many(report: DriftReport, share: float) -> Finding:
    have = "has" if len(report.drifted) == 1 else "have"
    return Finding(
        ERROR,
        "drift-share",
        f"{len(report.drifted):,} of {counted(len(report.judged), 'column')} {have} moved since {report.baseline}, expected are at most {100 * share:.4g}% of them",
        f"See which: `mldata drift {report.baseline} {report.current}`; or say what is right (`expect: {{drift: {{share: ...}}}}`)",
    )
