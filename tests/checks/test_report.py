"""The report of a validation."""

from __future__ import annotations

import json

import pytest

from mldata.checks.base import Finding, Place
from mldata.checks.report import CheckReport, Report, verdict

WARNING = Finding("warning", "odd", "that is odd", "Look at it")
ERROR = Finding(
    "error",
    "bad",
    "'a_b' is *bad* in 3 rows",
    "Use `fix: {a: 1}` or <b>not</b>",
    column="a_b",
    rows=3,
    parts={"train": 2, "test": 1},
    places=(
        Place(7, "train", "'x`|y'", Place(1, "test", file="1.csv"), "0.csv"),
        Place(1_234, None, "a\nb", file="2|.csv"),
    ),
)


def report(*findings: Finding, fail_on: str = "error") -> Report:
    status = verdict(findings, fail_on)
    checks = {"one": CheckReport(status, findings), "two": CheckReport("skipped", reason="no columns")}
    return Report("demo", fail_on, 1300, {"train": 1000, "test": 300}, checks)


@pytest.mark.parametrize(
    ("findings", "fail_on", "status", "passed"),
    [
        ([], "warning", "passed", True),
        ([WARNING], "error", "passed", True),
        ([WARNING], "warning", "failed", False),
        ([WARNING, ERROR], "error", "failed", False),
        ([ERROR], "never", "failed", True),
        ([WARNING], "never", "passed", True),
    ],
)
def test_verdict(findings: list[Finding], fail_on: str, status: str, passed: bool) -> None:
    """A check fails for what is as bad as ``fail_on``; with ``never`` it still says that it failed, and the whole passes."""
    made = report(*findings, fail_on=fail_on)
    assert made.checks["one"].status == status
    assert made.passed is passed


def test_json_comes_back() -> None:
    """The report reads back as it was, and has the shape that programs go by."""
    made = report(WARNING, ERROR)
    assert Report.from_text(made.to_text()).to_json() == made.to_json()
    plain = json.loads(made.to_text())
    assert plain["passed"] is False and list(plain["checks"]) == ["one", "two"]
    assert plain["checks"]["one"]["severity"] == "error"
    assert plain["checks"]["two"] == {
        "status": "skipped", "severity": None, "reason": "no columns", "findings": [],
    }  # fmt: skip
    assert plain["checks"]["one"]["findings"][1]["places"][0]["like"]["file"] == "1.csv"


def test_markdown() -> None:
    """Names, messages and values stay what they are when Markdown is shown, whatever is in them, each on its line."""
    assert (
        report(WARNING, ERROR).to_markdown()
        == r"""# Validation of demo: failed

1,300 rows: train 1,000, test 300

Rows are numbered from 0, in the order of the table.

| check | result |
|---|---|
| one | failed: 1 error, 1 warning |
| two | skipped: no columns |

## one

- **warning**: that is odd
  - to do: Look at it
- **error**: 'a\_b' is \*bad\* in 3 rows
  - rows by part: train 2, test 1
  - row 7 (train, 0.csv), like row 1 (test, 1.csv): `` 'x`|y' ``
  - row 1,234 (2\|.csv): `a\nb`
  - and 1 more row
  - to do: Use `fix: {a: 1}` or \<b\>not\</b\>
"""
    )
