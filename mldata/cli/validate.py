"""``mldata validate``: whether the data is what it should be."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.build import Options, Session
from mldata.cli.base import Arguments, Output, Result, add_jobs, check_dataset, check_jobs, open_project
from mldata.errors import EXIT_INVALID_DATA, EXIT_OK, UsageError

if TYPE_CHECKING:
    from mldata.checks.report import Report

EXAMPLE = "  mldata validate penguins --checks missing,duplicates -o report.md"
SUFFIXES = (".md", ".json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata validate``."""
    parser.add_argument("name", metavar="NAME", help="a dataset of mldata.yaml, with or without 'validate:'")
    parser.add_argument(
        "--checks",
        metavar="CHECK,...",
        default=None,
        help="these checks instead of those of the spec; a build does not see what they find",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default=None, help="write the report to FILE.md or FILE.json, too"
    )
    add_jobs(parser)


def run(args: Arguments, output: Output) -> Result:
    """Print the report."""
    from mldata.validation import validate

    check_jobs(args)
    if args.output is not None and Path(args.output).suffix not in SUFFIXES:
        raise UsageError(f"expected a file called *.md or *.json after -o, found {args.output!r}")
    checks = None if args.checks is None else [name.strip() for name in args.checks.split(",")]
    project = open_project()
    check_dataset(project, args.name)
    with Session(project, Options(jobs=args.jobs), output.reporter()) as session:
        report = validate(session, args.name, checks)
        warnings = session.warnings.get(args.name, [])
    if args.output is not None:
        _write(Path(args.output), report)
    code = EXIT_OK if report.passed else EXIT_INVALID_DATA
    return Result(report.to_json(), report.to_markdown().rstrip(), code, warnings=warnings)


def _write(path: Path, report: Report) -> None:
    from store import StoreError, publish_bytes

    text = report.to_markdown() if path.suffix == ".md" else report.to_text()
    try:
        publish_bytes(path.absolute(), text.encode())
    except (OSError, StoreError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"cannot write the report to {path}: {why}", hint="choose another file for -o"
        ) from None
