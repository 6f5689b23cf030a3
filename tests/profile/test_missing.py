"""Which columns are null together is counted, for as many patterns as a reader can use."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from mldata.profile import missing
from mldata.profile.merging import merge
from tests.profile.tables import leaf


def test_many_columns() -> None:
    """Patterns over hundreds of columns are told as a count of rows would tell them."""
    rng = np.random.default_rng(0)
    rows, columns = 2_000, 100
    shapes = rng.random((12, columns)) < 0.1
    nulls = shapes[rng.integers(0, 12, rows)]
    nulls[::3] = False
    table = pa.table({f"c{n}": pa.array(np.zeros(rows), mask=nulls[:, n]) for n in range(columns)})
    true = Counter(tuple(f"c{n}" for n in np.flatnonzero(row)) for row in nulls if row.any())
    pieces = [
        leaf(table.slice(n, 900).to_batches(max_chunksize=400), table.schema) for n in range(0, rows, 900)
    ]
    made = merge(pieces)
    assert dict(made.missing) == true
    assert [count for _, count in made.missing] == sorted(true.values(), reverse=True)
    assert made.missing_rest == 0


def test_too_many_patterns() -> None:
    """Of too many patterns the frequent ones are told, and how many rows have another."""
    bits = np.arange(1 << 9)
    rows = np.concatenate([bits, np.full(50, 3)])
    table = pa.table({f"c{n}": pa.array(np.zeros(len(rows)), mask=(rows >> n) & 1 == 1) for n in range(9)})
    made = merge([leaf(table.to_batches(), table.schema)])
    assert made.missing[0] == (("c0", "c1"), 51)
    assert len(made.missing) == missing.TOLD
    assert sum(count for _, count in made.missing) + made.missing_rest == np.count_nonzero(rows)
