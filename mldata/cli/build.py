"""``mldata build``: bring datasets up to date."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.build import Session
from mldata.buildoptions import Options
from mldata.cli.base import (
    Arguments,
    Output,
    Result,
    add_jobs,
    check_jobs,
    failure_code,
    open_project,
    pick_datasets,
)
from mldata.cli.downloads import add_download_flags, download_options
from mldata.cli.flags import (
    EXPORT_FLAGS,
    FLAGS,
    TRACKER_FLAGS,
    add_export_flags,
    add_split_flags,
    export_section,
    split_section,
)
from mldata.config import load_config
from mldata.errors import EXIT_OK, UnknownDataset, UsageError
from mldata.executor import EXECUTORS
from mldata.partnames import part_order
from mldata.plural import counted
from mldata.project import NoProject, surrounding
from mldata.sources import LOCAL, scheme_of
from mldata.verdict import ValidationFailed

if TYPE_CHECKING:
    from mldata.project import Project

EXAMPLE = """\
  mldata build penguins -j 4
  mldata build 'data/*.csv' -o clean --split 0.8,0.1,0.1 --formats csv,parquet"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata build``."""
    parser.description = (
        "Build datasets of mldata.yaml; only what changed is built again.\n"
        "With -o, build sources (files, folders, quoted patterns, dataset://NAME[#PART], '-' for standard input) straight into a folder, without a\n"
        "spec, or one dataset of mldata.yaml by its name. The folder must be new, empty, or an earlier export."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME|SOURCE",
        default=[],
        help="datasets to build (default: all); with -o, sources",
    )
    add_jobs(parser)
    parser.add_argument(
        "--executor",
        choices=EXECUTORS,
        default=None,
        help="where actions run (default: the setting executor, or threads; processes are faster where much of the work is Python's own)",
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
    parser.add_argument(
        "--offline",
        action="store_true",
        default=False,
        help="use no network: take sources that are elsewhere from the store, as mldata.lock pins them",
    )
    add_download_flags(parser)
    group = parser.add_argument_group("into a folder, without a spec")
    group.add_argument("-o", "--output", default=None, metavar="DIR", help="build the sources into DIR")
    group.add_argument(
        "--format", default=None, metavar="FORMAT", help="read as this format, whatever the files are called"
    )
    add_split_flags(group, None)
    add_export_flags(group)


def run(args: Arguments, output: Output) -> Result:
    """Build, and say what happened."""
    check_jobs(args)
    if args.output is not None:
        return _into_folder(args, output)
    _refuse_folder_flags(args)
    project, names = _pick(args.names)
    options = _options(args)
    if args.dry_run:
        from mldata.cli.status import dry_run

        with Session(project, options) as session:
            return dry_run(session, names, output)
    from mldata.tasks import build_datasets

    with Session(project, options, output.reporter()) as session:
        code = build_datasets(session, names)
        return _result(session, names, code, output)


def _options(args: Arguments) -> Options:
    config = load_config()
    return Options(
        jobs=args.jobs,
        force=args.force,
        locked=args.locked,
        keep_going=args.keep_going,
        executor=args.executor or config.executor,
        offline=args.offline or config.offline,
        download=download_options(args),
    )


def _into_folder(args: Arguments, output: Output) -> Result:
    """Build sources, or one dataset of the spec, into a folder."""
    from mldata.claim import Claim
    from mldata.into import order
    from mldata.tasks import build_folder

    if not args.names:
        raise UsageError("expected what to build into the folder, found nothing", where="-o",
                         hint="for example: mldata build 'data/*.csv' -o clean")  # fmt: skip
    if args.locked:
        raise UsageError(
            "what is built into a folder is not in mldata.lock", where="--locked", hint="leave it out"
        )
    sections: dict[str, Any] = {"export": export_section(args), **split_section(args)}
    if args.format is not None:
        sections["normalize"] = {"format": args.format}
    made = order(args.names, args.output, sections, surrounding(Path.cwd()), FLAGS)
    claim = Claim(made.folder, made.project.state, made.name, "-o")
    claim.look()
    options = _options(args)
    if args.dry_run:
        from mldata.cli.status import dry_run

        with Session(made.project, options) as session:
            return dry_run(session, [made.name], output)
    with Session(made.project, options, output.reporter(), claim) as session:
        code = build_folder(session, made.name)
        return _result(session, [made.name], code, output, folder=args.output)


def _refuse_folder_flags(args: Arguments) -> None:
    for name in ("format", "split", "method", "seed", "stratify", "group", *EXPORT_FLAGS, *TRACKER_FLAGS):
        if getattr(args, name) is not None:
            raise UsageError(
                "it is for what is built into a folder, without a spec",
                where=f"--{name.replace('_', '-')}",
                hint="add -o DIR, or set it in mldata.yaml",
            )


def _pick(words: list[str]) -> tuple[Project, list[str]]:
    """The project and its named datasets; where a word is none and looks like a source, the error says how to build one."""
    known: Collection[str] = ()
    try:
        project = open_project()
        known = project.datasets
        return project, pick_datasets(project, words)
    except (NoProject, UnknownDataset) as error:
        wrong = next((word for word in words if word not in known), "")
        if scheme_of(wrong) != LOCAL or any(sign in wrong for sign in "/\\*?[.") or os.path.lexists(wrong):
            error.hint = f"To build a source without a spec: mldata build {shlex.quote(wrong)} -o DIR"
        raise


def _result(
    session: Session, names: list[str], code: int, output: Output, folder: str | None = None
) -> Result:
    from mldata.tasks import StandsOnFailure

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
            **{tracker: dict(it.facts) for tracker, it in session.tracked.get(name, {}).items()},
        }
        if isinstance(session.failures.get((name, "validate")), ValidationFailed):
            lines.append(f"{name:<{width}}  {output.paint('did not pass validation', '31')}")
        elif any(failed == name for failed, _ in session.failures):
            lines.append(f"{name:<{width}}  {output.paint('failed', '31')}")
        elif name in below:  # only as far as the others need it
            if ran := [stage for stage, report in reports.items() if report.status == "ran"]:
                lines.append(f"{name:<{width}}  {output.paint('built', '32')}       {', '.join(ran)}")
        elif number is None and (folder is None or "export" not in reports):
            lines.append(f"{name:<{width}}  {output.paint('not built', '31')}")
        elif all(report.status == "up-to-date" for report in reports.values()):
            lines.append(
                f"{name:<{width}}  up to date  {f'build {number}' if folder is None else f'-> {folder}'}"
            )
        else:
            lines.append(
                f"{name:<{width}}  {output.paint('built', '32')}       {_summary(session, name, number, folder)}"
            )
            lines += [f"  {line}" for it in session.tracked.get(name, {}).values() for line in it.lines]
    if not names:
        lines.append("nothing to build: mldata.yaml has no datasets yet\n  Add one: mldata add NAME SOURCE")
    errors = list(session.failures.values())
    if code and not errors:
        errors = [RuntimeError(f"doit stopped with code {code}")]
    warnings = [f"{name}: {warning}" for name in names for warning in session.warnings.get(name, [])]
    causes = [error for error in errors if not isinstance(error, StandsOnFailure)]
    exit_code = failure_code(causes) if code else EXIT_OK
    return Result({"datasets": datasets}, "\n".join(lines), exit_code, errors, warnings)


def _summary(session: Session, name: str, number: int | None, folder: str | None) -> str:
    reports = session.reports[name]
    parts = [f"build {number}"] if number is not None else []
    rows = next((report.rows for report in reversed(reports.values()) if report.rows is not None), None)
    if rows is not None:
        parts.append(counted(rows))
    split = reports.get("split")
    counts = split.facts.get("parts") if split is not None else None
    if counts:
        said = [part for part, _ in (session.state.spec(name).split or {})["parts"]]
        names = said or sorted(counts, key=part_order)  # where a column says the parts
        parts.append(", ".join(f"{part} {counts[part]:,}" for part in names))
    export = session.state.spec(name).export
    if export is not None:
        parts.append(f"-> {folder or export['to']}")
    return "  ".join(parts)
