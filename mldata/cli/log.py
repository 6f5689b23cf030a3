"""``mldata log``: the builds of a dataset that the store keeps."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mldata.cli.base import Arguments, Output, Result, check_dataset, open_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mldata.evolution.schemalog import SchemaMove
    from mldata.profile.summary import TableSummary
    from mldata.project import Project
    from mldata.records import BuildRecord
    from store import Store

EXAMPLE = """\
  mldata log penguins
  mldata log penguins --schema"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata log``."""
    parser.add_argument("name", metavar="NAME", help="a dataset")
    parser.add_argument(
        "--schema",
        action="store_true",
        default=False,
        help="the builds that changed the schema: what, and whether it breaks those who read by the schema before",
    )


def run(args: Arguments, output: Output) -> Result:
    """List builds, newest first."""
    from mldata.records import build_numbers, records, removed
    from store import Store

    project = open_project()
    with Store.open(project.store_path) as store:
        gone = removed(build_numbers(store, args.name))
        found = records(store, args.name)[::-1]
        if not found:
            check_dataset(project, args.name)
        moves = _moves(store, found, project, output) if args.schema else []
    lines: list[str] = []
    for move in moves:
        lines += _move_lines(move, output)
    for record in found if not args.schema else []:
        ran = [stage for stage, facts in record.stages.items() if facts.get("status") == "ran"]
        rows = next(
            (facts["rows"] for facts in record.stages.values() if facts.get("rows") is not None), None
        )
        lines.append(
            f"{output.paint(f'{record.dataset}@{record.number}', '33')}  {record.started}  "
            f"{record.seconds:.1f} s  {'' if rows is None else f'{rows:,} rows  '}ran: {', '.join(ran) or 'nothing'}"
        )
    if unchanged := len(found) - len(moves) if args.schema else 0:
        lines.append(f"builds that kept the schema of the one before: {unchanged:,}")
    if gone:
        ranges = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in gone)
        lines.append(f"no longer kept, removed by gc: {ranges}")
    if not found:
        lines.append(f"{args.name} has not been built yet\n  Build it: mldata build {args.name}")
    data = {
        "dataset": args.name,
        "builds": [record.to_json() for record in found],
        "removed": [list(pair) for pair in gone],
    }
    if args.schema:
        data["schema"] = [move.to_json() for move in moves]
    return Result(data, "\n".join(lines))


def _moves(store: Store, found: list[BuildRecord], project: Project, output: Output) -> list[SchemaMove]:
    """Builds that changed the schema, newest first."""
    from mldata.evolution.schemalog import schema_moves
    from mldata.profiling import summarize_subject
    from mldata.subjects import open_subject

    def summary(record: BuildRecord) -> TableSummary:
        with open_subject(f"{record.dataset}@{record.number}", project, output.reporter()) as subject:
            return summarize_subject(subject).whole

    return schema_moves(store, found[::-1], summary)[::-1]


def _move_lines(move: SchemaMove, output: Output) -> Iterator[str]:
    from mldata.evolution.terminal import schema_lines
    from mldata.evolution.told import schema_summary
    from mldata.plural import counted

    record = move.record
    name = output.paint(f"{record.dataset}@{record.number}", "33")
    head = f"{name}  {record.started}  {counted(move.columns, 'column')}"
    if move.diff is None:
        yield f"{head}; the first build that is kept"
    else:
        yield f"{head}; since {record.dataset}@{move.since}: {schema_summary(move.diff)}"
        yield from schema_lines(move.diff, output.paint, detailed=output.verbose, more="-v")
