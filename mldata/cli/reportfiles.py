"""The files that ``-o`` names: a report as a page, as Markdown or as JSON, by the file's suffix; published whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mldata.errors import UsageError

__all__ = ["HTML", "JSON", "MARKDOWN", "check_report_file", "write_report"]

HTML, JSON, MARKDOWN = ".html", ".json", ".md"
SUFFIXES: Iterable[str] = (HTML, MARKDOWN, JSON)


def check_report_file(name: str) -> Path:
    """The path after ``-o``. Raises :class:`UsageError` for what cannot become a report, before any work is done."""
    path = Path(name)
    if path.suffix not in SUFFIXES:
        raise UsageError(f"expected a file called *.html, *.md or *.json after -o, found {name!r}")
    if path.is_dir():
        raise UsageError(
            f"expected a file after -o, found the folder {name}", hint=f"-o {path / 'report'}.html"
        )
    return path


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
