"""The report of data checks as a web page: each check with its result, then what it has found.

Format: the frame of :mod:`mldata.webpage`; the section of a check is ``#check-NAME``. It says what :meth:`mldata.checks.report.Report.to_markdown` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.checks.base import ERROR, INFO, WARNING, Finding, Place
from mldata.checks.report import PASSED, SKIPPED
from mldata.plural import counted
from mldata.webpage import bar, details, escaped, facts, page, verdict

if TYPE_CHECKING:
    from mldata.checks.report import CheckReport, Report

__all__ = ["checks_page", "checks_section"]

_SEVERITIES = {ERROR: ("error", "red"), WARNING: ("warning", "yellow"), INFO: ("note", "grey")}


def checks_page(report: Report) -> str:
    """The report of data checks alone."""
    word = "passed" if report.passed else "failed"
    head = f"<h1>Validation of {escaped(report.dataset)} {verdict(word, 'green' if report.passed else 'red')}</h1>"
    return page(f"Validation of {report.dataset}: {word}", [head, *checks_section(report)])


def checks_section(report: Report) -> Iterator[str]:
    """What data is like, as a part of a page."""
    yield facts([("rows", f"{report.rows:,}"), *((name, f"{rows:,}") for name, rows in report.parts.items())])
    checks = list(report.checks.values())
    warned = [check for check in checks if check.status == PASSED and check.severity == WARNING]
    yield from bar(
        [
            ("passed", sum(check.status == PASSED for check in checks) - len(warned), "green"),
            ("passed with warnings", len(warned), "yellow"),
            ("failed", sum(check.status not in (PASSED, SKIPPED) for check in checks), "red"),
            ("skipped", sum(check.status == SKIPPED for check in checks), "grey"),
        ]
    )
    rows = "".join(
        f"<tr><td>{_link(name, check)}</td><td>{verdict(check.status, _colour(check))}</td>"
        f"<td>{escaped(check.reason or check.counts)}</td></tr>"
        for name, check in report.checks.items()
    )
    head = '<th scope="col">check</th><th scope="col">result</th><th scope="col">found</th>'
    yield f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    if any(finding.places for check in checks for finding in check.findings):
        yield '<p class="soft">Rows are numbered from 0, in the order of the table.</p>'
    for name, check in report.checks.items():
        if check.findings:
            summary = f"{escaped(name)} {verdict(check.status, _colour(check))}"
            findings = (line for finding in check.findings for line in _finding(finding))
            yield from details(summary, findings, name=f"check-{name}", opened=True)


def _link(name: str, check: CheckReport) -> str:
    return f'<a href="#check-{escaped(name)}">{escaped(name)}</a>' if check.findings else escaped(name)


def _colour(check: CheckReport) -> str:
    if check.status == PASSED:
        return "yellow" if check.severity == WARNING else "green"
    return "grey" if check.status == SKIPPED else "red"


def _finding(finding: Finding) -> Iterator[str]:
    word, colour = _SEVERITIES[finding.severity]
    yield f'<div class="finding"><div>{verdict(word, colour)} {escaped(finding.message)}</div>'
    lines = []
    if finding.parts:
        parts = ", ".join(f"{escaped(name)} {count:,}" for name, count in finding.parts.items())
        lines.append(f"{'rows by part' if finding.part is None else 'of these in other parts'}: {parts}")
    for place in finding.places:
        like = f", like {_place(place.like)}" if place.like is not None else ""
        value = f": <code>{escaped(place.value)}</code>" if place.value is not None else ""
        lines.append(f"{_place(place)}{like}{value}")
    if finding.rows > len(finding.places) > 0:
        lines.append(f"and {counted(finding.rows - len(finding.places), 'more row')}")
    if lines:
        yield "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
    yield f'<div class="soft">To do: {_with_code(finding.suggestion)}</div></div>'


def _place(place: Place) -> str:
    where = [escaped(text) for text in (place.part, place.file) if text is not None]
    return f"row {place.row:,}" + (f" ({', '.join(where)})" if where else "")


def _with_code(text: str) -> str:
    """Text whose code is in backticks."""
    pieces = map(escaped, text.split("`"))
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
