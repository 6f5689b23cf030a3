"""JSON Lines: what must parse parses exactly, what must not is refused by line and column."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from tests.formats.reading import read, read_all


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


SOUND = {
    "types": (
        b'{"i":1,"f":1.5,"b":true,"s":"x","n":null}\n',
        [{"i": 1, "f": 1.5, "b": True, "s": "x", "n": None}],
    ),
    "blank lines, CRLF, no line end": (b'\n{"a":1}\r\n \n\r\n{"a":2}', [{"a": 1}, {"a": 2}]),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}\n', [{"a": 1}]),
    "late keys": (b'{"a":1}\n{"b":2}\n', [{"a": 1, "b": None}, {"a": None, "b": 2}]),
    "text that looks like a time": (b'{"t":"2020-01-01 00:00:00"}\n', [{"t": "2020-01-01 00:00:00"}]),
    "text that looks like a number": (b'{"t":"007"}\n', [{"t": "007"}]),
    "the largest integers": (
        b'{"a":9223372036854775807}\n{"a":-9223372036854775808}\n',
        [{"a": 2**63 - 1}, {"a": -(2**63)}],
    ),
    "integers and numbers": (b'{"a":1}\n{"a":2.5}\n', [{"a": 1.0}, {"a": 2.5}]),
    "nested": (
        b'{"a":{"x":[1,2],"y":null}}\n{"a":{"x":[],"z":"q"}}\n',
        [{"a": {"x": [1, 2], "y": None, "z": None}}, {"a": {"x": [], "y": None, "z": "q"}}],
    ),
    "line separators inside text": ('{"a":"x\u2028y\x85z"}\n'.encode(), [{"a": "x\u2028y\x85z"}]),
    "escapes": (b'{"a":"\\u00e9\\n\\u0000"}\n', [{"a": "é\n\0"}]),
}


@pytest.mark.parametrize("piece", [1 << 20, 1])
@pytest.mark.parametrize("name", SOUND)
def test_sound_file(name: str, piece: int, tmp_path: Path) -> None:
    """Every object becomes one row with its values as they are, however the file is cut."""
    data, expected = SOUND[name]
    assert read(tmp_path, data, "jsonl", piece=piece).to_pylist() == expected


BAD = {
    "a truncated line": (b'{"a":1}\n{"a":\n', "data.jsonl:2:6", "Expecting value"),
    "a truncated end": (b'{"a":1}\n{"a":2', "data.jsonl:2:7", "delimiter"),
    "a trailing comma": (b'{"a":1,}\n', "data.jsonl:1:8", ""),
    "two objects on a line": (b'{"a":1}{"a":2}\n', "data.jsonl:1:8", "Extra data"),
    "halves on two lines": (b'{"a":1\n"b":2}\n', "data.jsonl:1:7", ""),
    "an array": (b'\n[{"a":1}]\n', "data.jsonl:2:1", "found an array"),
    "a number": (b"1\n", "data.jsonl:1:1", "found an integer"),
    "a key twice": (b'{"a":1}\n{"a":1,"a":2}\n', "data.jsonl:2:1", "'a' is given twice"),
    "a nested key twice": (b'{"o":{"k":1,"k":1}}\n', "data.jsonl:1:1", "'k' is given twice"),
    "NaN": (b'{"a":NaN}\n', "data.jsonl:1:1", "NaN is not JSON"),
    "too large a number": (b'{"a":1e999}\n', "data.jsonl:1:1", "too large"),
    "too many digits": (b'{"a":123456789012345678901234567890}\n', "data.jsonl:1:1", "too large"),
    "beyond int64": (b'{"a":9223372036854775808}\n', "data.jsonl:1:1", "write it as a string"),
    "no UTF-8": (b'{"a":1}\n{"a":"\xff"}\n', "data.jsonl:2:7", "0xff"),
}


@pytest.mark.parametrize("piece", [1 << 20, 1])
@pytest.mark.parametrize("name", BAD)
def test_bad_line(name: str, piece: int, tmp_path: Path) -> None:
    """What is no object on a line of its own is refused with line and column."""
    data, where, word = BAD[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, "jsonl", piece=piece)
    assert (str(caught.value.where), word in str(caught.value)) == (where, True)


@pytest.mark.parametrize(
    "values", [(1, "x"), (True, 1), (2**53 + 1, 0.5), ({"k": 1}, [1]), ([2**53 + 1], [0.5])]
)
def test_values_that_do_not_unify(values: tuple[Any, Any], tmp_path: Path) -> None:
    """Two types that no type holds without loss are an error, in one file or in two, in one piece or in two."""
    one = lines({"a": values[0]}, {}, {"a": values[1]})
    with pytest.raises(DataError, match="column 'a'") as caught:
        read(tmp_path, one, "jsonl")
    assert str(caught.value.where) == "data.jsonl:3"
    with pytest.raises(DataError, match="column 'a'"):
        read(tmp_path, one, "jsonl", piece=1)
    with pytest.raises(DataError, match=r"1\.jsonl.* in 2\.jsonl"):
        read_all(tmp_path, {"1.jsonl": lines({"a": values[0]}), "2.jsonl": lines({"a": values[1]})}, "jsonl")


def test_an_empty_object_as_value(tmp_path: Path) -> None:
    """A column of objects without keys is refused by name, since no table holds it."""
    with pytest.raises(DataError, match="Parquet cannot hold"):
        read(tmp_path, b'{"a":[{}]}\n', "jsonl")


def test_options(tmp_path: Path) -> None:
    """``columns``, ``rename``, ``drop`` and ``types`` apply to keys."""
    data = lines({"Big One": "7", "x": 1, "y": 2}, {"Big One": "", "x": 3})
    table = read(
        tmp_path, data, "jsonl", columns="snake_case", types={"big_one": "int8", "x": "float32"}, drop=["y"]
    )
    assert table.to_pylist() == [{"big_one": 7, "x": 1.0}, {"big_one": None, "x": 3.0}]
    with pytest.raises(DataError, match="column 'x', row 1"):
        read(tmp_path, lines({"x": "q"}), "jsonl", types={"x": "int8"})


VALUES = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("pqr"), inner, min_size=1, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=6),
    st.integers(1, 40),
)
def test_round_trip_in_pieces(rows: list[dict[str, Any]], piece: int) -> None:
    """Cut anywhere, a file gives the table (or is refused) as whole; the values are those that were written."""
    assume(any(rows))  # the stage refuses a table without columns
    data = lines(*rows)
    with tempfile.TemporaryDirectory() as folder:
        try:
            whole = read(Path(folder), data, "jsonl")
        except DataError:
            with pytest.raises(DataError):
                read(Path(folder), data, "jsonl", piece=piece)
            return
        cut = read(Path(folder), data, "jsonl", piece=piece)
    assert cut.to_pylist() == whole.to_pylist()
    for row, got in zip(rows, whole.to_pylist(), strict=True):
        assert {k: v for k, v in got.items() if k in row and not isinstance(v, (dict, list))} == {
            k: v for k, v in row.items() if not isinstance(v, (dict, list))
        }
