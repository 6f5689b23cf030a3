"""``mldata profile``: what is in the data, column by column."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.cli.base import Arguments, Output, Result, add_jobs, check_jobs
from mldata.cli.reportfiles import HTML, JSON, check_report_file, write_report
from mldata.quantities import parse_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mldata.profile.profile import Profile
    from mldata.profile.terminal import Line

EXAMPLE = """\
  mldata profile penguins -o penguins.html
  mldata profile penguins#train --columns sex,body_mass_g"""
SOFT = "soft"
COLOURS = {"strong": "1", SOFT: "2", "warning": "33", "bars": "36"}
"""By tone of :mod:`mldata.profile.terminal`."""
BLOCKS = "▁▂▃▄▅▆▇█…"
"""What a terminal has to be able to show."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata profile``."""
    parser.description = (
        "Look at what is in the data: types, missing and distinct values, how values are spread, what goes together, and what\n"
        "should be known before it is used. Rows are read once and what is known of them is kept: after an edit only what\n"
        "changed is read again. A dataset of mldata.yaml is brought up to date as far as its split; nothing is recorded."
    )
    parser.add_argument(
        "place",
        metavar="NAME|PATH|SOURCE",
        help="a dataset of mldata.yaml, a build of it (NAME@3), a part of one (NAME#train), an export folder, a folder, a file,\n"
        "or a source elsewhere",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        action="append",
        default=[],
        help="write the profile to FILE.html, FILE.md or FILE.json, too; may be given several times",
    )
    _add_choice(parser)
    add_jobs(parser)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    """Which rows and columns are told of."""
    parser.add_argument(
        "--split", metavar="PART", default=None, help="look at the rows of this part alone, as NAME#PART does"
    )
    parser.add_argument(
        "--splits",
        action="store_true",
        default=False,
        help="compare the parts, each by itself (HTML and Markdown always do)",
    )
    parser.add_argument(
        "--sample",
        metavar="PCT",
        default=None,
        help="look at this share of the rows, such as 10%%; always the same ones",
    )
    parser.add_argument(
        "--columns",
        metavar="NAME,...",
        default=None,
        help="show these columns only, in this order; a name with a comma, or with spaces\n"
        "around it, in double quotes: '\"a,b\",c'",
    )


def run(args: Arguments, output: Output) -> Result:
    """Print the profile, and write it where ``-o`` says."""
    from mldata.profile.choice import column_names
    from mldata.profiling import profile_subject
    from mldata.project import surrounding
    from mldata.subjects import only_part, open_subject

    check_jobs(args)
    files = [check_report_file(name) for name in args.output]
    share = parse_share(args.sample) if args.sample is not None else 1.0
    names = column_names(args.columns) if args.columns is not None else None
    begun = time.monotonic()
    reporter = output.reporter()
    try:
        with open_subject(args.place, surrounding(Path.cwd()), reporter, jobs=args.jobs) as subject:
            if args.split is not None:
                only_part(subject, args.split)
            parts = args.splits or any(path.suffix != JSON for path in files)
            profile = profile_subject(subject, parts=parts, sample=share, columns=names)
            have, warnings = subject.parts if subject.part is None else (), list(subject.warnings)
    finally:
        reporter.close()
    for path in files:
        write_report(path, _report(profile, path.suffix))
    told = profile if args.splits else replace(profile, parts={})
    text = "" if output.json else _text(told, have, time.monotonic() - begun, output, compare=args.splits)
    return Result(_json(profile) if output.json else {}, text, warnings=warnings)


def _report(profile: Profile, suffix: str) -> str:
    if suffix == JSON:
        return json.dumps(_json(profile), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if suffix == HTML:
        from mldata.profile.page import profile_page

        return profile_page(profile)
    from mldata.profile.markdown import profile_markdown

    return profile_markdown(profile)


def _json(profile: Profile) -> dict[str, object]:
    from mldata.profile.form import to_json

    return to_json(profile)


def _text(profile: Profile, parts: Sequence[str], seconds: float, output: Output, *, compare: bool) -> str:
    """For people. ``parts``: those that there are; ``compare``: they were asked for."""
    from mldata.cells import encodable, one_line, wrapped
    from mldata.profile.terminal import NARROWEST, Room, profile_lines

    encoding = sys.stdout.encoding or "utf-8"
    plain = encodable(BLOCKS, encoding) != BLOCKS
    cells = shutil.get_terminal_size().columns
    lines = list(profile_lines(profile, Room(cells, plain, output.verbose), seconds))
    if parts and not compare:
        named = one_line(", ".join(parts), 60)
        told = f"split into {named}: --splits compares them, --split looks at one"
        lines += [[], *([(line, SOFT)] for line in wrapped(told, max(cells, NARROWEST)))]
    elif compare and not parts:
        lines += [[], [("there are no parts that --splits could compare", SOFT)]]
    return encodable("\n".join(_painted(line, output) for line in lines), encoding)


def _painted(line: Line, output: Output) -> str:
    pieces = (output.paint(text, COLOURS[tone]) if tone in COLOURS else text for text, tone in line)
    return "".join(pieces).rstrip()
