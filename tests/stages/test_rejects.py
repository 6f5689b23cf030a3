"""Rejects: counted, limited, kept with the table."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.errors import DataError, SpecError
from mldata.stages.rejects import allowed
from mldata.table import Table
from store import Store
from tests.stages.conftest import Normalizer

GOOD = "a,b\n" + "".join(f"{number},x\n" for number in range(200))


def test_rejects_are_kept_beside_the_table(normalize: Normalizer, store: Store) -> None:
    """With the name of their file; those of an unchanged file come from the cache."""
    files = {"a.csv": GOOD.encode() + b"one\n", "b.csv": GOOD.encode(), "c.csv": GOOD.encode() + b"1,2,3\n"}
    job, made = normalize(files, on_bad_row="reject", max_rejects="1%")
    table = Table.open(store, made.output.digest)
    assert table.rows == 600 and table.rejects is not None
    with store.open_object(table.rejects) as file:
        assert pq.read_table(file).to_pylist() == [
            {
                "file": "a.csv",
                "line": 202,
                "column": 1,
                "reason": "expected 2 fields, found 1",
                "record": b"one",
            },
            {
                "file": "c.csv",
                "line": 202,
                "column": 1,
                "reason": "expected 2 fields, found 3",
                "record": b"1,2,3",
            },
        ]
    assert made.facts["rejects"]["count"] == 2
    assert "2 of 602 rows" in job.warnings[0] and "a.csv:202:1: expected 2 fields" in job.warnings[0]
    job, again = normalize(files, on_bad_row="reject", max_rejects="1%")
    assert (job.runs, again) == ([], made)
    _, clean = normalize({"b.csv": files["b.csv"]}, on_bad_row="reject", max_rejects=0)
    assert Table.open(store, clean.output.digest).rejects is None and clean.facts["rejects"] == {"count": 0}


def test_too_many_stop_the_build(normalize: Normalizer) -> None:
    """With the first of them; and without `reject`, the first one does."""
    files = {"a.csv": GOOD.encode() + b"x\n" * 3}
    with pytest.raises(DataError, match=r"a\.csv:202:1: expected at most 1% bad rows .*3 of 203 rows"):
        normalize(files, on_bad_row="reject", max_rejects="1%")
    with pytest.raises(DataError, match=r"a\.csv:202:1: expected 2 fields"):
        normalize(files)
    _, made = normalize(files, on_bad_row="reject", max_rejects=3)
    assert made.rows == 200


def test_rows_rejected_where_types_are_read_again(normalize: Normalizer, store: Store) -> None:
    """A second pass over a file leaves out the same rows."""
    files = {"a.csv": b"a,b\n1,x\nbad\n2,y\n", "b.csv": b"a,b\nword,x\n"}
    _, made = normalize(files, on_bad_row="reject", max_rejects=1)
    table = Table.open(store, made.output.digest)
    assert [row["a"] for batch in table.batches() for row in batch.to_pylist()] == ["1", "2", "word"]


def test_rejects_of_json(normalize: Normalizer, store: Store) -> None:
    """Beside those of CSV files, in the same table; read again under other types, the same rows are left out."""
    files = {
        "a.csv": b"a,b\n1,x\nbad\n",
        "b.jsonl": b'{"a":1}\n{"a":2.5}\n\xff\n',
        "c.jsonl": b'{"a":4,"b":"y"}\n\n{"a":1,"a":2}\n',
    }
    _, made = normalize(files, on_bad_row="reject", max_rejects=3)
    table = Table.open(store, made.output.digest)
    assert [row["a"] for batch in table.batches() for row in batch.to_pylist()] == [1.0, 1.0, 2.5, 4.0]
    assert table.rejects is not None
    with store.open_object(table.rejects) as file:
        found = pq.read_table(file).to_pylist()
    assert [(one["file"], one["line"], one["column"], one["record"]) for one in found] == [
        ("a.csv", 3, 1, b"bad"),
        ("b.jsonl", 3, 1, b"\xff"),
        ("c.jsonl", 3, 8, b'{"a":1,"a":2}'),
    ]
    assert made.facts["rejects"]["first"][2] == "c.jsonl:3:8: the key 'a' is given twice in one object"


def test_formats_that_put_no_row_aside(normalize: Normalizer) -> None:
    """They are named: in an error where there are no others, else in a warning."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), sink)
    parquet = sink.getvalue().to_pybytes()
    with pytest.raises(
        SpecError, match=r"normalize\.on_bad_row: .*csv, tsv, jsonl, json.* found parquet alone"
    ):
        normalize({"a.parquet": parquet}, on_bad_row="reject", max_rejects=1)
    job, made = normalize({"a.parquet": parquet, "b.csv": b"a\n2\n"}, on_bad_row="reject", max_rejects=1)
    assert "does not reach parquet files" in job.warnings[0] and "a.parquet" in job.warnings[0]
    assert made.rows == 2


def test_what_a_share_allows() -> None:
    """Rounded down; of a few rows, one."""
    assert [allowed("1%", rows) for rows in (0, 99, 100, 199, 250, 1000)] == [1, 1, 1, 1, 2, 10]
    assert [allowed(0, 99), allowed("0.5%", 1000), allowed("100%", 7)] == [0, 5, 7]
