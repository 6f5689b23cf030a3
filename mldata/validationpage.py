"""A validation as one web page: what the files are like, and what the data in them is like, with one verdict over both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.checks.html import checks_section
from mldata.integrity.html import files_section
from mldata.webpage import escaped, page, verdict

if TYPE_CHECKING:
    from mldata.checks.report import Report
    from mldata.integrity.html import Locate
    from mldata.integrity.report import FilesReport

__all__ = ["validation_page"]


def validation_page(
    place: str, *, files: FilesReport | None = None, data: Report | None = None, locate: Locate | None = None
) -> str:
    """The page of one validation; the same for the same reports.

    Args:
        place: the folder, file or dataset, as the user wrote it.
        files: what checking the files has found; ``locate``: where each is, for small pictures of them.
        data: what the data checks have found.
    """
    reports = [report for report in (files, data) if report is not None]
    word = "passed" if all(report.passed for report in reports) else "failed"
    colour = "red" if word == "failed" else "green"
    if word == "passed" and files is not None and files.colour != "green":
        colour = "yellow"
    head = f"<h1>Validation of {escaped(place)} {verdict(word, colour)}</h1>"
    return page(f"Validation of {place}: {word}", [head, *_body(files, data, locate)])


def _body(files: FilesReport | None, data: Report | None, locate: Locate | None) -> Iterator[str]:
    if files is not None:
        if data is not None:
            yield _heading("Files", files.passed)
        yield from files_section(files, locate)
    if data is not None:
        if files is not None:
            yield _heading("Data", data.passed)
        yield from checks_section(data)


def _heading(name: str, passed: bool) -> str:
    return f"<h2>{name} {verdict('passed' if passed else 'failed', 'green' if passed else 'red')}</h2>"
