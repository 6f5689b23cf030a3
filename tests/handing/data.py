"""Datasets that the tests hand over."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from mldata.dataset import Dataset
from mldata.stages.export import Export
from mldata.stages.split import Split
from store import Digest, Store
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

PARTS = {"train": 0.8, "val": 0.2}
DAY = datetime.date(2024, 2, 29)


def mixed(rows: int) -> pa.Table:
    """A table of many types, of which every third value is missing where the name ends in ``_some``."""

    def some(values: list[object]) -> list[object]:
        return [None if row % 3 == 1 else value for row, value in enumerate(values)]

    numbers = range(rows)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "small": pa.array([row % 100 for row in numbers], pa.int16()),
            "small_some": pa.array(some([row % 100 for row in numbers]), pa.int16()),
            "half": pa.array(np.arange(rows) / 2, pa.float32()),
            "half_some": pa.array(some([row / 2 for row in numbers])),
            "flag": pa.array([row % 2 == 0 for row in numbers]),
            "flag_some": pa.array(some([row % 2 == 0 for row in numbers]), pa.bool_()),
            "text_some": pa.array(some([f"é{row}" for row in numbers]), pa.string()),
            "kind_some": pa.array(some(["bca"[row % 3] for row in numbers]), pa.string()).dictionary_encode(),
            "day_some": pa.array(some([DAY] * rows), pa.date32()),
            "price": pa.array([decimal.Decimal("1.25")] * rows),
            "raw": pa.array([b"\x00%d" % row for row in numbers]),
            "tags": pa.array([[str(row), None] for row in numbers]),
        }
    )


class Built:
    """A table of two fragments that has gone through split and export."""

    def __init__(
        self, folder: Path, table: pa.Table, *formats: str, split: bool = True, **params: object
    ) -> None:
        self.store = Store.open(folder / "store")
        self.folder = folder / "out"
        third = table.num_rows // 3
        self.trees: dict[str, Digest] = {
            "normalize": put_table(self.store, [table.slice(0, third), table.slice(third)])
        }
        if split:
            job = PlainJob(self.store, "split", split_params(PARTS), self.trees)
            self.trees["split"] = Split().build(job).output.digest
        if formats:
            job = PlainJob(self.store, "export", export_params(*formats, **params), self.trees)
            self.trees["export"] = Export().build(job).output.digest
            self.store.materialize(self.trees["export"], self.folder, link="copy")

    def open(self, *, current: bool = True) -> Dataset:
        """As ``mldata.open`` does."""
        return Dataset(self.store, "demo", self.trees, self.folder, {}, current=current)
