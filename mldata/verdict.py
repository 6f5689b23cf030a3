"""What the report of a validation means to a build.

The validate stage makes a report, whatever it says, and its receipt keeps it. A build goes on only if the report says that it passed; otherwise it ends
with :class:`ValidationFailed`, now and in every later build, until the data or what is asked of it changes. Nothing runs again for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldata.errors import EXIT_INVALID_DATA, MldataError

__all__ = ["ValidationFailed", "failed_checks", "require_passed"]


class ValidationFailed(MldataError):
    """The data did not pass validation."""

    exit_code = EXIT_INVALID_DATA
    code = "validation"


def failed_checks(facts: Mapping[str, Any]) -> str | None:
    """What did not pass, by the facts of the stage: ``missing (1 error)``; None if all did that has to."""
    if facts["passed"]:
        return None
    return ", ".join(f"{name} ({counts})" for name, counts in facts["failed"])


def require_passed(dataset: str, facts: Mapping[str, Any]) -> None:
    """Raise :class:`ValidationFailed` if the validate stage's report says so."""
    failed = failed_checks(facts)
    if failed is not None:
        first = "".join(f"\n    {line}" for line in facts["first"])
        raise ValidationFailed(
            f"the data did not pass validation: {failed}{first}",
            where=dataset,
            hint=f"See the whole report: mldata validate {dataset}",
        )
