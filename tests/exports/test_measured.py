"""Formats that tell how large a file becomes while it is written, so that parts are cut into shards of about one size."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mldata.exports import EXPORTS, load_export
from mldata.exports.base import Compression
from mldata.testing.exports import Sink
from tests.exports.columns import export

ROWS = pa.table({"n": [n * 7919 % 100_003 for n in range(40_000)], "t": [f"text {n}" for n in range(40_000)]})


def measured(name: str, rows: int) -> tuple[dict[int, int], bytes]:
    """What a file says of itself after every 8,000 rows, in batches of ``rows``, and the file."""
    sink: Any = Sink()
    file: Any = load_export(name).open(sink, ROWS.schema, Compression("none"), 2)
    told = {}
    for number, batch in enumerate(ROWS.to_batches(max_chunksize=rows), 1):
        file.write(batch)
        if number * rows % 8_000 == 0:
            told[number * rows] = file.measure()
    file.close()
    return told, bytes(sink.data)


@pytest.mark.parametrize("name", ["tsv", "json", "feather", "orc", "csv.gz", "jsonl.zst"])
def test_measures_are_of_the_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is the same for the same rows in any batches, grows to that of the file before it is compressed as a whole, and changes no byte."""
    monkeypatch.setattr("mldata.exports.orc.GROUP_ROWS", 1 << 14)
    told, data = measured(name, 8_000)
    assert (told, data) == measured(name, 1_000)
    inner = name.rpartition(".")[0] if EXPORTS[name].wrapped else name
    assert data == export(name, ROWS, compression="none")
    size = len(export(inner, ROWS, compression="none"))
    for rows, says in told.items():
        assert says == pytest.approx(size * rows / 40_000, rel=0.1)
