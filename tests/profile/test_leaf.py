"""A leaf depends on its rows alone: not on batches, threads, blocks in memory, or whether text comes encoded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.profile import leaf as leaves
from mldata.profile.leaf import LeafSketcher, block_rows, is_exact
from mldata.profile.merging import merge
from mldata.profile.summary import Numbers
from tests.profile.tables import leaf, mixed_table, tables


@settings(max_examples=8, deadline=None)
@given(tables(), st.integers(1, 7))
def test_batches_do_not_matter(table: pa.Table, size: int) -> None:
    """Whatever the batches, an exact leaf is the same."""
    whole = leaf(table.combine_chunks().to_batches(), table.schema)
    assert leaf(table.to_batches(max_chunksize=size), table.schema) == whole


@pytest.mark.parametrize("exact", [True, False])
def test_threads_and_encoding_do_not_matter(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks read in other batches, by several threads, or with text as dictionary arrays, give the same bytes."""
    monkeypatch.setattr(leaves, "BLOCK_ROWS", 12_000)
    monkeypatch.setattr(leaves, "BLOCK_VALUES", 1 << 30)
    monkeypatch.setattr(leaves, "FOLDED", 2)
    table = mixed_table(40_000)
    whole = leaf(table.to_batches(), table.schema, exact=exact)
    assert leaf(table.to_batches(max_chunksize=7_001), table.schema, exact=exact, threads=3) == whole
    encoded = [
        pa.RecordBatch.from_arrays(
            [it.dictionary_encode() if pa.types.is_string(it.type) else it for it in batch.columns],
            table.column_names,
        )
        for batch in table.to_batches(max_chunksize=9_000)
    ]
    assert leaf(encoded, table.schema, exact=exact) == whole


def test_seed() -> None:
    """Another seed draws other rows, and nothing else changes."""
    table = mixed_table(20_000)
    first, second = (merge([leaf(table.to_batches(), table.schema, seed=seed)]) for seed in (b"1", b"2"))
    assert first.sample is not None
    assert second.sample is not None
    assert 3_000 < first.sample.rows < 10_000
    assert not np.array_equal(first.sample.numbers["tied"], second.sample.numbers["tied"])
    for one, other in zip(first.columns, second.columns, strict=True):
        assert (one.frequent, one.distinct, one.nulls) == (other.frequent, other.distinct, other.nulls)
        assert _plain(one.numbers) == _plain(other.numbers)


def _plain(numbers: Numbers | None) -> object:
    return numbers.to_plain() if numbers is not None else None


def test_samples_are_even() -> None:
    """A row is drawn whatever stands in it, and the draw of a column with many nulls is of what is there."""
    rows = 60_000
    texts = pa.array([f"{number}" for number in range(rows)], mask=np.arange(rows) % 20 != 0)
    table = pa.table({"number": np.arange(rows), "text": texts})
    made = merge([leaf(table.to_batches(max_chunksize=10_000), table.schema)])
    assert made.sample is not None
    drawn = np.sort(made.sample.numbers["number"])
    assert made.sample.rows == 4_096
    assert np.abs(drawn - np.linspace(0, rows, len(drawn))).max() < 0.03 * rows
    text = made.columns[1].texts
    assert text is not None
    assert text.looked == 1_024
    assert text.looks == {"number": 1_024}


def test_not_exact() -> None:
    """A large table is told by points: few distinct values stay exact, of many there are estimates within their errors."""
    table = mixed_table(60_000)
    made = merge([leaf(table.to_batches(), table.schema, exact=False)])
    exact = merge([leaf(table.to_batches(), table.schema)])
    for name in ("tied", "flag", "few"):
        one, other = made.column(name), exact.column(name)
        assert one is not None
        assert other is not None
        assert (one.distinct, one.frequent) == (other.distinct, other.frequent)
    for name in ("normal", "integer", "many"):
        one, other = made.column(name), exact.column(name)
        assert one is not None
        assert one.distinct is not None
        assert other is not None
        assert other.distinct is not None
        assert 0 < one.distinct.error < 0.01
        assert one.distinct.estimate == pytest.approx(other.distinct.estimate, rel=4 * one.distinct.error)
    found, true = made.columns[0].numbers, exact.columns[0].numbers
    assert found is not None
    assert true is not None
    assert (found.finite, found.minimum, found.maximum) == (true.finite, true.minimum, true.maximum)
    assert found.central == pytest.approx(true.central, rel=1e-9)
    assert 0 < found.rank_error < 1 / 4000
    assert np.abs(found.ranks(true.points) - true.ranks(true.points)).max() <= found.rank_error * found.finite


def test_large_values_do_not_stay() -> None:
    """While a block is read, of long texts only the beginnings are kept."""
    sketcher = LeafSketcher(pa.schema([("text", pa.string())]), seed=b"", exact=True)
    before = pa.total_allocated_bytes()
    for number in range(8):
        sketcher.add(pa.record_batch({"text": [f"{number}" * 4_000_000, "b" * 4_000_000]}))
    assert pa.total_allocated_bytes() - before < 1_000_000
    assert merge([sketcher.finish()]).columns[0].distinct is not None


@pytest.mark.parametrize(
    ("rows", "columns", "exact"),
    [(1_000_000, 10, True), (1_000_001, 1, False), (100_000, 2_000, False), (0, 0, True)],
)
def test_which_tables_are_exact(rows: int, columns: int, exact: bool) -> None:
    """Tables of up to a million rows are exact, unless they are so wide that it would not fit."""
    assert is_exact(rows, columns) == exact
    assert block_rows(columns) * max(columns, 1) <= 1 << 24 or block_rows(columns) == 1 << 13
