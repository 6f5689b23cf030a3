"""Drift told by summaries with an error is within that error of what all rows tell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mldata.drift.compare import compare
from mldata.profile.leaf import LeafSketcher
from mldata.profile.merging import merge
from mldata.profile.summarize import summarize
from mldata.profile.summary import TableSummary

ROWS, CUT = 60_000, 20_000


def sketched(table: pa.Table) -> TableSummary:
    """As of a table that is too large to be exact."""
    leaves = []
    for start in range(0, table.num_rows, CUT):
        sketcher = LeafSketcher(table.schema, seed=str(start).encode(), exact=False)
        for batch in table.slice(start, CUT).to_batches():
            sketcher.add(batch)
        leaves.append(sketcher.finish())
    return merge(leaves)


def test_distances_are_within_the_rank_error() -> None:
    """Of two sketches each share of a bin is off by twice their rank error at most, and so are the distances."""
    rng = np.random.default_rng(0)
    before, after = (
        pa.table(
            {
                "x": rng.normal(*moments, ROWS),
                "heavy": np.where(rng.random(ROWS) < share, 0, rng.normal(size=ROWS)),
            }
        )
        for moments, share in (((0, 1), 0.3), ((0.3, 1.2), 0.2))
    )
    exact = compare(summarize(before), summarize(after)).columns
    first, second = sketched(before), sketched(after)
    for known, told, columns in zip(
        exact, compare(first, second).columns, zip(first.columns, second.columns, strict=True), strict=True
    ):
        error = 2 * sum(column.numbers.rank_error for column in columns if column.numbers is not None)
        assert 0 < error < 0.01
        assert known.ks is not None and known.psi is not None
        assert told.ks == pytest.approx(known.ks, abs=error)
        assert told.psi == pytest.approx(known.psi, abs=len(known.bins) * error)
        assert told.wasserstein == pytest.approx(
            known.wasserstein, abs=10 * error
        )  # numbers span some ten deviations
        assert told.severity == known.severity
        assert len(told.bins) == len(known.bins)
        for one, other in zip(told.bins, known.bins, strict=True):
            assert one.current / ROWS == pytest.approx(other.current / ROWS, abs=error)
