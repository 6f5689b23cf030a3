"""``mldata doctor``: whether everything that mldata works with is there and works."""

from __future__ import annotations

import argparse
from pathlib import Path

from mldata.cli.base import Arguments, Output, Result
from mldata.doctor import Finding, examine
from mldata.errors import EXIT_BUILD, EXIT_OK

EXAMPLE = "  mldata doctor --offline"
COLORS = {"ok": "32", "note": "2", "warn": "33", "fail": "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata doctor``."""
    parser.description = (
        "Look at Python, libraries, programs, settings, the store, the disk, credentials and the network, and say what to do\n"
        "about what is not well. Nothing is changed. Ends with code 1 only if something that mldata needs is broken."
    )
    parser.add_argument("--offline", action="store_true", default=False, help="use no network")


def run(args: Arguments, output: Output) -> Result:
    """Look at everything, then say it."""
    found = list(examine(Path.cwd(), offline=args.offline))
    counts = {level: sum(it.level == level for it in found) for level in COLORS}
    lines: list[str] = []
    part = ""
    for it in found:
        if it.detail and it.level == "ok" and not output.verbose:
            continue
        if it.part != part:
            part = it.part
            lines.append(part)
        lines += _lines(it, output)
    bad = ", ".join(f"{counts[level]} {level}" for level in ("fail", "warn") if counts[level])
    lines.append(f"found: {bad}" if bad else "all is well")
    ok = counts["fail"] == 0
    data = {
        "ok": ok,
        "counts": counts,
        "checks": [
            {"part": it.part, "name": it.name, "level": it.level, "text": it.text, "remedy": it.remedy}
            for it in found
        ],
    }
    return Result(data, "\n".join(lines), EXIT_OK if ok else EXIT_BUILD)


def _lines(it: Finding, output: Output) -> list[str]:
    text = it.text.replace("\n", "\n        ")
    lines = [f"  {output.paint(f'{it.level:<4}', COLORS[it.level])}  {it.name}: {text}"]
    return [*lines, f"        {it.remedy}"] if it.remedy else lines
