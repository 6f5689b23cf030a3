"""JSON Lines: what must parse parses exactly, what must not is refused by line and column."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from decimal import Decimal
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
    "numbers beyond int64": (
        b'{"a":9223372036854775808}\n{"a":-1}\n',
        [{"a": Decimal(2**63)}, {"a": Decimal(-1)}],
    ),
    "numbers beyond 38 digits": (
        b'{"a":1}\n{"a":[%d]}\n'.replace(b'"a":1', b'"a":[1]') % 10**75,
        [{"a": [Decimal(1)]}, {"a": [Decimal(10**75)]}],
    ),
    "zeros": (
        b'{"a":-0,"b":-0,"c":-0.0,"d":0e9}\n{"a":0,"b":1.5}\n',
        [{"a": 0, "b": 0.0, "c": -0.0, "d": 0.0}, {"a": 0, "b": 1.5, "c": None, "d": None}],
    ),
    "1.0 is no integer": (b'{"a":1.0,"b":1E2}\n', [{"a": 1.0, "b": 100.0}]),
    "large floats": (b'{"a":1e22,"b":1234567890123456789.5}\n', [{"a": 1e22, "b": 1234567890123456789.5}]),
    "numbers that vanish": (b'{"a":1e-400}\n', [{"a": 0.0}]),
    "odd keys": (b'{"":1,"a\\u0000b":2,"a":3}\n', [{"": 1, "a\0b": 2, "a": 3}]),
    "a pair of surrogates": (b'{"a":"\\ud83d\\ude00"}\n', [{"a": "\U0001f600"}]),
    "empty things and what fills them": (
        b'{"s":{},"l":[],"n":null}\n{"s":{"x":1},"l":[{}],"n":[[]]}\n{"l":[{"y":[null]}],"n":[[2]]}\n',
        [
            {"s": {"x": None}, "l": [], "n": None},
            {"s": {"x": 1}, "l": [{"y": None}], "n": [[]]},
            {"s": None, "l": [{"y": [None]}], "n": [[2]]},
        ],
    ),
    "nulls in arrays": (b'{"a":[null,null]}\n{"a":[]}\n', [{"a": [None, None]}, {"a": []}]),
    "deep, but not too deep": (b'{"a":' + b"[" * 47 + b"]" * 47 + b"}\n", None),
    "text that looks like brackets": (b'{"a":"%s"}\n' % (b"[{" * 99), [{"a": "[{" * 99}]),
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
    found = read(tmp_path, data, "jsonl", piece=piece).to_pylist()
    assert repr(found) == repr(expected) if expected else len(found) == 1


BAD = {
    "a truncated line": (b'{"a":1}\n{"a":\n', "data.jsonl:2:6", "ends where a value should be"),
    "a truncated end": (b'{"a":1}\n{"a":2', "data.jsonl:2:7", "ends inside of an object"),
    "a trailing comma": (b'{"a":1,}\n', "data.jsonl:1:7", "no trailing commas"),
    "two objects on a line": (b'{"a":1}{"a":2}\n', "data.jsonl:1:8", "found an object"),
    "two lines with three objects": (b'{"a":1}{"b":{}\n}{"a":2}\n', "data.jsonl:1:8", "found an object"),
    "halves on two lines": (b'{"a":1\n"b":2}\n', "data.jsonl:1:7", "goes on"),
    "an object on two lines": (b'{"a":1,\n"b":2}\n', "data.jsonl:1:8", "format: json"),
    "pretty-printed": (b'{\n  "a": 1\n}\n', "data.jsonl:1:2", "format: json"),
    "an array": (b'\n[{"a":1}]\n', "data.jsonl:2:1", "found an array"),
    "an array on two lines": (b'[{"a":1},\n{"a":2}]\n', "data.jsonl:1:1", "format: json"),
    "a number": (b"1\n", "data.jsonl:1:1", "found an integer (1)"),
    "null": (b"null\n", "data.jsonl:1:1", "found null"),
    "null after an object": (b'{"a":1}\nnull\n', "data.jsonl:2:1", "found null"),
    "a key twice": (b'{"a":1}\n{"a":1,"a":2}\n', "data.jsonl:2:8", "'a' is given twice"),
    "a nested key twice": (b'{"o":{"k":1,"k":1}}\n', "data.jsonl:1:13", "'k' is given twice"),
    "a key twice, once escaped": (b'{"a":1,"\\u0061":1}\n', "data.jsonl:1:8", "'a' is given twice"),
    "NaN": (b'{"a":NaN}\n', "data.jsonl:1:6", "NaN is not JSON"),
    "Infinity": (b'{"a":1.5}\n{"a":[-Infinity]}\n', "data.jsonl:2:7", "-Infinity is not JSON"),
    "too large a number": (b'{"a":1e999}\n', "data.jsonl:1:6", "too large"),
    "too many digits": (b'{"a":%s}\n' % (b"9" * 77), "data.jsonl:1:6", "more digits than any type"),
    "no UTF-8": (b'{"a":1}\n{"a":"\xff"}\n', "data.jsonl:2:7", "0xff"),
    "UTF-8 of half a pair": (b'{"a":"\xed\xa0\x80"}\n', "data.jsonl:1:7", "0xed"),
    "half a pair": (b'{"a":"\\ud800"}\n', "data.jsonl:1:7", "half of a surrogate pair"),
    "the other half": (b'{"a":1}\n{"x\\udc00":1}\n', "data.jsonl:2:4", "half of a surrogate pair"),
    "a byte order mark inside": (b'{"a":1}\n\xef\xbb\xbf{"a":2}\n', "data.jsonl:2:1", "\\ufeff"),
    "a NUL between lines": (b'{"a":1}\n\0\n{"a":2}\n', "data.jsonl:2:1", ""),
    "too deep": (b'{"a":' + b"[" * 48 + b"]" * 48 + b"}\n", "data.jsonl:1:53", "nested more than 48 deep"),
    "far too deep": (b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}\n", "data.jsonl:1:53", "48 deep"),
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
    ("values", "said"),
    [
        ((1, "x"), 'found a string ("x") after an integer (1)'),
        ((True, 1), "found an integer (1) after a boolean (true)"),
        ((2**53 + 1, 0.5), "found a number (0.5) after an integer (9007199254740993)"),
        ((10**30, 1e30), "found a number (1e+30) after an integer"),
        (({"k": 1}, [1]), 'found an array ([1]) after an object ({"k": 1})'),
        (([2**53 + 1], [0.5]), "(at []): found a number (0.5) after"),
        (([{"k": 1}], [{"k": [2]}]), "(at [].k): found an array ([2]) after an integer (1)"),
    ],
)
def test_values_that_do_not_unify(values: tuple[Any, Any], said: str, tmp_path: Path) -> None:
    """Two types that no type holds without loss are an error with both places, in one file or in two, in one piece or in two."""
    one = lines({"a": values[0]}, {}, {"a": values[1]})
    with pytest.raises(DataError, match="column 'a'") as caught:
        read(tmp_path, one, "jsonl")
    assert str(caught.value.where).startswith("data.jsonl:3:")
    assert said in str(caught.value) and "at data.jsonl:1:" in str(caught.value)
    assert "types: {a: string}" in str(caught.value)
    with pytest.raises(DataError, match="column 'a'"):
        read(tmp_path, one, "jsonl", piece=1)
    with pytest.raises(DataError, match=r"1\.jsonl.* in 2\.jsonl"):
        read_all(tmp_path, {"1.jsonl": lines({"a": values[0]}), "2.jsonl": lines({"a": values[1]})}, "jsonl")


@pytest.mark.parametrize("piece", [1 << 20, 1])
def test_a_column_kept_as_written(piece: int, tmp_path: Path) -> None:
    """``types: {a: string}`` takes any mixture: strings as their text, all else as the file has it, null as null."""
    data = (
        b'{"a": 1.50}\n{"a": "1.50"}\n{"a": [1, {"b":2e0} ]}\n{"a":null}\n{"b":1}\n{"a":true}\n{"a":12345678901234567890}\n'
        b'{"a":{}}\n{"a":"\\u00e9"}\n{"a":1e999}\n'
    )
    expected = [
        "1.50",
        "1.50",
        '[1, {"b":2e0} ]',
        None,
        None,
        "true",
        "12345678901234567890",
        "{}",
        "é",
        "1e999",
    ]
    table = read(tmp_path, data, "jsonl", piece=piece, types={"a": "string"})
    assert table["a"].to_pylist() == expected


@pytest.mark.parametrize("piece", [1 << 20, 1])
@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("uint64", "[1, 18446744073709551615]", [1, 2**64 - 1]),
        ("int8", '[1, "7", 2.0, true]', [1, 7, 2, 1]),
        ("float32", '[1, "0.5"]', [1.0, 0.5]),
        (
            "decimal128(20, 2)",
            '[1.10, 123456789012345678.25, "3"]',
            ["1.10", "123456789012345678.25", "3.00"],
        ),
        ("bool", '[true, "false"]', [True, False]),
        ("date32", '["2024-02-29", null]', [date(2024, 2, 29), None]),
    ],
)
def test_forced_types(kind: str, written: str, expected: list[Any], piece: int, tmp_path: Path) -> None:
    """A forced type takes what fits it exactly, however it is written."""
    data = b"".join(b'{"a":%s}\n' % part.encode() for part in written[1:-1].split(", "))
    found = read(tmp_path, data, "jsonl", piece=piece, types={"a": kind})["a"].to_pylist()
    assert [str(value) if isinstance(value, Decimal) else value for value in found] == expected


def test_a_forced_value_that_does_not_fit(tmp_path: Path) -> None:
    """It is named with its line."""
    with pytest.raises(DataError, match="expected int8, found 300") as caught:
        read(tmp_path, b'{"a":1}\n{"a":300}\n', "jsonl", types={"a": "int8"})
    assert str(caught.value.where) == "data.jsonl:2:1"
    for kind in ("int8", "float64", "bool"):
        for other in (b'"1"', b"1", b"null"):
            for piece in (1, 1 << 20):
                with pytest.raises(DataError) as caught:
                    read(
                        tmp_path, b'{"a":%s}\n{"a":1e999}\n' % other, "jsonl", piece=piece, types={"a": kind}
                    )
                assert str(caught.value.where) == "data.jsonl:2:6"


def test_objects_without_keys(tmp_path: Path) -> None:
    """A column whose objects never have a key is refused by name, since no table holds it, and can be kept as text."""
    for data in (b'{"a":[{}]}\n', b'{"b":1,"a":{}}\n{"a":null}\n', b'{"a":{"b":{}}}\n'):
        for piece in (1 << 20, 1):
            with pytest.raises(DataError, match="column 'a' has objects without any key"):
                read(tmp_path, data, "jsonl", piece=piece)
    assert read(tmp_path, b'{"a":{}}\n', "jsonl", types={"a": "string"}).to_pylist() == [{"a": "{}"}]


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


@pytest.mark.no_cover
@settings(max_examples=60, deadline=None)
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
