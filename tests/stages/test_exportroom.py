"""Room for an export in the store, found out before anything is written."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from mldata.errors import BuildError
from mldata.stages import exportroom
from mldata.stages.base import Previous, StageOutput
from mldata.stages.export import Export
from mldata.stages.exportplan import ExportPlan
from mldata.stages.exportroom import by_last, estimated
from mldata.stages.split import Split
from store import Digest, Store
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

FORMATS = ("parquet", "csv", "csv.gz", "jsonl", "arrow")
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def job(store: Store) -> PlainJob:
    """An export of 60,000 rows, with a column that no fragment has."""
    rows = range(60_000)
    table = pa.table(
        {"n": [row * 2_654_435_761 % 2**31 for row in rows], "t": [f"é {row % 97}" for row in rows]}
    )
    return PlainJob(
        store, "export", export_params(*FORMATS, row_index=True), {"normalize": put_table(store, [table])}
    )


def test_an_estimate_is_near(job: PlainJob) -> None:
    """Of each format, after the first rows, within a fourth of what it takes in the end."""
    plan = ExportPlan.of(job)
    sizes = {it["format"]: it["size"] for it in Export().build(job).facts["files"]}
    for name in FORMATS:
        assert 0.75 < estimated(plan, name) / sizes[name] < 1.33, name


def test_too_little_room_is_told_first(job: PlainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has what is needed and what is free; no file was written. What is in the cache needs no room."""
    monkeypatch.setattr(exportroom, "SMALL_ROWS", 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30, 0, 1 << 20))
    with pytest.raises(BuildError, match=r"writing parquet, .* needs about \d.* MiB, and 1.0 MiB are free"):
        Export().build(job)
    assert job.runs == []
    monkeypatch.undo()
    Export().build(job)
    monkeypatch.setattr(exportroom, "SMALL_ROWS", 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30, 0, 0))
    assert len(Export().build(job).facts["files"]) == len(FORMATS)


def test_the_last_export_tells_what_the_next_one_takes(store: Store) -> None:
    """By the size of its files and the rows that there are now; of a format that it did not have, nothing."""
    pieces = [
        pa.table({"n": [row * 2_654_435_761 % 2**31 for row in range(start, start + 20_000)]})
        for start in (0, 20_000)
    ]
    made: list[StageOutput] = []
    before: dict[str, Digest] = {}
    for table in (pieces[:1], pieces):
        inputs = {"normalize": put_table(store, table)}
        inputs["split"] = (
            Split().build(PlainJob(store, "split", split_params({"a": 0.5, "b": 0.5}), inputs)).output.digest
        )
        previous = Previous(made[0].output.digest, before) if made else None
        job = PlainJob(store, "export", export_params("parquet", "csv"), inputs, None, previous)
        plan = ExportPlan.of(job)
        if previous is None:
            assert by_last(plan, "parquet") is None
        else:
            for name in ("parquet", "csv"):
                last = sum(it["size"] for it in made[0].facts["files"] if it["format"] == name)
                assert by_last(plan, name) == 2 * last
            assert by_last(plan, "jsonl") is None
        made.append(Export().build(job))
        before = inputs
