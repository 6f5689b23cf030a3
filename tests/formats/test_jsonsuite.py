"""What must parse parses, what must not is refused, in the manner of the JSON parsing suites: a value at a time.

Each value stands as ``[{"v": VALUE}]`` in a JSON file, and as ``{"v": VALUE}`` in a line of JSON Lines.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mldata.errors import DataError
from tests.formats.reading import read

MUST: dict[bytes, Any] = {
    b"null": None, b"true": True, b"false": False, b"0": 0, b"-0": 0, b"-1": -1, b"123": 123, b" 4 ": 4, b"\t5\r": 5,
    b"1.5": 1.5, b"-0.0": -0.0, b"1e1": 10.0, b"1E+2": 100.0, b"1e-2": 0.01, b"0e1": 0.0, b"0E+1": 0.0, b"-1.25e-3": -0.00125,
    b"1.7976931348623157e308": 1.7976931348623157e308, b"5e-324": 5e-324, b"0.1000000000000000055511151231257827": 0.1,
    b"9223372036854775807": 2**63 - 1, b"-9223372036854775808": -(2**63), b"9223372036854775808": Decimal(2**63),
    b"-9223372036854775809": Decimal(-(2**63) - 1), b"1" + b"0" * 37: Decimal(10**37), b"1" + b"0" * 38: Decimal(10**38),
    b"9" * 76: Decimal(10**76 - 1), b"-" + b"9" * 38: Decimal(1 - 10**38),
    b'""': "", b'"a"': "a", b'"\\""': '"', b'"\\\\"': "\\", b'"\\/"': "/", b'"\\b\\f\\n\\r\\t"': "\b\f\n\r\t",
    b'"\\u0041"': "A", b'"\\u00e9\\u00E9"': "éé", b'"\\u0000"': "\0", b'"\\ud834\\udd1e"': "\U0001d11e", b'"\\uDBFF\\uDFFF"': "\U0010ffff",
    b'"\\uffff"': "\uffff", b'"\\\\u0041"': "\\u0041", '"é€\U0001d11e"'.encode(): "é€\U0001d11e", '"\u2028\u2029\ufeff\x7f"'.encode(): "\u2028\u2029\ufeff\x7f",
    b'" "': " ", b'"[,]{:}"': "[,]{:}", b'"//"': "//", b'"null"': "null", b'"1"': "1", b'"2020-01-01"': "2020-01-01",
    b"[]": [], b"[ ]": [], b"[null]": [None], b"[[]]": [[]], b"[1,2]": [1, 2], b"[1 , 2.5]": [1.0, 2.5], b'["a",null]': ["a", None],
    b"[[1],[]]": [[1], []], b'{"a":1}': {"a": 1}, b'{"":0}': {"": 0}, b'{"a":{"b":[{}, {"c":1}]}}': {"a": {"b": [{"c": None}, {"c": 1}]}},
    b'{"a\\u0000b":1}': {"a\0b": 1}, b'{ "a" : null , "b" : true }': {"a": None, "b": True}, b'{"a":1,"A":2}': {"a": 1, "A": 2},
    '{"é":1,"e\u0301":2}'.encode(): {"é": 1, "e\u0301": 2}, b"[" * 40 + b"]" * 40: None,
}  # fmt: skip

MUST_NOT = [
    b"", b" ", b"nul", b"NULL", b"None", b"True", b"TRUE", b"truee", b"undefined", b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"nan", b"inf",
    b"01", b"-01", b"00", b"-", b"+1", b"--1", b".5", b"-.5", b"1.", b"1.e1", b"1e", b"1e+", b"1E-", b"1e1.5", b"1 2", b"1,", b"1_000", b"0x1", b"1a", b"1L",
    b"1.2.3", b"1e400", b"-1e400", b"9" * 77, "１".encode(), "−1".encode(),
    b'"', b'"a', b"a", b"'a'", b'"a\\"', b'"\\', b'"\\x41"', b'"\\a"', b'"\\u"', b'"\\u12"', b'"\\u12G4"', b'"\\U0041"', b'"\\\n"', b'"a\nb"', b'"a\tb"', b'"a\0b"', b'"\x1f"',
    b'"\\ud800"', b'"\\udc00"', b'"\\ud800x"', b'"\\ud800\\n"', b'"\\ud800\\ud800"', b'"\\ud800\\u0041"', b'"\\udc00\\ud800"', b'"a" "b"', b'"a"b',
    b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe9"', b'"\xe2\x82"', b"\xff", b"\xef\xbb\xbf1", "“a”".encode(), "\u00a01".encode(), b"\x0c1", b"\x0b1",
    b"[", b"]", b"[1", b"[1,", b"[1,]", b"[,1]", b"[,]", b"[1,,2]", b"[1 2]", b"[1;2]", b"[1}", b"[1]]", b"[1:2]", b'["a]', b"[1,2", b"(1)", b"[1, // x\n2]", b"[/**/]", b"[#\n]",
    b"{", b"}", b"{,}", b'{"a"}', b'{"a":}', b'{"a" 1}', b'{"a":1,}', b'{"a":1,,"b":2}', b'{:1}', b"{a:1}", b"{'a':1}", b"{1:1}", b"{null:1}", b'{"a"=1}', b'{"a"::1}', b'{"a":1 "b":2}',
    b'{"a":1;"b":2}', b'{"a":1]', b'{"a":1}}', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'{"a":{"b":1,"b":2}}', b'{"\\ud800":1}', b'{"\xff":1}', b'{"a":1,"b"', b'{"a":"b}', b"<a/>", b"*", b"$x",
    b"[" * 5000, b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
]  # fmt: skip

OURS: dict[bytes, tuple[Any, str]] = {
    b"[1,true]": ("[1,true]", "no type holds both"),
    b'[1,"a"]': ('[1,"a"]', "no type holds both"),
    b'[{"a":1},[1]]': ('[{"a":1},[1]]', "no type holds both"),
    b"[9007199254740993,0.5]": ("[9007199254740993,0.5]", "no type holds both"),
    b"{}": ("{}", "objects without any key"),
    b"[{}]": ("[{}]", "objects without any key"),
}
"""JSON that no table holds as it is, only as text."""


def files(value: bytes) -> list[tuple[str, bytes]]:
    made = [("json", b'[{"v":' + value + b"}]")]
    return made if b"\n" in value else [*made, ("jsonl", b'{"v":' + value + b"}\n")]


@pytest.mark.parametrize("value", MUST, ids=lambda value: repr(value[:40]))
def test_what_must_parse(value: bytes, tmp_path: Path) -> None:
    """It does, to exactly this value; and its text can be kept instead."""
    for format, data in files(value):
        found = read(tmp_path, data, format).to_pylist()
        assert len(found) == 1
        if not value.startswith(b"[" * 40):
            assert repr(found[0]["v"]) == repr(MUST[value])
        text = read(tmp_path, data, format, types={"v": "string"}).to_pylist()[0]["v"]
        assert text == (MUST[value] if value.strip()[:1] in (b'"', b"n") else value.strip().decode())


@pytest.mark.parametrize("value", MUST_NOT, ids=lambda value: repr(value[:40]))
def test_what_must_not_parse(value: bytes, tmp_path: Path) -> None:
    """It is refused with line and column, at the value or behind it, whether or not a type is forced."""
    forgiven = value in (b"1e400", b"-1e400", b"9" * 77)  # as text these are what they are
    for format, data in files(value):
        for types in ({}, {} if forgiven else {"v": "string"}):
            with pytest.raises(DataError) as caught:
                read(tmp_path, data, format, types=types)
            file, line, column = str(caught.value.where).split(":")
            assert (file, line) == (f"data.{format}", line) and int(column) >= (3 if line == "1" else 1)
            assert "pyarrow" not in str(caught.value) and "Traceback" not in str(caught.value)


@pytest.mark.parametrize("value", OURS, ids=repr)
def test_what_no_table_holds(value: bytes, tmp_path: Path) -> None:
    """It is refused with what to write, which then works."""
    text, word = OURS[value]
    for format, data in files(value):
        with pytest.raises(DataError, match=word) as caught:
            read(tmp_path, data, format)
        assert "types: {v: string}" in str(caught.value)
        assert read(tmp_path, data, format, types={"v": "string"}).to_pylist() == [{"v": text}]
