"""JSON: any size by the grammar, with line and column of the first fault, and no alarm at JSON that is merely no table."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.integrity import jsonscan
from tests.formats import test_jsonshape, test_jsonsuite
from tests.integrity.checking_bytes import check, codes, cuts, errors, flips

OFF = (b"NaN", b"Infinity", b"e400", b"\\ud800", b"\\udc00", b"9" * 77, b'{"a":1,"a":1}', b"u0061", b'"b":1,"b":2', b'"\\ud834"')  # fmt: skip
DOCUMENT = json.dumps(
    {"images": [{"id": n, "name": f"{n} ä.jpg", "box": [0.5, n, -1e-3]} for n in range(40)], "none": None},
    indent=1,
    ensure_ascii=False,
).encode()


@pytest.mark.parametrize("value", test_jsonsuite.MUST)
def test_what_must_parse_is_valid(value: bytes) -> None:
    """Every value of the suite that the format reads is valid, as JSON and on a line."""
    for kind, data in test_jsonsuite.files(value):
        assert check(kind, data).verdict == "valid"


@pytest.mark.no_cover
@pytest.mark.parametrize("value", test_jsonsuite.MUST_NOT)
def test_what_must_not_parse_is_found(value: bytes) -> None:
    """Every value that the format refuses is corrupt; one that the grammar allows, or that many programs write, is suspect."""
    for kind, data in test_jsonsuite.files(value):
        verdict = check(kind, data).verdict
        assert verdict == "corrupt" or (verdict == "suspect" and any(off in data for off in OFF))


@pytest.mark.parametrize("name", test_jsonshape.UNCLEAR)
def test_json_that_is_no_table_is_valid(name: str) -> None:
    """An annotation of images is sound, though no table is found in it."""
    assert check("json", test_jsonshape.UNCLEAR[name][0]).verdict == "valid"


@pytest.mark.parametrize("window", [1, 3, 64])
def test_windows_do_not_matter(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found does not depend on where the windows end."""
    bad = DOCUMENT.replace(b'"box"', b'"box" 1', 1)
    wanted = check("json", bad).problems
    monkeypatch.setattr(jsonscan, "WINDOW", window)
    assert check("json", DOCUMENT).verdict == "valid"
    assert check("json", bad).problems == wanted


def test_every_cut_is_found() -> None:
    """A file that was cut off anywhere is corrupt."""
    assert all(errors(check("json", data)) for data in cuts(DOCUMENT[:700].rstrip(), 3))
    assert all(errors(check("json", data)) for data in cuts(DOCUMENT, 97))


@pytest.mark.no_cover
def test_a_flipped_bit_is_never_a_crash() -> None:
    """Any bit may be wrong: the answer is a verdict, the same as Python's parser has it."""
    for _, data in flips(DOCUMENT, 13):
        try:
            json.loads(data.decode())
        except ValueError:
            assert errors(check("json", data))
        else:
            assert not errors(check("json", data))


DAMAGED = {
    "a block of zeros in text": (DOCUMENT[:500] + bytes(512) + DOCUMENT[1012:], "zero-filled"),
    "a block of zeros between": (b"[1,\n" + bytes(64) + b"2]", "zero-filled"),
    "zeros behind": (DOCUMENT + bytes(64), "zero-filled"),
    "text behind": (DOCUMENT + b"</html>", "trailing-data"),
    "a page": (b"<html><head>", "wrong-content"),
    "UTF-16": ("{}".encode("utf-16"), "other-encoding"),
    "nothing": (b"\n", "empty"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_found(name: str) -> None:
    """Damage is told by its own code."""
    data, code = DAMAGED[name]
    found = check("json", data)
    assert (found.verdict, codes(found)) == ("corrupt", [code])


def test_depth_is_bounded() -> None:
    """Brackets without end take neither the stack nor the memory."""
    assert codes(check("json", b"[" * 3_000_000)) == ["too-deep"]


def test_a_place() -> None:
    """Line and column are told, and the byte."""
    (problem,) = check("json", '{\n "ä": [1,]}'.encode()).problems
    assert (problem.line, problem.column, problem.offset) == (2, 11, 12)
    assert problem.message == "expected a value, found ']'"


def test_the_first_fault_is_told() -> None:
    """A quote that is missing turns text inside out behind it: the fault is where it is missing, not where that shows."""
    lines = DOCUMENT.split(b"\n")
    bad = b"\n".join([*lines[:5], lines[5].replace(b'"', b"", 1), *lines[6:]])
    (problem,) = check("json", bad).problems
    assert problem.line == 6


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(value=JSON, ascii=st.booleans(), indent=st.sampled_from((None, 1)), size=st.integers(1, 40))
def test_what_python_writes_is_valid(value: Any, ascii: bool, indent: int | None, size: int) -> None:
    """Anything that Python writes is valid in windows of any size, and on a line of its own it is never corrupt."""
    text = json.dumps(value, ensure_ascii=ascii, indent=indent).encode()
    before, jsonscan.WINDOW = jsonscan.WINDOW, size
    try:
        jsonscan.scan(io.BytesIO(text))
    finally:
        jsonscan.WINDOW = before
    assert check("json", text).verdict == "valid"
    assert not errors(check("jsonl", json.dumps(value, ensure_ascii=ascii).encode() + b"\n"))
