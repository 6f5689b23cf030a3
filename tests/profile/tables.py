"""Tables of every kind of column, drawn by Hypothesis or by a seed, and leaves of their pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from mldata.profile.leaf import LeafSketcher

__all__ = ["leaf", "mixed_table", "tables"]

NUMBERS = st.floats(width=64) | st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324, 1.0, 1.0])
TEXTS = st.text(max_size=8) | st.sampled_from(["a", "b", " padded ", "2024-01-02", "\u3000"])
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "number": (pa.float64(), NUMBERS),
    "integer": (pa.int64(), st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)),
    "flag": (pa.bool_(), st.booleans()),
    "time": (pa.timestamp("us"), st.integers(-(2**50), 2**50)),
    "text": (pa.string(), TEXTS),
    "bytes": (pa.binary(), st.binary(max_size=3)),
    "list": (pa.list_(pa.int8()), st.lists(st.integers(0, 2), max_size=2)),
    "struct": (pa.struct([("a", pa.int8())]), st.fixed_dictionaries({"a": st.integers(0, 2)})),
}


@st.composite
def tables(draw: st.DrawFn, most: int = 20) -> pa.Table:
    """A table with a column of each kind and some rows."""
    rows = draw(st.integers(0, most))
    columns = {
        name: pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
        for name, (kind, values) in COLUMNS.items()
    }
    return pa.table(columns)


def mixed_table(rows: int, seed: int = 0) -> pa.Table:
    """A table with columns of few and of many distinct values, nulls here and there."""
    rng = np.random.default_rng(seed)
    few = np.array(["red", "green", "a longer name of a colour"])
    return pa.table(
        {
            "normal": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "tied": rng.integers(0, 50, rows) / 4,
            "integer": rng.integers(-(10**12), 10**12, rows),
            "flag": pa.array(rng.random(rows) < 0.3, mask=rng.random(rows) < 0.2),
            "few": pa.array(few[rng.integers(0, 3, rows)], mask=rng.random(rows) < 0.1),
            "many": [f"item {number}" for number in rng.integers(0, 10**9, rows)],
        }
    )


def leaf(
    batches: Sequence[pa.RecordBatch],
    schema: pa.Schema,
    *,
    seed: bytes = b"",
    exact: bool = True,
    threads: int = 1,
) -> bytes:
    """A leaf of some batches."""
    sketcher = LeafSketcher(schema, seed=seed, exact=exact, threads=threads)
    for batch in batches:
        sketcher.add(batch)
    return sketcher.finish()
