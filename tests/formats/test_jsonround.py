"""What the JSON Lines export writes comes back equal, also when it is put into an array, pretty-printed or strung together."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mldata.exports.base import Compression
from mldata.exports.jsonl import JsonLines
from tests.formats.reading import read

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["2020-01-01", "null", "1", "]}"]
)
SCALARS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.int64(), INT64),
    (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    (pa.bool_(), st.booleans()),
    (pa.string(), TEXT),
]


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A list or a struct around values of one type, each given as (type, strategy of values)."""
    lists = inner.map(lambda it: (pa.list_(it[0]), st.lists(st.none() | it[1], max_size=3)))
    structs = st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, min_size=1, max_size=3).map(
        lambda fields: (
            pa.struct([(name, kind) for name, (kind, _) in fields.items()]),
            st.fixed_dictionaries({name: st.none() | values for name, (_, values) in fields.items()}),
        )
    )
    return lists | structs


KINDS = st.recursive(st.sampled_from(SCALARS), nested, max_leaves=4)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    kinds = draw(st.dictionaries(NAMES, KINDS, min_size=1, max_size=3))
    rows = draw(st.integers(1, 6))
    columns = [
        pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
        for kind, values in kinds.values()
    ]
    return pa.Table.from_arrays(columns, names=list(kinds))


NULLS = pa.struct([("z", pa.int64()), ("n", pa.list_(pa.null()))])


@pytest.mark.no_cover
@settings(max_examples=25, deadline=None)
@given(tables(), st.sampled_from([1, 20, 1 << 20]))
@example(pa.table({"a": pa.array([{"z": None, "n": [None, None]}, {"z": 0, "n": None}], NULLS)}), 1)
def test_round_trip(table: pa.Table, piece: int) -> None:
    """Values are equal, floats to the last bit, and so are types wherever there are values."""
    sink = io.BytesIO()
    file = JsonLines().open(sink, table.schema, Compression("none", None))
    for batch in table.to_batches():
        file.write(batch)
    file.close()
    lines = sink.getvalue()
    rows = [json.loads(line) for line in lines.decode().split("\n") if line]
    forms = {
        "jsonl": [lines, lines.replace(b"\n", b"\r\n"), lines.rstrip(b"\n")],
        "json": [
            lines,
            json.dumps(rows, ensure_ascii=False).encode(),
            json.dumps(rows, indent=2).encode(),
            "".join(json.dumps(row, indent=1) for row in rows).encode(),
        ],
    }
    expected = repr(table.to_pylist())
    with tempfile.TemporaryDirectory() as folder:
        for format, texts in forms.items():
            for number, data in enumerate(texts):
                records = "row" if format == "json" and number in (0, 3) else "auto"
                found = read(Path(folder), data, format, piece=piece, records=records)
                assert repr(found.to_pylist()) == expected
                assert found.column_names == table.column_names
                for name, column in zip(table.column_names, table.columns, strict=True):
                    if not pa.types.is_nested(column.type) and column.null_count < len(column):
                        assert found[name].type == column.type
