"""``mldata validate``: whether files are whole, and the data is what it should be."""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.cli.base import Arguments, Output, Result, add_jobs, check_dataset, check_jobs
from mldata.cli.reportfiles import JSON, MARKDOWN, check_report_file, write_report
from mldata.errors import EXIT_INTERRUPTED, EXIT_INVALID_DATA, EXIT_OK, UsageError
from mldata.looking import SEED
from mldata.quantities import parse_duration, parse_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mldata.looking import Looking
    from mldata.project import Project
    from mldata.validated import Validation

EXAMPLE = "  mldata validate penguins --checks missing,duplicates -o report.md"
FAIL_ON = ("error", "warning", "never")
USUAL = ""
"""Stands for the usual folder."""
COLOURS = {"green": "32", "yellow": "33", "red": "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata validate``."""
    parser.description = (
        "Look at every file, down to the last pixel, sample and row, and at the data that they hold.\n"
        "A dataset of mldata.yaml is brought up to date as far as its split, and held to what `validate:` says\n"
        "of it. Files of a path are looked at where they are; nothing is changed without --quarantine."
    )
    parser.add_argument(
        "place",
        metavar="NAME|PATH|SOURCE",
        help="a dataset of mldata.yaml (with or without 'validate:'), a folder, a file, or a source elsewhere",
    )
    parser.add_argument(
        "--checks",
        metavar="CHECK,...",
        default=None,
        help="these checks, or 'all', instead of those of the spec; a build does not see what they find",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default=None,
        help="write the report to FILE.html, FILE.md or FILE.json, too",
    )
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default=None,
        help="what ends with exit code 2: error (corrupt files and forbidden data; the default), warning (suspect ones\n"
        "too), or never",
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "--full", action="store_true", default=False, help="look at all files, also above 10,000 of them"
    )
    files.add_argument(
        "--sample",
        metavar="SHARE",
        default=None,
        help="look at this share of the files of each folder and type (default: 10%% above 10,000 files)",
    )
    files.add_argument("--seed", type=int, metavar="N", default=SEED, help=f"of the sample (default: {SEED})")
    files.add_argument(
        "--timeout",
        metavar="TIME",
        default=None,
        help="give each file so long (default: as the spec says, else 5s)",
    )
    files.add_argument(
        "--quarantine",
        nargs="?",
        metavar="DIR",
        const=USUAL,
        default=None,
        help="move corrupt files to DIR in the folder (default: .quarantine); of a dataset: leave them out of its builds",
    )
    files.add_argument(
        "--restore",
        nargs="?",
        metavar="DIR",
        const=USUAL,
        default=None,
        help="take that back, and do nothing else",
    )
    parser.add_argument(
        "--infer-schema",
        action="store_true",
        default=False,
        help="print a declared schema of a dataset to start from, for 'validate:' in mldata.yaml, and do nothing else",
    )
    add_jobs(parser)


def run(args: Arguments, output: Output) -> Result:
    """Print the report."""
    from mldata.cli.quarantining import check_request, put_aside, take_back
    from mldata.placechecks import is_place
    from mldata.project import surrounding

    check_jobs(args)
    report = check_report_file(args.output) if args.output is not None else None
    looking = _looking(args)
    project = surrounding(Path.cwd())
    named = not is_place(args.place, project)
    if named and project is not None:
        check_dataset(project, args.place)
    if args.infer_schema:
        return _infer(args, project if named else None, output)
    if args.restore is not None:
        return take_back(args.place, args.restore or None, project if named else None)
    if args.quarantine is not None:
        check_request(args.place, args.quarantine or None, project if named else None)
    checks = None if args.checks is None else [name.strip() for name in args.checks.split(",")]
    if named and project is not None:
        found = _dataset(args, project, checks, looking, output)
    else:
        found = _place(args, project, checks, looking, output)
    data = found.to_json()
    text = _text(found, output)
    if args.quarantine is not None and found.files is not None:
        moved, told = put_aside(args.place, args.quarantine or None, project if named else None, found)
        data["quarantined"], text = moved, f"{text}\n{told}"
    if report is not None:
        write_report(report, _report(report.suffix, found, args.place))
    stopped = found.files is not None and found.files.interrupted
    code = EXIT_INTERRUPTED if stopped else EXIT_OK if found.passed else EXIT_INVALID_DATA
    errors: list[Exception] = [found.error] if found.error is not None else []
    return Result(data, text, code, errors, warnings=list(found.warnings))


def _looking(args: Arguments) -> Looking:
    from mldata.looking import Looking

    if args.full and args.sample is not None:
        raise UsageError("--full and --sample exclude each other", hint="leave one out")
    timeout = parse_duration(args.timeout) if args.timeout is not None else None
    if timeout is not None and timeout <= 0:
        raise UsageError(f"expected a time above 0, found {args.timeout!r}", where="--timeout")
    share = Fraction(1) if args.full else None
    if args.sample is not None:
        share = Fraction(str(parse_share(args.sample)))
    return Looking(timeout, share, args.seed, args.jobs, args.fail_on or "error")


def _infer(args: Arguments, project: Project | None, output: Output) -> Result:
    """Print the schema of a dataset as ``validate:`` could declare it."""
    from mldata.build import Session
    from mldata.buildoptions import Options
    from mldata.inferschema import infer_schema, schema_text
    from mldata.validation import make_table

    if project is None:
        raise UsageError(
            f"expected a dataset of mldata.yaml, found {args.place!r}",
            where="--infer-schema",
            hint=f"mldata add NAME {args.place}",
        )
    with Session(project, Options(jobs=args.jobs), output.reporter()) as session:
        schema = infer_schema(session.store, make_table(session, args.place))
    return Result({"schema": schema}, schema_text(schema).rstrip())


def _dataset(
    args: Arguments, project: Project, checks: Sequence[str] | None, looking: Looking, output: Output
) -> Validation:
    from mldata.build import Session
    from mldata.buildoptions import Options
    from mldata.validation import validate_dataset

    with Session(project, Options(jobs=args.jobs), output.reporter()) as session:
        found = validate_dataset(session, args.place, checks, looking, args.fail_on)
        return replace(found, warnings=session.warnings.get(args.place, []))


def _place(
    args: Arguments, base: Project | None, checks: Sequence[str] | None, looking: Looking, output: Output
) -> Validation:
    from mldata.placechecks import validate_place

    return validate_place(args.place, checks or (), looking, base, output.reporter())


def _text(found: Validation, output: Output) -> str:
    told = []
    if found.files is not None:
        first, _, rest = found.files.to_terminal().partition("\n")
        told.append(f"{output.paint(first, COLOURS[found.files.colour])}\n{rest}".rstrip())
    if found.data is not None:
        told.append(found.data.to_markdown("Data" if told else "Validation").rstrip())
    if found.error is not None:
        told.append(f"{output.paint('not checked', '31')}  {found.error.message}")
    return "\n\n".join(told)


def _report(suffix: str, found: Validation, place: str) -> str:
    import json

    if suffix == MARKDOWN:
        return found.to_markdown()
    if suffix == JSON:
        return json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    from mldata.validationpage import validation_page

    return validation_page(
        place, files=found.files, data=found.data, locate=lambda it: found.places.get(it.path)
    )
