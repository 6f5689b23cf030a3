"""The files that ``-o`` names: a report as a page, as Markdown or as JSON, by the file's suffix; published whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from glob import glob
from os.path import isfile
from pathlib import Path

from mldata.errors import UsageError

__all__ = ["HTML", "JSON", "MARKDOWN", "check_report_file", "write_report"]

HTML, JSON, MARKDOWN = ".html", ".json", ".md"
SUFFIXES = (HTML, MARKDOWN, JSON)


def check_report_file(name: str, *places: str, suffixes: Sequence[str] = SUFFIXES) -> Path:
    """The path after ``-o``.

    Args:
        places: what is looked at; a report replaces no file that one of these names, by its path or by a pattern.
        suffixes: of the reports that the command writes, two at least.

    Raises:
        UsageError: it cannot become a report; said before any work is done.
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
    if path.is_file() and any(path.samefile(file) for place in places for file in _files(place)):
        raise UsageError(
            f"expected a file after -o that is not looked at itself, found {name}",
            hint=f"-o {path.with_name('report')}{path.suffix}",
        )
    return path


def _files(place: str) -> Iterator[str]:
    """Files that a path or a pattern names; ``PATH#PART`` names that path."""
    for text in (place, place.rpartition("#")[0]):
        if isfile(text):  # false of what is too long to be a path, such as an address
            yield text
        yield from glob(text, recursive=True)


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
