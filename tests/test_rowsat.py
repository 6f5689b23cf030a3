"""Rows of a stored table by their numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.rowsat import rows_at
from store import Store
from tests.subjects import stored


@given(
    fragments=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    group=st.integers(1, 4),
    chosen=st.sets(st.integers(0, 35)),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rows_that_are_meant(
    fragments: list[int], group: int, chosen: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However rows are cut into fragments and row groups, those of the numbers come, in order."""
    rows = sorted(number for number in chosen if number < sum(fragments))
    table = pa.table(
        {"n": pa.array(range(sum(fragments)), pa.int64()), "t": [f"t{n}" for n in range(sum(fragments))]}
    )
    starts = np.cumsum([0, *fragments]).tolist()
    pieces = [table.slice(start, many) for start, many in zip(starts, fragments, strict=False)]
    with Store.open(tmp_path_factory.mktemp("s")) as store:
        found = list(
            rows_at(stored(store, pieces, row_group=group).table, np.array(rows, np.int64), ["n", "t"])
        )
    assert [n for batch in found for n in batch["n"].to_pylist()] == rows
    assert [t for batch in found for t in batch["t"].to_pylist()] == [f"t{n}" for n in rows]


def test_only_what_holds_one_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fragments and row groups without such a row are not read, nor what stands behind the last one."""
    table = pa.table({"n": range(400_000)})
    with Store.open(tmp_path / "s") as store:
        it = stored(store, [table, table], row_group=200_000).table
        read = []
        plain = pq.ParquetFile.iter_batches

        def iter_batches(file: pq.ParquetFile, *args: object, **options: object) -> object:
            for batch in plain(file, *args, **options):
                read.append(batch["n"][0].as_py())
                yield batch

        monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)
        [batch] = rows_at(it, np.array([600_003]), ["n"])
    assert batch["n"].to_pylist() == [200_003]
    assert read == [200_000]
