"""``mldata rebuild``: whether a kept build can be made again, byte for byte."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, add_jobs, check_jobs, open_kept, open_project
from mldata.errors import EXIT_BUILD, EXIT_OK, UsageError

if TYPE_CHECKING:
    from mldata.rebuild import Rebuilt, StageMade

EXAMPLE = "  mldata rebuild penguins@1 --verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata rebuild``."""
    parser.description = (
        "Make a build again, every stage from the source files that the store has kept of it, in a store of its own that knows no "
        "earlier result, and compare what comes out. Changes nothing in the project. Exits with 1 if anything differs."
    )
    parser.add_argument(
        "name", metavar="NAME[@BUILD]", help="a dataset, or one build of it (default: the newest)"
    )
    parser.add_argument(
        "--verify", action="store_true", default=False, help="compare with what was made then (needed)"
    )
    parser.add_argument(
        "--scratch",
        metavar="DIR",
        default=None,
        help="where to make it (default: in the store); takes as much room as the dataset did, and is emptied afterwards",
    )
    add_jobs(parser)


def run(args: Arguments, output: Output) -> Result:
    """Make it again, compare, and explain the first difference."""
    if not args.verify:
        raise UsageError(
            "expected --verify: a rebuild compares, and changes nothing",
            hint=f"mldata rebuild {args.name} --verify. To run every action again for the project: mldata build --force",
        )
    check_jobs(args)
    from mldata.executor import ThreadExecutor
    from mldata.rebuild import rebuild, scratch_store

    project = open_project()
    scratch = None if args.scratch is None else Path(os.path.abspath(args.scratch))
    reporter = output.reporter()
    lines: list[str] = []
    try:
        with (
            open_kept(project, args.name) as kept,
            scratch_store(kept.store, scratch) as store,
        ):
            told = rebuild(
                kept,
                store,
                project=project.root,
                executor=ThreadExecutor(args.jobs),
                reporter=reporter,
                done=lambda stage, made: lines.append(_line(stage, made, output)),
            )
    finally:
        reporter.close()
    lines += _explanation(told)
    return Result(
        _json(told),
        "\n".join(lines),
        EXIT_OK if told.verified else EXIT_BUILD,
        [told.error] if told.error else [],
        told.warnings,
    )


def _line(stage: str, made: StageMade, output: Output) -> str:
    if made.same:
        return f"{stage:<10} {output.paint('same', '32')}     {made.expected}"
    got = f"got {made.got}" if made.got else "could not be made"
    return f"{stage:<10} {output.paint('differs', '31')}  {got}, expected {made.expected}"


def _explanation(told: Rebuilt) -> list[str]:
    """What the stages add up to; of versions first, since they are the usual cause."""
    if told.verified:
        return [f"{told.name} verified: made again, the same to the byte"]
    lines = [f"{told.name} not verified: {told.first} is the first stage that differs"]
    lines += [f"  another version: {cause.text}" for cause in told.causes]
    if told.difference is not None:
        lines.append(f"  first difference: {told.difference.text}")
    if told.difference is not None and not told.causes and told.again is None:
        lines.append(
            "  no version is another one: the stage is not deterministic, or its result was altered; another `salt:` in mldata.yaml disowns it"
        )
    if told.again is False:
        lines.append(
            "  run once more, it made something else again: the code does not depend on its input and parameters alone (clock, random"
            " numbers without a seed, network, environment?)"
        )
    elif told.again is True:
        lines.append(
            "  run once more, it made the same as just now: what it made then came of something else that it reads, or was altered; another"
            " `salt:` in mldata.yaml disowns it"
        )
    return lines


def _json(told: Rebuilt) -> dict[str, Any]:
    name, _, number = told.name.rpartition("@")
    return {
        "dataset": name,
        "build": int(number),
        "verified": told.verified,
        "stages": {
            stage: {"expected": made.expected, "got": made.got} for stage, made in told.stages.items()
        },
        "first": told.first,
        "causes": [cause.to_json() for cause in told.causes],
        "difference": {"text": told.difference.text, **told.difference.details} if told.difference else None,
        "deterministic": told.again,
    }
