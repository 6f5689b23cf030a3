"""The normalize stage on files of every tabular format side by side."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq

from mldata.formats import FORMATS
from mldata.table import Table
from store import Store
from tests.formats.databases import database
from tests.formats.workbooks import saved
from tests.stages.conftest import Normalizer


def test_all_formats_are_one_table(normalize: Normalizer, store: Store) -> None:
    """Files of all formats with the same columns are one table, rows in the order of their names, whole numbers beside reals."""
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    sinks = {name: io.BytesIO() for name in ("parquet", "arrow", "orc", "npy")}
    pq.write_table(table, sinks["parquet"])
    feather.write_feather(table, sinks["arrow"])
    orc.write_table(table, sinks["orc"])
    np.save(sinks["npy"], np.array([(1.5, "x"), (2, "y")], [("a", "f8"), ("b", "U1")]))
    files = {
        "arff": b"@relation r\n@attribute a numeric\n@attribute b {x}\n@data\n1,x\n2,?\n",
        "csv": b"a,b\n1,x\n2,\n",
        "json": b'[{"a": 1, "b": "x"}, {"a": 2}]',
        "jsonl": b'{"a": 1, "b": "x"}\n{"a": 2}\n',
        "sqlite": database("CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, 'x'), (2, NULL)"),
        "tsv": b"a\tb\n1\tx\n2\t\n",
        "xlsx": saved(["a", "b"], [1, "x"], [2, None]),
        **{name: sink.getvalue() for name, sink in sinks.items()},
    }
    assert set(files) == {name for name, info in FORMATS.items() if info.kind == "tabular"}
    _, made = normalize(
        {f"{name}{FORMATS[name].suffixes[0]}": data for name, data in files.items() if name != "json"}
    )
    found = Table.open(store, made.output.digest)
    rows = [tuple(row.values()) for batch in found.batches() for row in batch.to_pylist()]
    expected = [
        [(1.5, "x"), (2.0, "y")] if name == "npy" else [(1.0, "x"), (2.0, None)]
        for name in sorted(files)
        if name != "json"
    ]
    assert rows == [row for part in expected for row in part]
    assert found.schema.types == [pa.float64(), pa.string()]
