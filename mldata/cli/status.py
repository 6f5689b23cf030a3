"""``mldata status``: what is up to date and what is not."""

from __future__ import annotations

import argparse
from typing import Any

from mldata.build import Session
from mldata.cli.base import Arguments, Output, Result, open_project, pick_datasets
from mldata.stale import NOT_PASSED, Reason

EXAMPLE = "  mldata status"
SHOWN = 3
"""Reasons a stage in the short form; ``mldata explain`` shows all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata status``."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", default=[], help="datasets to look at (default: all)"
    )


def run(args: Arguments, output: Output) -> Result:
    """Say which stages would run."""
    project = open_project()
    with Session(project) as session:
        names = pick_datasets(project, args.names)
        told = session.state.status(names)
        found = {name: told[name] for name in names}
    return Result(to_json(found), _text(found, output))


def dry_run(session: Session, names: list[str], output: Output) -> Result:
    """What ``mldata build --dry-run`` prints."""
    found = session.state.status(names)
    if session.options.force:
        forced = Reason("forced", "--force runs every action again")
        found = {
            name: {stage: [forced, *why] for stage, why in stages.items()} for name, stages in found.items()
        }
    return Result(to_json(found), _text(found, output))


def to_json(found: dict[str, dict[str, list[Reason]]]) -> dict[str, Any]:
    """The ``result`` of status, explain and build --dry-run."""
    return {
        "datasets": {
            name: {
                "stages": {
                    stage: {"stale": bool(reasons), "reasons": [reason.to_json() for reason in reasons]}
                    for stage, reasons in stages.items()
                }
            }
            for name, stages in found.items()
        }
    }


def _text(found: dict[str, dict[str, list[Reason]]], output: Output) -> str:
    lines = []
    for name, stages in found.items():
        if not any(stages.values()):
            lines.append(f"{name}  {output.paint('up to date', '32')}")
            continue
        lines.append(name)
        for stage, reasons in stages.items():
            state = output.paint("stale     ", "33") if reasons else output.paint("up to date", "32")
            if reasons and reasons[0].code == NOT_PASSED:
                state = output.paint("failed    ", "31")
            more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
            why = "; ".join(reason.text for reason in reasons[:SHOWN]) + more
            lines.append(f"  {stage:<10} {state} {why}".rstrip())
    if not found:
        lines.append("mldata.yaml has no datasets yet\n  Add one: mldata add NAME SOURCE")
    return "\n".join(lines)
