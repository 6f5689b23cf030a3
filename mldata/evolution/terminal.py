"""A difference as lines for a terminal. Everything that comes from data is made harmless, and stays on its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mldata.cells import clipped, one_line, padded, width
from mldata.drift.wording import judgement, remarks, three
from mldata.evolution.datadiff import DataDiff
from mldata.evolution.schemadiff import ADDED, KINDS, REMOVED, RENAMED, Change, SchemaDiff
from mldata.evolution.told import (
    MARKS,
    cut,
    fragments_text,
    only_one,
    schema_summary,
    setting,
    settings,
    source,
    what,
)

if TYPE_CHECKING:
    from mldata.drift.report import DriftReport
    from mldata.evolution.diff import DiffReport
    from mldata.evolution.making import MakingDiff, SourceDifference

__all__ = ["diff_text", "schema_lines"]

Paint = Callable[[str, str], str]
GREEN, RED, YELLOW, BOLD = "32", "31", "33", "1"
COLOURS = {ADDED: GREEN, REMOVED: RED, RENAMED: YELLOW}
NAME_CELLS, WHAT_CELLS = 40, 60
"""What columns are aligned within."""


def diff_text(diff: DiffReport, paint: Paint, *, detailed: bool = False) -> str:
    """All that was looked at."""
    lines = [paint(f"{one_line(diff.old)} -> {one_line(diff.new)}", BOLD)]
    if diff.schema is not None:
        summary = schema_summary(diff.schema)
        lines += ["", f"schema: {paint(summary, RED) if diff.schema.breaking else summary}"]
        lines += schema_lines(diff.schema, paint, detailed=detailed)
    if diff.making is not None:
        lines += ["", *_making(diff.making, detailed)]
    if isinstance(diff.data, DataDiff):
        lines += ["", *diff.data.to_text()]
    elif diff.data is not None:
        more = "" if diff.data.same else " (--data compares the rows)"
        lines += ["", f"rows: {fragments_text(diff.data)}{more}"]
    if diff.drift is not None:
        lines += ["", *_drift(diff.drift, detailed)]
    return "\n".join(lines)


def schema_lines(
    diff: SchemaDiff, paint: Paint, *, detailed: bool = False, more: str = "-D"
) -> Iterator[str]:
    """A line for each change, in columns; ``more`` is the option that shows all."""
    shown: list[tuple[Change, str, str]] = []
    left = 0
    for kind in KINDS:
        found, rest = cut(diff.of(kind), detailed)
        left += rest
        shown += [(it, one_line(it.path), one_line(what(it, "->", detailed=detailed))) for it in found]
    names = min(max((width(path) for _, path, _ in shown), default=0), NAME_CELLS)
    whats = min(max((width(text) for _, _, text in shown), default=0), WHAT_CELLS)
    for change, path, text in shown:
        if not detailed:
            path, text = clipped(path, NAME_CELLS), clipped(text, WHAT_CELLS)
        mark = paint(MARKS[change.kind], COLOURS.get(change.kind, "0"))
        verdict = f"{paint('breaking', RED)}: {change.why}" if change.breaking else change.why
        yield f"  {mark} {padded(path, names)}  {padded(text, whats)}  {verdict}"
    if left:
        yield f"  and {left:,} more ({more} shows them)"


def _making(diff: MakingDiff, detailed: bool) -> Iterator[str]:
    if diff.same:
        yield "made alike: the same sources, parameters, code and versions"
    else:
        yield "made otherwise:"
    for it in diff.sources:
        yield f"  source   {one_line(it.path)}: {one_line(source(it, '->'))}"
        for mark, changes in _files(it, detailed):
            yield f"    {mark} {one_line(changes)}"
    for name, shown, more in settings(diff, detailed):
        for one in shown:
            yield f"  {name:<7}  {one_line(one.path)}: {one_line(setting(one, '->', detailed=detailed))}"
        if more:
            yield f"  {name:<7}  and {more:,} more (-D shows them)"
    if diff.left_out:
        yield f"  not compared, an export does not tell it: {', '.join(diff.left_out)}"


def _files(source: SourceDifference, detailed: bool) -> Iterator[tuple[str, str]]:
    """Files that are not as they were, where all are asked for."""
    if source.files is not None and detailed:
        yield from (("-", it.path) for it in source.files.removed)
        yield from (("+", it.path) for it in source.files.added)
        yield from (("~", it.path) for it in source.files.changed)
        yield from ((">", f"{it.before} -> {it.path}") for it in source.files.moved)


def _drift(report: DriftReport, detailed: bool) -> Iterator[str]:
    yield f"drift: {report.severity}; {judgement(report)}"
    if report.added or report.removed:
        yield f"  {only_one(report)}"
    for column in report.ranked:
        if not (detailed or column.drift_detected):
            continue
        psi = "" if column.psi is None else f"  PSI {three(column.psi)}"
        told = one_line(remarks(column))
        yield f"  {one_line(column.name)}  {column.severity}{psi}{f'  {told}' if told else ''}"
