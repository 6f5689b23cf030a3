"""Limits of checks are judged from what is known of the data: a changed one reads nothing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mldata.checks.report import Report
from mldata.spec import parse_dataset
from mldata.stages.validate import Validate, read_report
from store import Store
from tests.stages.jobs import PlainJob, put_table

ROWS = 400


def table() -> list[pa.Table]:
    """Three fragments with something for each check to find; text is stored in dictionaries."""
    whole = pa.table(
        {
            "age": [*(20 + n % 60 for n in range(ROWS - 3)), -999, -999, 7000],
            "word": [*("ab"[n % 2] for n in range(ROWS - 2)), "N/A", "Ã©"],
            "label": [*(["cat", "dog"][n % 3 == 0] for n in range(ROWS - 4)), "Cat", None, "dog", "dog"],
            "same": ["x"] * ROWS,
        }
    )
    return [whole.slice(0, 150), whole.slice(150, 100), whole.slice(250)]


def run(store: Store, **validate: Any) -> tuple[PlainJob, Report]:
    """Checks of the table by what a spec says of them."""
    plain = parse_dataset("d", {"source": "x", "validate": validate})["validate"]
    job = PlainJob(store, "validate", plain, {"normalize": put_table(store, table())})
    return job, read_report(store, Validate().build(job).output.digest)


@pytest.mark.parametrize(
    ("check", "limits", "codes"),
    [
        (
            "labels",
            {"min_rows": 0, "max_ratio": 10**6, "min_entropy": 0, "missing": 1, "conflicts": "100%"},
            ["missing-label", "imbalance", "small-class", "similar-labels", "conflicting-labels"],
        ),
        ("outliers", {"far": 1000, "max": 5, "mixed": 1, "constant": 1}, ["far-out", "mojibake", "constant"]),
        ("missing", {"max": "100%", "row": 1}, ["stands-for-missing", "stands-for-missing"]),
    ],
)
def test_other_limits_run_nothing(store: Store, check: str, limits: dict[str, Any], codes: list[str]) -> None:
    """What is found in a stored table is found again under other limits without an action, and some of it is within these."""
    job, report = run(store, checks=[check])
    assert [it.code for it in report.checks[check].findings] == codes
    assert len(job.runs) == 3 + 1
    again, other = run(store, checks=[check], **{check: limits})
    assert not again.runs
    left = [it.code for it in other.checks[check].findings]
    assert left == codes if check == "missing" else len(left) < len(codes)
