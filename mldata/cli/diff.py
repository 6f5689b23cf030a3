"""``mldata diff``: what is not the same of two builds, exports, files, datasets or parts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.cli.base import Arguments, Output, Result, add_jobs, check_jobs
from mldata.cli.reportfiles import JSON, MARKDOWN, check_report_file, write_report
from mldata.errors import EXIT_INVALID_DATA, EXIT_OK, UsageError

if TYPE_CHECKING:
    from mldata.diffing import Diff

EXAMPLE = """\
  mldata diff penguins@1 penguins@2
  mldata diff penguins@1 penguins --data --key id --fail-on breaking -o diff.md"""
BREAKING, ANY = FAIL_ON = ("breaking", "any")
SECTIONS = {
    "schema": "columns that came, went, moved, or changed name (a guess), type or nullability",
    "data": "rows that came, went or changed, with samples of each, and files of media; equal fragments are not read",
    "drift": "how far the values of each column have moved",
    "manifest": "sources, parameters, code and versions that are not as they were; of builds and exports",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata diff``."""
    parser.description = (
        "Say what has changed from A to B: datasets, builds (NAME@2), export folders, files, folders or sources elsewhere,\n"
        "or parts of them (NAME@2#train). Without a section: the schema, the making where both tell it, and how much of the\n"
        "data is equal as far as that is known without reading it."
    )
    parser.add_argument("old", metavar="A", help="what was")
    parser.add_argument("new", metavar="B", help="what is")
    sections = parser.add_argument_group("sections")
    for name, about in SECTIONS.items():
        sections.add_argument(f"--{name}", action="store_true", default=False, help=about)
    parser.add_argument(
        "--key",
        metavar="COL,...",
        default=None,
        help="columns that name a row, so that changed ones are told from others (of media: the path); asks for --data.\n"
        "A name with a comma in quotes: '\"a,b\",c'",
    )
    parser.add_argument(
        "-D",
        "--detailed",
        action="store_true",
        default=False,
        help="say everything: each change, whole types and settings, columns that have not drifted",
    )
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default=None,
        help="what ends with exit code 2: breaking (changes of the schema that fail whoever reads by the old one), or any\n"
        "difference (rows are compared, too, where no section is named and fragments differ)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default=None, help="write it to FILE.md or FILE.json, too"
    )
    parser.add_argument(
        "--markdown", action="store_true", default=False, help="print Markdown, as for a pull request"
    )
    add_jobs(parser)


def run(args: Arguments, output: Output) -> Result:
    """Print what differs."""
    from mldata.diffing import diff_places
    from mldata.evolution.diff import SCHEMA
    from mldata.project import surrounding

    check_jobs(args)
    report = check_report_file(args.output, (MARKDOWN, JSON)) if args.output is not None else None
    sections = {name for name in SECTIONS if getattr(args, name)}
    key = _key(args, sections)
    if sections and args.fail_on == BREAKING:
        sections.add(SCHEMA)
    base = surrounding(Path.cwd())
    found = diff_places(
        args.old,
        args.new,
        base,
        output.reporter(),
        sections,
        key=key,
        thorough=args.fail_on == ANY,
        jobs=args.jobs,
    )
    if report is not None:
        write_report(report, _report(report.suffix, found, args.detailed))
    code = EXIT_INVALID_DATA if _fails(found, args.fail_on) else EXIT_OK
    text = "" if output.json else _text(found, args, output)
    return Result(found.to_json(), text, code, warnings=list(found.warnings))


def _key(args: Arguments, sections: set[str]) -> list[str]:
    """Columns of ``--key``, which asks for the rows to be compared."""
    from mldata.profile.choice import listed_names

    if args.key is None:
        return []
    if sections and "data" not in sections:
        raise UsageError("expected --data with --key, found other sections alone", hint="add --data")
    listed = listed_names(args.key)
    names = [name for name in listed if name is not None]
    if len(set(names)) < len(listed):
        raise UsageError(
            f"expected distinct columns with commas between them, found {args.key!r}",
            where="--key",
            hint="for example: --key id,day",
        )
    return names


def _fails(found: Diff, fail_on: str | None) -> bool:
    return (fail_on == BREAKING and found.breaking) or (fail_on == ANY and not found.same)


def _text(found: Diff, args: Arguments, output: Output) -> str:
    if args.markdown:
        return found.to_markdown(detailed=args.detailed).rstrip()
    from mldata.evolution.terminal import diff_text

    return diff_text(found, output.paint, detailed=args.detailed)


def _report(suffix: str, found: Diff, detailed: bool) -> str:
    import json

    if suffix == JSON:
        return json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    return found.to_markdown(detailed=detailed)
