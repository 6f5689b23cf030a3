"""``mldata log``: the builds of a dataset that the store keeps."""

from __future__ import annotations

import argparse

from mldata.cli.base import Arguments, Output, Result, check_dataset, open_project

EXAMPLE = "  mldata log penguins"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata log``."""
    parser.add_argument("name", metavar="NAME", help="a dataset")


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
    lines = []
    for record in found:
        ran = [stage for stage, facts in record.stages.items() if facts.get("status") == "ran"]
        rows = next(
            (facts["rows"] for facts in record.stages.values() if facts.get("rows") is not None), None
        )
        lines.append(
            f"{output.paint(f'{record.dataset}@{record.number}', '33')}  {record.started}  "
            f"{record.seconds:.1f} s  {'' if rows is None else f'{rows:,} rows  '}ran: {', '.join(ran) or 'nothing'}"
        )
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
    return Result(data, "\n".join(lines))
