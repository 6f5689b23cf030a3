"""``mldata explain``: every reason why a dataset, or one stage of it, must be built again."""

from __future__ import annotations

import argparse

from mldata.build import Session
from mldata.cli.base import Arguments, Output, Result, check_dataset, open_project
from mldata.cli.status import to_json
from mldata.errors import UsageError
from mldata.stale import NOT_PASSED
from mldata.ways import way_text

EXAMPLE = "  mldata explain penguins split"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata explain``."""
    parser.add_argument("name", metavar="NAME", help="a dataset of mldata.yaml")
    parser.add_argument("stage", nargs="?", metavar="STAGE", default=None, help="only this stage")


def run(args: Arguments, output: Output) -> Result:
    """List the reasons, one a line."""
    project = open_project()
    check_dataset(project, args.name)
    stages = project.datasets[args.name].stages
    if args.stage is not None and args.stage not in stages:
        raise UsageError(f"{args.name} has no stage {args.stage!r}; it has: {', '.join(stages)}")
    with Session(project) as session:
        found = session.state.status([args.name])[args.name]
        receipt = session.state.receipt(args.name, "normalize")
    if args.stage is not None:
        found = {args.stage: found[args.stage]}
    lines = []
    for stage, reasons in found.items():
        if reasons:
            ends = reasons[0].code == NOT_PASSED
            verb = output.paint("stops the build", "31") if ends else output.paint("will run", "33")
            lines.append(f"{stage} {verb}:")
            lines += [f"  - {reason.text}" for reason in reasons]
            lines += [f"  - {line}" for line in reasons[0].details["first"]] if ends else []
        else:
            lines.append(f"{stage} is {output.paint('up to date', '32')}")
            if stage == "normalize" and receipt is not None:
                lines += [f"  - read as {way_text(way)}" for way in receipt.facts.get("read", ())]
    return Result(to_json({args.name: found}), "\n".join(lines))
