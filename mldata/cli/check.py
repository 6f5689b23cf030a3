"""``mldata check``: look for missing, truncated, altered and stray objects in the store."""

from __future__ import annotations

import argparse
from typing import Any

from mldata.cli.base import Arguments, Output, Result, parse_duration, parse_share, store_here
from mldata.errors import EXIT_BUILD, EXIT_OK

EXAMPLE = "  mldata check --read-data --sample 5% --max-duration 60s"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata check``."""
    parser.add_argument(
        "--read-data",
        action="store_true",
        default=False,
        help="read every object and compare it with its digest",
    )
    parser.add_argument("--sample", default=None, metavar="SHARE", help="read only this share, such as 5%%")
    parser.add_argument(
        "--max-duration", default=None, metavar="TIME", help="stop reading after this, such as 60s"
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        default=False,
        help="move what is damaged to the store's quarantine folder; nothing is deleted",
    )


def run(args: Arguments, output: Output) -> Result:
    """Check, and say what is wrong and how it comes back."""
    from mldata.sizes import human_size
    from store import Store

    sample = None if args.sample is None else parse_share(args.sample)
    seconds = None if args.max_duration is None else parse_duration(args.max_duration)
    with Store.open(store_here()[0]) as store:
        report = store.check(
            read_data=args.read_data or sample is not None,
            sample=sample,
            max_duration=seconds,
            repair=args.repair,
        )
    findings: list[dict[str, Any]] = [
        {
            "kind": finding.kind,
            "digest": finding.digest,
            "path": str(finding.path),
            "needed_by": list(finding.needed_by),
            "remedy": finding.remedy,
        }
        for finding in report.findings
    ]
    lines = []
    for finding in findings:
        lines.append(f"{output.paint(finding['kind'], '31')}  {finding['path']}")
        if finding["needed_by"]:
            lines.append(f"  needed by {', '.join(finding['needed_by'])}")
        lines.append(f"  {finding['remedy']}")
    checked = {"objects": report.objects, "bytes": report.bytes}
    verdict = output.paint("ok", "32") if report.ok else output.paint("damaged", "31")
    lines.append(f"{verdict}: {report.objects:,} objects, {human_size(report.bytes)} read")
    data = {"ok": report.ok, "findings": findings, "checked": checked}
    return Result(data, "\n".join(lines), EXIT_OK if report.ok else EXIT_BUILD)
