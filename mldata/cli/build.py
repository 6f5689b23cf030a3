"""``mldata build``: bring datasets up to date."""

from __future__ import annotations

import argparse
from typing import Any

from mldata.build import EXECUTORS, Options, Session
from mldata.cli.base import Arguments, Output, Result, open_project, pick_datasets
from mldata.errors import EXIT_BUILD, EXIT_OK, UsageError
from mldata.partnames import part_order

EXAMPLE = "  mldata build penguins -j 4"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata build``."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", default=[], help="datasets to build (default: all)"
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=None,
        metavar="N",
        help="actions at a time (default: one a processor)",
    )
    parser.add_argument(
        "--executor",
        choices=EXECUTORS,
        default="threads",
        help="where actions run (default: threads; processes are faster where much of the work is Python's own)",
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", default=False, help="show what would run and why, run nothing"
    )
    parser.add_argument(
        "-k",
        "--keep-going",
        action="store_true",
        default=False,
        help="build what does not depend on a failure",
    )
    parser.add_argument(
        "--force", action="store_true", default=False, help="run every action again, whatever the cache has"
    )
    parser.add_argument(
        "--locked", action="store_true", default=False, help="fail if a source is not what mldata.lock pins"
    )


def run(args: Arguments, output: Output) -> Result:
    """Build, and say what happened."""
    if args.jobs is not None and args.jobs < 1:
        raise UsageError(f"expected -j of at least 1, found {args.jobs}")
    project = open_project()
    names = pick_datasets(project, args.names)
    options = Options(
        jobs=args.jobs,
        force=args.force,
        locked=args.locked,
        keep_going=args.keep_going,
        executor=args.executor,
    )
    if args.dry_run:
        from mldata.cli.status import dry_run

        with Session(project, options) as session:
            return dry_run(session, names, output)
    from mldata.tasks import build_datasets

    with Session(project, options, output.reporter()) as session:
        code = build_datasets(session, names)
        return _result(session, names, code, output)


def _result(session: Session, names: list[str], code: int, output: Output) -> Result:
    datasets: dict[str, Any] = {}
    lines = []
    below = [name for name in session.project.datasets if name in session.reports and name not in names]
    width = max((len(name) for name in (*below, *names)), default=0)
    for name in (*below, *names):
        reports = session.reports.get(name, {})
        number = session.builds.get(name)
        datasets[name] = {
            "build": number,
            "stages": {stage: report.to_json() for stage, report in reports.items()},
        }
        if any(failed == name for failed, _ in session.failures):
            lines.append(f"{name:<{width}}  {output.paint('failed', '31')}")
        elif name in below:  # only as far as the others need it
            if ran := [stage for stage, report in reports.items() if report.status == "ran"]:
                lines.append(f"{name:<{width}}  {output.paint('built', '32')}       {', '.join(ran)}")
        elif number is None:
            lines.append(f"{name:<{width}}  {output.paint('not built', '31')}")
        elif all(report.status == "up-to-date" for report in reports.values()):
            lines.append(f"{name:<{width}}  up to date  build {number}")
        else:
            lines.append(
                f"{name:<{width}}  {output.paint('built', '32')}       {_summary(session, name, number)}"
            )
    if not names:
        lines.append("nothing to build: mldata.yaml has no datasets yet\n  Add one: mldata add NAME SOURCE")
    errors = list(session.failures.values())
    if code and not errors:
        errors = [RuntimeError(f"doit stopped with code {code}")]
    warnings = [f"{name}: {warning}" for name in names for warning in session.warnings.get(name, [])]
    exit_code = EXIT_BUILD if code else EXIT_OK
    return Result({"datasets": datasets}, "\n".join(lines), exit_code, errors, warnings)


def _summary(session: Session, name: str, number: int) -> str:
    reports = session.reports[name]
    parts = [f"build {number}"]
    rows = next((report.rows for report in reversed(reports.values()) if report.rows is not None), None)
    if rows is not None:
        parts.append(f"{rows:,} rows")
    split = reports.get("split")
    counts = split.facts.get("parts") if split is not None else None
    if counts:
        said = [part for part, _ in (session.state.spec(name).split or {})["parts"]]
        names = said or sorted(counts, key=part_order)  # where a column says the parts
        parts.append(", ".join(f"{part} {counts[part]:,}" for part in names))
    export = session.state.spec(name).export
    if export is not None:
        parts.append(f"-> {export['to']}")
    return "  ".join(parts)
