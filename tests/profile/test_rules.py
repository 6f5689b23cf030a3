"""The thresholds of alerts are what their documentation says."""

from __future__ import annotations

import math
from importlib.resources import files

from mldata.profile.rules import RULES, raised


def test_the_documentation_has_the_thresholds() -> None:
    """Each rule is a line of the table, with its limits, and there is no other line."""
    text = (files("mldata.profile") / "PROFILE.md").read_text(encoding="utf-8")
    alerts = text.partition("## Alerts")[2].partition("\n## ")[0]
    told = [line for line in alerts.splitlines() if line.startswith("| `")]
    assert told == [
        f"| `{code}` | {_number(rule.limit)} | {_number(rule.warning)} | {rule.value} | {rule.meaning} |"
        for code, rule in RULES.items()
    ]


def _number(limit: float) -> str:
    return "–" if math.isinf(limit) else f"{limit:g}"


def test_alerts_begin_at_their_limits() -> None:
    """Below its limit there is no alert, from it on there is, and from another one on it is a warning; a limit of 0 means any share above."""
    assert raised("missing", 0.0099, "") == ()
    assert [raised("missing", value, "m", "x")[0].severity for value in (0.01, 0.19, 0.2)] == [
        "info",
        "info",
        "warning",
    ]
    assert raised("duplicates", 0.0, "") == () and raised("duplicates", 1e-9, "")[0].severity == "info"
    assert raised("zeros", 1.0, "")[0].severity == "info"
