"""CSV files of every make and damage."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mldata.errors import MldataError
from tests.formats.reading import read
from tests.fuzz.engine import Example, fuzz
from tests.fuzz.mutate import mutated, packed
from tests.fuzz.stage import Stage

pytestmark = pytest.mark.no_cover

CELLS = [
    "1", "-2", "007", "3.5", "1e5", "1,5", "1.234,5", "1,234.5", "1'234", "9007199254740993", "1" * 400, "true", "FALSE", "2020-01-31", "2020-13-01",
    "12:30", "NA", "", " ", "word", "two words", "it's", 'a "b" c', "line\nend", "bare\rcr", "\r\n", "#no", "=1+1", "ä", "日本", "\U0001f600", "\0", "\ufeff",
    "x" * 3000, "nan", "inf", "-", "+1", ".5", "5.", "0x10", "\u2028", "\x85", "\x1a", "\x0b",
]  # fmt: skip
TOKENS = [
    b'"', b'""', b"'", b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\0\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff", b"\xc3", b"\xe9",
    b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"#", b"\\", b'\\"', b",,,,,,,,", b'"\n"', b'","', b" ", b"1", b"NA", b"1,5", b"\x1a",
]  # fmt: skip
ENCODINGS = ["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "shift_jis", "cp1251"]  # fmt: skip
PARAMS: list[dict[str, Any]] = [
    {"types": {"a": "int16"}}, {"types": {"a": "string"}}, {"types": {"a": "date32"}}, {"types": {"a": "category"}}, {"types": {"a": "decimal128(5, 2)"}},
    {"types": {"a": "bool"}}, {"types": {"a": "timestamp[s, UTC]"}}, {"encoding": "utf-8"}, {"encoding": "cp1252"}, {"encoding": "utf-16"}, {"encoding": "gb18030"},
    {"delimiter": ","}, {"delimiter": ";"}, {"quote": ""}, {"quote": "'"}, {"header": True}, {"header": False}, {"comment": "#"}, {"comment": ""},
    {"decimal": ","}, {"decimal": ".", "thousands": ","}, {"columns": "snake_case"}, {"nulls": ["word"]}, {"drop": ["a"]}, {"rename": {"a": "z"}},
    {"on_bad_row": "reject", "max_rejects": "100%"}, {"on_bad_row": "reject", "max_rejects": 1},
]  # fmt: skip


def table(rng: Random, plain: bool = False) -> str:
    """A table as text, in some dialect, mostly as it should be."""
    delimiter, end = "," if plain else rng.choice(",,,,;\t|: "), rng.choice(("\n", "\n", "\r\n", "\r"))
    quote, width = '"' if plain else rng.choice('""""\''), rng.choice((1, 2, 3, 3, 8))
    cells = rng.sample(CELLS, rng.randint(1, 8))
    always, ragged, mixed = rng.random() < 0.2, rng.random() < 0.1, rng.random() < 0.1
    lines = [delimiter.join("abcdefgh"[:width])] if rng.random() < 0.8 else []
    for _ in range(rng.choice((0, 1, 3, 10, 60))):
        row = [rng.choice(cells) for _ in range(rng.choice((width, width + 1, 1)) if ragged else width)]
        lines.append(delimiter.join(_cell(cell, delimiter, quote, always) for cell in row))
    if rng.random() < 0.1:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(("", "# a note", "sep=;", " ")))
    text = ""
    for line in lines:
        text += line + (rng.choice(("\n", "\r\n", "\r")) if mixed else end)
    return text if rng.random() < 0.8 else text.rstrip("\r\n")


def _cell(text: str, delimiter: str, quote: str, always: bool) -> str:
    if always or any(sign in text for sign in (delimiter, quote, "\r", "\n")):
        return quote + text.replace(quote, quote * 2) + quote
    return text


def options(rng: Random) -> dict[str, Any]:
    """Some parameters."""
    made: dict[str, Any] = {}
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        made.update(rng.choice(PARAMS))
    return made


def csv_file(rng: Random) -> Example:
    """A file, in some encoding, damaged at times, packed at times."""
    data = table(rng).encode(rng.choice(ENCODINGS), "replace")
    if rng.random() < 0.7:
        data = mutated(rng, data, TOKENS)
    name, data = packed(rng, rng.choice(("d.csv", "d.csv", "d.tsv")), data)
    return Example(name, data or b"\n", options(rng), rng.choice((None, 1, 16, 100, 3000)))


def test_any_csv_file_is_read_or_refused(tmp_path: Path) -> None:
    """In good time, and by an error that names the file; every row is in the table or among the rejects."""
    fuzz(csv_file, Stage(tmp_path), 200)


def plain_csv(rng: Random) -> Example:
    """A file with commas and double quotes, damaged at times."""
    text = table(rng, plain=True)
    data = text.encode()
    if rng.random() < 0.6:
        data = mutated(rng, data, TOKENS)
    return Example("d.csv", data, {}, rng.choice((1, 16, 100, 1 << 20)))


def test_cells_are_those_of_another_reader(tmp_path: Path) -> None:
    """What Python's own reader takes as a table, and we too, has the same cells."""
    taken = 0

    def check(example: Example) -> None:
        nonlocal taken
        rows = other_reader(example.data)
        if not rows:
            return
        names = [f"column_{number}" for number in range(1, len(rows[0]) + 1)]
        how = {
            "delimiter": ",",
            "quote": '"',
            "header": False,
            "comment": "",
            "encoding": "utf-8",
            "nulls": (),
        }
        try:
            found = read(
                tmp_path, example.data, piece=example.piece, types=dict.fromkeys(names, "string"), **how
            )
        except MldataError:
            return
        taken += 1
        assert [list(row.values()) for row in found.to_pylist()] == rows

    fuzz(plain_csv, check, 250)
    assert taken > 60


def other_reader(data: bytes) -> list[list[str]] | None:
    """The rows by Python's reader; None if it is no table to it, or one in a form that it does not tell from another."""
    try:
        text = data.decode()
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    if text[:1] == "\ufeff":
        return None  # it takes the mark for a part of the first cell
    full = [row for row in rows if row]
    if not full or any(len(row) != len(full[0]) for row in full):
        return None
    return full if len(full[0]) > 1 else None  # a blank line in one column may be a value
