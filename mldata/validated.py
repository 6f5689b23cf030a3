"""What validating a place has found: in its files, and in its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.errors import MldataError

if TYPE_CHECKING:
    from pathlib import Path

    from mldata.checks.report import CheckReport, Report
    from mldata.integrity.report import FilesReport

__all__ = ["Validation"]


@dataclass(frozen=True)
class Validation:
    """Both verdicts. What was not asked for is None."""

    files: FilesReport | None = None
    places: Mapping[str, Path] = field(default_factory=dict)
    """Where the files are that are neither valid nor skipped, by their paths in the report."""
    data: Report | None = None
    error: MldataError | None = None
    """Why the data could not be checked: it cannot be read as it is."""
    unmade: Sequence[str] = ()
    """The checks of the data that could not be made."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each check worked now, over all threads: nothing where what it finds was known."""
    warnings: Sequence[str] = ()
    """What stages warned of on the way, beside what the reports tell."""

    @property
    def passed(self) -> bool:
        """Whether files and data passed, as far as they were asked for."""
        return self.error is None and all(it.passed for it in (self.files, self.data) if it is not None)

    @property
    def checks(self) -> Mapping[str, CheckReport]:
        """The checks of the data, by name, with their findings."""
        return self.data.checks if self.data is not None else {}

    def to_json(self) -> dict[str, Any]:
        """What ``mldata validate --json`` has as its result."""
        plain: dict[str, Any] = self.data.to_json() if self.data is not None else {"checks": {}}
        for name, check in plain["checks"].items():
            check["duration_seconds"] = round(self.seconds.get(name, 0.0), 3)
        if self.files is not None:
            files = self.files.to_json()
            plain |= {"files": files.pop("files"), "counts": files.pop("counts"), "integrity": files}
            if plain["checks"].get("files", {}).get("status") in (None, "skipped"):
                plain["checks"]["files"] = _told(self.files)  # of tables no row tells of files
        if self.error is not None:
            for name in self.unmade:
                plain["checks"][name] = _check("error", "error", reason=self.error.message)
        return {**plain, "passed": self.passed}

    def to_markdown(self) -> str:
        """The same for a pull request."""
        told = [self.files.to_markdown()] if self.files is not None else []
        if self.data is not None:
            told.append(self.data.to_markdown("Data" if told else "Validation"))
        if self.error is not None:
            told.append(f"# The data could not be checked\n\n{_quoted(str(self.error))}\n")
        return "\n".join(told)


def _told(files: FilesReport) -> dict[str, Any]:
    """The check of the files beside those of the data, where they were looked at as they are."""
    status = "skipped" if not files.looked_at else "passed" if files.passed else "failed"
    severity = {"red": "error", "yellow": "warning"}.get(files.colour) if files.looked_at else None
    return _check(status, severity)


def _check(status: str, severity: str | None, **more: Any) -> dict[str, Any]:
    return {"status": status, "severity": severity, **more, "duration_seconds": 0.0, "findings": []}


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
