"""JSON Lines files."""

from __future__ import annotations

import base64
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.exports import load_export
from mldata.exports.base import Compression
from mldata.stages import STAGES
from mldata.testing.exports import Sink
from tests.exports.columns import BYTES, FLAT, NESTED, export, table
from tests.pins import check_text

VALUE = st.recursive(
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


def lines(columns: dict[str, Any]) -> list[Any]:
    """The objects that Python reads from the file."""
    return [json.loads(line) for line in export("jsonl", pa.table(columns)).split(b"\n")[:-1]]


def test_the_text_of_every_type(request: pytest.FixtureRequest) -> None:
    """The file is the one that is kept beside the tests."""
    data = export("jsonl", table(FLAT | BYTES | NESTED))
    update = request.config.getoption("--update-golden")
    check_text("export", ".jsonl", "export", STAGES["export"].version, data, update=update)


@settings(deadline=None)
@given(st.lists(st.tuples(st.none() | TEXT, st.integers(-(2**63), 2**63 - 1)), min_size=1), TEXT)
def test_texts_and_integers_come_back(rows: list[tuple[str | None, int]], name: str) -> None:
    """Python reads every text and every integer as it was, under any column name; keys keep the schema's order."""
    found = lines(
        {name + "1": pa.array([row[0] for row in rows], pa.string()), name: [row[1] for row in rows]}
    )
    assert found == [{name + "1": text, name: number} for text, number in rows]
    assert list(found[0]) == [name + "1", name]


@settings(deadline=None)
@given(
    st.lists(
        st.none()
        | st.fixed_dictionaries(
            {
                "texts": st.none() | st.lists(st.none() | TEXT, max_size=3),
                "point": st.fixed_dictionaries(
                    {"x": st.none() | st.floats(allow_nan=False, allow_infinity=False)}
                ),
            }
        ),
        min_size=1,
    )
)
def test_nested_values_come_back(values: list[Any]) -> None:
    """Lists and structs are arrays and objects, to any depth, with nulls at any level."""
    kind = pa.struct([("texts", pa.list_(pa.string())), ("point", pa.struct([("x", pa.float64())]))])
    column = pa.array(values, kind)
    assert [row["v"] for row in lines({"v": column})] == values
    assert [row["v"] for row in lines({"v": column.slice(1)})] == values[1:]
    listed = pa.array([values, None, values[:1]], pa.list_(kind))
    assert [row["v"] for row in lines({"v": listed})] == [values, None, values[:1]]


def test_what_json_lacks() -> None:
    """NaN and infinities are null and counted; decimals are exact text; bytes are base64; maps are lists of entries."""
    sink = Sink()
    data = pa.table(
        {
            "f": [float("nan"), float("-inf"), None, 1.0],
            "l": [[float("nan")], [1.5], [], None],
            "b": [b"\xff\x00", None, b"", b"x"],
        }
    )
    file = load_export("jsonl").open(sink, data.schema, Compression("none"))  # type: ignore[arg-type]
    for batch in data.to_batches():
        file.write(batch)
    assert file.close() == {"nonfinite": 3}
    found = [json.loads(line) for line in bytes(sink.data).splitlines()]
    assert [row["f"] for row in found] == [None, None, None, 1.0]
    assert [row["l"] for row in found] == [[None], [1.5], [], None]
    assert [row["b"] for row in found] == [base64.b64encode(b"\xff\x00").decode(), None, "", "eA=="]
    wide = lines({"d": FLAT["decimal"], "m": NESTED["map"]})
    assert [row["d"] for row in wide] == ["1.20", None, "-0.03"]
    assert wide[0]["m"] == [{"key": "k", "value": 1}]


def test_letters_are_written_as_they_are() -> None:
    """Only what JSON demands is escaped; there is no space between things."""
    data = export("jsonl", pa.table({"ключ": ["é\u2028/\x7f😀", "\x00\b\f\r\x1f\\"]}))
    expected = '{"ключ":"é\u2028/\x7f😀"}\n' + r'{"ключ":"\u0000\b\f\r\u001f\\"}' + "\n"
    assert data.decode() == expected


def test_whole_floats_stay_floats() -> None:
    """1.0 is not written as an integer."""
    assert export("jsonl", pa.table({"x": [1.0, -0.0, 1e22]})) == b'{"x":1.0}\n{"x":-0.0}\n{"x":1e+22}\n'


def test_empty_structs_and_no_columns() -> None:
    """Objects without keys are written."""
    assert export("jsonl", pa.table({"s": pa.array([{}, None], pa.struct([]))})) == b'{"s":{}}\n{"s":null}\n'
    assert export("jsonl", pa.table({"a": [1, 2]}).select([])) in (b"{}\n{}\n", b"")
