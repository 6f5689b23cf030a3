"""Merged leaves tell of all rows, in whatever order they come and however rows were cut."""

from __future__ import annotations

import mmap
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.profile import distinct
from mldata.profile.leaf import LeafSketcher
from mldata.profile.merging import merge
from mldata.profile.summarize import summarize
from tests.profile.tables import leaf, mixed_table, tables


@settings(max_examples=12, deadline=None)
@given(tables(), st.lists(st.integers(0, 20), max_size=3), st.randoms(use_true_random=False))
def test_cuts_and_order_do_not_matter(table: pa.Table, cuts: list[int], shuffle: random.Random) -> None:
    """Of a small table cut anywhere, and leaves in any order, the summary is the same to the last byte."""
    edges = sorted({0, table.num_rows, *(min(cut, table.num_rows) for cut in cuts)})
    pieces = [table.slice(a, b - a) for a, b in pairwise(edges)] or [table]
    made = [leaf(it.to_batches(), table.schema, seed=bytes([n])) for n, it in enumerate(pieces)]
    shuffle.shuffle(made)
    assert merge(made).to_bytes() == summarize(table).to_bytes()


def test_exact_tables_do_not_depend_on_cuts() -> None:
    """Of an exact table everything but samples, and frequent values where there are too many, is the same however it is cut."""
    table = mixed_table(30_000)
    whole = merge([leaf(table.to_batches(), table.schema)])
    cut = merge(
        [
            leaf(table.slice(n, 4_000).to_batches(), table.schema, seed=bytes([n % 251]))
            for n in range(0, 30_000, 4_000)
        ]
    )
    assert cut.distinct_rows == whole.distinct_rows
    assert cut.missing == whole.missing
    for one, other in zip(cut.columns, whole.columns, strict=True):
        assert one.distinct == other.distinct
        if other.numbers is not None:
            assert one.frequent == other.frequent
            assert one.numbers is not None
            assert one.numbers.to_plain() == other.numbers.to_plain()
        if other.texts is not None:
            assert one.texts is not None
            assert one.texts.lengths.to_plain() == other.texts.lengths.to_plain()
            assert one.texts.characters == other.texts.characters


@pytest.mark.no_cover
@pytest.mark.parametrize("exact", [True, False])
def test_order_and_threads_do_not_matter(exact: bool) -> None:
    """The same leaves in another order, by several threads, or mapped from files, give the same bytes."""
    table = mixed_table(60_000)
    made = [
        leaf(table.slice(n, rows).to_batches(), table.schema, seed=bytes([number]), exact=exact)
        for number, (n, rows) in enumerate([(0, 30_000), (30_000, 500), (30_500, 12_000), (42_500, 17_500)])
    ]
    summary = merge(made).to_bytes()
    assert merge(made[::-1], threads=3).to_bytes() == summary
    assert merge([memoryview(made[it]) for it in (2, 0, 3, 1)]).to_bytes() == summary


def test_mapped_leaves(tmp_path: Path) -> None:
    """Leaves are read from mapped files as they are."""
    table = mixed_table(100)
    path = tmp_path / "leaf"
    path.write_bytes(leaf(table.to_batches(), table.schema))
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert merge([mapped]).to_bytes() == summarize(table).to_bytes()


@pytest.mark.no_cover
def test_leaves_that_are_not_written() -> None:
    """A leaf that is merged at once, without being written, gives the same summary."""
    table = mixed_table(5_000)
    sketcher = LeafSketcher(table.schema, seed=b"", exact=False)
    for batch in table.to_batches():
        sketcher.add(batch)
    made = sketcher.close()
    assert merge([made]).to_bytes() == merge([made.to_bytes()]).to_bytes()
    assert merge([made, made.to_bytes()]).rows == 10_000


def test_frequent_values_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many values the frequent ones are told with what their counts may lack, which holds for each."""
    rng = np.random.default_rng(3)
    values = [f"v{int(number)}" for number in rng.zipf(1.2, 60_000) % 50_000]
    table = pa.table({"x": values})
    made = merge([leaf(table.slice(n, 20_000).to_batches(), table.schema) for n in range(0, 60_000, 20_000)])
    found = made.columns[0].frequent
    assert found is not None
    true = dict(zip(*np.unique(values, return_counts=True), strict=True))
    assert len(true) > distinct.FEW
    assert not found.complete
    counts = found.counts()
    assert 50 < len(counts) < 3 * 1_000 + 1
    assert all(count <= true[value] <= count + found.over for value, count in counts.items())
    assert max(count for value, count in true.items() if value not in counts) <= found.over
    assert sum(counts.values()) + found.rest == 60_000
    assert found.values[0] == ("v1", true["v1"])


def test_wrong_leaves() -> None:
    """Leaves of several tables, none at all, and other bytes are refused."""
    one, other = (leaf(table.to_batches(), table.schema) for table in (mixed_table(3), pa.table({"x": [1]})))
    with pytest.raises(ValueError, match="one table"):
        merge([one, other])
    with pytest.raises(ValueError, match="at least one"):
        merge([])
    for bad in (b"", b"mldata-leaf 2\n\n\n" + bytes(8), one[:-8], one[:50]):
        with pytest.raises(ValueError, match="expected a"):
            merge([bad])
