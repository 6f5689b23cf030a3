"""Bad records of a JSON file, put aside: every record is in the table or among the rejects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.formats import FORMATS
from mldata.formats.base import Options, Reject
from mldata.formats.rejects import MOST_KEPT
from mldata.testing.reading import Fragments, make_format, read_fragments, source_file
from tests.formats.reading import read
from tests.fuzz.engine import limited

Found = list[tuple[int, int, str, bytes]]


def rejects(folder: Path, data: bytes, format: str, piece: int = 1 << 20, **options: Any) -> list[Reject]:
    sink = Fragments()
    how = Options(on_bad_row="reject", piece=piece, **options)
    make_format(FORMATS[format]).read(source_file(folder, f"data.{format}", data), how, sink, 1)
    return sink.rejects


BAD: dict[str, tuple[str, bytes, list[Any], Found]] = {
    "no JSON": ("jsonl", b'{"a":1}\noops\n{"a":2}\n', [1, 2], [(2, 1, "expected a value, found 'oops'", b"oops")]),
    "cut off": ("jsonl", b'{"a":1}\n{"a":', [1], [(2, 6, "expected one whole object", b'{"a":')]),
    "a line that goes on": ("jsonl", b'{"a":\n1}\n{"a":2}', [2], [(1, 6, "expected one whole", b'{"a":'), (2, 1, "expected an object", b"1}")]),
    "more on the line": ("jsonl", b'{"a":1} {"a":2}\r\n{"a":3}\r\n', [3], [(1, 9, "expected the end of the line", b'{"a":1} {"a":2}')]),
    "no UTF-8": ("jsonl", b'{"a":1}\n{"a":"\xff"}\n{"a":2}\n', [1, 2], [(2, 7, "expected UTF-8, found the byte 0xff", b'{"a":"\xff"}')]),
    "behind more than ASCII": ("jsonl", '{"a":"ä日"}\n{"ä":1,}\n'.encode(), ["ä日"], [(2, 8, "a comma before '}'", '{"ä":1,}'.encode())]),
    "half a surrogate pair": ("jsonl", b'{"a":"x"}\n{"a":"\\ud800"}\n', ["x"], [(2, 7, "\\ud800 is half", b'{"a":"\\ud800"}')]),
    "no object": ("json", b'[{"a":1}, 5, "x", [{"a":3}], null, {"a":2}]', [1, 2], [
        (1, 11, "expected an object, found an integer (5)", b"5"), (1, 14, "expected an object, found a string", b'"x"'),
        (1, 19, "expected an object, found an array", b'[{"a":3}]'), (1, 30, "expected an object, found null", b"null")]),
    "a key twice": ("json", b'[{"a":1},\n {"a":2, "a":3},\n {"a":4}]', [1, 4], [(2, 10, "the key 'a' is given twice", b'{"a":2, "a":3}')]),
    "a comma in a record": ("json", b'[{"a":1,},{"a":2}]', [2], [(1, 8, "a comma before '}'", b'{"a":1,}')]),
    "NaN": ("json", b'[{"a":NaN},{"a":2}]', [2], [(1, 7, "NaN is not JSON", b'{"a":NaN}')]),
    "a number no type holds": ("json", b'[{"a":1},{"a":1e999}]', [1], [(1, 15, "the number 1e999 is too large", b'{"a":1e999}')]),
    "too deep": ("json", b'[{"a":1},{"b":' + b"[" * 50 + b"]" * 50 + b"}]", [1], [(1, 62, "objects and arrays are nested", b'{"b":' + b"[" * 50 + b"]" * 50 + b"}")]),
    "in an object that wraps": ("json", b'{"data": [{"a":1}, 7]}', [1], [(1, 20, "expected an object", b"7")]),
    "pretty-printed": ("json", b'{\n "a": 1\n}\n{\n "a": tru\n}\n', [1], [(5, 7, "expected a value, found 'tru'", b'{\n "a": tru\n}')]),
    "a word between": ("json", b'{"a":1} oops {"a":2}', [1, 2], [(1, 9, "expected a value", b"oops")]),
    "in an object of records": ("json", b'{"x":{"a":1},"y":3,"z":{"a":2}}', [1, 2], [(1, 18, "expected an object", b'"y":3')]),
    "all of them": ("jsonl", b"x\ny\n", [], [(1, 1, "expected a value", b"x"), (2, 1, "expected a value", b"y")]),
}  # fmt: skip


@pytest.mark.parametrize("piece", [1 << 20, 1, 9])
@pytest.mark.parametrize("name", BAD)
def test_bad_records_are_put_aside_with_place_and_reason(name: str, piece: int, tmp_path: Path) -> None:
    """The others are read as if these were not there, however the file is cut."""
    format, data, good, bad = BAD[name]
    records = "values" if name == "in an object of records" else "auto"
    how = Options(on_bad_row="reject", piece=piece, records=records)
    found = rejects(tmp_path, data, format, piece, records=records)
    assert [(one.line, one.column, one.record) for one in found] == [(a, b, d) for a, b, _, d in bad]
    assert all(one.reason.startswith(reason) for one, (_, _, reason, _) in zip(found, bad, strict=True))
    table = read(tmp_path, data, format, piece=how.piece, on_bad_row="reject", records=records)
    assert [row["a"] for row in table.to_pylist()] == good


@pytest.mark.parametrize("name", [name for name in BAD if name != "in an object of records"])
def test_the_place_is_that_of_the_error(name: str, tmp_path: Path) -> None:
    """Without `reject`, the first one is an error at the same place, and for the same reason."""
    format, data, _, bad = BAD[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, format)
    assert str(caught.value).startswith(f"data.{format}:{bad[0][0]}:{bad[0][1]}: {bad[0][2]}")


TORN = {
    "a comma that is missing": ("json", b'[{"a":1} {"a":2}]', "1:10: expected ',' or ']' behind a record"),
    "a comma too many": ("json", b'[{"a":1},]', "1:9: a comma before ']'"),
    "an array without its end": ("json", b'[{"a":1},{"a":', "1:15: the text ends where a value should be"),
    "a bracket too many": ("json", b'[{"a":1}},{"a":2}]', "1:9: expected ',' or ']'"),
    "a bracket that is missing": ("json", b'[{"a":{},{"a":2}]', "1:10: expected a key in double quotes"),
    "a text without its end": ("json", b'[{"a":"x},{"a":1}]', "1:13: expected ',' or '}' in the object"),
    "more behind": ("json", b'[{"a":1}] x', "1:11: expected the end of the file"),
    "the same key twice around records": ("json", b'{"x":{"a":1},"x":{"a":2}}', "1:14: the key 'x' is given twice"),
    "no key": ("json", b'{"x":{"a":1},y:{"a":2}}', "1:14: expected a key in double quotes"),
    "kinds of values that no type holds": ("jsonl", b'{"a":1}\n{"a":"x"}\n', "2:6: column 'a': found a string"),
}  # fmt: skip


@pytest.mark.parametrize("piece", [1 << 20, 3])
@pytest.mark.parametrize("name", TORN)
def test_what_is_no_fault_of_one_record_stays_an_error(name: str, piece: int, tmp_path: Path) -> None:
    """Where the next record begins cannot be told, or which of two is the bad one."""
    format, data, said = TORN[name]
    records = "values" if data.startswith(b'{"x"') else "auto"
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, format, on_bad_row="reject", piece=piece, records=records)
    if piece > 3:
        assert str(caught.value).startswith(f"data.{format}:{said}")


@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_values_of_another_type_than_the_spec_forces(format: str, tmp_path: Path) -> None:
    """Their records are put aside, once each, at the value, among those that are no JSON."""
    lines = ['{"i":1,"d":"2020-01-01"}', '{"d":"y", "i":"x"}', '{"i":nope}', '{"i":300,"d":null}', '{"d":"2020-01-02","i":4}']  # fmt: skip
    data = ("\n".join(lines) if format == "jsonl" else "[" + ",\n".join(lines) + "]").encode()
    types = {"i": "int8", "d": "date32"}
    table = read(tmp_path, data, format, types=types, on_bad_row="reject")
    assert table["i"].to_pylist() == [1, 4]
    assert [(one.line, one.column, one.reason) for one in rejects(tmp_path, data, format, types=types)] == [
        (2, 15, "column 'i': expected int8, found \"x\""),
        (3, 6, "expected a value, found 'nope'"),
        (4, 6, "column 'i': expected int8, found 300"),
    ]


def test_long_records_are_cut(tmp_path: Path) -> None:
    """Their beginning is kept, and the reason says how long they are."""
    (found,) = rejects(tmp_path, b'{"a":1}\n{"a":' + b"x" * 100_000 + b"}\n", "jsonl")
    assert len(found.record) == MOST_KEPT and found.record.startswith(b'{"a":xx')
    assert found.reason.endswith("(kept are the first 65,536 of its 100,006 bytes)")


@pytest.mark.no_cover
@pytest.mark.parametrize("format", ["jsonl", "json"])
@pytest.mark.parametrize("bad", [b'{"a":nope}', b'{"a":"x"}', b'{"a":[{},', b"\xff", b'"', b""])
def test_very_many_bad_records_take_their_time_and_no_more(format: str, bad: bytes, tmp_path: Path) -> None:
    """Time grows with the file, not with its square, whatever is wrong with every line of it."""
    line = bad + b"\n" if format == "jsonl" else bad + b",\n"
    data = line * 6000
    data = data + b'{"a":1}' if format == "jsonl" else b"[" + data + b'{"a":1}]'
    with limited(5):  # that is 280 ns for each pair of lines
        try:
            found = rejects(tmp_path, data, format, types={"a": "int8"})
        except DataError:
            assert format == "json"
        else:
            assert len(found) == 6000 * bool(bad) or (format, bad) == (
                "json",
                b'"',
            )  # of which two make a text


RECORDS = [b'{"a":1}', b'{"a":2,"b":"x\xc3\xa4"}', b'{"b":"]}"}', b'{ }', b'{"a":3,"a":4}', b'{"a":nope}', b'{"a":1e999}', b'{"a":"\xff"}', b'{"a":[1,]}', b'{"a":"\\ud800"}',
           b"5", b'"t"', b"null", b"word", b"[1]", b'{"c":{"d":[{"e":1}]},"a":"\\"}"}', b'{"a":300}', b'{"a":true}']  # fmt: skip


@pytest.mark.no_cover
@settings(max_examples=36, deadline=None)
@given(
    st.lists(st.sampled_from(RECORDS), max_size=12),
    st.sampled_from(["lines", "values", "elements", "wrapped"]),
    st.integers(1, 40),
    st.sampled_from([{"a": "string"}, {"a": "int8"}, {"a": "bool"}]),
)
def test_records_in_are_rows_out_and_rejects(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[bytes],
    form: str,
    piece: int,
    types: dict[str, str],
) -> None:
    """Whatever is wrong, in whatever form and wherever the file is cut: the same rows, and no record is lost or changed."""
    space = [b"", b" ", b"\r\n"][piece % 3]
    joined = {
        "lines": b"\n".join(records),
        "values": b"\n".join([b'{"a":null}', *records]),
        "elements": b"[" + (b"," + space).join(records) + b"]",
        "wrapped": b'{"data":[' + (b"," + space).join([b'{"a":null}', *records]) + b"]}",
    }[form]
    count = len(records) + (form in ("values", "wrapped"))
    format = "jsonl" if form == "lines" else "json"
    folder = tmp_path_factory.mktemp("in")
    shape: dict[str, Any] = {
        "types": types,
        "records": {"values": "row", "wrapped": "data"}.get(form, "auto"),
    }
    whole, cut = (rejects(folder, joined, format, size, **shape) for size in (1 << 20, piece))
    assert whole == cut
    tables = [
        read(folder, joined, format, piece=size, on_bad_row="reject", **shape) for size in (1 << 20, piece)
    ]
    if tables[0].num_columns:  # else there is no row, or none that has a key
        assert tables[0].to_pylist() == tables[1].to_pylist()
        assert tables[0].num_rows + len(whole) == count
        # The sound ones alone give the same table, and the bad ones no other.
        left = list(records)
        for one in whole:
            left.remove(one.record)
        alone = b"\n".join([b'{"a":null}'] * (count - len(records)) + left)
        again = read(folder, alone, "jsonl", on_bad_row="reject", types=types)
        assert again.to_pylist() == tables[0].to_pylist() and not rejects(folder, alone, "jsonl", types=types)
    how = Options(on_bad_row="reject", piece=piece, **shape)
    name = f"data.{format}"
    assert read_fragments(FORMATS[format], folder, {name: joined}, how, 3) == read_fragments(
        FORMATS[format], folder, {name: joined}, how, 1
    )
