"""The report of a check of files as a web page: a bar of verdicts, then every file that is not valid with what is wrong, and a small picture where it is one.

Format: the frame of :mod:`mldata.webpage`. The sections are ``#corrupt``, ``#timeout``, ``#suspect`` and ``#skipped``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.integrity import IMAGE, KINDS
from mldata.integrity.base import CORRUPT, SKIPPED, SUSPECT, TIMEOUT, VALID
from mldata.integrity.report import BAD, WORDS
from mldata.webpage import bar, details, escaped, facts, page, table, verdict

if TYPE_CHECKING:
    from mldata.integrity.base import FileCheckResult
    from mldata.integrity.report import FilesReport
    from mldata.integrity.thumbnails import Thumbnail

__all__ = ["MOST_THUMBNAILS", "files_page", "files_section"]

MOST_THUMBNAILS = 200
MOST_PROBLEMS = 20
"""Of one file, that are told beside the worst."""
COLOUR = {VALID: "green", SUSPECT: "yellow", TIMEOUT: "yellow", CORRUPT: "red", SKIPPED: "grey"}

Locate = Callable[["FileCheckResult"], Path | None]
"""Where a file of the report is; None: there is nothing to show of it."""


def files_page(report: FilesReport, locate: Locate | None = None) -> str:
    """The report of a check of files alone. ``locate``: where files are, for pictures of them; None: without these."""
    word = "passed" if report.passed else "failed"
    head = f"<h1>Files of {escaped(report.place)} {verdict(word, _colour(report))}</h1>"
    return page(f"Files of {report.place}: {word}", [head, *files_section(report, locate)])


def files_section(report: FilesReport, locate: Locate | None = None) -> Iterator[str]:
    """What files are like, as a part of a page."""
    yield f"<p><strong>{escaped(report.headline)}</strong></p>"
    yield from bar(
        [
            (WORDS[it], report.counts[it], COLOUR[it])
            for it in (VALID, SUSPECT, TIMEOUT, CORRUPT, SKIPPED)
            if report.counts[it] or it in (VALID, SUSPECT, CORRUPT)
        ]
    )
    for remark in report.remarks:
        yield f'<p class="note">{escaped(remark)}</p>'
    told = [it for it in (*BAD, SKIPPED) if report.counts[it]]
    if told:
        links = " · ".join(f'<a href="#{it}">{WORDS[it]} {report.counts[it]:,}</a>' for it in told)
        yield f"<nav><p>{links}</p></nav>"
    settings = [(name.replace("_", " "), f"{value}") for name, value in sorted(report.settings.items())]
    yield facts([("files", f"{report.total:,}"), *settings])
    if report.types:
        verdicts = [it for it in (VALID, SUSPECT, TIMEOUT, CORRUPT, SKIPPED) if report.counts[it]]
        rows: list[list[str | int]] = [
            [name, *(counts.get(it, 0) for it in verdicts)] for name, counts in sorted(report.types.items())
        ]
        yield table(["type", *(WORDS[it] for it in verdicts)], rows)
    pictures = _Pictures(report, locate)
    for it in told:
        yield from _part(report, it, pictures)


def _part(report: FilesReport, it: str, pictures: _Pictures) -> Iterator[str]:
    """The files of one verdict."""
    files = report.of(it)

    def body() -> Iterator[str]:
        if it == SKIPPED:
            yield f"<p>By suffix: {escaped(report.suffixes())}</p>"
            if files:
                yield table(
                    ["file", "type", "why"], [(it.path, it.file_type, it.error or "") for it in files]
                )
        else:
            for file in files:
                yield from _file(file, pictures)
        if rest := report.counts[it] - len(files):
            yield f"<p>and {rest:,} more</p>"
        if it in pictures.last and pictures.rest:
            yield f'<p class="soft">Pictures of the first {MOST_THUMBNAILS:,} are shown; there are {pictures.rest:,} more.</p>'

    summary = f"{verdict(WORDS[it], COLOUR[it])} {report.counts[it]:,}"
    yield from details(summary, body(), name=it, opened=it != SKIPPED)


def _file(file: FileCheckResult, pictures: _Pictures) -> Iterator[str]:
    picture = pictures.of(file)
    yield f'<div class="file{"" if picture else " bare"}">{picture}<div>'
    yield f'<div class="path">{escaped(file.path)}</div>'
    yield f"<div>{escaped(file.error or '')}</div>"
    if others := file.problems[1:]:
        yield "<ul>"
        for problem in others[:MOST_PROBLEMS]:
            place = f" ({problem.place})" if problem.place else ""
            yield f"<li>{escaped(problem.severity)}: {escaped(problem.message + place)}</li>"
        if len(others) > MOST_PROBLEMS:
            yield f"<li>and {len(others) - MOST_PROBLEMS:,} more</li>"
        yield "</ul>"
    size = file.details.get("size")
    told = [file.file_type, *([f"{size:,} bytes"] if isinstance(size, int) else [])]
    if isinstance(file.details.get("width"), int) and isinstance(file.details.get("height"), int):
        told.append(f"{file.details['width']:,} x {file.details['height']:,}")
    told += [str(file.details[key]) for key in ("error_class", "decoder") if file.details.get(key)]
    yield f'<div class="soft">{escaped(", ".join(told))}</div></div></div>'


class _Pictures:
    """The small pictures of a page, made one by one as it is written."""

    def __init__(self, report: FilesReport, locate: Locate | None) -> None:
        shown: list[tuple[FileCheckResult, Path]] = []
        self.rest = 0
        self.last: set[str] = set()
        if locate is not None:
            from mldata.integrity.thumbnails import thumbnails

            for it in (CORRUPT, SUSPECT):
                for file in report.of(it):
                    if _is_image(file) and (path := locate(file)) is not None:
                        if len(shown) < MOST_THUMBNAILS:
                            shown.append((file, path))
                            self.last = {it}
                        else:
                            self.rest += 1
            made = thumbnails([path for _, path in shown])
        else:
            made = iter(())
        self._made: Iterator[Thumbnail] = made
        self._shown = {(file.verdict, file.path) for file, _ in shown}

    def of(self, file: FileCheckResult) -> str:
        """The markup of a picture of a file; nothing where none is to be shown. To be asked in the order of the report's verdicts and paths."""
        if (file.verdict, file.path) not in self._shown:
            return ""
        made = next(self._made)
        if isinstance(made, str):
            return f'<div class="thumb">no picture: {escaped(made)}</div>'
        kind, data = made
        return f'<div class="thumb"><img alt="" src="data:{kind};base64,{b64encode(data).decode()}"></div>'


def _is_image(file: FileCheckResult) -> bool:
    return file.file_type in KINDS and KINDS[file.file_type].family == IMAGE


def _colour(report: FilesReport) -> str:
    return report.colour if report.passed else "red" if report.colour == "red" else "yellow"
