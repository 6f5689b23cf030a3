"""What comparing two summaries finds, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.drift.compare import compare
from mldata.drift.report import MAJOR, STABLE, ColumnDrift
from mldata.profile.summarize import summarize


def drift(baseline: Any, current: Any, **fields: Any) -> ColumnDrift:
    """How far one column has moved."""
    before, after = (summarize(pa.table({"x": pa.array(it)})) for it in (baseline, current))
    [column] = compare(before, after, **fields).columns
    return column


def test_swapped_categories_are_major() -> None:
    """A swap of 90/10 to 10/90 of two categories is major: a PSI of 1.6 ln 9."""
    found = drift(["a"] * 90 + ["b"] * 10, ["a"] * 10 + ["b"] * 90)
    assert (found.kind, found.severity) == ("categorical", MAJOR)
    assert found.psi == pytest.approx(1.6 * np.log(9))


def test_one_outlier_hides_no_shift() -> None:
    """A shift by half a standard deviation gives the same PSI when one absurd value is added on both sides."""
    rng = np.random.default_rng(7)
    before, after = rng.normal(size=20_000), rng.normal(0.5, size=20_000)
    plain = drift(before, after)
    found = drift(np.append(before, 1e9), np.append(after, 1e9))
    assert plain.psi is not None and plain.psi > 0.2
    assert found.psi == pytest.approx(plain.psi, rel=0.02)
    assert found.severity == plain.severity != STABLE


def test_equal_rows_have_not_moved() -> None:
    """A table compared with itself has distances of 0 in every column, whatever its type."""
    table = pa.table(
        {
            "i": [1, 2, None],
            "f": [0.5, float("nan"), float("inf")],
            "s": ["a", "b", None],
            "b": [True, None, False],
            "l": [[1], [], None],
            "n": pa.nulls(3),
            "d": pa.array([1, 2, 3], pa.date32()),
            "x": [b"1", b"22", None],
            "o": [{"a": 1}, None, {"a": 2}],
        }
    )
    report = compare(summarize(table), summarize(table))
    assert [column.psi for column in report.columns] == [0.0] * table.num_columns
    assert (report.drift, report.share, report.severity) == (False, 0.0, STABLE)


def test_added_and_removed_columns_are_told() -> None:
    """Columns of one side alone are named in its order, and nothing else is said of them."""
    before, after = pa.table({"a": [1], "b": [1]}), pa.table({"c": [1], "b": [1], "d": [1]})
    report = compare(summarize(before), summarize(after), names=("x", "y"))
    assert (report.baseline, report.current) == ("x", "y")
    assert (report.added, report.removed) == (("c", "d"), ("a",))
    assert [column.name for column in report.columns] == ["b"]
