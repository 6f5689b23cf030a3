"""A difference as Markdown, for pull requests: first whether anything breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.drift.wording import judgement, remarks, three
from mldata.errors import brief
from mldata.evolution.datadiff import DataDiff
from mldata.evolution.schemadiff import KINDS, NULLABILITY, REORDERED, TYPE, SchemaDiff
from mldata.evolution.told import (
    cut,
    fragments_text,
    only_one,
    schema_summary,
    setting,
    settings,
    source,
    what,
)
from mldata.markdown import code, escaped

if TYPE_CHECKING:
    from mldata.drift.report import DriftReport
    from mldata.evolution.diff import DiffReport
    from mldata.evolution.making import MakingDiff

__all__ = ["diff_markdown"]

NAMES = {TYPE: "type", NULLABILITY: "nulls", REORDERED: "order"}


def diff_markdown(diff: DiffReport, *, detailed: bool = False) -> str:
    """All that was looked at; ends with a line end."""
    verdict = ""
    if diff.schema is not None:  # nothing else tells what breaks
        no_change = "No difference." if diff.same else "No breaking change."
        verdict = "**Breaking changes.**" if diff.breaking else no_change
    lines = [f"# {escaped(diff.old)} → {escaped(diff.new)}", ""]
    lines += [verdict, ""] if verdict else []
    if diff.schema is not None:
        lines += [*_schema(diff.schema, detailed), ""]
    if diff.making is not None:
        lines += [*_making(diff.making, detailed), ""]
    if isinstance(diff.data, DataDiff):
        lines += [diff.data.to_markdown()]
    elif diff.data is not None:
        lines += ["## Data", "", f"Rows: {fragments_text(diff.data)}.", ""]
    if diff.drift is not None:
        lines += [*_drift(diff.drift, detailed), ""]
    return "\n".join(lines).rstrip() + "\n"


def _schema(diff: SchemaDiff, detailed: bool) -> Iterator[str]:
    yield from ("## Schema", "", f"{schema_summary(diff).capitalize()}.")
    if diff.same:
        return
    yield from ("", "| | column | | |", "|---|---|---|---|")
    left = 0
    for kind in KINDS:
        found, more = cut(diff.of(kind), detailed)
        left += more
        for it in found:
            verdict = f"**breaking**: {it.why}" if it.breaking else it.why
            told = escaped(what(it, "→", detailed=detailed))
            yield f"| {NAMES.get(kind, kind)} | {escaped(it.path if detailed else brief(it.path))} | {told} | {verdict} |"
    if left:
        yield from ("", f"And {left:,} more.")


def _making(diff: MakingDiff, detailed: bool) -> Iterator[str]:
    yield from ("## Making", "")
    if diff.same:
        yield "The same sources, parameters, code and versions."
    else:
        yield from ("| | | |", "|---|---|---|")
    for origin in diff.sources:
        yield f"| source | {code_cell(origin.path if detailed else brief(origin.path))} | {escaped(source(origin, '→'))} |"
    for kind, shown, more in settings(diff, detailed):
        name = "parameter" if kind == "param" else kind
        for it in shown:
            yield f"| {name} | {code_cell(it.path if detailed else brief(it.path))} | {escaped(setting(it, '→', detailed=detailed))} |"
        if more:
            yield f"| {name} | | and {more:,} more |"
    if diff.left_out:
        yield from ("", f"Not compared, an export does not tell it: {', '.join(diff.left_out)}.")


def code_cell(text: str) -> str:
    """Text as code in a table, where a bar would end the cell."""
    return code(text).replace("|", "\\|")


def _drift(report: DriftReport, detailed: bool) -> Iterator[str]:
    yield from ("## Drift", "", f"{report.severity.capitalize()}: {judgement(report)}.")
    if report.added or report.removed:
        yield from ("", f"{only_one(report).capitalize()}.")
    columns, more = cut([it for it in report.ranked if detailed or it.drift_detected], detailed)
    if columns:
        yield from ("", "| column | severity | PSI | what moved |", "|---|---|---:|---|")
    for it in columns:
        name = escaped(it.name if detailed else brief(it.name))
        yield f"| {name} | {it.severity} | {three(it.psi)} | {escaped(remarks(it))} |"
    if more:
        yield from ("", f"And {more:,} more.")
