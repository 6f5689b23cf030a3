"""Steps in a row: counted, told apart in messages, and cut alike whatever the batches were."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata import stepflow
from mldata.errors import DataError, SpecError
from mldata.stepflow import bind_steps, pieces, read_fragment, write_cut, write_whole

TABLE = pa.table({"a": [1, 2, 3, 4], "b": ["x", "y", "x", "z"]})
STEPS = [
    {"step": "filter", "expression": "a > 1"},
    {"step": "cast", "columns": {"a": "int8"}},
    {"step": "filter", "expression": "b == 'x'"},
]


def test_rows_are_counted_between_steps() -> None:
    """Rows before the first step, between all, and after the last; types follow."""
    flow = bind_steps(STEPS, TABLE.schema, 1)
    made = pa.Table.from_batches(flow.run(iter(TABLE.to_batches(2))), flow.schema)
    assert made.to_pylist() == [{"a": 3, "b": "x"}]
    assert made.schema.field("a").type == pa.int8()
    assert flow.rows == [4, 3, 3, 1]


def test_errors_name_the_step() -> None:
    """What does not fit, before or while rows are read, is told with the number and the name of its step in the spec."""
    with pytest.raises(SpecError, match=r"^transform, step 4 \(filter\): expected a column"):
        bind_steps([*STEPS, {"step": "filter", "expression": "c > 1"}], TABLE.schema, 1)
    flow = bind_steps([STEPS[0], {"step": "cast", "columns": {"b": "int8"}}, STEPS[0]], TABLE.schema, 7)
    with pytest.raises(DataError, match=r"^transform, step 8 \(cast\): column 'b': expected int8, found 'y'"):
        list(flow.run(iter(TABLE.to_batches())))


@settings(max_examples=40)
@given(cuts=st.lists(st.integers(0, 10), max_size=8))
def test_pieces_do_not_depend_on_batches(cuts: list[int]) -> None:
    """However rows come, they are cut at the same places."""
    rows = sum(cuts)
    whole = pa.record_batch({"a": pa.array(range(rows), pa.int64())})
    starts = [sum(cuts[:n]) for n in range(len(cuts))]
    batches = [whole.slice(start, size) for start, size in zip(starts, cuts, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stepflow, "PIECE_ROWS", 7)
        made = [table["a"].to_pylist() for table in pieces(batches, whole.schema)]
    assert made == [list(range(start, min(start + 7, rows))) for start in range(0, rows, 7)]


def test_large_rows_are_cut_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece takes about so many bytes, and at least a row."""
    monkeypatch.setattr(stepflow, "PIECE_BYTES", 1000)
    batch = pa.record_batch({"a": ["x" * 400] * 5 + ["y" * 5000] * 2})
    made = [table.num_rows for table in pieces([batch], batch.schema)]
    assert sum(made) == 7
    assert len(made) > 3
    assert min(made) == 1


def test_fragments_are_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written as one fragment or cut into several comes back, also no rows at all."""
    whole = tmp_path / "whole"
    write_whole(open(whole, "wb"), TABLE.schema, iter(TABLE.to_batches(3)))  # noqa: SIM115
    assert pa.Table.from_batches(read_fragment(str(whole), TABLE.schema)).equals(TABLE)
    monkeypatch.setattr(stepflow, "PIECE_ROWS", 3)
    made: list[io.BytesIO] = []

    class Kept(io.BytesIO):
        def close(self) -> None:
            if not self.closed:
                made.append(io.BytesIO(self.getvalue()))
            super().close()

    assert write_cut(lambda _: Kept(), TABLE.schema, iter(TABLE.to_batches(1))) == [3, 1]
    assert pa.concat_tables([pq.read_table(file) for file in made]).equals(TABLE)
    assert write_cut(lambda _: Kept(), TABLE.schema, iter([])) == [0]
    assert pq.read_table(made[-1]).schema.equals(TABLE.schema)
