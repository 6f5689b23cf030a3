"""What record formats say of their size while they are written."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mldata.exports import load_export
from mldata.exports.base import Compression, Writing
from mldata.testing.exports import Sink
from tests.exports.test_tfrecord import Files

FILES = Files({f"{n}.png": bytes(n * 7 % 256 for _ in range(n * 37 % 5000)) for n in range(300)})
MEDIA = pa.table({"path": [f"{n}.png" for n in range(300)], "n": range(300)})
ROWS = pa.table({"text": ["x" * (n * 37 % 90) for n in range(5000)], "n": range(5000)})


def opened(name: str, table: pa.Table) -> tuple[Any, Any]:
    """A file that is begun, and its sink."""
    writing = Writing("train", "images", FILES) if "path" in table.column_names else Writing("train")
    sink: Any = Sink()
    export: Any = load_export(name)
    return export.open(sink, table.schema, Compression("none"), 2, writing=writing), sink


@pytest.mark.parametrize("table", [ROWS, MEDIA], ids=["rows", "media"])
@pytest.mark.parametrize("name", ["tfrecord", "webdataset", "huggingface"])
def test_sizes_are_near(name: str, table: pa.Table) -> None:
    """To the byte where rows are written one by one; in Arrow's batches but for what frames the last one."""
    for rows in (1, 50, 299, table.num_rows):
        file, sink = opened(name, table)
        file.write(table.slice(0, rows).combine_chunks().to_batches()[0])
        told = file.measure()
        file.close()
        near = 0 if name != "huggingface" else 3000 + len(sink.data) // 50
        assert abs(told - len(sink.data)) <= near


@pytest.mark.parametrize("name", ["tfrecord", "tfrecord.gz", "webdataset", "huggingface"])
def test_measuring_and_batches_do_not_show(name: str) -> None:
    """A file that was measured is the same file, and the measure is the same whatever the batches."""
    told, made = [], []
    for cut in (1, 37, 300):
        file, sink = opened(name, MEDIA)
        measures = {}
        for start in range(0, 300, cut):
            file.write(MEDIA.slice(start, cut).to_batches()[0])
            if start + cut in (37, 111, 300) or start + cut >= 300:
                measures[min(start + cut, 300)] = file.measure()
        file.close()
        told.append(measures)
        made.append(bytes(sink.data))
    assert made[0] == made[1] == made[2] and told[0][300] == told[1][300] == told[2][300]
    assert told[0][37] == told[1][37] and told[0][111] == told[1][111]
