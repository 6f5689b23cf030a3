"""JSON Lines: every bad line by its number, and one warning where the lines are odd."""

from __future__ import annotations

import json

import pytest

from mldata.integrity import jsonl
from tests.formats import test_json as formats
from tests.integrity.checking_bytes import check, codes, cuts, errors

LINES = b"".join(json.dumps({"id": n, "text": f"line {n} ä"}).encode() + b"\n" for n in range(60))


@pytest.mark.parametrize("name", formats.SOUND)
def test_what_is_read_is_not_corrupt(name: str) -> None:
    """No file that the format reads is corrupt."""
    assert not errors(check("jsonl", formats.SOUND[name][0]))


@pytest.mark.parametrize("name", formats.BAD)
def test_what_is_refused_is_not_valid(name: str) -> None:
    """No file that the format refuses passes without a word, and the line is the same."""
    data, where, _ = formats.BAD[name]
    found = check("jsonl", data)
    assert found.problems
    assert str(found.problems[0].line) == where.split(":")[1]


def test_every_bad_line_is_told() -> None:
    """A bad line does not hide the ones behind it; of many, the first ten are told, and how many more there are."""
    bad = LINES.replace(b'"id": 3,', b'"id": 3').replace(b'"id": 7,', b'"id": ,')
    assert [(problem.code, problem.line) for problem in check("jsonl", bad).problems] == [
        ("bad-json", 4),
        ("bad-json", 8),
    ]
    found = check("jsonl", LINES.replace(b"}", b""))
    assert len(found.problems) == 11
    assert found.problems[-1].message.startswith("50 more")


def test_every_cut_inside_a_line_is_found() -> None:
    """A file that was cut off inside of a line is truncated, wherever that was."""
    for data in cuts(LINES[:400]):
        found = check("jsonl", data)
        last = data.rpartition(b"\n")[2]
        whole = not last or last.endswith(b"}")
        assert found.verdict == ("valid" if whole else "corrupt")
        assert whole or found.problems[-1].code == "truncated"


ODD = {
    "blank lines": (b'{"a":1}\n\n  \r\n{"a":2}\r\n', "valid", []),
    "no line end": (b'{"a":1}\n{"a":2}', "valid", []),
    "a mark": (b'\xef\xbb\xbf{"a":1}\n', "valid", []),
    "escapes": (b'{"a":"\\ud83d\\ude00 \\\\ud800"}\n', "valid", []),
    "mixed kinds": (b'{"a":1}\n[1]\n', "suspect", ["mixed-kinds"]),
    "numbers": (b"1\n2\n", "suspect", ["no-objects"]),
    "a document": (b'{\n "a": 1\n}\n', "suspect", ["other-type"]),
    "a number that is none": (b'{"a":NaN}\n', "suspect", ["not-a-number"]),
    "nothing": (b"\n", "suspect", ["no-rows"]),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file(name: str) -> None:
    """What is odd is told as such, and what is sound is valid."""
    data, verdict, wanted = ODD[name]
    found = check("jsonl", data)
    assert (found.verdict, codes(found)) == (verdict, wanted)


DAMAGED = {
    "a block of zeros": (LINES[:600] + bytes(512) + LINES[1112:], "zero-filled"),
    "zeros behind": (LINES + bytes(64), "zero-filled"),
    "a byte that is no text": (LINES.replace(b"line 9", b"line \xff"), "undecodable"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "other-encoding"),
    "a page": (b"<!doctype html>\n<html>", "wrong-content"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_found(name: str) -> None:
    """Damage is told by its own code, with the line."""
    data, code = DAMAGED[name]
    found = check("jsonl", data)
    assert found.verdict == "corrupt"
    assert code in codes(found)


def test_pieces_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines and places are those of the file, wherever it is cut while it is read."""
    bad = LINES.replace(b'"id": 31,', b'"id": 31') + b"[1]\n"
    wanted = check("jsonl", bad)
    monkeypatch.setattr(jsonl, "PIECE", 100)
    assert check("jsonl", bad) == wanted
    assert [problem.line for problem in wanted.problems] == [32, 61]


def test_rows_are_told() -> None:
    """How many values there are is a fact."""
    assert check("jsonl", LINES).facts["rows"] == 60
