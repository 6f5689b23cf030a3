"""``mldata drift``: how far one dataset, build, part or file has moved from another."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.cli.base import Arguments, Output, Result, add_jobs, check_jobs
from mldata.cli.reportfiles import HTML, MARKDOWN, check_report_file, write_report
from mldata.errors import EXIT_INVALID_DATA, EXIT_OK

if TYPE_CHECKING:
    from mldata.drifting import Drift

EXAMPLE = "  mldata drift penguins#train penguins#test -o drift.html"
FAIL_ON = ("moderate", "major")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata drift``."""
    parser.description = (
        "Compare how the values of each column are spread, by the population stability index (PSI) and other\n"
        "measures. Each side is read once and remembered: builds that were looked at before are compared\n"
        "without reading their data. Columns that one side lacks are told, and are no drift; where there are\n"
        "no others, so that nothing can be compared, drift is major."
    )
    sides = "a dataset (NAME), a build of it (NAME@3), a part (NAME#train), an export folder, a file or a source elsewhere"
    parser.add_argument("baseline", metavar="BASELINE", help=sides)
    parser.add_argument("current", metavar="CURRENT", help="what to compare with it; any of these, too")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        action="append",
        default=[],
        help="write the report to FILE.html, FILE.md or FILE.json, too; may be given more than once",
    )
    parser.add_argument(
        "--detailed",
        action="store_true",
        default=False,
        help="show every measure and the bins of each column",
    )
    parser.add_argument(
        "--columns", metavar="NAME,...", default=None, help="compare these columns only (default: all)"
    )
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default=None,
        help="exit with code 2 if any column has drifted so far, or nothing could be compared (default: 0 whatever is found)",
    )
    _add_measures(parser.add_argument_group("what is called drift"))
    add_jobs(parser)


def _add_measures(measures: argparse._ArgumentGroup) -> None:
    measures.add_argument(
        "--moderate", type=float, metavar="PSI", default=0.1, help="from this PSI on (default: 0.1)"
    )
    measures.add_argument(
        "--major", type=float, metavar="PSI", default=0.25, help="above this PSI (default: 0.25)"
    )
    measures.add_argument(
        "--bins", type=int, metavar="N", default=10, help="of the baseline's quantiles (default: 10)"
    )
    measures.add_argument(
        "--epsilon",
        type=float,
        metavar="SHARE",
        default=1e-4,
        help="the share that an empty bin is taken to have (default: 0.0001)",
    )


def run(args: Arguments, output: Output) -> Result:
    """Print the report."""
    from mldata.cli.driftreport import drift_text
    from mldata.drift.report import SEVERITIES, Thresholds
    from mldata.drifting import Wanted, check_thresholds, measure_drift
    from mldata.profile.choice import column_names
    from mldata.project import surrounding

    check_jobs(args)
    files = [check_report_file(name) for name in args.output]
    thresholds = check_thresholds(Thresholds(args.moderate, args.major, args.epsilon, args.bins))
    columns = None if args.columns is None else column_names(args.columns)
    wanted = Wanted(thresholds, columns, args.jobs)
    found = measure_drift(args.baseline, args.current, surrounding(Path.cwd()), output.reporter(), wanted)
    for path in files:
        write_report(path, _report(path.suffix, found, detailed=args.detailed))
    reached = args.fail_on is not None and SEVERITIES.index(found.severity) >= SEVERITIES.index(args.fail_on)
    code = EXIT_INVALID_DATA if reached else EXIT_OK
    warnings = list(found.warnings)
    if output.json:
        return Result(found.to_json(), "", code, warnings=warnings)
    return Result({}, drift_text(found, output, detailed=args.detailed), code, warnings=warnings)


def _report(suffix: str, found: Drift, *, detailed: bool) -> str:
    if suffix == HTML:
        return found.to_html()
    if suffix == MARKDOWN:
        return found.to_markdown(detailed=detailed)
    return json.dumps(found.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
