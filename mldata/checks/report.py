"""The report of a validation: as JSON for programs, as Markdown for a pull request.

``report.json``: one object, keys as they are told below, two-space indent. ``report.md`` says the same to people. Both are functions of
the rows, their parts and the parameters: no time, host, path or library version is in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldata.checks.base import ERROR, INFO, SEVERITIES, WARNING, Finding, Place
from mldata.markdown import code, escaped, one_line
from mldata.plural import counted

__all__ = ["FAILED", "PASSED", "SKIPPED", "CheckReport", "Report", "verdict"]

FORMAT = 1
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
NEVER = "never"


@dataclass(frozen=True)
class CheckReport:
    """What one check has found."""

    status: str
    """``passed``, ``failed`` or ``skipped``."""
    findings: Sequence[Finding] = ()
    reason: str | None = None
    """Why it was skipped."""

    @property
    def severity(self) -> str | None:
        """The worst of its findings; None without any."""
        return max((it.severity for it in self.findings), key=SEVERITIES.index, default=None)

    def count(self, severity: str) -> int:
        """Findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def counts(self) -> str:
        """``1 error, 2 warnings``."""
        names = {ERROR: "error", WARNING: "warning", INFO: "note"}
        return ", ".join(counted(count, name) for kind, name in names.items() if (count := self.count(kind)))

    @property
    def summary(self) -> str:
        """``failed: 1 error, 2 warnings``."""
        return f"{self.status}: {told}" if (told := self.reason or self.counts) else self.status

    def to_json(self) -> dict[str, Any]:
        """As the report has it."""
        plain: dict[str, Any] = {"status": self.status, "severity": self.severity}
        if self.reason is not None:
            plain["reason"] = self.reason
        return {**plain, "findings": [finding.to_json() for finding in self.findings]}


@dataclass(frozen=True)
class Report:
    """What a validation has found."""

    dataset: str
    fail_on: str
    """``error``, ``warning`` or ``never``."""
    rows: int
    parts: Mapping[str, int]
    """Rows by part; empty if the table is not split."""
    checks: Mapping[str, CheckReport]

    @property
    def passed(self) -> bool:
        """Whether no check failed, or failing was not asked for."""
        return self.fail_on == NEVER or not self.failed

    @property
    def failed(self) -> list[str]:
        """The checks that failed."""
        return [name for name, check in self.checks.items() if check.status == FAILED]

    def to_json(self) -> dict[str, Any]:
        """What ``report.json`` holds, and ``mldata validate --json`` as its result."""
        return {
            "report": FORMAT,
            "dataset": self.dataset,
            "passed": self.passed,
            "fail_on": self.fail_on,
            "rows": self.rows,
            "parts": dict(self.parts),
            "checks": {name: check.to_json() for name, check in self.checks.items()},
        }

    def to_text(self) -> str:
        """``report.json``."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str | bytes) -> Report:
        """What :meth:`to_text` wrote."""
        plain = json.loads(text)
        checks = {
            name: CheckReport(
                check["status"], [Finding.from_json(it) for it in check["findings"]], check.get("reason")
            )
            for name, check in plain["checks"].items()
        }
        return cls(plain["dataset"], plain["fail_on"], plain["rows"], plain["parts"], checks)

    def to_markdown(self, what: str = "Validation") -> str:
        """``report.md``; ``what`` is the first word of its heading."""
        return "\n".join(self._markdown(what)) + "\n"

    def _markdown(self, what: str) -> Iterator[str]:
        yield f"# {what} of {self.dataset}: {'passed' if self.passed else 'failed'}"
        yield ""
        parts = ", ".join(f"{escaped(name)} {count:,}" for name, count in self.parts.items())
        yield counted(self.rows) + (f": {parts}" if parts else "")
        yield ""
        if any(finding.places for check in self.checks.values() for finding in check.findings):
            yield "Rows are numbered from 0, in the order of the table.\n"
        yield "| check | result |"
        yield "|---|---|"
        for name, check in self.checks.items():
            yield f"| {name} | {escaped(check.summary)} |"
        for name, check in self.checks.items():
            if not check.findings:
                continue
            yield f"\n## {name}\n"
            for finding in check.findings:
                yield from _finding(finding)


def verdict(findings: Sequence[Finding], fail_on: str) -> str:
    """``failed`` if a finding is as bad as ``fail_on`` says; where that is ``never``, if one is an error."""
    edge = SEVERITIES.index(ERROR if fail_on == NEVER else fail_on)
    return FAILED if any(SEVERITIES.index(it.severity) >= edge for it in findings) else PASSED


def _finding(finding: Finding) -> Iterator[str]:
    yield f"- **{finding.severity}**: {escaped(finding.message)}"
    if finding.parts:
        parts = ", ".join(f"{escaped(name)} {count:,}" for name, count in finding.parts.items())
        yield f"  - {'rows by part' if finding.part is None else 'of these in other parts'}: {parts}"
    for place in finding.places:
        value = f": {code(place.value)}" if place.value is not None else ""
        like = f", like {_place(place.like)}" if place.like is not None else ""
        if place.like is not None and place.like.value is not None:  # which may be another one
            yield f"  - {_place(place)}{value}{like}: {code(place.like.value)}"
        else:
            yield f"  - {_place(place)}{like}{value}"
    if finding.rows > len(finding.places) > 0:
        yield f"  - and {counted(finding.rows - len(finding.places), 'more row')}"
    yield f"  - to do: {_suggestion(finding.suggestion)}"


def _place(place: Place) -> str:
    where = [escaped(text) for text in (place.part, place.file) if text is not None]
    return f"row {place.row:,}" + (f" ({', '.join(where)})" if where else "")


def _suggestion(text: str) -> str:
    """Text whose code is in backticks already."""
    pieces = one_line(text).split("`")
    return "`".join(piece if number % 2 else escaped(piece) for number, piece in enumerate(pieces))
