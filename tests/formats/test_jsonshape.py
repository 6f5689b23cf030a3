"""JSON files: which records are in them, and what is refused because it cannot be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mldata.errors import DataError
from tests.formats.reading import read, read_all

TWO = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
KEYED = [{"key": "p", "a": 1, "b": "x"}, {"key": "q", "a": 2, "b": None}]
PRETTY = b'{\n  "a": 1,\n  "b": "x"\n}'

SHAPES: dict[str, tuple[bytes, str, list[dict[str, Any]]]] = {
    "an array": (b'[{"a":1,"b":"x"},{"a":2}]', "auto", TWO),
    "an array on many lines": (b'\xef\xbb\xbf\r\n[\n  {"a":1,"b":"x"} ,\n  {"a":2} \n]\n\n', "auto", TWO),
    "one object a line": (b'{"a":1,"b":"x"}\n\n{"a":2}\n', "auto", TWO),
    "objects without space between": (b'{"a":1,"b":"x"}{"a":2}', "auto", TWO),
    "pretty-printed objects": (PRETTY + b"\n" + PRETTY.replace(b"1", b"2").replace(b'"x"', b"null"), "auto", TWO),
    "one pretty-printed object": (PRETTY, "auto", TWO[:1]),
    "a wrapped array": (b'{"data": [{"a":1,"b":"x"},{"a":2}] }\n', "auto", TWO),
    "a wrapped array, named": (b'{"v":[1,{}],"data":[{"a":1,"b":"x"},{"a":2}],"n":null}', "data", TWO),
    "an array further in": (b'{"v":"]","x/y":{"n":1,"~":[{"a":1,"b":"x"},{"a":2}],"o":{}}}', "/x~1y/~0", TWO),
    "an object of records": (b'{"p":{"a":1,"b":"x"},"q":{"a":2}}', "auto", KEYED),
    "an object of records further in": (b'{"n":2,"r":{ "p" : {"a":1,"b":"x"} , "q" : {"a":2} } }', "r", KEYED),
    "an object of unlike records": (b'{"p":{"a":1},"q":{"c":2}}', "values",
                                    [{"key": "p", "a": 1, "c": None}, {"key": "q", "a": None, "c": 2}]),
    "a single object": (b'{"a":{"x":1},"b":[1,2],"c":null}', "auto", [{"a": {"x": 1}, "b": [1, 2], "c": None}]),
    "a single object with an array, by choice": (b'{"d":[{"a":1}],"n":1}', "row", [{"d": [{"a": 1}], "n": 1}]),
    "structs only, by choice": (b'{"p":{"a":1},"q":{"a":2}}', "row", [{"p": {"a": 1}, "q": {"a": 2}}]),
    "brackets in strings": (b'[{"a":"]}","b":"{\\"["},{"a":"\\\\","b":",{"}]', "auto",
                            [{"a": "]}", "b": '{"['}, {"a": "\\", "b": ",{"}]),
    "brackets in keys": (b'{"}":{"a":1},"{\\"":{"a":2}}', "auto", [{"key": "}", "a": 1}, {"key": '{"', "a": 2}]),
}  # fmt: skip


@pytest.mark.parametrize("piece", [1 << 20, 16, 1])
@pytest.mark.parametrize("name", SHAPES)
def test_the_records_of_a_file(name: str, piece: int, tmp_path: Path) -> None:
    """Each shape gives its records, however the file is cut."""
    data, records, expected = SHAPES[name]
    found = read(tmp_path, data, "json", piece=piece, records=records)
    assert found.to_pylist() == expected


UNCLEAR = {
    "an array beside other keys": (b'{"v":1,"data":[{"a":1}]}', "`records: data`"),
    "two arrays": (b'{"x":[{"a":1}],"y":[{"a":1}]}', "`records: x` (the elements of 'x' are the rows) or `records: y`"),
    "objects without a common key": (b'{"p":{"a":1},"q":{"b":1}}', "`records: values`"),
    "one object in an object": (b'{"p":{"a":1}}', "`records: values`"),
    "columns, as pandas writes them": (b'{"a":{"0":1,"1":2},"b":{"0":3,"1":4}}', "orient='records'"),
    "columns as arrays": (b'{"a":[1,2],"b":[3,4]}', "orient='records'"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_can_be_read_in_two_ways(name: str, tmp_path: Path) -> None:
    """It is refused, and the message says what to write in the spec."""
    data, word = UNCLEAR[name]
    with pytest.raises(DataError, match=r"data\.json: expected records in a form") as caught:
        read(tmp_path, data, "json")
    assert word in str(caught.value) and "`records: row`" in str(caught.value)


REFUSED = {
    "an array of numbers": (b"[1, 2]", "auto", "1:2", "expected an object, found an integer (1)"),
    "an array of arrays": (b'[["a",1],["b",2]]', "auto", "1:2", "expected an object, found an array"),
    "a number among objects": (b'[{"a":1},\n 2, {"a":1}]', "auto", "2:2", "found an integer (2)"),
    "null among objects": (b'[{"a":1},\n null]', "auto", "2:2", "found null"),
    "a string": (b'"x"', "auto", "1:1", "expected an object, found a string"),
    "a number": (b"12", "auto", "1:1", "found an integer"),
    "no JSON": (b"hello", "auto", "1:1", "expected a value, found 'hello'"),
    "a trailing comma": (b'[{"a":1},\n{"a":2},\n]', "auto", "2:8", "no trailing commas"),
    "a trailing comma in a wrapped array": (b'{"d":[{"a":1},]}', "auto", "1:14", "no trailing commas"),
    "a trailing comma in a record": (b'[{"a":1,\n}]', "auto", "1:8", "no trailing commas"),
    "a trailing comma in the wrapper": (b'{"d":[{"a":1}],}', "auto", "1:15", "no trailing commas"),
    "a trailing comma in an object of records": (b'{"p":{"a":1},"q":{"a":1},}', "auto", "1:25", "no trailing commas"),
    "two commas": (b'[{"a":1},,{"a":2}]', "auto", "1:10", "expected a value, found ','"),
    "a leading comma": (b'[,{"a":1}]', "auto", "1:2", "expected a value, found ','"),
    "no comma": (b'[{"a":1} {"a":2}]', "auto", "1:10", "expected ',' or ']'"),
    "a bracket that closes nothing": (b'{"a":1} }\n', "auto", "1:9", "found '}'"),
    "a bracket that closes nothing, of an array": (b'{"a":1}\n]{"a":2}', "auto", "2:1", "found ']'"),
    "a bracket in place of a record": (b'[{"a":1},}', "auto", "1:10", "found '}'"),
    "a bracket first": (b"}", "auto", "1:1", "found '}'"),
    "a comma between objects": (b'{"a":1},\n{"a":2}', "auto", "1:8", "found ','"),
    "a truncated array": (b'[{"a":1},\n{"a":2}\n', "auto", "3:1", "the file ends inside of the array"),
    "an array truncated behind a comma": (b'[{"a":1},', "auto", "1:10", "the file ends inside of the array"),
    "a truncated record": (b'[{"a":1},\n{"a":', "auto", "2:6", "ends where a value should be"),
    "a truncated object": (b'{"a":1,"b"', "auto", "1:11", "expected ':'"),
    "a truncated wrapper": (b'{"d":[{"a":1}]', "d", "1:15", "found the end of the file"),
    "a wrong bracket": (b'[{"a":1}}', "auto", "1:9", "expected ',' or ']'"),
    "more behind the array": (b'[{"a":1}]\n[]', "auto", "2:1", "expected the end of the file"),
    "more behind the wrapper": (b'{"d":[{"a":1}]}\n{}', "d", "2:1", "expected the end of the file"),
    "the array twice": (b'{"d":[{"a":1}],"d":[{"a":2}]}', "d", "1:16", "'d' is given twice"),
    "a record twice": (b'{"p":{"a":1},"p":{"a":2}}', "values", "1:14", "'p' is given twice"),
    "no such key": (b'{"d":[{"a":1}]}', "e", "1:1", "expected the key 'e'"),
    "a scalar under the key": (b'{"d":1}', "d", "1:6", "expected an array of objects"),
    "a key in an array": (b'[{"d":1}]', "d", "1:1", "expected an object with the key 'd', found an array"),
    "a scalar as record": (b'{"p":{"a":1},"q":2}', "values", "1:18", "expected an object, found an integer"),
    "values of an array": (b'[{"a":1}]', "values", "1:1", "expected an object, found an array"),
    "bad JSON beside the records": (b'{"v":[1,],"d":[{"a":1}]}', "d", "1:8", "no trailing commas"),
    "a bad number beside the records": (b'{"v":01,"d":[{"a":1}]}', "d", "1:6", "no number of JSON"),
    "records with a key of that name": (b'{"p":{"key":1},"q":{"key":2}}', "auto", "1:6", "of their own"),
    "no UTF-8": (b'[{"a":"x"},\n{"a":"\xff"}]', "auto", "2:7", "0xff"),
    "UTF-16": ('[{"a":1}]'.encode("utf-16"), "auto", "", "found UTF-16"),
    "UTF-16 without a mark": ('[{"a":1}]'.encode("utf-16-be"), "auto", "", "found UTF-16"),
    "UTF-32": ('[{"a":1}]'.encode("utf-32-le"), "auto", "", "found UTF-32"),
    "a comment": (b'[{"a":1}, // x\n{"a":2}]', "auto", "1:11", "no comments"),
    "single quotes": (b"[{'a':1}]", "auto", "1:3", "single quotes"),
    "a key twice": (b'[{"a":1},\n{"a":1,"b":{"c":1,"c":2}}]', "auto", "2:19", "'c' is given twice"),
    "half a pair": (b'[{"a":"\\ud800"}]', "auto", "1:8", "surrogate"),
    "a number too large": (b'[{"a":1e400}]', "auto", "1:7", "too large for a float64"),
    "too deep": (b'[{"a":' + b"[" * 50_000, "auto", "1:54", "48 deep"),
    "too deep, and whole": (b'[{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}]", "auto", "1:54", "48 deep"),
    "an array of nothing but brackets": (b"[" * 50_000, "auto", "1:50", "48 deep"),
}  # fmt: skip


@pytest.mark.parametrize("piece", [1 << 20, 1])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table(name: str, piece: int, tmp_path: Path) -> None:
    """It is refused with line and column, the same however the file is cut."""
    data, records, where, word = REFUSED[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, "json", piece=piece, records=records)
    assert word in str(caught.value)
    assert str(caught.value.where) == ("data.json:" + where).rstrip(":")


def test_other_keys_behind_a_large_array(tmp_path: Path) -> None:
    """What stands behind an array that is longer than what is looked at decides as well: it is refused, not passed over."""
    body = b'{"d":[' + b",".join([b'{"a":"%s"}' % (b"x" * 1000)] * 2000) + b"]"
    assert read(tmp_path, body + b"}", "json").num_rows == 2000
    with pytest.raises(DataError, match=r"beside 'd'|with an array of objects under 'd'"):
        read(tmp_path, body + b',"v":1}', "json")
    assert read(tmp_path, body + b',"v":1}', "json", records="d").num_rows == 2000


def test_an_empty_array_has_no_rows(tmp_path: Path) -> None:
    """It adds nothing to the records of other files."""
    files = {"1.json": b"[]", "2.json": b'{"a":1}', "3.json": b'[{"a":2.5}]', "4.json": b"[ ]\n"}
    assert read_all(tmp_path, files, "json")["a"].to_pylist() == [1.0, 2.5]
    for data in (b"[] []", b"[]]", b"[,]", b"["):
        with pytest.raises(DataError, match=r"data\.json:1:"):
            read(tmp_path, data, "json")


@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_keys_that_are_data_are_refused(format: str, tmp_path: Path) -> None:
    """A table of objects without a key in common would fill the memory; a few thousand keys, or all in one object, are no matter."""
    many = [b'{"k%d":1}' % number for number in range(9000)]
    data = b"\n".join(many) if format == "jsonl" else b"[" + b",".join(many) + b"]"
    with pytest.raises(
        DataError, match=r"1:[12]: expected objects with keys in common, found more than 7,457 .* 9,000"
    ):
        read(tmp_path, data, format)
    below = data.replace(b'{"', b'{"a":{"').replace(b"}", b"}}")
    with pytest.raises(DataError, match=r"column 'a'"):
        read(tmp_path, below, format)
    assert read(tmp_path, below, format, types={"a": "string"}).num_rows == 9000
    wide = b"{" + b",".join(one[1:-1] for one in many[:2000]) + b"}"
    assert read(tmp_path, wide, "jsonl").num_columns == 2000
