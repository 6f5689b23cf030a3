"""Arrow's reading of JSON is taken only where it equals Python's, and no bytes make a reader stumble."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.formats.jsoncut import Form, JsonPiece, depth_of
from mldata.formats.jsonexact import Clash, exact_table
from mldata.formats.jsonfast import fast_table
from mldata.formats.jsonfault import Fault, Walker
from mldata.formats.jsonrecords import Records
from tests.formats.reading import fragments, read

NUMBERS = [
    0,
    1,
    -1,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    10**40,
    0.5,
    1.0,
    -0.0,
    1e22,
    5e-324,
    9007199254740993.0,
]
TEXTS = [
    "",
    "x",
    "2020-01-01",
    "2020-01-01T00:00:00Z",
    "é\u2028",
    "\U0001f600",
    "a}{",
    '"q"\\',
    "null",
    ":-0,",
    "\0",
]
SCALARS = st.sampled_from([*NUMBERS, *TEXTS, None, True, False])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pqr"), inner, max_size=2),
    max_leaves=4,
)
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={"a": SCALARS, "b": VALUES, "c": st.integers(-2, 2) | st.just(0.5)}),
    min_size=1,
    max_size=5,
)
TOKENS = [
    *(b"null", b"NaN", b",", b"}", b"{", b"]", b"[", b":", b"\n", b'"', b"\\", b"-0", b"1e400", b"\xff", b"\0", b" ", b"\\ud800"),
    *(b"\\udc00", b"\xef\xbb\xbf", b"'", b"//", b"01", b"1.", b"true", b"\r", b"{}", b'"a":1', b"12345678901234567", b"}\n{"),
    *(b"},{", b"]}", b'],"records":[', b"Infinity", b"-", b"e5", b".5"),
]  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(TOKENS)), max_size=3)
FORMS = st.sampled_from(
    [(Form.LINES, "\n", None), (Form.VALUES, "", 1), (Form.VALUES, "\n", None), (Form.ELEMENTS, ", ", 1)]
)


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Bytes taken out and put in."""
    for at, size, token in edits:
        at %= len(data) + 1
        data = data[:at] + token + data[at + size :]
    return data


@pytest.mark.no_cover
@settings(max_examples=200, deadline=None)
@given(ROWS, EDITS, FORMS, st.booleans())
@example([{"a": [None, None]}], [], (Form.LINES, "\n", None), True)
@example([{"a": 1}, {"a": 2}], [(8, 0, b" null")], (Form.VALUES, "\n", None), True)
def test_fast_is_exact(
    rows: list[Any], edits: list[Any], form: tuple[Form, str, int | None], ascii: bool
) -> None:
    """Of sound and of broken text: where the fast reading gives a table, the exact one gives the same, bit by bit."""
    kind, between, indent = form
    data = edited(
        between.join(json.dumps(row, ensure_ascii=ascii, indent=indent) for row in rows).encode(), edits
    )
    found = fast_table(JsonPiece(0, 0, data, kind, depth_of(data, lines=False)))
    if found is None:
        return
    table, count = exact_table(Records(data.decode(), kind), {})
    assert (found[1], found[0].schema) == (count, table.schema)
    assert repr(found[0].to_pylist()) == repr(table.to_pylist())


@pytest.mark.parametrize("form", [Form.LINES, Form.VALUES, Form.ELEMENTS])
def test_plain_records_are_read_fast(form: Form) -> None:
    """Times, emoji, late and nested keys, and large floats do not need the slow reading; the order of keys is that of the text."""
    rows: list[dict[str, Any]] = [
        {"t": "2020-01-01", "n": 1, "o": {"y": "2020-01-01 00:00:00", "x": 1}, "l": [], "f": 1e300, "e": "\U0001f600"},
        {"n": 2.5, "z": None, "o": {"a": "2021-01-01", "x": 2, "l": [{"u": "2020-01-01"}, {"v": 1, "u": None}]}, "t": None},
    ]  # fmt: skip
    rows *= 3000  # more than the sample
    rows.append({"late": "2020-01-01", "a": "x", "t": "y"})
    data = ("," if form is Form.ELEMENTS else "\n").join(json.dumps(row) for row in rows).encode()
    found = fast_table(JsonPiece(0, 0, data, form, 5))
    assert found is not None
    table, _ = exact_table(Records(data.decode(), form), {})
    assert found[0].schema == table.schema and found[0].to_pylist() == table.to_pylist()


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=60)
    | st.builds(
        lambda rows, edits, indent: edited(json.dumps(rows, indent=indent).encode(), edits),
        ROWS | st.dictionaries(st.sampled_from("dpq"), ROWS | VALUES, max_size=3),
        EDITS,
        st.sampled_from([None, 1]),
    ),
    st.sampled_from([1, 7, 1 << 20]),
    st.sampled_from(["json", "jsonl"]),
    st.sampled_from(["auto", "row", "values", "d"]),
)
def test_any_bytes(data: bytes, piece: int, format: str, records: str) -> None:
    """They are a table, the same however it is cut, or an error that names the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            whole = read(folder, data, format, records=records)
        except DataError as error:
            assert f"data.{format}" in str(error)
            whole = None
        try:
            cut = read(folder, data, format, piece=piece, records=records)
        except DataError:
            cut = None
    if whole is not None and cut is not None:
        assert repr(cut.to_pylist()) == repr(whole.to_pylist())
    assert (whole is None) == (cut is None)


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None)
@given(st.builds(lambda value, edits: edited(json.dumps(value).encode(), edits), VALUES, EDITS))
def test_the_walker_knows_json(data: bytes) -> None:
    """What explains errors finds one exactly where Python's parser does, or where that is too lenient."""
    text = data.decode("utf-8", "replace").strip(" \t\r\n")
    try:
        end = Walker(text).value(0)
    except Fault as fault:
        assert 0 <= fault.at <= len(text)
        try:
            exact_table(Records('{"a":' + text + "}", Form.LINES), {})
        except (Fault, Clash):
            return
        raise AssertionError(f"refused without a reason: {fault.reason}") from None
    assert repr(json.loads(text[:end])) == repr(json.JSONDecoder().raw_decode(text)[0])


def test_threads_do_not_show(tmp_path: Path) -> None:
    """Fragments are the same bytes on any number of threads, and the first error of the file is the one told."""
    rows = [{"a": i if i % 50 else i + 0.5, "b": {"x": str(i), "y": [i] * (i % 3)}} for i in range(400)]
    data = json.dumps(rows, indent=1).encode()
    one = fragments(tmp_path, {"a": data}, "json", piece=1000)
    assert len(one) > 10
    assert all(fragments(tmp_path, {"a": data}, "json", piece=1000, threads=n) == one for n in (2, 4))
    bad = data.replace(b'"199"', b'"199"]').replace(b'"299"', b"NaN")[:-20]
    for threads in (1, 2, 4):
        with pytest.raises(
            DataError, match=r"data\.json:\d+:\d+: expected ',' or '\}' in the object, found ']'"
        ):
            read(tmp_path, bad, "json", piece=1000, threads=threads)
