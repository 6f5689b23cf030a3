"""The files that ``-o`` names: a report as a page, as Markdown or as JSON, by the file's suffix; published whole, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mldata.errors import UsageError

__all__ = ["HTML", "JSON", "MARKDOWN", "check_report_file", "write_report"]

HTML, JSON, MARKDOWN = ".html", ".json", ".md"
REPORTS = (
    {"form", "missing_patterns"},
    {"checks", "passed"},
    {"drift", "thresholds"},
    {"old", "new", "breaking"},
)
"""Keys that tell reports of profile, validate, drift and diff from other JSON."""
LARGEST = 1 << 28
"""Bytes of a file that may be a report."""
SUFFIXES = (HTML, MARKDOWN, JSON)


def check_report_file(name: str, suffixes: Sequence[str] = SUFFIXES) -> Path:
    """The path after ``-o``.

    Args:
        suffixes: of the reports that the command writes, two at least.

    Raises:
        UsageError: it cannot become a report, or is there and no report, but maybe data. Said before any work is done.
    """
    path = Path(name)
    if path.is_dir():
        raise UsageError(
            f"expected a file after -o, found the folder {path}", hint=f"-o {path / 'report'}{suffixes[0]}"
        )
    if path.suffix not in suffixes:
        called = [f"*{suffix}" for suffix in suffixes]
        raise UsageError(
            f"expected a file called {', '.join(called[:-1])} or {called[-1]} after -o, found {name!r}",
            hint=f"-o {path.with_suffix(suffixes[0])}",
        )
    if path.suffix == JSON and path.is_file() and not _is_report(path):
        raise UsageError(
            f"expected a new file or an earlier report after -o, found {name}, which is something else",
            hint="choose another file for -o, or remove that one",
        )
    return path


def _is_report(path: Path) -> bool:
    """Whether a file of JSON is a report of some command, or empty."""
    try:
        if path.stat().st_size > LARGEST:
            return False
        text = path.read_text("utf-8")
        if not text.strip():
            return True
        found = json.loads(text)
    except (OSError, ValueError, RecursionError):  # what cannot be read is not known to be one
        return False
    return isinstance(found, dict) and any(keys <= found.keys() for keys in REPORTS)


def write_report(path: Path, text: str) -> None:
    """Put ``text`` at ``path``; a reader sees what was there before, or all of it.

    Half a surrogate pair, which a path may hold, is written as JSON escapes it, or in a page and Markdown as ``?``.

    Raises:
        UsageError: it cannot be written there.
    """
    from store import StoreError, publish_bytes

    errors = "backslashreplace" if path.suffix == JSON else "replace"
    try:
        publish_bytes(path.absolute(), text.encode(errors=errors))
    except (OSError, StoreError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"cannot write the report to {path}: {why}", hint="choose another file for -o"
        ) from None
